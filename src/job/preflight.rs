//! Checks that ssh and /bin/sh support safe retries; see `marker.rs`.

use std::io::{self, PipeReader, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::process::Signal;

use super::openssh;
use super::signals::Signals;
use super::spawn::{Program, dev_null};
use crate::poll::{is_ready, wait};

/// The first OpenSSH that knows all the options: 7.6 brought `RemoteCommand`.
const OLDEST: (u32, u32) = (7, 6);

/// How long a program that is checked may take to print its first line.
const PATIENCE: Duration = Duration::from_secs(5);

const STDOUT: usize = 1;
const STDERR: usize = 2;

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
/// It is not such an OpenSSH, or that cannot be verified.
pub fn check_ssh(ssh: &Path, signals: &mut Signals) -> Result<(), PreflightError> {
    let unverified = |error| PreflightError::Unverified(ssh.into(), error);
    if !openssh::is_elf(ssh).map_err(unverified)? {
        return Err(PreflightError::Script(ssh.into()));
    }
    let mut program = Program::new(ssh);
    program.args(["-V"]);
    let version = printed_on(STDERR, &program, signals).map_err(unverified)?;
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
pub fn check_shell(
    shell: &Program,
    marker: &str,
    signals: &mut Signals,
) -> Result<(), PreflightError> {
    let printed = printed_on(STDOUT, shell, signals).map_err(PreflightError::Shell)?;
    if printed == marker {
        Ok(())
    } else {
        Err(PreflightError::OtherText(printed))
    }
}

/// The first bytes that `program` prints on the descriptor `number`.
///
/// The end of its output is not waited for: the program may have a child that keeps the pipe.
fn printed_on(number: usize, program: &Program, signals: &mut Signals) -> io::Result<String> {
    let (mut output, input) = io::pipe()?;
    let null = dev_null()?;
    let mut stdio = [Some(null.as_fd()); 3];
    stdio[number] = Some(input.as_fd());
    let child = program.spawn(stdio)?;
    // While we hold a copy of the write end, end of file does not come.
    drop(input);
    let mut bytes = [0; 256];
    let read = wait_for_output(&output, signals).and_then(|()| output.read(&mut bytes));
    child.send(Signal::KILL);
    let _ = child.wait();
    let text = String::from_utf8_lossy(&bytes[..read?]);
    Ok(text.trim().to_owned())
}

/// Waits until there is something to read, or a signal asks us to end. The caller then acts on the signal.
fn wait_for_output(output: &PipeReader, signals: &mut Signals) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline && !signals.is_ending() {
        let mut fds = [
            PollFd::new(output, PollFlags::IN),
            PollFd::new(signals, PollFlags::IN),
        ];
        wait(&mut fds, Some(deadline))?;
        if is_ready(&fds[0]) {
            return Ok(());
        }
    }
    Err(io::Error::other("it does not answer"))
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
