//! The proof that a try of ssh cannot have started the remote command.
//!
//! 255 alone proves nothing: it is also what ssh returns when a remote command returned 255, was killed
//! by a signal, or was running when the connection broke. So ssh is made to print a marker, by a
//! `LocalCommand`: it runs it after authentication, strictly before it requests the remote command, and
//! waits for it (`ssh_session2` in ssh.c; tried with 9.2). What ssh has printed is in the pipe when it
//! has exited, so where the marker is not among it, no remote command has been requested.
//!
//! The marker comes through ssh's own standard output. Other ways lose something: through descriptor 0
//! the remote command would lose its standard input, and `/proc/PID/fd/N` or a signal would, should
//! remoteexe have died and its process id have passed on, reach a process that has nothing to do with
//! it.
//!
//! What could start a remote command without the marker, of all of `ssh_config(5)`, and what is done
//! about it:
//!
//! | setting | |
//! | --- | --- |
//! | `LocalCommand`, `PermitLocalCommand` | ours come first on the command line, and ssh takes the first value it sees |
//! | `ControlMaster`, `ControlPath`, `ControlPersist` | a running master would run the command without a `LocalCommand`: `ControlMaster=no`, `ControlPath=none` |
//! | `RemoteCommand` | conflicts with the command line, and ssh refuses both: `RemoteCommand=none` |
//! | `$SHELL` | runs the `LocalCommand`; were it `nologin`, it would not, and ssh ignores that: `SHELL=/bin/sh` |
//! | `$SHELLOPTS`, exported functions | where `/bin/sh` is bash, it may not run it, or another `echo`: they are taken away |
//! | `/bin/sh` itself | is tried before: if it does not print the marker, there is no proof |
//! | `ForkAfterAuthentication`, `SessionType` | come after the marker |
//! | `ProxyCommand`, `ProxyJump`, `KnownHostsCommand`, `Match exec` | run on this side before authentication |
//!
//! Should the marker not be written all the same (the shell is killed in the millisecond that it lives),
//! there is a second condition: ssh must have said that the connection failed, in a message of a
//! connection without a session. A script can print the like.

use std::env;
use std::fs::File;
use std::io::{self, PipeReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use memchr::memmem;
use rustix::event::{PollFd, PollFlags};

use crate::cause::Diagnosis;
use crate::poll::{is_ready, wait};
use crate::random;

/// The first OpenSSH that knows all the options: 7.6 brought `RemoteCommand`.
const OLDEST: (u32, u32) = (7, 6);

/// What runs the `LocalCommand`.
const SHELL: &str = "/bin/sh";

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

/// What makes ssh prove that it has requested no remote command.
#[derive(Debug)]
pub struct Proof {
    ssh: PathBuf,
    marker: String,
}

impl Proof {
    /// A proof with the program `ssh`.
    ///
    /// # Errors
    ///
    /// `ssh` is not an OpenSSH that the proof is known to hold for.
    pub fn with(ssh: PathBuf) -> Result<Self, Unprovable> {
        vet(&ssh)?;
        // Not a secret: only so that no output looks like it.
        let nonce = match random::number() {
            Ok(nonce) => nonce,
            Err(error) => return Err(Unprovable::Unknown(ssh, error)),
        };
        let marker = format!("remoteexe marker {nonce:016x}");
        vet_shell(&marker)?;
        Ok(Self { ssh, marker })
    }

    /// An ssh that gives the proof; the job's own arguments go behind.
    pub fn command(&self) -> Command {
        // Where the pipe is full echo fails: ssh sets O_NONBLOCK on it. The command must not go on then.
        let local_command = format!("LocalCommand=echo {} || kill -9 $PPID", self.marker);
        let options = [
            "PermitLocalCommand=yes",
            &local_command,
            "ControlMaster=no",
            "ControlPath=none",
            "RemoteCommand=none",
        ];
        let mut command = Command::new(&self.ssh);
        command.args(options.map(|option| format!("-o{option}")));
        command.env("SHELL", SHELL);
        without_shell_settings(&mut command);
        command
    }

    /// Watches the output of one try.
    pub fn witness(&self) -> Witness {
        Witness {
            marker: format!("{}\n", self.marker).into_bytes(),
            marked: false,
            diagnosis: Diagnosis::default(),
        }
    }
}

/// Whether `ssh` is known to do as [`Proof`] says. A script is not run: it may do anything.
fn vet(ssh: &Path) -> Result<(), Unprovable> {
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

/// Whether the shell prints `marker`, as it will have to for ssh.
fn vet_shell(marker: &str) -> Result<(), Unprovable> {
    let fault = |error: io::Error| Unprovable::Shell(error.to_string());
    let (reader, stdout) = io::pipe().map_err(fault)?;
    let mut command = Command::new(SHELL);
    command.args(["-c", &format!("echo {marker}")]);
    command.stdout(stdout).stderr(Stdio::null());
    without_shell_settings(&mut command);
    let words = first_words(command, reader).map_err(fault)?;
    if words == marker {
        Ok(())
    } else {
        Err(Unprovable::Shell(format!("it prints {words:?}")))
    }
}

/// Takes away what makes bash, where it is /bin/sh, run nothing or something else.
fn without_shell_settings(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let bytes = name.as_encoded_bytes();
        if bytes.starts_with(b"BASH_FUNC_")
            || matches!(bytes, b"SHELLOPTS" | b"BASHOPTS" | b"BASH_ENV" | b"ENV")
        {
            command.env_remove(name);
        }
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

/// What one try of ssh has shown.
#[derive(Debug)]
pub struct Witness {
    marker: Vec<u8>,
    marked: bool,
    diagnosis: Diagnosis,
}

/// What follows from it, for a try that ended with 255.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The remote command was never requested, and the next try may succeed.
    Retry,
    /// The remote command may have run, or the next try would fail like this one.
    Final,
    /// The marker has not come, nor has a word about why.
    Unexplained,
}

impl Witness {
    /// Takes the marker out of `output`, what one read(2) of the pipe has given.
    ///
    /// It is there whole or not at all: a write(2) of so few bytes is atomic (pipe(7)), and a read takes
    /// all that the pipe holds.
    pub fn take_marker(&mut self, output: &mut Vec<u8>) {
        if self.marked {
            return;
        }
        if let Some(begin) = memmem::find(output, &self.marker) {
            self.marked = true;
            output.drain(begin..begin + self.marker.len());
        }
    }

    /// Takes a line of output into account.
    pub fn hear(&mut self, line: &[u8]) {
        if !self.marked {
            self.diagnosis.hear(line);
        }
    }

    /// What is known now that ssh has ended with 255.
    pub fn verdict(&self) -> Verdict {
        match self.diagnosis.cause() {
            _ if self.marked => Verdict::Final,
            Some(cause) if cause.is_passing() => Verdict::Retry,
            Some(_) => Verdict::Final,
            None => Verdict::Unexplained,
        }
    }
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
