//! What a diagnosis needs of a run.

use chrono::{NaiveDateTime, TimeDelta};

use super::jobs::JobId;
use crate::clock::passed;
use crate::report::runs::outcome::Outcome;

#[derive(Debug, Clone, Copy)]
pub struct RunSummary {
    pub job: JobId,
    /// The process id of remoteexe.
    pub pid: u32,
    /// The local time of START.
    pub start: NaiveDateTime,
    /// The local time at which the run began to work: START, or the end of the splay.
    pub begun: NaiveDateTime,
    /// The local time of the last record, which is END if there is one.
    pub last: NaiveDateTime,
    /// The local time of END, or by which a lost run was certainly dead, or of a running run's last record.
    pub until: NaiveDateTime,
    /// The duration, or [`UNKNOWN`], as after the clock was set back.
    pub(super) seconds: u32,
    pub(super) line: u32,
    pub outcome: Outcome,
    /// The sum of its [`RunFlag`]s.
    pub(super) flags: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunFlag {
    /// The same job was started again during the run.
    Overlapped = 1,
    /// A record may be another run's, or output.
    Ambiguous = 2,
    /// The remote command certainly ended by itself.
    ReachedHost = 4,
    /// The log has the ssh command, so the first operand is a host.
    HasCommand = 8,
    Retried = 16,
    /// The exit status is not 0, but accepted.
    Accepted = 32,
    /// Lost: its process id has started another run.
    Dated = 64,
    /// The output is empty or blank.
    Silent = 128,
    /// Retries were asked for: the log has a retry, or shows why there was none.
    HasRetries = 256,
    /// Good, and it did nothing that the job usually does.
    Idle = 512,
}

pub(super) const UNKNOWN: u32 = u32::MAX;

impl RunSummary {
    pub fn is(&self, flag: RunFlag) -> bool {
        self.flags & flag as u16 != 0
    }

    pub fn seconds(&self) -> Option<u32> {
        (self.seconds != UNKNOWN).then_some(self.seconds)
    }

    /// The duration of a good run that did its work.
    pub fn good_seconds(&self) -> Option<u32> {
        let is_good = self.outcome == Outcome::Good && !self.is(RunFlag::Idle);
        self.seconds().filter(|_| is_good)
    }

    /// Whether the run was going on at `since` or later, but before `end`.
    pub fn is_in(&self, since: NaiveDateTime, end: NaiveDateTime) -> bool {
        let is_open = self.outcome == Outcome::Running;
        self.start < end && (is_open || self.until >= since)
    }

    /// How long the run has worked by `now`.
    pub fn age(&self, now: NaiveDateTime) -> TimeDelta {
        passed(self.begun, now).max(TimeDelta::zero())
    }
}
