use std::ffi::OsString;

/// The grammar of a command line. The first argument chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// Any other first argument.
    Job,
    Report,
    Generate,
}

impl Grammar {
    /// The arguments are without the program's name.
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
