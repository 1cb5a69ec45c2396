//! The owners of logs.

use rustix::fs::{FileType, Stat};

use super::scheduler::Scheduler;

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
            return Self { scheduler, uid: None, is_shared: true };
        }
        Self { scheduler, uid: Some(stat.st_uid), is_shared: stat.st_mode & 0o022 != 0 }
    }

    /// The account to whom the process ids belong.
    pub fn account(&self) -> Account {
        Account { scheduler: self.scheduler, uid: self.uid }
    }

    /// The account to whom the jobs belong, on whichever worker of a scheduler they ran.
    pub fn job_account(&self) -> Account {
        Account { scheduler: self.scheduler.whole(), uid: self.uid }
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
