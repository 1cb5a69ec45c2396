//! The ssh command: its words, the form in which the log shows it, and its start.

use std::borrow::Cow;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind, PipeReader};
use std::iter;
use std::num::NonZeroU16;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::fs::{Access, access};
use rustix::pipe::fcntl_setpipe_size;

use super::marker::Marker;
use super::spawn::{Child, Program};
use crate::escape;

/// Found through PATH, as cron's shell would.
const PROGRAM: &str = "ssh";

/// How many bytes of output the pipe may hold; Linux starts with 64 KiB.
///
/// A larger pipe makes larger appends to the log: 160 MB in lines of 80 bytes took 225 ms with 64 KiB, 167
/// with 128 KiB a read, 125 to 144 with this, and not less with more (`cat | cat` 104 to 122).
const PIPE_SIZE: usize = 512 << 10;

/// Characters with a meaning to a shell. ssh passes host and login on to the commands of `ProxyCommand`
/// and `Match exec`, which a shell runs.
const SHELL_METACHARACTERS: &str = "'\"`$\\;&|<>(){}[]*?!#~";

/// Why a word cannot be part of the ssh command.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WordError {
    /// Nothing, or nothing but white space.
    #[error("it is empty")]
    Empty,
    /// ssh takes it for an option, also after the host: `ssh root@h -oProxyCommand=…` runs it.
    #[error("it starts with '-', which ssh would take for an option")]
    LeadingHyphen,
    /// No host or login name holds it, but an attack or a slip of quoting does.
    #[error("it contains {0:?}")]
    Forbidden(char),
    /// `HOST:PORT`, which ssh would look up as a name.
    #[error("it holds a port")]
    Port {
        /// What is before the colon.
        host: String,
        /// What is behind it.
        port: NonZeroU16,
    },
}

/// A host name, address or alias of `ssh_config(5)`, without the login.
#[derive(Debug, Clone)]
pub struct Host(OsString);

impl TryFrom<OsString> for Host {
    type Error = WordError;

    fn try_from(word: OsString) -> Result<Self, WordError> {
        refuse_empty_or_option(&word)?;
        refuse_characters(&word, |c| c == '@' || SHELL_METACHARACTERS.contains(c))?;
        refuse_port(&word)?;
        Ok(Self(word))
    }
}

/// The user to log in as.
#[derive(Debug, Clone)]
pub struct Login(OsString);

impl TryFrom<OsString> for Login {
    type Error = WordError;

    fn try_from(word: OsString) -> Result<Self, WordError> {
        refuse_empty_or_option(&word)?;
        // Allowed in spite of the shell: DOMAIN\user and machine$ are names in Active Directory,
        // and user@domain is split by ssh at the last `@`, which is ours.
        refuse_characters(&word, |c| {
            SHELL_METACHARACTERS.contains(c) && !"\\$".contains(c)
        })?;
        Ok(Self(word))
    }
}

/// The first word of the remote command.
#[derive(Debug, Clone)]
pub struct Script(OsString);

impl TryFrom<OsString> for Script {
    type Error = WordError;

    /// Empty is refused because ssh without a command opens a login shell, which runs whatever
    /// standard input holds.
    fn try_from(word: OsString) -> Result<Self, WordError> {
        refuse_empty_or_option(&word)?;
        Ok(Self(word))
    }
}

fn refuse_empty_or_option(word: &OsStr) -> Result<(), WordError> {
    if word.as_bytes().trim_ascii().is_empty() {
        Err(WordError::Empty)
    } else if word.as_bytes().starts_with(b"-") {
        Err(WordError::LeadingHyphen)
    } else {
        Ok(())
    }
}

fn refuse_characters(word: &OsStr, refused: impl Fn(char) -> bool) -> Result<(), WordError> {
    word.to_string_lossy()
        .chars()
        .find(|&c| c.is_whitespace() || c.is_control() || refused(c))
        .map_or(Ok(()), |c| Err(WordError::Forbidden(c)))
}

/// An IPv6 address has two colons or more. Anything but a plain name may be an alias.
fn refuse_port(word: &OsStr) -> Result<(), WordError> {
    if let Some((host, port)) = word.to_str().and_then(|word| word.split_once(':'))
        && let Ok(port) = port.parse()
        && !host.is_empty()
        && host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    {
        let host = host.to_owned();
        return Err(WordError::Port { host, port });
    }
    Ok(())
}

/// The job: a host and the command to run there.
#[derive(Debug, Clone)]
pub struct Operands {
    /// Where.
    pub host: Host,
    /// The remote command's first word.
    pub script: Script,
    /// The remote command's other words.
    pub parameters: Vec<OsString>,
}

impl Operands {
    /// The form in which START and END name the job: `HOST SCRIPT PARAMETERS`.
    pub fn display(&self) -> Vec<u8> {
        escape::join(iter::once(self.host.0.as_os_str()).chain(self.remote_command()))
    }

    fn remote_command(&self) -> impl Iterator<Item = &OsStr> {
        iter::once(&self.script.0)
            .chain(&self.parameters)
            .map(OsString::as_os_str)
    }
}

/// One call of ssh(1).
#[derive(Debug, Clone)]
pub struct Ssh {
    /// `-F`: the configuration file to use instead of the user's and the system's.
    pub config: Option<PathBuf>,
    /// `-i`, each a private key; without any ssh's configuration chooses.
    pub identities: Vec<PathBuf>,
    /// `-p`.
    pub port: Option<NonZeroU16>,
    /// `-o`, each `KEYWORD=VALUE`.
    pub options: Vec<OsString>,
    /// The user part of the destination.
    pub login: Login,
    /// Where to run what.
    pub operands: Operands,
}

/// Why ssh was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no ssh in any directory of PATH.
    #[error("ssh not found")]
    NotFound,
    /// It is there but the kernel does not run it: permissions, too long an argument, limits.
    #[error(transparent)]
    CannotRun(#[from] io::Error),
}

/// An ssh that has been started.
#[derive(Debug)]
pub struct Running {
    /// ssh.
    pub child: Child,
    /// The reading end of the pipe that is its standard output and standard error.
    pub output: PipeReader,
}

impl Ssh {
    /// Starts ssh, with one pipe as its standard output and standard error.
    ///
    /// The two share one pipe: only that keeps the order of the writes. Nothing else shares the write
    /// end, because ssh sets `O_NONBLOCK` on it. Standard input is inherited.
    ///
    /// The words of the remote command are passed as they came: ssh joins them with single spaces, and
    /// leaves everything else to the remote shell.
    ///
    /// With a `marker`, ssh prints that before it requests the remote command.
    ///
    /// # Errors
    ///
    /// ssh has not run.
    pub fn start(&self, marker: Option<&Marker>) -> Result<Running, StartError> {
        let (output, input) = io::pipe()?;
        // Refused to an ordinary user with very many jobs at once (pipe(7), pipe-user-pages-soft).
        let _ = fcntl_setpipe_size(&output, PIPE_SIZE);
        let mut program = match marker {
            Some(marker) => marker.program(PROGRAM),
            None => Program::new(PROGRAM),
        };
        program.args(self.arguments());
        let child = program.spawn([None, Some(input.as_fd()), Some(input.as_fd())]);
        // While we held the write end, end of file would never come.
        drop(input);
        match child {
            Ok(child) => Ok(Running { child, output }),
            // ENOENT is also what the kernel says of an ssh whose `#!` interpreter is missing, and
            // ENOTDIR where PATH holds a file: neither tells whether there is an ssh.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
                    && !is_in_path() =>
            {
                Err(StartError::NotFound)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The form in which the log shows the command, the words joined by spaces and not quoted.
    pub fn display(&self) -> Vec<u8> {
        let arguments = self.arguments();
        escape::join(iter::once(OsStr::new(PROGRAM)).chain(arguments.iter().map(Cow::as_ref)))
    }

    fn arguments(&self) -> Vec<Cow<'_, OsStr>> {
        let mut arguments = Vec::new();
        let mut option = |flag, value| arguments.extend([Cow::Borrowed(OsStr::new(flag)), value]);
        if let Some(config) = &self.config {
            option("-F", config.as_os_str().into());
        }
        for identity in &self.identities {
            option("-i", identity.as_os_str().into());
        }
        if let Some(port) = self.port {
            option("-p", OsString::from(port.to_string()).into());
        }
        for keyword in &self.options {
            option("-o", keyword.into());
        }
        let Operands { host, .. } = &self.operands;
        let destination = [self.login.0.as_os_str(), OsStr::new("@"), &host.0];
        arguments.push(Cow::Owned(destination.into_iter().collect()));
        arguments.extend(self.operands.remote_command().map(Cow::Borrowed));
        arguments
    }
}

/// The ssh that PATH leads to.
pub fn program() -> Option<PathBuf> {
    candidates()
        .into_iter()
        .find(|path| path.is_file() && access(path, Access::EXEC_OK).is_ok())
}

/// Whether a directory of PATH has a file of that name, whatever it is.
fn is_in_path() -> bool {
    candidates().iter().any(|path| path.exists())
}

fn candidates() -> Vec<PathBuf> {
    // Without PATH execvp(3) looks there.
    let path = env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    env::split_paths(&path)
        .map(|dir| dir.join(PROGRAM))
        .collect()
}
