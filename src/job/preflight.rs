//! Whether the programs of this machine do as a proof needs them to; see `marker.rs`.

use std::fs::File;
use std::io::{self, PipeReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use crate::poll::{is_ready, wait};

/// The first OpenSSH that knows all the options: 7.6 brought `RemoteCommand`.
const OLDEST: (u32, u32) = (7, 6);

/// How long a program may take to say its first word, when it is tried.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why there is no proof to be had.
#[derive(Debug, thiserror::Error)]
pub enum Unprovable {
    /// A script in its place may drop options, or run ssh twice.
    #[error("{0} is not a program but a script; put OpenSSH's ssh before it in PATH")]
    Script(PathBuf),
    /// Another implementation, without these options.
    #[error("{0} is not OpenSSH: {1}")]
    NotOpenSsh(PathBuf, String),
    /// OpenSSH from before 2017.
    #[error("{0} is older than OpenSSH 7.6: {1}")]
    TooOld(PathBuf, String),
    /// It runs the `LocalCommand`.
    #[error("/bin/sh does not run a LocalCommand as it has to: {0}")]
    Shell(String),
    /// The program cannot be looked at, or there is no randomness.
    #[error("cannot make sure of {0}: {1}")]
    Unknown(PathBuf, io::Error),
}

/// Whether `ssh` is an OpenSSH that knows all the options. A script is not run: it may do anything.
///
/// # Errors
///
/// It is none, or that cannot be found out.
pub fn ssh(ssh: &Path) -> Result<(), Unprovable> {
    let unknown = |error| Unprovable::Unknown(ssh.into(), error);
    let mut magic = [0; 4];
    let read = File::open(ssh).and_then(|mut file| file.read(&mut magic));
    read.map_err(unknown)?;
    if &magic != b"\x7fELF" {
        return Err(Unprovable::Script(ssh.into()));
    }
    let (reader, stderr) = io::pipe().map_err(unknown)?;
    let mut command = Command::new(ssh);
    command.arg("-V").stdout(Stdio::null()).stderr(stderr);
    let version = first_words(command, reader).map_err(unknown)?;
    match openssh_version(&version) {
        Some(version) if version >= OLDEST => Ok(()),
        Some(_) => Err(Unprovable::TooOld(ssh.into(), version)),
        None => Err(Unprovable::NotOpenSsh(ssh.into(), version)),
    }
}

/// Whether `shell`, told to print `marker`, does so.
///
/// # Errors
///
/// It does not.
pub fn shell(mut shell: Command, marker: &str) -> Result<(), Unprovable> {
    let fault = |error: io::Error| Unprovable::Shell(error.to_string());
    let (reader, stdout) = io::pipe().map_err(fault)?;
    shell.stdout(stdout).stderr(Stdio::null());
    let words = first_words(shell, reader).map_err(fault)?;
    if words == marker {
        Ok(())
    } else {
        Err(Unprovable::Shell(format!("it prints {words:?}")))
    }
}

/// What `command` writes first into the pipe that `reader` is the other end of.
///
/// Its end is not waited for: it may have a child that keeps the pipe.
fn first_words(mut command: Command, mut reader: PipeReader) -> io::Result<String> {
    let mut child = command.stdin(Stdio::null()).spawn()?;
    // With our copies of the write end gone, its end of file comes.
    drop(command);
    let mut fds = [PollFd::new(&reader, PollFlags::IN)];
    let waited = wait(&mut fds, Some(Instant::now() + PATIENCE));
    let has_come = is_ready(&fds[0]);
    let mut words = [0; 256];
    let read = match waited {
        Ok(()) if has_come => reader.read(&mut words),
        // Or a signal has come, which is looked at before anything is started.
        Ok(()) => Err(io::Error::other("it does not answer")),
        Err(error) => Err(error),
    };
    let _ = child.kill();
    let _ = child.wait();
    let words = String::from_utf8_lossy(&words[..read?]);
    Ok(words.trim().to_owned())
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
