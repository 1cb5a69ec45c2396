//! Checks that ssh and /bin/sh support safe retries; see `marker.rs`.

use std::io;
use std::path::{Path, PathBuf};

use super::ask::{Stream, ask};
use super::openssh::{self, Kind, Version};
use super::signals::Signals;
use super::spawn::Program;

/// The oldest OpenSSH with which the marker was tried.
const OLDEST: Version = Version(7, 4);

/// Why retries would not be safe.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    /// A script in the place of ssh may drop options, or run ssh twice.
    #[error("{0} is not a program but a script; put OpenSSH's ssh before it in PATH")]
    Script(PathBuf),
    /// Another implementation, without these options.
    #[error("{0} is not OpenSSH: {1}")]
    NotOpenSsh(PathBuf, String),
    /// OpenSSH from before December 2016.
    #[error("{0} is older than OpenSSH 7.4: {1}")]
    TooOld(PathBuf, String),
    /// It printed this instead of the marker.
    #[error("/bin/sh does not run a LocalCommand: it printed '{0}'")]
    OtherText(String),
    /// /bin/sh cannot be run.
    #[error("/bin/sh does not run a LocalCommand: {0}")]
    Shell(io::Error),
    /// The program ssh cannot be read or run.
    #[error("cannot verify {0}: {1}")]
    Unverified(PathBuf, io::Error),
    /// There is no randomness for the marker.
    #[error("no random number: {0}")]
    Random(io::Error),
}

/// Checks that `ssh` is an OpenSSH with which the marker was tried, and gives its version. A script is not run: it
/// may do anything.
///
/// # Errors
///
/// It is not such an OpenSSH, or that cannot be verified.
pub fn check_ssh(ssh: &Path, signals: &mut Signals) -> Result<Version, PreflightError> {
    let unverified = |error| PreflightError::Unverified(ssh.into(), error);
    let words = match openssh::kind(ssh).map_err(unverified)? {
        Kind::OpenSsh(words) => words,
        Kind::Unknown => {
            let mut program = Program::new(ssh);
            program.args(["-V"]);
            printed_on(Stream::Error, &program, signals).map_err(unverified)?
        }
        Kind::Script => return Err(PreflightError::Script(ssh.into())),
    };
    match Version::parse(words.as_bytes()) {
        Some(version) if version >= OLDEST => Ok(version),
        Some(_) => Err(PreflightError::TooOld(ssh.into(), words)),
        None => Err(PreflightError::NotOpenSsh(ssh.into(), words)),
    }
}

/// Checks that `shell`, told to print `marker`, does so.
///
/// # Errors
///
/// It does not.
pub fn check_shell(
    shell: &Program,
    marker: &str,
    signals: &mut Signals,
) -> Result<(), PreflightError> {
    let printed = printed_on(Stream::Output, shell, signals).map_err(PreflightError::Shell)?;
    if printed == marker {
        Ok(())
    } else {
        Err(PreflightError::OtherText(printed))
    }
}

/// The first words that `program` prints on `stream`.
fn printed_on(stream: Stream, program: &Program, signals: &mut Signals) -> io::Result<String> {
    let printed = ask(program, stream, signals, |printed| !printed.is_empty())?;
    Ok(String::from_utf8_lossy(&printed).trim().to_owned())
}
