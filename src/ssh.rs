//! The ssh command: the words that it is made of, its argv and its display form.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::iter;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::Command;

use crate::record;

/// Found through PATH, as cron's shell would.
const PROGRAM: &str = "ssh";

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
    /// Not part of any host or login name, but of an attack or a slip of quoting.
    #[error("it contains {0:?}")]
    Forbidden(char),
}

/// A host name, address or alias of `ssh_config(5)`, without the login.
#[derive(Debug, Clone)]
pub struct Host(OsString);

impl TryFrom<OsString> for Host {
    type Error = WordError;

    fn try_from(word: OsString) -> Result<Self, WordError> {
        refuse_empty_or_option(&word)?;
        refuse_characters(&word, |c| c == '@' || SHELL_METACHARACTERS.contains(c))?;
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

/// What the job is: where it runs and what.
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
        record::join(iter::once(self.host.0.as_os_str()).chain(self.remote_command()))
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
    /// `-i`; without it ssh's configuration chooses.
    pub identity: Option<PathBuf>,
    /// `-p`.
    pub port: Option<u16>,
    /// `-o`, each `KEYWORD=VALUE`.
    pub options: Vec<OsString>,
    /// The user part of the destination.
    pub login: Login,
    /// Where to run what.
    pub operands: Operands,
}

impl Ssh {
    /// The command to run.
    ///
    /// The remote command is passed as the words that it came in: ssh joins them with single spaces
    /// and leaves everything else to the remote shell.
    pub fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(self.arguments());
        command
    }

    /// The form in which the log shows the command, the words joined by spaces and not quoted.
    pub fn display(&self) -> Vec<u8> {
        let arguments = self.arguments();
        record::join(iter::once(OsStr::new(PROGRAM)).chain(arguments.iter().map(Cow::as_ref)))
    }

    fn arguments(&self) -> Vec<Cow<'_, OsStr>> {
        let mut arguments = Vec::new();
        let mut option = |flag, value| arguments.extend([Cow::Borrowed(OsStr::new(flag)), value]);
        if let Some(config) = &self.config {
            option("-F", config.as_os_str().into());
        }
        if let Some(identity) = &self.identity {
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
