//! Keeps a few bytes of each run to judge later runs by, and of each job a limited number of runs.

use std::{mem, rc::Rc};

use chrono::{NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use foldhash::HashMap;

use crate::clock::seconds_between;
use crate::report::history::constant_name::{Changing, constant_name, lasting_name};
use crate::report::logs::owner::Account;
use crate::report::runs::kept::ErrorLine;
use crate::report::runs::outcome::Outcome;
use crate::report::runs::reason::masked;
use crate::report::runs::run::Run;

/// The most runs of a job. If there are more, every second one of the older half is dropped.
const MAX_SAMPLES: usize = 800;
/// The most jobs, and the longest name of a job in bytes. A log may have any number of jobs, and a name a megabyte.
const MAX_JOBS: usize = 5000;
const LONGEST_NAME: usize = 4 << 10;

/// A run that has ended.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The local time of START.
    pub start: NaiveDateTime,
    /// The seconds from START to END by the clock, which may have been set back. A time would take 8 bytes more.
    pub until_end: i32,
    pub pid: u32,
    /// The duration, if known.
    pub seconds: Option<u32>,
    /// The number of lines of output.
    pub lines: u32,
    /// None for a good run. Otherwise a hash of the cause and the reason of the failure.
    pub failure: Option<u32>,
    /// The hashes of the lines that report a failure.
    pub errors: Box<[u32]>,
}

impl Sample {
    /// The local time of END.
    pub fn end(&self) -> NaiveDateTime {
        self.start + TimeDelta::seconds(self.until_end.into())
    }

    pub fn day(&self) -> NaiveDate {
        self.start.date()
    }

    /// Whether both runs started at about the same time of day.
    pub fn is_at_hour_of(&self, other: &Self) -> bool {
        const DAY: u32 = 24 * 3600;
        let [one, two] = [self, other].map(|it| it.start.num_seconds_from_midnight());
        let between = one.abs_diff(two);
        between.min(DAY - between) <= 2 * 3600
    }
}

pub struct WatchedJob {
    pub account: Account,
    /// The operands, as in the last START.
    pub name: Rc<[u8]>,
    /// The seconds that the timeout(1) on its line of the crontab allows.
    pub limit: Option<u32>,
    /// Sorted by START.
    pub samples: Vec<Sample>,
    /// The lines that report a failure, of the last run with such lines.
    pub errors: Vec<ErrorLine>,
    /// The STARTs of the runs that `errors` and `name` come from.
    errors_at: NaiveDateTime,
    named_at: NaiveDateTime,
}

impl WatchedJob {
    pub fn new(account: Account, name: Rc<[u8]>) -> Self {
        let (errors_at, named_at) = (NaiveDateTime::MIN, NaiveDateTime::MIN);
        Self { account, name, limit: None, samples: Vec::new(), errors: Vec::new(), errors_at, named_at }
    }

    /// The good runs, by START.
    pub fn good(&self) -> Vec<&Sample> {
        self.samples.iter().filter(|sample| sample.failure.is_none()).collect()
    }

    /// Whether the job runs so seldom that the logs of a report do not show what is usual.
    pub fn is_rare(&self) -> bool {
        const FEW: usize = 12;
        self.samples.len() < FEW
    }

    pub fn add(&mut self, sample: Sample, errors: Vec<ErrorLine>) {
        if !errors.is_empty() && self.errors_at <= sample.start {
            (self.errors, self.errors_at) = (errors, sample.start);
        }
        // A vector that doubles its room has more than is ever used: 6 MB for 500 jobs.
        if self.samples.len() > MAX_SAMPLES / 2 {
            self.samples.reserve_exact(MAX_SAMPLES + 1 - self.samples.len());
        }
        self.samples.push(sample);
        if self.samples.len() > MAX_SAMPLES {
            let mut index = 0;
            self.samples.retain(|sample| {
                index += 1;
                index > MAX_SAMPLES / 2
                    || index % 2 == 0
                    || sample.failure.is_some()
                    || !sample.errors.is_empty() && index % 4 != 1
            });
            self.samples.drain(..self.samples.len().saturating_sub(MAX_SAMPLES));
        }
    }
}

#[derive(Default)]
pub struct Samples {
    /// The places in `jobs` by [`lasting_name`]: the words of a job may hold the date.
    places: HashMap<Account, HashMap<Rc<[u8]>, usize>>,
    /// The name of the current run, to save an allocation.
    name: Vec<u8>,
    pub jobs: Vec<WatchedJob>,
}

impl Samples {
    /// Keeps a run that has ended by `until`, if it worked: a lost run, and a run behind a held lock, show nothing.
    pub fn add(&mut self, run: &mut Run, until: Option<NaiveDateTime>) {
        let outcome = run.outcome();
        let is_known = matches!(outcome, Outcome::Good | Outcome::Failed(..));
        let Some(end) = run.ended().filter(|end| is_known && until.is_none_or(|it| *end < it)) else { return };
        let Some(place) = self.place_of(run) else { return };
        let errors = mem::take(&mut run.trace.errors);
        let lines = if run.trace.kept.is_silent() { 0 } else { run.trace.lines };
        let sample = Sample {
            start: run.trace.start,
            until_end: i32::try_from(seconds_between(run.trace.start, end)).unwrap_or(i32::MAX),
            pid: run.trace.pid,
            seconds: run.seconds().and_then(|seconds| u32::try_from(seconds).ok()),
            lines: u32::try_from(lines).unwrap_or(u32::MAX),
            failure: outcome.is_bad().then(|| way(run)),
            errors: errors.iter().map(|error| error.masked).collect(),
        };
        let job = &mut self.jobs[place];
        if job.named_at <= sample.start {
            (job.name, job.named_at) = (Rc::clone(&run.trace.job), sample.start);
        }
        job.add(sample, errors);
    }

    /// Sorts the runs of each job, after all were added. A run may have been read twice.
    pub fn sort(&mut self) {
        for job in &mut self.jobs {
            job.samples.sort_by_key(|sample| (sample.start, sample.pid));
            job.samples.dedup_by_key(|sample| (sample.start, sample.pid));
        }
    }

    pub fn of(&self, account: Account, name: &Rc<[u8]>) -> Option<&WatchedJob> {
        self.jobs.get(*self.places.get(&account)?.get(&lasting_name(name))?)
    }

    fn place_of(&mut self, run: &Run) -> Option<usize> {
        let (account, name) = (run.trace.owner.job_account(), &run.trace.job);
        if name.len() > LONGEST_NAME {
            return None;
        }
        constant_name(name, Changing::Dates, &mut self.name);
        let places = self.places.entry(account).or_default();
        if let Some(place) = places.get(&*self.name) {
            return Some(*place);
        }
        if self.jobs.len() >= MAX_JOBS {
            return None;
        }
        places.insert(self.name.as_slice().into(), self.jobs.len());
        self.jobs.push(WatchedJob::new(account, Rc::clone(name)));
        Some(self.jobs.len() - 1)
    }
}

/// A hash of the way in which a run failed.
fn way(run: &Run) -> u32 {
    let reason = run.reason().map(String::from_utf8_lossy).unwrap_or_default();
    masked(format!("{} {reason}", run.cause()).as_bytes())
}
