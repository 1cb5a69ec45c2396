//! The runs that a diagnosis needs, a few bytes each, by job.

pub mod builder;
pub mod constant_name;
pub mod counts;
pub mod durations;
pub mod jobs;
pub mod kept_lines;
pub mod older_logs;
pub mod packed;
pub mod scope;
pub mod scripts;
pub mod summary;
pub mod tails;

use std::collections::{BTreeSet, HashMap};
use std::{ops::Range, rc::Rc};

use chrono::NaiveDateTime;

use super::{logs::owner::Account, logs::scheduler::Scheduler, runs::run::Run};
use constant_name::lasting_name;
use kept_lines::KeptLines;
use packed::PackedRuns;
use tails::Tails;

pub use jobs::{HostId, JobId, KnownJob};
pub use summary::{RunFlag, RunSummary};

/// Runs by job, and within a job by START.
#[derive(Default)]
pub struct History {
    /// First the jobs of crontabs, then the others in the order of their first runs.
    pub jobs: Vec<KnownJob>,
    pub hosts: Vec<Box<[u8]>>,
    /// Sorted by job and START.
    runs: PackedRuns,
    /// The index of each job's first run, and the number of all runs.
    begins: Vec<usize>,
    lines: KeptLines,
    tails: Tails,
    /// Good runs of rare jobs, from logs older than the report's.
    earlier: HashMap<JobId, Vec<GoodRun>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoodRun {
    pub end: NaiveDateTime,
    pub start: NaiveDateTime,
    pub seconds: u32,
}

impl GoodRun {
    /// None if the run was bad, or its duration is unknown.
    pub fn of(run: &Run) -> Option<Self> {
        Some(Self {
            end: run.ended().filter(|_| run.is_good())?,
            start: run.trace.start,
            seconds: u32::try_from(run.seconds()?).ok()?,
        })
    }
}

impl History {
    pub fn run(&self, index: usize) -> RunSummary {
        self.runs.get(index)
    }

    pub fn runs(&self) -> impl DoubleEndedIterator<Item = RunSummary> + ExactSizeIterator + Clone {
        self.runs.iter()
    }

    /// A job's runs, by START.
    pub fn of_job(&self, job: JobId) -> impl DoubleEndedIterator<Item = RunSummary> + ExactSizeIterator + Clone {
        self.runs.of(self.range(job))
    }

    /// The runs of a job that started at this time or later.
    pub fn since(&self, job: JobId, time: NaiveDateTime) -> impl DoubleEndedIterator<Item = RunSummary> {
        self.runs.of(self.range_since(job, time))
    }

    fn range_since(&self, job: JobId, time: NaiveDateTime) -> Range<usize> {
        let range = self.range(job);
        self.runs.first_since(range.clone(), time)..range.end
    }

    pub fn earlier(&self, job: JobId) -> &[GoodRun] {
        self.earlier.get(&job).map_or(&[], Vec::as_slice)
    }

    /// Adds a good run from older logs, unless the history has it.
    pub fn add_earlier(&mut self, job: JobId, good: GoodRun) {
        let is_it = |run: RunSummary| (run.start, run.until) == (good.start, good.end);
        if !self.since(job, good.start).take_while(|run| run.start == good.start).any(is_it) {
            self.earlier.entry(job).or_default().push(good);
        }
    }

    /// Excludes a job's good runs since then from its usual duration, because they did nothing.
    pub fn set_idle(&mut self, account: Account, name: &[u8], since: NaiveDateTime) {
        let is_it = |job: &JobId| self.account(*job) == account && *self.job(*job).name == *name;
        let Some(job) = self.job_ids().find(is_it) else { return };
        if let Some(earlier) = self.earlier.get_mut(&job) {
            earlier.retain(|good| good.start < since);
        }
        self.runs.set(RunFlag::Idle, self.range_since(job, since));
    }

    /// The indices of a job's runs.
    pub fn range(&self, job: JobId) -> Range<usize> {
        let job = job as usize;
        self.begins[job]..self.begins[job + 1]
    }

    pub fn job(&self, job: JobId) -> &KnownJob {
        &self.jobs[job as usize]
    }

    /// The account of a job, and the name that the job keeps from day to day.
    pub fn lasting_name(&self, job: JobId) -> (Account, Rc<[u8]>) {
        (self.account(job), lasting_name(&self.job(job).name))
    }

    pub fn account(&self, job: JobId) -> Account {
        self.job(job).account
    }

    pub fn scheduler(&self, job: JobId) -> Scheduler {
        self.account(job).scheduler
    }

    pub fn schedulers(&self) -> BTreeSet<Scheduler> {
        self.jobs.iter().map(|job| job.account.scheduler).collect()
    }

    pub fn runs_of(&self, scheduler: Scheduler) -> impl Iterator<Item = RunSummary> {
        self.runs().filter(move |run| self.scheduler(run.job) == scheduler)
    }

    /// The local times of a scheduler's STARTs, each with its number of STARTs: cron starts many jobs in one second.
    pub fn starts(&self, scheduler: Scheduler) -> Vec<(NaiveDateTime, usize)> {
        let mut counts: foldhash::HashMap<NaiveDateTime, usize> = foldhash::HashMap::default();
        self.runs_of(scheduler).for_each(|run| *counts.entry(run.start).or_default() += 1);
        let mut starts: Vec<(NaiveDateTime, usize)> = counts.into_iter().collect();
        starts.sort_unstable();
        starts
    }

    pub fn host(&self, host: HostId) -> &[u8] {
        &self.hosts[host as usize]
    }

    /// The local time of the latest record, or by which a lost run was certainly dead.
    pub fn latest(&self) -> Option<NaiveDateTime> {
        self.runs().map(|run| run.until.max(run.last)).max()
    }

    pub fn job_ids(&self) -> impl DoubleEndedIterator<Item = JobId> + use<> {
        0..JobId::try_from(self.jobs.len()).expect("jobs are numbered so")
    }

    /// The line of output with the reason of a bad run, if it was kept.
    pub fn line(&self, run: &RunSummary) -> Option<&[u8]> {
        self.lines.get(run.line)
    }

    /// The last lines of a run's output, joined by newlines, if they were kept.
    pub fn tail(&self, run: &RunSummary) -> Option<&[u8]> {
        self.tails.get(run)
    }
}
