//! The owner of records: what a file shows about their writer.

use rustix::fs::{FileType, Stat};

use super::scheduler::Scheduler;

/// The owner of the records in an input.
///
/// A record belongs to the owner of its file: nothing else about its writer can be proved. No run has two owners.
///
/// Other users may append to a file if its mode allows that, as to root's daily file if cron has umask 0. Their records
/// there count as root's. If such a run continues in its user's own file, its START is a run of root without END, and
/// the rest are records without START.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    pub scheduler: Scheduler,
    /// None for a pipe. All pipes together count as one owner.
    pub uid: Option<u32>,
    /// Other users may append to the file too.
    pub is_shared: bool,
}

impl Owner {
    pub fn of(stat: &Stat, scheduler: Scheduler) -> Self {
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Self { scheduler, uid: None, is_shared: true };
        }
        Self { scheduler, uid: Some(stat.st_uid), is_shared: stat.st_mode & 0o022 != 0 }
    }

    /// The account of process ids, which each worker numbers on its own.
    pub fn account(&self) -> Account {
        Account { scheduler: self.scheduler, uid: self.uid }
    }

    /// The account of jobs, on whichever worker of a scheduler they ran.
    pub fn job_account(&self) -> Account {
        Account { scheduler: self.scheduler.whole(), uid: self.uid }
    }
}

/// A user on one scheduler. Each job belongs to one account.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Account {
    pub scheduler: Scheduler,
    pub uid: Option<u32>,
}
