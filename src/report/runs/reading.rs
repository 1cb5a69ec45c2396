//! Reads logs, and assembles the runs in them.

use chrono::{NaiveDateTime, TimeDelta};

use super::assembler::{Assembler, Reading};
use super::{run::Run, trace::Trace};
use crate::machine::RunningJobs;
use crate::report::logs::chunk::Records;
use crate::report::logs::merge;
use crate::report::logs::open::Input;
use crate::report::logs::owner::Owner;

/// How long a run of another machine counts as running after its last record: the processes there cannot be seen.
pub const REMOTE_PATIENCE: TimeDelta = TimeDelta::days(1);

/// The local time at which logs are read.
#[derive(Debug, Clone, Copy)]
pub struct ReadClock {
    pub now: NaiveDateTime,
    /// The first time of the future.
    pub end: NaiveDateTime,
}

/// A message with the number of records of the future, and the last of their times.
fn remark(count: u64, last: NaiveDateTime) -> String {
    let records = if count == 1 { "record" } else { "records" };
    format!(
        "left out: {count} {records} of a time that has not come, the last of {last}: the clock was ahead \
         when they were written, or is behind now; a log that is given as a FILE is shown whole"
    )
}

/// Passes each run to `take`: first runs with END in the order of their ENDs, then the others. Keeps the records of the
/// process id `recorded`. A record of the future counts as a record of now if its run began before.
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
        // The clock was ahead when these records were written.
        early += records.count;
        last_early = last_early.max(records.time);
        if assembler.goes_on_early(owner, records) {
            assembler.take(owner, &Records { time: clock.now, ..*records }, &mut take);
        }
    });
    Reading {
        merged,
        early: (early > 0).then(|| remark(early, last_early)),
        ..assembler.finish(|run| is_running(run, running), &mut take)
    }
}

/// Whether a run without END is going on: a user who can write to the log has a process with its id and its job, or the
/// run has a record later than the search for processes.
fn is_running(run: &Trace, running: &RunningJobs) -> bool {
    let Owner { scheduler, uid, is_shared } = run.owner;
    if scheduler.is_remote() {
        return run.last + REMOTE_PATIENCE > running.since;
    }
    let is_writer = |user| is_shared || user == 0 || uid == Some(user);
    running.have(run.pid, &run.job, is_writer) || run.last > running.since
}
