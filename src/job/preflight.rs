//! Checks that the ssh that was found and /bin/sh support safe retries; see `marker.rs`.

use std::io;
use std::path::PathBuf;

use super::ask::ask;
use super::openssh::Version;
use super::proof::Proved;
use super::signals::Signals;
use super::spawn::Program;

/// The oldest OpenSSH with which the marker was tried.
const OLDEST: Version = Version(7, 4);

/// Why retries would not be safe.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    /// OpenSSH from before December 2016.
    #[error("{0} is older than OpenSSH 7.4: {1}")]
    TooOld(PathBuf, String),
    /// Printed instead of the marker.
    #[error("/bin/sh does not run a LocalCommand: it printed '{0}'")]
    OtherText(String),
    #[error("/bin/sh does not run a LocalCommand: {0}")]
    Shell(io::Error),
    /// What ssh leaves behind could not be seen.
    #[error("the kernel shows no orphans of ssh: {0}")]
    Orphans(io::Error),
    #[error("no random number: {0}")]
    Random(io::Error),
}

/// Refuses a version of ssh that is older than those with which the marker was tried.
pub fn check_version(ssh: &Proved) -> Result<(), PreflightError> {
    if ssh.version() >= OLDEST {
        Ok(())
    } else {
        Err(PreflightError::TooOld(ssh.path().into(), ssh.words().into()))
    }
}

/// Checks that `shell` prints `marker` if told to.
pub fn check_shell(
    shell: &Program,
    marker: &str,
    signals: &mut Signals,
) -> Result<(), PreflightError> {
    let printed = ask(shell, signals, |printed| !printed.is_empty());
    let printed = printed.map_err(PreflightError::Shell)?;
    let printed = String::from_utf8_lossy(printed.trim_ascii());
    if printed == marker { Ok(()) } else { Err(PreflightError::OtherText(printed.into_owned())) }
}
