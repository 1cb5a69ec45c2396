//! The ssh in PATH, its versions, and the options that guard a job against some settings of `ssh_config(5)`.
//!
//! These settings separate ssh from the job, so that END says nothing about the job (tried with 9.2):
//!
//! | setting | without the remedy | remedy |
//! | --- | --- | --- |
//! | `ForkAfterAuthentication yes` | ssh goes to the background: END,0 at once | `ForkAfterAuthentication=no` |
//! | `SessionType none` | the script never runs, and ssh never ends | `SessionType=default` |
//! | `StdinNull yes` | the script does not get its standard input | `StdinNull=no` |
//! | `RequestTTY force` | the input is echoed, and its end never reaches the script | `-T` |
//!
//! ssh takes the first value that it sees, so the remedies come first on its command line. The first three
//! settings came with 8.7, and an older ssh would refuse them. So the remedies are given only to a program that is
//! proved to be ssh (see `proof.rs`), and these three from 8.7 on.

use std::env;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::decimal::number;

/// Looked up in PATH, as by cron's shell.
pub const NAME: &str = "ssh";
/// The function of ssh that prints why a connection ended, as `LogVerbose` names it.
pub const FATAL_FUNCTION: &str = "sshpkt_vfatal()";
/// `LogVerbose` puts this before the message, with a line's number, from 8.7 on `PROGRAM[PROCESS]`, and a colon.
pub const TAG: &[u8] = b"packet.c:sshpkt_vfatal():";
/// The first OpenSSH that has the settings of [`guards`] other than `RequestTTY`.
const SEPARATING: Version = Version(8, 7);

/// The first ssh in PATH that can be run.
pub fn find() -> Option<PathBuf> {
    candidates().find(|path| path.is_file() && access(path, Access::EXEC_OK).is_ok())
}

/// Whether a directory of PATH has anything named ssh, even if that cannot be run.
pub fn has_anything_in_path() -> bool {
    candidates().any(|path| path.exists())
}

pub fn remedy_for_path() -> String {
    let elsewhere = ["/usr/bin", "/usr/local/bin"].into_iter();
    let mut elsewhere = elsewhere.filter(|dir| Path::new(dir).join(NAME).is_file());
    match elsewhere.next() {
        Some(dir) => format!("add {dir}, where it is, to PATH"),
        None => "install the OpenSSH client (apt-get install openssh-client)".to_owned(),
    }
}

fn candidates() -> impl Iterator<Item = PathBuf> {
    // Without PATH, execvp(3) looks in these directories.
    let path = env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    let dirs: Vec<PathBuf> = env::split_paths(&path).collect();
    dirs.into_iter().map(|dir| dir.join(NAME))
}

/// A version of OpenSSH: the major and the minor number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl Version {
    /// The beginning of a version's words.
    pub const BEGIN: &[u8] = b"OpenSSH_";

    /// Splits off a version at the beginning of `text`, such as `OpenSSH_9.2p1 Debian-2`.
    pub fn split(text: &[u8]) -> Option<(Self, &[u8])> {
        let (major, rest) = leading_number(text.strip_prefix(Self::BEGIN)?)?;
        let (minor, rest) = leading_number(rest.strip_prefix(b".")?)?;
        Some((Self(major, minor), rest))
    }
}

fn leading_number(text: &[u8]) -> Option<(u32, &[u8])> {
    let is_other = |byte: &u8| !byte.is_ascii_digit();
    let (digits, rest) = text.split_at(text.iter().position(is_other).unwrap_or(text.len()));
    Some((number(digits)?, rest))
}

/// The remedies that this version of ssh understands.
pub fn guards(version: Version) -> &'static [&'static str] {
    let all = &["-T", "-oForkAfterAuthentication=no", "-oSessionType=default", "-oStdinNull=no"];
    if version >= SEPARATING { all } else { &all[..1] }
}
