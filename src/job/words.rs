//! The words of a job, each valid for its place: HOST, SCRIPT, PARAMETERS and the login.

use std::ffi::{OsStr, OsString};
use std::{iter, num::NonZeroU16, os::unix::ffi::OsStrExt};

use crate::escape;

/// Characters with a meaning to a shell, to which ssh passes host and login in `ProxyCommand` and `Match exec`.
const SHELL_METACHARACTERS: &str = "'\"`$\\;&|<>(){}[]*?!#~";

/// The reason why a word cannot be part of the ssh command.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WordError {
    /// Nothing, or nothing but white space.
    #[error("it is empty")]
    Empty,
    /// ssh takes it for an option, even after the host: `ssh root@h -oProxyCommand=…` runs it.
    #[error("it starts with '-', which ssh would take for an option")]
    LeadingHyphen,
    /// No host or login name contains it; an attack or a quoting mistake may.
    #[error("it contains {0:?}")]
    Forbidden(char),
    /// `HOST:PORT`, which ssh would look up as a name.
    #[error("it contains a port")]
    Port { host: String, port: NonZeroU16 },
}

/// A host name, address or alias of `ssh_config(5)`, without the login.
#[derive(Debug, Clone)]
pub struct Host(OsString);

impl Host {
    pub fn new(word: OsString) -> Result<Self, WordError> {
        refuse_empty_or_option(&word)?;
        refuse_characters(&word, |c| c == '@' || SHELL_METACHARACTERS.contains(c))?;
        refuse_port(&word)?;
        Ok(Self(word))
    }
}

#[derive(Debug, Clone)]
pub struct Login(OsString);

impl Login {
    pub fn new(word: OsString) -> Result<Self, WordError> {
        refuse_empty_or_option(&word)?;
        // Allowed in spite of the shell: DOMAIN\user and machine$ are names in Active Directory, and ssh splits
        // user@domain at the last `@`, which is ours.
        refuse_characters(&word, |c| SHELL_METACHARACTERS.contains(c) && !"\\$".contains(c))?;
        Ok(Self(word))
    }
}

/// The first word of the remote command.
#[derive(Debug, Clone)]
pub struct Script(OsString);

impl Script {
    /// Empty is refused: without a command, ssh opens a login shell, which runs whatever standard input contains.
    pub fn new(word: OsString) -> Result<Self, WordError> {
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

/// Refuses `NAME:PORT`. An IPv6 address has two colons or more. Anything but a plain name may be an alias.
fn refuse_port(word: &OsStr) -> Result<(), WordError> {
    if let Some((host, port)) = word.to_str().and_then(|word| word.split_once(':'))
        && let Ok(port) = port.parse()
        && !host.is_empty()
        && host.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    {
        let host = host.to_owned();
        return Err(WordError::Port { host, port });
    }
    Ok(())
}

/// The job: a host and the command to run there.
#[derive(Debug, Clone)]
pub struct Operands {
    pub host: Host,
    pub script: Script,
    pub parameters: Vec<OsString>,
}

impl Operands {
    /// The destination for ssh: `LOGIN@HOST`.
    pub fn destination(&self, login: &Login) -> OsString {
        [&*login.0, OsStr::new("@"), &*self.host.0].into_iter().collect()
    }

    /// The job as in START and END: `HOST SCRIPT PARAMETERS`.
    pub fn display(&self) -> Vec<u8> {
        escape::join(iter::once(self.host.0.as_os_str()).chain(self.remote_command()))
    }

    pub fn remote_command(&self) -> impl Iterator<Item = &OsStr> {
        iter::once(&self.script.0).chain(&self.parameters).map(OsString::as_os_str)
    }
}
