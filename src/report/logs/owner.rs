//! The owners of logs, and the names of users.

use std::collections::HashMap;
use std::fs;

use rustix::fs::{FileType, Stat};
use rustix::process::geteuid;

use super::scheduler::Scheduler;
use crate::cron::Author;
use crate::log::record;

/// The owner of the records in an input.
///
/// A record belongs to the owner of its file: nothing else about its writer can be proved. So records of
/// two owners are never put together into one run.
///
/// Other users may append to a file whose mode allows it, as to root's daily file if cron has umask 0. Their
/// records there count as its owner's. If one of their runs then goes on in their own per-user file, its
/// START is a run of root's without END, and the rest are records without START.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The machine whose cron has started the runs.
    pub scheduler: Scheduler,
    /// The user. A pipe has none, and all pipes together count as one owner.
    pub uid: Option<u32>,
    /// Other users may append to the file too.
    pub is_shared: bool,
}

impl Owner {
    /// The owner of an open file that a scheduler logs to.
    pub fn of(stat: &Stat, scheduler: Scheduler) -> Self {
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Self {
                scheduler,
                uid: None,
                is_shared: true,
            };
        }
        Self {
            scheduler,
            uid: Some(stat.st_uid),
            is_shared: stat.st_mode & 0o022 != 0,
        }
    }

    /// Whose account it is.
    pub fn account(&self) -> Account {
        Account {
            scheduler: self.scheduler,
            uid: self.uid,
        }
    }
}

/// A user on one scheduler. A job is one account's.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Account {
    /// The scheduler.
    pub scheduler: Scheduler,
    /// The user, as [`Owner::uid`].
    pub uid: Option<u32>,
}

/// The users of this machine, and the one who reads the report.
#[derive(Debug)]
pub struct Users {
    /// The effective user of this process.
    pub reader: u32,
    uids: HashMap<String, u32>,
    names: HashMap<u32, String>,
}

impl Users {
    /// Reads `/etc/passwd`. A report asks nobody, so the users that only a directory service knows have no names.
    pub fn read() -> Self {
        let mut users = Self {
            reader: geteuid().as_raw(),
            uids: HashMap::new(),
            names: HashMap::new(),
        };
        let passwd = fs::read("/etc/passwd").unwrap_or_default();
        for (name, uid) in passwd.split(|&byte| byte == b'\n').filter_map(entry) {
            // The first one counts, as for getpwnam(3) and getpwuid(3).
            users.names.entry(uid).or_insert_with(|| name.to_owned());
            users.uids.entry(name.to_owned()).or_insert(uid);
        }
        users
    }

    /// The user that `word` names or numbers. A name may consist of digits.
    pub fn uid(&self, word: &str) -> Option<u32> {
        let named = self.uids.get(word).copied();
        named.or_else(|| record::number(word.as_bytes()))
    }

    /// Whether there is a user of this name. There is no answer if a directory service may have one.
    pub fn has_name(&self, name: &str) -> Option<bool> {
        if self.uids.contains_key(name) {
            return Some(true);
        }
        let services = fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default();
        let mut lines = services.lines();
        let services = lines.find_map(|line| line.trim_start().strip_prefix("passwd:"));
        let is_local = |service| matches!(service, "files" | "compat" | "systemd" | "db");
        let all_are_local = services.unwrap_or("files").split_whitespace().all(is_local);
        all_are_local.then_some(false)
    }

    /// The name of a user, if it is known.
    pub fn name(&self, uid: u32) -> Option<&str> {
        self.names.get(&uid).map(String::as_str)
    }

    /// The name of a user, or the number.
    pub fn word(&self, uid: u32) -> String {
        self.name(uid)
            .map_or_else(|| uid.to_string(), str::to_owned)
    }

    /// The name and the number of a user, for a message.
    pub fn describe(&self, uid: u32) -> String {
        match self.name(uid) {
            Some(name) => format!("{name} (uid {uid})"),
            None => format!("uid {uid}"),
        }
    }

    /// The user who has written a crontab.
    pub fn author(&self, author: &Author) -> Option<u32> {
        match author {
            Author::Uid(uid) => Some(*uid),
            Author::Name(name) => self.uid(name),
        }
    }

    /// Whether a user is neither root nor the reader.
    pub fn is_stranger(&self, uid: u32) -> bool {
        uid != 0 && uid != self.reader
    }
}

/// The name and the number of the user in a line of `/etc/passwd`.
fn entry(line: &[u8]) -> Option<(&str, u32)> {
    let mut fields = line.split(|&byte| byte == b':');
    let name = str::from_utf8(fields.next()?).ok()?;
    let uid = record::number(fields.nth(1)?)?;
    (!name.is_empty()).then_some((name, uid))
}
