//! The time that is diagnosed.

use chrono::{NaiveDateTime, NaiveTime, TimeDelta};

use super::RunSummary;
use crate::report::logs::scheduler::Scheduler;

/// The time that is diagnosed, in local time, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// The first second of the period.
    pub since: NaiveDateTime,
    /// The first second after it: what is wrong then is wrong now.
    pub now: NaiveDateTime,
    /// The logs have come to `now`: that there is no later START means that nothing was started.
    pub is_live: bool,
    /// The machine's last boot, if it is known.
    pub boot: Option<NaiveDateTime>,
    /// All jobs are in the history. Otherwise nobody knows what else was running or started.
    pub has_all_jobs: bool,
}

impl Scope {
    /// Whether a time is in the period.
    pub fn includes(&self, time: NaiveDateTime) -> bool {
        self.since <= time && time < self.now
    }

    /// Whether a run was going on in the period.
    pub fn has(&self, run: &RunSummary) -> bool {
        run.is_in(self.since, self.now)
    }

    /// The last boot of the machine that starts the jobs of `scheduler`, if that is known and was before the end.
    pub fn boot_of(&self, scheduler: Scheduler) -> Option<NaiveDateTime> {
        let is_here = !scheduler.is_remote();
        self.boot.filter(|boot| is_here && *boot < self.now)
    }

    /// The period before, of the same length. That of a day until now is the day before until the same time.
    /// There is none if the period has no beginning.
    pub fn before(&self) -> Option<Self> {
        if self.since == NaiveDateTime::MIN {
            return None;
        }
        let length = self.now - self.since;
        let is_of_days = self.since.time() == NaiveTime::MIN;
        let days = length.num_days() + i64::from(length > TimeDelta::days(length.num_days()));
        let shift = if is_of_days { TimeDelta::days(days) } else { length };
        Some(Self {
            since: self.since.checked_sub_signed(shift)?,
            now: self.now.checked_sub_signed(shift)?,
            is_live: false,
            ..*self
        })
    }
}
