use chrono::{NaiveDateTime, NaiveTime, TimeDelta};

use super::RunSummary;
use crate::report::logs::scheduler::Scheduler;

/// The period to diagnose, in local time, and what is known about it.
pub struct Scope {
    /// The first second of the period.
    pub since: NaiveDateTime,
    /// The first second after the period. An incident that is open then is open now.
    pub now: NaiveDateTime,
    /// The logs reach to `now`, so a START that is missing did not happen.
    pub is_live: bool,
    /// The machine's last boot, if known.
    pub boot: Option<NaiveDateTime>,
    /// All jobs are in the history. Otherwise other runs may have been going on.
    pub has_all_jobs: bool,
}

impl Scope {
    pub fn includes(&self, time: NaiveDateTime) -> bool {
        self.since <= time && time < self.now
    }

    /// Whether a run was going on in the period.
    pub fn has(&self, run: &RunSummary) -> bool {
        run.is_in(self.since, self.now)
    }

    /// The last boot of the scheduler's machine, if known and before the end of the period.
    pub fn boot_of(&self, scheduler: Scheduler) -> Option<NaiveDateTime> {
        let is_here = !scheduler.is_remote();
        self.boot.filter(|boot| is_here && *boot < self.now)
    }

    /// The period before, of the same length; for a day until now, the day before until then. None without a beginning.
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
