//! The marker that shows whether an attempt can have started the remote command.
//!
//! The exit status 255 does not show it: ssh also returns 255 when the remote command returned it, was killed by a
//! signal, or was running when the connection broke. So a `LocalCommand` prints a marker. ssh runs the `LocalCommand`
//! after authentication, strictly before it requests the remote command, and waits for it (`ssh_session2` in ssh.c;
//! tried with 7.4 to 10.5). When ssh has exited, all its output is in the pipe. Without a marker there, no remote
//! command has been requested. The connect timeout relies on the same: an ssh that is killed without a marker has
//! requested nothing.
//!
//! The marker comes through ssh's own standard output. Other ways have drawbacks. Through descriptor 0 the remote
//! command would lose its standard input. `/proc/PID/fd/N` or a signal would reach another process if remoteexe had
//! died and its process id had been reused.
//!
//! These settings of `ssh_config(5)` could start a remote command without the marker:
//!
//! | setting | remedy |
//! | --- | --- |
//! | `LocalCommand`, `PermitLocalCommand` | ours come first on the command line, and ssh takes the first value it sees |
//! | `ControlMaster`, `ControlPath`, `ControlPersist` | a running master would run the command without a `LocalCommand`: `ControlMaster=no`, `ControlPath=none` |
//! | `RemoteCommand` | conflicts with the command line, and ssh refuses both: `RemoteCommand=none`, from 7.6 on, which brought it |
//! | `$SHELL` | runs the `LocalCommand`; `nologin` would not, and ssh ignores the failure: `SHELL=/bin/sh` |
//! | `$SHELLOPTS`, exported functions | where `/bin/sh` is bash, they can disable or replace `echo`: they are removed |
//! | `/bin/sh` itself | is checked first: if it does not print the marker, there are no retries |
//! | `ForkAfterAuthentication`, `SessionType` | take effect after the marker |
//! | `ProxyCommand`, `ProxyJump`, `KnownHostsCommand`, `Match exec` | run on this side before authentication |
//!
//! The shell that prints the marker could still be killed in the millisecond of its life. So a retry needs a second
//! condition: ssh has reported that the connection failed, in a message about a connection without a session. A script
//! can print such a message too.
//!
//! With `LogLevel ERROR` ssh is silent about a connection that ends after the first lines, and about one without a
//! common algorithm. `LogVerbose` (`ssh_config(5)`, from 8.5 on) makes the function speak that ends ssh then, and adds
//! no line to a run that succeeds (tried with 8.6 to 10.5).

use anyhow::{Context, ensure};

use super::family::{self, Others};
use super::openssh::{FATAL_FUNCTION, Version};
use super::{ask::ask, proof::Proved, signals::Signals, spawn::Program};
use crate::random;

/// Runs the `LocalCommand`.
const SHELL: &str = "/bin/sh";
/// The oldest OpenSSH with which the marker was tried.
const OLDEST: Version = Version(7, 4);
/// The first OpenSSH with `RemoteCommand`. An older one refuses the option.
const REMOTE_COMMAND: Version = Version(7, 6);
/// The first OpenSSH with `LogVerbose`.
const LOG_VERBOSE: Version = Version(8, 5);

/// Makes ssh print a marker before it requests the remote command.
pub struct Marker {
    version: Version,
    text: String,
    /// The processes below us before the first ssh.
    pub others: Others,
}

impl Marker {
    /// A marker for the program `ssh`. Fails if `ssh` or /bin/sh may not print it.
    pub fn prepare(ssh: &Proved, signals: &mut Signals) -> anyhow::Result<Self> {
        ensure!(ssh.version >= OLDEST, "{} is older than OpenSSH 7.4: {}", ssh.path.display(), ssh.words);
        let others = family::adopt_orphans().context("the kernel shows no orphans of ssh")?;
        // Not a secret: it only keeps other output from looking like the marker.
        let nonce = random::number().context("no random number")?;
        let text = format!("remoteexe marker {nonce:016x}");
        let mut shell = Program::new(SHELL);
        shell.args(["-c", &format!("echo {text}")]);
        remove_shell_settings(&mut shell);
        let printed = ask(&shell, signals, |printed| !printed.is_empty());
        let printed = printed.context("/bin/sh does not run a LocalCommand")?;
        let printed = String::from_utf8_lossy(printed.trim_ascii());
        ensure!(printed == text, "/bin/sh does not run a LocalCommand: it printed '{printed}'");
        Ok(Self { version: ssh.version, text, others })
    }

    /// The bytes that come through the pipe.
    pub fn line(&self) -> Vec<u8> {
        format!("{}\n", self.text).into_bytes()
    }

    /// Makes an ssh without arguments print the marker.
    pub fn equip(&self, program: &mut Program) {
        // echo fails if the pipe is full, because ssh sets O_NONBLOCK on it. Then ssh must not continue.
        let local_command = format!("LocalCommand=echo {} || kill -9 $PPID", self.text);
        let options = ["PermitLocalCommand=yes", &local_command, "ControlMaster=no", "ControlPath=none"];
        program.args(options.map(|option| format!("-o{option}")));
        if self.version >= REMOTE_COMMAND {
            program.args(["-oRemoteCommand=none"]);
        }
        if self.version >= LOG_VERBOSE {
            program.args([format!("-oLogVerbose=*:{FATAL_FUNCTION}:*")]);
        }
        program.set("SHELL", SHELL);
        remove_shell_settings(program);
    }
}

/// Removes the settings that could make bash, if it is /bin/sh, run nothing or another command.
fn remove_shell_settings(program: &mut Program) {
    program.unset(|name| {
        name.starts_with(b"BASH_FUNC_") || matches!(name, b"SHELLOPTS" | b"BASHOPTS" | b"BASH_ENV" | b"ENV")
    });
}
