//! The command line: chooses its grammar, and finds out what is asked for.

mod error;
mod generate;
mod job;
mod line;
mod report;
mod request;
mod time;
mod value;

use std::ffi::OsString;

use line::Grammar;

pub use request::Request;

/// Parses the command line, with the program's name first, and the environment variables that stand for options. A
/// report has a grammar of its own, so that a job does not pay for its options.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Request {
    let words: Vec<OsString> = words.into_iter().collect();
    let arguments = words.get(1..).unwrap_or_default();
    match Grammar::of(arguments) {
        Grammar::Job => job::parse(&words),
        Grammar::Report => report::parse(&arguments[1..]),
        Grammar::Generate => generate::parse(arguments),
    }
}
