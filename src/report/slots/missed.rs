//! Slots of crontab lines that have no START, or a late one.

use chrono::NaiveDateTime;

use crate::cron::LineRef;
use crate::report::logs::scheduler::Scheduler;
use crate::report::runs::assembler::{ClockBack, FullLog};

/// A slot without a START in time.
pub struct Slot {
    /// The local time of the slot.
    pub at: NaiveDateTime,
    /// The local time since which the START is certainly missing.
    pub detected_at: NaiveDateTime,
    /// The number of the expected job, the same as in the history.
    pub job: u32,
    pub place: LineRef,
}

/// Consecutive slots of a job without a START.
pub struct Gap {
    /// Sorted by time. At least one.
    pub slots: Vec<Slot>,
    /// The local time of the next START.
    pub over: Option<NaiveDateTime>,
    /// Whether cron ignores the file of the line.
    pub is_ignored: bool,
    /// Whether a START was read only after the gap, and none before: the line may be new in an old file.
    pub may_be_new: bool,
}

/// A time in which most lines missed their slots.
pub struct Outage {
    /// Sorted by time. At least one.
    pub slots: Vec<Slot>,
    pub detected_at: NaiveDateTime,
    /// The local time of the next START of any job.
    pub over: Option<NaiveDateTime>,
    pub scheduler: Scheduler,
}

/// Slots whose STARTs came late, one soon after the other.
pub struct Delay {
    /// Sorted by time. At least one.
    pub slots: Vec<Slot>,
    /// The local time of the last START.
    pub started: NaiveDateTime,
}

/// What the check of the slots has found.
#[derive(Default)]
pub struct MissedStarts {
    pub gaps: Vec<Gap>,
    pub outages: Vec<Outage>,
    pub delays: Vec<Delay>,
    /// The times in which a log was full, and took no record of a START.
    pub full: Vec<FullLog>,
    /// The times at which a clock went back. The slots and STARTs between are not judged.
    pub back: Vec<ClockBack>,
    /// The number of slots of the period that a line may have skipped, as behind `flock -n`.
    pub perhaps: u64,
    /// The number of these slots at which a run of the job was going on.
    pub still_going: u64,
    /// The number of STARTs of the period that belong to no slot.
    pub strays: u64,
    /// The local time since which each scheduler's slots are checked, if at all. Empty if some logs could not be read.
    pub checked_from: Vec<(Scheduler, Option<NaiveDateTime>)>,
}

impl MissedStarts {
    /// The slots without a START, sorted by time.
    pub fn slots(&self) -> Vec<&Slot> {
        let gaps = self.gaps.iter().map(|gap| &gap.slots);
        let outages = self.outages.iter().map(|outage| &outage.slots);
        let mut slots: Vec<&Slot> = gaps.chain(outages).flatten().collect();
        slots.sort_by_key(|slot| (slot.at, slot.job, slot.place.line));
        slots
    }
}
