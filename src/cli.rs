//! The command line: which of two grammars it uses, and what it asks for.

mod error;
mod job;
mod report;
mod request;
mod value;

use std::ffi::OsString;

pub use request::Request;

/// Reads the command line, the program's name first, and the environment variables that stand in for
/// options.
///
/// A report has a grammar of its own, so that an ordinary job does not pay for its options.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Request {
    let words: Vec<OsString> = words.into_iter().collect();
    match words.as_slice() {
        [_, first, rest @ ..] if first == "--report" => report::parse(rest),
        _ => job::parse(&words),
    }
}
