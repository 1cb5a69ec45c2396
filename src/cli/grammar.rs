//! Which grammar a command line is written in.

use std::ffi::OsString;

/// The first argument chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// Of a job: any other first argument.
    Job,
    /// Of `--report`.
    Report,
    /// Of `--generate`.
    Generate,
}

impl Grammar {
    /// The grammar of these arguments, the program's name not among them.
    pub fn of(arguments: &[OsString]) -> Self {
        match arguments.first().map(|first| first.as_encoded_bytes()) {
            Some(b"--report") => Self::Report,
            Some(first) if first.strip_prefix(b"--generate").is_some_and(is_end) => Self::Generate,
            _ => Self::Job,
        }
    }
}

/// Whether an option's name ends here.
fn is_end(rest: &[u8]) -> bool {
    matches!(rest, [] | [b'=', ..])
}
