//! Reads logs, and assembles the runs in them.

use chrono::NaiveDateTime;

use super::assembler::{Assembler, FullLog};
use super::run::Run;
use super::trace::Trace;
use crate::log::record::Kind;
use crate::machine::RunningJobs;
use crate::report::logs::chunk::Records;
use crate::report::logs::merge;
use crate::report::logs::open::{Input, InputError};

#[derive(Debug)]
pub struct Reading {
    /// The number of different files.
    pub files: usize,
    pub unread: Vec<(Input, InputError)>,
    /// The number of lines that are not records.
    pub unrecognized: u64,
    /// The number of records whose START is missing, and of the ENDs among them.
    pub unmatched: u64,
    pub unmatched_ends: u64,
    /// The times in which a log was full.
    pub full: Vec<FullLog>,
    /// The number of runs without END that were too many to keep.
    pub forgotten: u64,
    /// The local time of the latest START or END.
    pub latest: Option<NaiveDateTime>,
    /// A remark about records of the future.
    pub early: Option<String>,
}

/// The local time of the reading.
#[derive(Debug, Clone, Copy)]
pub struct ReadClock {
    pub now: NaiveDateTime,
    /// The first time of the future.
    pub end: NaiveDateTime,
}

/// Says how many records have a time of the future, and the last of these times.
fn remark(count: u64, last: NaiveDateTime) -> String {
    let records = if count == 1 { "record" } else { "records" };
    format!(
        "left out: {count} {records} of a time that has not come, the last of {last}: the clock was ahead \
         when they were written, or is behind now; a log that is given as a FILE is shown whole"
    )
}

/// Gives each run to `take`: first those with END in the order of their ENDs, then the others. Runs of the process id
/// `recorded` have their records. A record of the future counts as one of now if its run began before.
pub fn read(
    inputs: &[Input],
    running: &RunningJobs,
    clock: ReadClock,
    recorded: Option<u32>,
    mut take: impl FnMut(Run),
) -> Reading {
    let mut assembler = Assembler::new(recorded, running.boot);
    let (mut early, mut last_early) = (0, NaiveDateTime::MIN);
    let merged = merge::read(inputs, &mut |owner, records| {
        if records.time < clock.end {
            return assembler.take(owner, records, &mut take);
        }
        // The clock was ahead when they were written.
        early += records.count;
        last_early = last_early.max(records.time);
        let is_start = matches!(records.kind(), Kind::Start(_));
        if assembler.goes_on_early(owner, records.pid, is_start) {
            assembler.take(owner, &Records { time: clock.now, ..*records }, &mut take);
        }
    });
    let (unmatched, unmatched_ends) = (assembler.unmatched, assembler.unmatched_ends);
    let (full, latest) = (std::mem::take(&mut assembler.full), assembler.latest);
    let forgotten = assembler.finish(|run: &Trace| running.includes(run), &mut take);
    Reading {
        files: merged.files,
        unread: merged.unread,
        unrecognized: merged.unrecognized,
        unmatched,
        unmatched_ends,
        full,
        forgotten,
        latest,
        early: (early > 0).then(|| remark(early, last_early)),
    }
}
