//! The ssh command: its words, its form in the log, and its start.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, ErrorKind, PipeReader, Read};
use std::path::{Path, PathBuf};
use std::{borrow::Cow, iter, num::NonZeroU16, os::fd::AsFd};

use rustix::pipe::fcntl_setpipe_size;

use super::openssh::{self, NAME};
use super::spawn::{Child, Program};
use super::words::{Login, Operands};
use super::{ask::ask, marker::Marker, proof::Proved, signals::Signals};
use crate::escape;

/// The bytes that the pipe may hold; Linux starts with 64 KiB.
///
/// A larger pipe makes larger appends to the log: 160 MB in lines of 80 bytes took 225 ms with 64 KiB, 167 with 128 KiB
/// a read, 125 to 144 with this, and not less with more (`cat | cat` 104 to 122).
const PIPE_SIZE: usize = 512 << 10;
/// The bytes of a key's file that show whether the key has a passphrase.
const LONGEST_HEAD: u64 = 256;

#[derive(Debug, Clone)]
pub struct Ssh {
    /// `-F`: the configuration file instead of the user's and the system's.
    pub config: Option<PathBuf>,
    /// `-i`, each a private key. If there is none, ssh's configuration chooses.
    pub identities: Vec<PathBuf>,
    pub port: Option<NonZeroU16>,
    pub options: Vec<OsString>,
    pub login: Login,
    pub operands: Operands,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("ssh not found")]
    NotFound,
    /// The kernel does not run it: permissions, too long an argument, limits.
    #[error(transparent)]
    CannotRun(#[from] io::Error),
}

pub struct Running {
    pub child: Child,
    /// The reading end of the pipe for its standard output and standard error.
    pub output: PipeReader,
}

impl Ssh {
    /// Starts ssh, with one pipe as its standard output and standard error.
    ///
    /// Only a shared pipe keeps the order of the writes. Nothing else shares the write end, because ssh sets
    /// `O_NONBLOCK` on it. Standard input is inherited.
    ///
    /// The words of the remote command are passed unchanged: ssh joins them, and the remote shell does all the rest.
    ///
    /// A program that is `proved` to be ssh gets the guards. With a `marker`, it prints that before the remote command.
    pub fn start(&self, proved: Option<&Proved>, marker: Option<&Marker>) -> Result<Running, StartError> {
        let (output, input) = io::pipe()?;
        // Refused to an ordinary user with very many jobs at once (pipe(7), pipe-user-pages-soft).
        let _ = fcntl_setpipe_size(&output, PIPE_SIZE);
        let mut program = program(proved, marker);
        program.args(self.arguments());
        let child = program.spawn([None, Some(input.as_fd()), Some(input.as_fd())]);
        // While we held the write end, end of file would never come.
        drop(input);
        match child {
            Ok(child) => Ok(Running { child, output }),
            // The kernel also returns ENOENT for an ssh whose `#!` interpreter is missing, and ENOTDIR if PATH has a
            // file. Neither shows whether there is an ssh.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
                    && !openssh::has_anything_in_path() =>
            {
                Err(StartError::NotFound)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The `LogLevel` that ssh would have, in upper case, from its configuration.
    ///
    /// `ssh -G` prints it, and connects to nobody. A `Match exec` does not run again, because its shell is one that
    /// runs nothing, and so does not match.
    pub fn log_level(&self, proved: &Proved, marker: &Marker, signals: &mut Signals) -> Option<String> {
        let mut program = program(Some(proved), Some(marker));
        program.args(["-G"]);
        program.args(self.arguments());
        program.set("SHELL", "/bin/false");
        let level = |printed: &[u8]| {
            let mut lines = printed.split_inclusive(|&byte| byte == b'\n');
            let level = lines.find_map(|line| line.strip_prefix(b"loglevel ")?.strip_suffix(b"\n"));
            level.map(|level| String::from_utf8_lossy(level).to_uppercase())
        };
        let is_enough = |printed: &[u8]| level(printed).is_some();
        level(&ask(&program, signals, is_enough).ok()?)
    }

    /// The command as the log shows it: the words joined by spaces and not quoted.
    pub fn display(&self) -> Vec<u8> {
        let arguments = self.arguments();
        escape::join(iter::once(OsStr::new(NAME)).chain(arguments.iter().map(Cow::as_ref)))
    }

    /// The first identity with a passphrase. ssh says nothing of such a key if it can ask nobody.
    pub fn locked_key(&self) -> Option<String> {
        let key = self.identities.iter().find(|key| has_passphrase(key))?;
        Some(escape::printable(key.as_os_str().as_encoded_bytes()))
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
        arguments.push(Cow::Owned(self.operands.destination(&self.login)));
        arguments.extend(self.operands.remote_command().map(Cow::Borrowed));
        arguments
    }
}

/// Whether a file has a private key that is encrypted, in OpenSSH's format or as PEM.
fn has_passphrase(key: &Path) -> bool {
    // The cipher `none`, after the magic bytes.
    const NONE: &str = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU";
    let mut text = String::new();
    let is_file = fs::metadata(key).is_ok_and(|it| it.is_file());
    let mut read = || File::open(key)?.take(LONGEST_HEAD).read_to_string(&mut text);
    if !is_file || read().is_err() {
        return false;
    }
    let is_openssh = text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----");
    is_openssh && !text.contains(NONE) || text.contains("ENCRYPTED")
}

/// ssh with the arguments that come before the job's own. The log does not show them: they change nothing for the job.
fn program(proved: Option<&Proved>, marker: Option<&Marker>) -> Program {
    let Some(proved) = proved else {
        // By name: posix_spawnp(3) goes on to the next ssh in PATH if the first is a broken script.
        return Program::new(NAME);
    };
    // Whatever PATH has by now: the guards and the marker are for this program.
    let mut program = Program::new(&proved.path);
    program.words[0] = NAME.into();
    if let Some(marker) = marker {
        marker.equip(&mut program);
    }
    program.args(openssh::guards(proved.version));
    program
}
