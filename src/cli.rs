//! The command line: chooses its grammar, and finds out what is asked for.

mod error;
mod generate;
mod grammar;
mod help;
mod job;
mod line;
mod report;
mod request;
mod time;
mod value;

use std::ffi::OsString;

use grammar::Grammar;

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

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;
    use crate::escape::is_safe;

    /// The message and the logged reason of a refused command line, which has the program's name first.
    fn refusal(words: &[&[u8]]) -> (String, Option<String>) {
        let words = words.iter().map(|word| OsStr::from_bytes(word).to_owned());
        match parse(words) {
            Request::UsageError { message, run } => (message, run.and_then(|run| run.reason)),
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn a_refused_command_line_has_a_reason_that_a_terminal_shows_as_it_is() {
        let lines: [&[&[u8]]; 14] = [
            &[],
            &[b"remoteexe"],
            &[b"remoteexe", b"\n"],
            &[b"\x1b[2J", b"--\x1b[2J\n", b"h", b"s"],
            &[b"remoteexe", b"-\xff\n", b"h", b"s"],
            &[b"remoteexe", b"--tee=\xe2\x80\xae\n\n", b"h", b"s"],
            &[b"remoteexe", b"--report=\n\n", b"h", b"s"],
            &[b"remoteexe", b"-V\n\n", b"-i"],
            &[b"remoteexe", b"h\xc2\x9b\n\n", b"s"],
            &[b"remoteexe", b"h", b"-\n\n"],
            &[b"remoteexe", b"--report", b"--\n\n\x07"],
            &[b"remoteexe", b"--report", b"--since=\n\nx"],
            &[b"remoteexe", b"--report", b"--run", b"1@\n\n"],
            &[b"remoteexe", b"--report", b"\n\n\xff"],
        ];
        for words in lines {
            let (message, logged) = refusal(words);
            let reason = message.lines().next().and_then(|first| first.strip_prefix("error: "));
            let reason = reason.unwrap_or_default();
            assert!(!reason.is_empty(), "{message:?}");
            assert!(message.chars().all(|c| c == '\n' || is_safe(c)), "{message:?}");
            if let Some(logged) = logged {
                assert!(logged.starts_with(reason), "{logged:?}");
                assert!(logged.chars().all(is_safe), "{logged:?}");
            }
        }
    }
}
