//! All runs that a diagnosis needs, each in a few bytes, by job.

pub mod builder;
pub mod counts;
pub mod durations;
pub mod jobs;
pub mod kept_lines;
pub mod older_logs;
pub mod scope;
pub mod scripts;
pub mod tails;

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::rc::Rc;

use chrono::{NaiveDateTime, TimeDelta};

use super::logs::owner::Account;
use super::logs::scheduler::Scheduler;
use super::runs::outcome::Outcome;
use super::runs::run::Run;
use crate::clock::passed;
use kept_lines::KeptLines;
use tails::Tails;

pub use jobs::{HostId, JobId, KnownJob};

/// All runs by job, those of a job in the order of their STARTs.
#[derive(Debug, Default)]
pub struct History {
    /// The jobs, in the order in which they were first seen.
    pub jobs: Vec<KnownJob>,
    /// Whose the jobs are.
    accounts: Vec<Account>,
    /// The names of the hosts.
    pub hosts: Vec<Box<[u8]>>,
    /// The runs, job after job.
    pub runs: Vec<RunSummary>,
    /// Where the runs of each job begin, and where those of the last one end.
    begins: Vec<usize>,
    lines: KeptLines,
    tails: Tails,
    /// Good runs from earlier logs than those of the other runs, of jobs that run seldom.
    earlier: HashMap<JobId, Vec<Good>>,
}

/// A good run from earlier logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Good {
    /// The local time of its END.
    pub end: NaiveDateTime,
    /// The local time of its START.
    pub start: NaiveDateTime,
    /// Its seconds.
    pub seconds: u32,
}

impl Good {
    /// A run, if it was good and took a known time.
    pub fn of(run: &Run) -> Option<Self> {
        Some(Self {
            end: run.ended().filter(|_| run.is_good())?,
            start: run.trace.start,
            seconds: u32::try_from(run.seconds()?).ok()?,
        })
    }
}

/// One run.
#[derive(Debug, Clone, Copy)]
pub struct RunSummary {
    /// Its job.
    pub job: JobId,
    /// The process id of remoteexe.
    pub pid: u32,
    /// The local time of START.
    pub start: NaiveDateTime,
    /// The local time at which it began to work, after a splay.
    pub begun: NaiveDateTime,
    /// The local time of the last record, which is END if there is one.
    pub last: NaiveDateTime,
    /// The local time of END; of a lost run that at which it is known to be dead; or else the last record's.
    pub until: NaiveDateTime,
    /// The seconds from START to END, if they are known.
    seconds: u32,
    line: u32,
    tail: u32,
    /// Whether it was bad, and in which way.
    pub outcome: Outcome,
    marks: RunFlags,
}

/// The marks of a run, one a bit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct RunFlags(u16);

/// A fact about a run that is true or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunFlag {
    /// The same job was started again during it.
    Overlapped = 1,
    /// A record may be that of another run, or output.
    Ambiguous = 2,
    /// The remote command certainly ended by itself.
    ReachedHost = 4,
    /// ssh was to be run: the first operand is a host.
    HasCommand = 8,
    /// There was a retry.
    Retried = 16,
    /// Its exit status is not 0, and no failure.
    Accepted = 32,
    /// It is lost, and its process id has started another run by then.
    Dated = 64,
    /// Its output is empty or blank.
    Silent = 128,
    /// Retries were asked for: there was one, or the log says why there was none.
    HasRetries = 256,
}

/// The seconds of a run that are not known.
const UNKNOWN: u32 = u32::MAX;

impl RunSummary {
    /// Whether the fact is true.
    pub fn is(&self, mark: RunFlag) -> bool {
        self.marks.0 & mark as u16 != 0
    }

    /// The seconds from START to END. They are not known if the clock was set back during the run.
    pub fn seconds(&self) -> Option<u32> {
        (self.seconds != UNKNOWN).then_some(self.seconds)
    }

    /// The seconds of a good run.
    pub fn good_seconds(&self) -> Option<u32> {
        let is_good = self.outcome == Outcome::Good;
        self.seconds().filter(|_| is_good)
    }

    /// Whether it was going on in the period from `since` to `end`, without its end.
    pub fn is_in(&self, since: NaiveDateTime, end: NaiveDateTime) -> bool {
        let is_open = self.outcome == Outcome::Running;
        self.start < end && (is_open || self.until >= since)
    }

    /// How long it has been at work at `now`.
    pub fn age(&self, now: NaiveDateTime) -> TimeDelta {
        passed(self.begun, now).max(TimeDelta::zero())
    }
}

impl History {
    /// The runs of a job, in the order of their STARTs.
    pub fn of_job(&self, job: JobId) -> &[RunSummary] {
        &self.runs[self.range(job)]
    }

    /// Good runs of a job from earlier logs than those of the other runs.
    pub fn earlier(&self, job: JobId) -> &[Good] {
        self.earlier.get(&job).map_or(&[], Vec::as_slice)
    }

    /// Adds a good run from earlier logs, unless it is known.
    pub fn add_earlier(&mut self, job: JobId, good: Good) {
        let is_it = |run: &RunSummary| (run.start, run.until) == (good.start, good.end);
        if !self.of_job(job).iter().any(is_it) {
            self.earlier.entry(job).or_default().push(good);
        }
    }

    /// The place of a job's runs in all runs.
    pub fn range(&self, job: JobId) -> Range<usize> {
        let job = job as usize;
        self.begins[job]..self.begins[job + 1]
    }

    /// A job.
    pub fn job(&self, job: JobId) -> &KnownJob {
        &self.jobs[job as usize]
    }

    /// Whose a job is.
    pub fn account(&self, job: JobId) -> Account {
        self.accounts[self.job(job).account_index as usize]
    }

    /// The scheduler that starts a job.
    pub fn scheduler(&self, job: JobId) -> Scheduler {
        self.account(job).scheduler
    }

    /// The first job of each scheduler and name.
    pub fn places(&self) -> HashMap<(Scheduler, Rc<[u8]>), JobId> {
        let jobs = self.job_ids().rev().map(|id| {
            let job = self.job(id);
            ((self.scheduler(id), Rc::clone(&job.name)), id)
        });
        jobs.collect()
    }

    /// All schedulers.
    pub fn schedulers(&self) -> BTreeSet<Scheduler> {
        self.accounts.iter().map(|account| account.scheduler).collect()
    }

    /// The local times of all STARTs of a scheduler, in their order.
    pub fn starts(&self, scheduler: Scheduler) -> Vec<NaiveDateTime> {
        let runs = self.runs.iter().filter(|run| self.scheduler(run.job) == scheduler);
        let mut starts: Vec<NaiveDateTime> = runs.map(|run| run.start).collect();
        starts.sort_unstable();
        starts
    }

    /// The name of a host.
    pub fn host(&self, host: HostId) -> &[u8] {
        &self.hosts[host as usize]
    }

    /// The local time of the latest record, or at which a lost run is known to be dead.
    pub fn latest(&self) -> Option<NaiveDateTime> {
        self.runs.iter().map(|run| run.until.max(run.last)).max()
    }

    /// All jobs.
    pub fn job_ids(&self) -> impl DoubleEndedIterator<Item = JobId> + use<> {
        0..JobId::try_from(self.jobs.len()).expect("jobs are numbered so")
    }

    /// The line of output that says most about a bad run, if there is one and it was kept.
    pub fn line(&self, run: &RunSummary) -> Option<&[u8]> {
        self.lines.get(run.line)
    }

    /// The last lines of output of a run, with newlines between them, if they were kept.
    pub fn tail(&self, run: &RunSummary) -> Option<&[u8]> {
        self.tails.get(run.tail)
    }
}
