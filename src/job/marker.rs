//! The marker that tells whether an attempt can have started the remote command.
//!
//! The exit status 255 cannot tell: ssh also returns it when the remote command returned 255, was killed
//! by a signal, or was running when the connection broke. So a `LocalCommand` prints a marker. ssh runs the
//! `LocalCommand` after authentication, strictly before it requests the remote command, and waits for it
//! (`ssh_session2` in ssh.c; tried with 9.2). Once ssh has exited, all that it has printed is in the pipe.
//! Without a marker there, no remote command has been requested.
//!
//! The marker comes through ssh's own standard output. Other ways have drawbacks. Through descriptor 0
//! the remote command would lose its standard input. `/proc/PID/fd/N` or a signal would reach another
//! process if remoteexe had died and its process id had been reused.
//!
//! These settings of `ssh_config(5)` could start a remote command without the marker:
//!
//! | setting | remedy |
//! | --- | --- |
//! | `LocalCommand`, `PermitLocalCommand` | ours come first on the command line, and ssh takes the first value it sees |
//! | `ControlMaster`, `ControlPath`, `ControlPersist` | a running master would run the command without a `LocalCommand`: `ControlMaster=no`, `ControlPath=none` |
//! | `RemoteCommand` | conflicts with the command line, and ssh refuses both: `RemoteCommand=none` |
//! | `$SHELL` | runs the `LocalCommand`; `nologin` would not, and ssh ignores the failure: `SHELL=/bin/sh` |
//! | `$SHELLOPTS`, exported functions | where `/bin/sh` is bash, they can disable or replace `echo`: they are removed |
//! | `/bin/sh` itself | is checked first: if it does not print the marker, there are no retries |
//! | `ForkAfterAuthentication`, `SessionType` | take effect after the marker |
//! | `ProxyCommand`, `ProxyJump`, `KnownHostsCommand`, `Match exec` | run on this side before authentication |
//!
//! The shell that prints the marker could still be killed in the millisecond of its life. So a retry
//! needs a second condition: ssh has said that the connection failed, in a message about a connection without
//! a session. A script can print such a message too.

use std::path::PathBuf;

use memchr::memmem;

use super::preflight::{self, PreflightError};
use super::signals::Signals;
use super::spawn::Program;
use crate::random;
use crate::ssh_error::Diagnosis;

/// Runs the `LocalCommand`.
const SHELL: &str = "/bin/sh";

/// Makes ssh print a marker before it requests the remote command.
#[derive(Debug)]
pub struct Marker {
    ssh: PathBuf,
    text: String,
}

impl Marker {
    /// A marker for the program `ssh`.
    ///
    /// # Errors
    ///
    /// `ssh` or /bin/sh cannot be relied on to print it.
    pub fn prepare(ssh: PathBuf, signals: &mut Signals) -> Result<Self, PreflightError> {
        preflight::check_ssh(&ssh, signals)?;
        // Not a secret: it only keeps other output from looking like the marker.
        let nonce = random::number().map_err(PreflightError::Random)?;
        let text = format!("remoteexe marker {nonce:016x}");
        let mut shell = Program::new(SHELL);
        shell.args(["-c", &format!("echo {text}")]);
        remove_shell_settings(&mut shell);
        preflight::check_shell(&shell, &text, signals)?;
        Ok(Self { ssh, text })
    }

    /// An ssh that prints the marker; the job's own arguments follow.
    pub fn program(&self) -> Program {
        // echo fails if the pipe is full, because ssh sets O_NONBLOCK on it. Then ssh must not go on.
        let local_command = format!("LocalCommand=echo {} || kill -9 $PPID", self.text);
        let options = [
            "PermitLocalCommand=yes",
            &local_command,
            "ControlMaster=no",
            "ControlPath=none",
            "RemoteCommand=none",
        ];
        let mut program = Program::new(&self.ssh);
        program.args(options.map(|option| format!("-o{option}")));
        program.env.retain(|(name, _)| name != "SHELL");
        program.env.push(("SHELL".into(), SHELL.into()));
        remove_shell_settings(&mut program);
        program
    }
}

/// Removes the settings that could make bash, where it is /bin/sh, run nothing or another command.
fn remove_shell_settings(program: &mut Program) {
    program.env.retain(|(name, _)| {
        let name = name.as_encoded_bytes();
        !name.starts_with(b"BASH_FUNC_")
            && !matches!(name, b"SHELLOPTS" | b"BASHOPTS" | b"BASH_ENV" | b"ENV")
    });
}

/// Watches the output of one attempt for the marker and for ssh's messages.
///
/// Without a marker there is nothing to watch for: the attempt is the only one.
#[derive(Debug)]
pub struct Monitor {
    /// The marker and its newline, until it has come.
    marker: Option<Vec<u8>>,
    /// The remote command may have been requested.
    may_be_requested: bool,
    diagnosis: Diagnosis,
}

/// Whether another attempt would be safe and useful.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The remote command was never requested, and the next attempt may succeed.
    Transient,
    /// The remote command may have run, or the next attempt would fail like this one.
    Permanent,
    /// Neither the marker nor a message that says why has come.
    Unexplained,
}

impl Monitor {
    /// A monitor of an attempt that prints `marker`, if any.
    pub fn new(marker: Option<&Marker>) -> Self {
        Self {
            marker: marker.map(|marker| format!("{}\n", marker.text).into_bytes()),
            may_be_requested: marker.is_none(),
            diagnosis: Diagnosis::default(),
        }
    }

    /// Takes the marker out of `output`, the bytes of one read(2) of the pipe.
    ///
    /// It is there whole or not at all: a write(2) of so few bytes is atomic (pipe(7)), and a read takes
    /// all that the pipe holds.
    pub fn take_marker(&mut self, output: &mut Vec<u8>) {
        if let Some(marker) = &self.marker
            && let Some(begin) = memmem::find(output, marker)
        {
            output.drain(begin..begin + marker.len());
            self.marker = None;
            self.may_be_requested = true;
        }
    }

    /// Takes a line of output into account.
    pub fn observe(&mut self, line: &[u8]) {
        if !self.may_be_requested {
            self.diagnosis.observe(line);
        }
    }

    /// The verdict on an attempt that ended with a failure of ssh.
    pub fn verdict(&self) -> Verdict {
        match self.diagnosis.cause() {
            _ if self.may_be_requested => Verdict::Permanent,
            Some(cause) if cause.is_transient() => Verdict::Transient,
            Some(_) => Verdict::Permanent,
            None => Verdict::Unexplained,
        }
    }
}
