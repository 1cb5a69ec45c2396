//! Reads logs, and assembles the runs in them.

use chrono::NaiveDateTime;

use super::assembler::Assembler;
use super::run::Run;
use super::trace::Trace;
use crate::machine::RunningJobs;
use crate::report::logs::batch::Line;
use crate::report::logs::merge;
use crate::report::logs::open::{Input, InputError};

/// What was read besides the runs.
#[derive(Debug)]
pub struct Reading {
    /// How many different files.
    pub files: usize,
    /// The inputs that could not be read, and why.
    pub unread: Vec<(Input, InputError)>,
    /// Lines that are no records.
    pub unrecognized: u64,
    /// Records whose START is missing.
    pub unmatched: u64,
    /// Runs without END that were too many to keep.
    pub forgotten: u64,
    /// The local time of the latest START or END.
    pub latest: Option<NaiveDateTime>,
}

/// Gives each run to `take`: those with END in the order of their ENDs, then the others. Those of the process id
/// `recorded` have their records.
pub fn read(
    inputs: &[Input],
    running: &RunningJobs,
    recorded: Option<u32>,
    mut take: impl FnMut(Run),
) -> Reading {
    let mut assembler = Assembler::new(recorded);
    let mut unrecognized = 0;
    let outcome = merge::read(inputs, &mut |owner, line| match line {
        Line::Record(record, line) => assembler.take(owner, &record, line, &mut take),
        Line::Outputs(outputs) => assembler.take_row(owner, &outputs),
        Line::Unrecognized => unrecognized += 1,
        Line::Empty => {}
    });
    let (unmatched, latest) = (assembler.unmatched, assembler.latest);
    let is_running = |run: &Trace| running.includes(run);
    let forgotten = assembler.finish(is_running, running.boot, &mut take);
    Reading {
        files: outcome.files,
        unread: outcome.unread,
        unrecognized,
        unmatched,
        forgotten,
        latest,
    }
}
