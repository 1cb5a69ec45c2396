//! Keeps runs in 16 bytes each: the job, the process id and START. What many runs have in common is kept once.

use std::ops::Range;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use foldhash::HashMap;

use super::jobs::JobId;
use super::summary::{RunFlag, RunSummary};
use crate::clock::seconds_between;
use crate::report::runs::outcome::Outcome;

/// The most rests that a new run is compared with. In a made-up log each run may have another rest.
const MAX_KNOWN: usize = 1 << 16;

#[derive(Debug, Clone, Copy)]
struct PackedRun {
    job: JobId,
    pid: u32,
    /// The second of the day.
    start: u32,
    /// The index of the rest.
    rest: u32,
}

/// The fields of a [`RunSummary`] that are the same for many runs. Times are seconds after START.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Rest {
    day: NaiveDate,
    begun: i64,
    last: i64,
    until: i64,
    seconds: u32,
    line: u32,
    outcome: Outcome,
    flags: u16,
}

/// Runs by index.
#[derive(Debug, Default)]
pub struct PackedRuns {
    runs: Vec<PackedRun>,
    rests: Vec<Rest>,
    /// The indices of the last rests.
    known: HashMap<Rest, u32>,
}

impl PackedRuns {
    pub fn push(&mut self, run: &RunSummary) {
        let after = |time| seconds_between(run.start, time);
        let RunSummary { job, pid, seconds, line, outcome, flags, .. } = *run;
        let (begun, last, until) = (after(run.begun), after(run.last), after(run.until));
        let rest = self.index(Rest { day: run.start.date(), begun, last, until, seconds, line, outcome, flags });
        self.runs.push(PackedRun { job, pid, start: run.start.num_seconds_from_midnight(), rest });
    }

    pub fn len(&self) -> usize {
        self.runs.len()
    }

    pub fn get(&self, index: usize) -> RunSummary {
        self.unpacked(&self.runs[index])
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = RunSummary> + ExactSizeIterator + Clone {
        self.of(0..self.len())
    }

    pub fn of(&self, range: Range<usize>) -> impl DoubleEndedIterator<Item = RunSummary> + ExactSizeIterator + Clone {
        self.runs[range].iter().map(|run| self.unpacked(run))
    }

    /// The index of the first run of this job or a later one. Needs sorted runs.
    pub fn begin(&self, job: usize) -> usize {
        self.runs.partition_point(|run| (run.job as usize) < job)
    }

    /// The index of the first run in this range that started at `since` or later. Needs sorted runs of one job.
    pub fn first_since(&self, range: Range<usize>, since: NaiveDateTime) -> usize {
        range.start + self.runs[range].partition_point(|run| self.start(run) < since)
    }

    /// Gives each job the number in `places`.
    pub fn renumber(&mut self, places: &[JobId]) {
        for run in &mut self.runs {
            run.job = places[run.job as usize];
        }
    }

    /// Sorts the runs by job and START, after all were added.
    pub fn sort(&mut self) {
        // Of a long log the map has megabytes, and few rests are added later.
        self.known = HashMap::default();
        let rests = &self.rests;
        self.runs.sort_unstable_by_key(|run| {
            let rest = &rests[run.rest as usize];
            (run.job, rest.day, run.start, rest.until, run.pid)
        });
    }

    /// Sets a flag of these runs.
    pub fn set(&mut self, flag: RunFlag, range: Range<usize>) {
        for index in range {
            let rest = self.rests[self.runs[index].rest as usize];
            self.runs[index].rest = self.index(Rest { flags: rest.flags | flag as u16, ..rest });
        }
    }

    fn index(&mut self, rest: Rest) -> u32 {
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
        }
        let next = u32::try_from(self.rests.len()).expect("no memory has so many runs");
        let index = *self.known.entry(rest).or_insert(next);
        if index == next {
            self.rests.push(rest);
        }
        index
    }

    fn start(&self, run: &PackedRun) -> NaiveDateTime {
        moment(self.rests[run.rest as usize].day, run.start.into())
    }

    fn unpacked(&self, run: &PackedRun) -> RunSummary {
        let PackedRun { job, pid, start, rest } = *run;
        let Rest { day, begun, last, until, seconds, line, outcome, flags } = self.rests[rest as usize];
        let after = |seconds| moment(day, i64::from(start) + seconds);
        let (start, last_at) = (after(0), after(last));
        // Most runs begin at once, and end with their last record.
        let begun = if begun == 0 { start } else { after(begun) };
        let until = if until == last { last_at } else { after(until) };
        RunSummary { job, pid, start, begun, last: last_at, until, seconds, line, outcome, flags }
    }
}

/// The time this many seconds after midnight. Usually the time is on the same day, and chrono need not count days.
fn moment(day: NaiveDate, seconds: i64) -> NaiveDateTime {
    let time = u32::try_from(seconds).ok();
    match time.and_then(|seconds| NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0)) {
        Some(time) => day.and_time(time),
        None => day.and_time(NaiveTime::MIN) + TimeDelta::seconds(seconds),
    }
}
