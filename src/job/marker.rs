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
use std::path::PathBuf;
use std::process::Command;

use memchr::memmem;

use super::preflight::{self, Unprovable};
use crate::random;
use crate::ssh_error::Diagnosis;

/// What runs the `LocalCommand`.
const SHELL: &str = "/bin/sh";

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
        preflight::ssh(&ssh)?;
        // Not a secret: only so that no output looks like it.
        let nonce = match random::number() {
            Ok(nonce) => nonce,
            Err(error) => return Err(Unprovable::Unknown(ssh, error)),
        };
        let marker = format!("remoteexe marker {nonce:016x}");
        let mut shell = Command::new(SHELL);
        shell.args(["-c", &format!("echo {marker}")]);
        without_shell_settings(&mut shell);
        preflight::shell(shell, &marker)?;
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
