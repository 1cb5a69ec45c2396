//! Checks that ssh and /bin/sh support safe retries; see `marker.rs`.

use std::fs::File;
use std::io::{self, PipeReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use crate::poll::{is_ready, wait};

/// The first OpenSSH that knows all the options: 7.6 brought `RemoteCommand`.
const OLDEST: (u32, u32) = (7, 6);

/// How long a program that is tried may take to print its first line.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why retries would not be safe.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    /// A script in the place of ssh may drop options, or run ssh twice.
    #[error("{0} is not a program but a script; put OpenSSH's ssh before it in PATH")]
    Script(PathBuf),
    /// Another implementation, without these options.
    #[error("{0} is not OpenSSH: {1}")]
    NotOpenSsh(PathBuf, String),
    /// OpenSSH from before 2017.
    #[error("{0} is older than OpenSSH 7.6: {1}")]
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

/// Checks that `ssh` is an OpenSSH that knows all the options. A script is not run: it may do anything.
///
/// # Errors
///
/// It is none, or that cannot be found out.
pub fn check_ssh(ssh: &Path) -> Result<(), PreflightError> {
    let unverified = |error| PreflightError::Unverified(ssh.into(), error);
    let mut magic = [0; 4];
    let read = File::open(ssh).and_then(|mut file| file.read(&mut magic));
    read.map_err(unverified)?;
    if &magic != b"\x7fELF" {
        return Err(PreflightError::Script(ssh.into()));
    }
    let (reader, stderr) = io::pipe().map_err(unverified)?;
    let mut command = Command::new(ssh);
    command.arg("-V").stdout(Stdio::null()).stderr(stderr);
    let version = first_output(command, reader).map_err(unverified)?;
    match openssh_version(&version) {
        Some(number) if number >= OLDEST => Ok(()),
        Some(_) => Err(PreflightError::TooOld(ssh.into(), version)),
        None => Err(PreflightError::NotOpenSsh(ssh.into(), version)),
    }
}

/// Checks that `shell`, told to print `marker`, does so.
///
/// # Errors
///
/// It does not.
pub fn check_shell(mut shell: Command, marker: &str) -> Result<(), PreflightError> {
    let (reader, stdout) = io::pipe().map_err(PreflightError::Shell)?;
    shell.stdout(stdout).stderr(Stdio::null());
    let printed = first_output(shell, reader).map_err(PreflightError::Shell)?;
    if printed == marker {
        Ok(())
    } else {
        Err(PreflightError::OtherText(printed))
    }
}

/// The first bytes that `command` writes into the pipe that `reader` is the other end of.
///
/// Its end is not waited for: it may have a child that keeps the pipe.
fn first_output(mut command: Command, mut reader: PipeReader) -> io::Result<String> {
    let mut child = command.stdin(Stdio::null()).spawn()?;
    // With our copies of the write end gone, its end of file comes.
    drop(command);
    let mut fds = [PollFd::new(&reader, PollFlags::IN)];
    let waited = wait(&mut fds, Some(Instant::now() + PATIENCE));
    let has_come = is_ready(&fds[0]);
    let mut bytes = [0; 256];
    let read = match waited {
        Ok(()) if has_come => reader.read(&mut bytes),
        // Or a signal has come; it is looked at before anything is started.
        Ok(()) => Err(io::Error::other("it does not answer")),
        Err(error) => Err(error),
    };
    let _ = child.kill();
    let _ = child.wait();
    let text = String::from_utf8_lossy(&bytes[..read?]);
    Ok(text.trim().to_owned())
}

/// Major and minor version in what `ssh -V` prints, such as `OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.17`.
fn openssh_version(text: &str) -> Option<(u32, u32)> {
    let (major, rest) = text.strip_prefix("OpenSSH_")?.split_once('.')?;
    let minor = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_openssh_is_read_from_its_own_words() {
        for (text, version) in [
            (
                "OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026",
                Some((9, 2)),
            ),
            ("OpenSSH_7.6p1, LibreSSL 2.6.2", Some((7, 6))),
            ("OpenSSH_10.0p2 Debian-7, OpenSSL 3.5.1", Some((10, 0))),
            ("Dropbear v2022.83", None),
            ("OpenSSH_", None),
            ("", None),
        ] {
            assert_eq!(openssh_version(text), version, "{text}");
        }
    }
}
