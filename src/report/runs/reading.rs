//! Reads logs, and assembles the runs in them.

use std::mem;

use chrono::{NaiveDateTime, TimeDelta};

use super::assembler::{Assembler, FullLog};
use super::run::Run;
use super::trace::Trace;
use crate::log::record::{Kind, Record};
use crate::machine::RunningJobs;
use crate::report::logs::chunk::Line;
use crate::report::logs::merge;
use crate::report::logs::open::{Input, InputError};
use crate::report::logs::output_block::OutputBlock;
use crate::report::logs::owner::Owner;

/// How long a run of another machine counts as running after its last record: that machine cannot be asked.
pub const REMOTE_PATIENCE: TimeDelta = TimeDelta::days(1);

#[derive(Debug)]
pub struct Reading {
    /// The number of different files.
    pub files: usize,
    pub unread: Vec<(Input, InputError)>,
    /// The number of lines that are not records.
    pub unrecognized: u64,
    /// Records whose START is missing, and the ENDs among them.
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

/// Records of the future: the clock was ahead when they were written.
struct Early {
    clock: ReadClock,
    count: u64,
    last: NaiveDateTime,
}

impl Early {
    fn new(clock: ReadClock) -> Self {
        Self { clock, count: 0, last: NaiveDateTime::MIN }
    }

    fn includes(&self, time: NaiveDateTime) -> bool {
        time >= self.clock.end
    }

    /// Takes such a line. A record of a run that began before counts as one of now.
    fn take(
        &mut self,
        owner: Owner,
        line: &Line,
        assembler: &mut Assembler,
        finished: &mut impl FnMut(Run),
    ) {
        let now = self.clock.now;
        match line {
            Line::Record(record, line) => {
                self.note(1, record.time);
                let is_start = matches!(Kind::parse(record.text), Kind::Start(_));
                if assembler.goes_on_early(owner, record.pid, is_start) {
                    let record = Record { time: now, ..*record };
                    assembler.take(owner, &record, line, finished);
                }
            }
            Line::Output(block) => {
                self.note(block.count, block.time);
                if assembler.goes_on_early(owner, block.pid, false) {
                    assembler.take_block(owner, &OutputBlock { time: now, ..*block });
                }
            }
            Line::Unrecognized | Line::Empty => {}
        }
    }

    fn note(&mut self, count: u64, time: NaiveDateTime) {
        self.count += count;
        self.last = self.last.max(time);
    }

    fn remark(&self) -> Option<String> {
        let Self { count, last, .. } = self;
        (*count > 0).then(|| {
            let records = if *count == 1 { "record" } else { "records" };
            format!(
                "left out: {count} {records} of a time that has not come, the last of {last}: the clock was ahead \
                 when they were written, or is behind now; a log that is given as a FILE is shown whole"
            )
        })
    }
}

/// Gives each run to `take`: first those with END in the order of their ENDs, then the others. Runs of the process id
/// `recorded` have their records.
pub fn read(
    inputs: &[Input],
    running: &RunningJobs,
    clock: ReadClock,
    recorded: Option<u32>,
    mut take: impl FnMut(Run),
) -> Reading {
    let mut assembler = Assembler::new(recorded, running.boot);
    let mut unrecognized = 0;
    let mut early = Early::new(clock);
    let outcome = merge::read(inputs, &mut |owner, line| match line {
        Line::Record(Record { time, .. }, _) | Line::Output(OutputBlock { time, .. })
            if early.includes(time) =>
        {
            early.take(owner, &line, &mut assembler, &mut take);
        }
        Line::Record(record, line) => assembler.take(owner, &record, line, &mut take),
        Line::Output(block) => assembler.take_block(owner, &block),
        Line::Unrecognized => unrecognized += 1,
        Line::Empty => {}
    });
    let (unmatched, latest) = (assembler.unmatched, assembler.latest);
    let unmatched_ends = assembler.unmatched_ends;
    let full = mem::take(&mut assembler.full);
    let is_running = |run: &Trace| is_running(run, running);
    let forgotten = assembler.finish(is_running, &mut take);
    Reading {
        files: outcome.files,
        unread: outcome.unread,
        unrecognized,
        unmatched,
        unmatched_ends,
        full,
        forgotten,
        latest,
        early: early.remark(),
    }
}

/// Whether a run without END is going on: a process of somebody who can write to the log has its id and its job, or the
/// run has a record after the search for processes, whatever was found.
fn is_running(run: &Trace, running: &RunningJobs) -> bool {
    let Owner { scheduler, uid, is_shared } = run.owner;
    if scheduler.is_remote() {
        return run.last + REMOTE_PATIENCE > running.since;
    }
    let is_writer = |user| is_shared || user == 0 || uid == Some(user);
    running.have(run.pid, &run.job, is_writer) || run.last > running.since
}
