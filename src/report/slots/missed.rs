//! The slots of crontab lines at which nothing was started, or nothing in time.

use chrono::NaiveDateTime;

use crate::cron::LineRef;
use crate::report::logs::scheduler::Scheduler;
use crate::report::runs::assembler::FullLog;

/// A slot without a START in time.
#[derive(Debug, Clone)]
pub struct Slot {
    /// The local time of the slot.
    pub at: NaiveDateTime,
    /// The local time from which on it is known.
    pub detected_at: NaiveDateTime,
    /// The job: its place in what is expected, or in the history.
    pub job: u32,
    /// The line.
    pub place: LineRef,
}

/// Slots of a job in a row, without a START between them.
#[derive(Debug, Clone)]
pub struct Gap {
    /// The slots, in the order of time. There is at least one.
    pub slots: Vec<Slot>,
    /// The local time of the START after them.
    pub over: Option<NaiveDateTime>,
    /// cron ignores the file of the line.
    pub is_ignored: bool,
}

/// A time in which most lines missed their slots.
#[derive(Debug, Clone)]
pub struct Outage {
    /// The slots, in the order of time. There is at least one.
    pub slots: Vec<Slot>,
    /// The local time from which on it is known.
    pub detected_at: NaiveDateTime,
    /// The local time of the first START after them, of any job.
    pub over: Option<NaiveDateTime>,
    /// The scheduler whose lines they are.
    pub scheduler: Scheduler,
}

/// Slots whose STARTs came late, one soon after the other.
#[derive(Debug, Clone)]
pub struct Delay {
    /// The slots, in the order of time. There is at least one.
    pub slots: Vec<Slot>,
    /// The local time of the last of the STARTs.
    pub started: NaiveDateTime,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub struct MissedStarts {
    /// Jobs that were not started.
    pub gaps: Vec<Gap>,
    /// Times in which nearly nothing was started.
    pub outages: Vec<Outage>,
    /// What was started late.
    pub delays: Vec<Delay>,
    /// The times in which a log was full: then a START is not missing, but its record.
    pub full: Vec<FullLog>,
}

impl MissedStarts {
    /// The same with other numbers for the jobs, and without those that `number` gives none.
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

    /// The slots at which nothing was started, in the order of time.
    pub fn slots(&self) -> Vec<&Slot> {
        let gaps = self.gaps.iter().map(|gap| &gap.slots);
        let outages = self.outages.iter().map(|outage| &outage.slots);
        let mut slots: Vec<&Slot> = gaps.chain(outages).flatten().collect();
        slots.sort_by_key(|slot| (slot.at, slot.job, slot.place.line));
        slots
    }
}
