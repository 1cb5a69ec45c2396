//! Slots of crontab lines without a START, or without one in time.

use chrono::NaiveDateTime;

use crate::cron::LineRef;
use crate::report::logs::scheduler::Scheduler;
use crate::report::runs::assembler::FullLog;

/// A slot without a START in time.
#[derive(Debug, Clone)]
pub struct Slot {
    /// In local time.
    pub at: NaiveDateTime,
    /// The local time since which the START is certainly missing.
    pub detected_at: NaiveDateTime,
    /// A number of an expected job, or of a job in the history.
    pub job: u32,
    pub place: LineRef,
}

/// Slots of a job without a START between them.
#[derive(Debug, Clone)]
pub struct Gap {
    /// Sorted by time. At least one.
    pub slots: Vec<Slot>,
    /// The local time of the next START.
    pub over: Option<NaiveDateTime>,
    /// cron ignores the file of the line.
    pub is_ignored: bool,
}

/// A time in which most lines missed their slots.
#[derive(Debug, Clone)]
pub struct Outage {
    /// Sorted by time. At least one.
    pub slots: Vec<Slot>,
    pub detected_at: NaiveDateTime,
    /// The local time of the next START of any job.
    pub over: Option<NaiveDateTime>,
    pub scheduler: Scheduler,
}

/// Slots whose STARTs came late, one soon after the other.
#[derive(Debug, Clone)]
pub struct Delay {
    /// Sorted by time. At least one.
    pub slots: Vec<Slot>,
    /// The local time of the last START.
    pub started: NaiveDateTime,
}

#[derive(Debug, Clone, Default)]
pub struct MissedStarts {
    pub gaps: Vec<Gap>,
    pub outages: Vec<Outage>,
    pub delays: Vec<Delay>,
    /// The times in which a log was full: then a START is not missing, but its record.
    pub full: Vec<FullLog>,
}

impl MissedStarts {
    /// Renumbers the jobs, and drops those for which `number` returns none.
    pub fn renumbered(mut self, number: impl Fn(u32) -> Option<u32>) -> Self {
        let renumber = |slots: &mut Vec<Slot>| {
            slots.retain_mut(|slot| match number(slot.job) {
                Some(job) => {
                    slot.job = job;
                    true
                }
                None => false,
            });
            !slots.is_empty()
        };
        self.gaps.retain_mut(|gap| renumber(&mut gap.slots));
        self.outages.retain_mut(|outage| renumber(&mut outage.slots));
        self.delays.retain_mut(|delay| renumber(&mut delay.slots));
        self
    }

    /// The slots without a START, sorted by time.
    pub fn slots(&self) -> Vec<&Slot> {
        let gaps = self.gaps.iter().map(|gap| &gap.slots);
        let outages = self.outages.iter().map(|outage| &outage.slots);
        let mut slots: Vec<&Slot> = gaps.chain(outages).flatten().collect();
        slots.sort_by_key(|slot| (slot.at, slot.job, slot.place.line));
        slots
    }
}
