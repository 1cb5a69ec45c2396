//! The last runs and the next start of each job, in memory that grows with the jobs and not with their runs.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use foldhash::{HashMap, HashSet};

use super::labels::{Labels, put_name};
use crate::report::history::jobs::without_parameters;
use crate::report::logs::scheduler::Scheduler;
use crate::report::runs::run::{End, Run, first_word};

/// More jobs of one script on one host count as one job, because their parameters change from run to run.
const MAX_VARIANTS: u32 = 50;
/// The most jobs and hosts with gauges: a log may have any number of jobs, and Prometheus keeps each series for weeks.
const MAX_JOBS: usize = 5_000;

/// The last runs of jobs with the same labels. Times are local.
#[derive(Debug, Default, Clone, Copy)]
pub struct LastRuns {
    pub start: Option<NaiveDateTime>,
    /// The last END of a good run.
    pub success: Option<NaiveDateTime>,
    pub completion: Option<Completion>,
    pub running: u32,
    /// The next start by a crontab, in seconds from 1970.
    pub next: Option<i64>,
    /// The number of slots without a START since the last START, if a crontab has the job.
    pub missed: Option<u32>,
    /// The median of good runs, in seconds.
    pub usual: Option<u32>,
    /// The runs that have ended since midnight: all, failed, without a connection. Then the number of their retries.
    pub runs: u64,
    pub failures: u64,
    pub connection_failures: u64,
    pub retries: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Completion {
    pub end: NaiveDateTime,
    pub status: u8,
    pub seconds: Option<u64>,
}

/// All hosts and jobs, by their labels.
#[derive(Default)]
pub struct Labelled {
    pub jobs: BTreeMap<Labels, LastRuns>,
    /// The local time when each host was last reached. Labels of a host have no script.
    pub hosts: BTreeMap<Labels, NaiveDateTime>,
    pub left_out: u64,
}

/// The jobs and hosts of one scheduler.
#[derive(Default)]
pub struct Latest {
    /// Runs that ended before this local time are not counted.
    midnight: NaiveDateTime,
    jobs: HashMap<Box<[u8]>, LastRuns>,
    /// The number of jobs of one script on one host.
    variants: HashMap<Box<[u8]>, u32>,
    hosts: HashMap<Box<[u8]>, NaiveDateTime>,
    /// The name of the current run, to save an allocation.
    name: Vec<u8>,
    left_out: u64,
}

impl Latest {
    pub fn new(midnight: NaiveDateTime) -> Self {
        Self { midnight, ..Self::default() }
    }

    /// Notes that a crontab has a job, and its next start in seconds from 1970. Such a job is never joined with others.
    pub fn plan(&mut self, job: &[u8], next: Option<i64>) {
        let job = self.planned(job);
        job.next = job.next.into_iter().chain(next).min();
    }

    /// Forgets a job of a crontab whose logs nobody has collected.
    pub fn forget_unless_run(&mut self, job: &[u8]) {
        put_name(job, &mut self.name);
        if self.jobs.get(&*self.name).is_some_and(|job| job.start.is_none()) {
            self.jobs.remove(&*self.name);
        }
    }

    /// Notes a missed slot, in local time, of a job in a crontab. A START after it makes up for it.
    pub fn miss(&mut self, job: &[u8], slot: NaiveDateTime) {
        let job = self.planned(job);
        if job.start.is_none_or(|start| start < slot) {
            job.missed = Some(job.missed.unwrap_or(0) + 1);
        }
    }

    fn planned(&mut self, job: &[u8]) -> &mut LastRuns {
        put_name(job, &mut self.name);
        let job = self.jobs.entry(self.name.as_slice().into()).or_default();
        job.missed = job.missed.or(Some(0));
        job
    }

    pub fn add(&mut self, run: &Run) {
        put_name(&run.trace.job, &mut self.name);
        let runs = LastRuns::of(run, self.midnight);
        match self.jobs.get_mut(&*self.name) {
            Some(job) => job.join(&runs),
            None => self.new_job().join(&runs),
        }
        if run.has_reached_host() {
            // As in the labels of the job.
            let host = first_word(&self.name);
            match self.hosts.get_mut(host) {
                Some(reached) => *reached = run.trace.last.max(*reached),
                None => _ = self.hosts.insert(host.into(), run.trace.last),
            }
        }
        // Removes half of them at a time: to search all of them for each job would take too long.
        if self.jobs.len().max(self.hosts.len()) > 2 * MAX_JOBS {
            self.leave_out();
        }
    }

    /// The new job of this name, or the first job of its script if the script has too many.
    fn new_job(&mut self) -> &mut LastRuns {
        let script = without_parameters(&self.name);
        let variants = self.variants.entry(script.into()).or_default();
        *variants = variants.saturating_add(1);
        let name = if *variants > MAX_VARIANTS { script } else { &self.name };
        self.jobs.entry(name.into()).or_default()
    }

    /// Removes jobs and hosts above the limit: first jobs in no crontab, and of these the jobs that ran long ago.
    fn leave_out(&mut self) {
        let before = self.jobs.len();
        forget_oldest(&mut self.jobs, |job| (job.missed.is_some(), job.start));
        forget_oldest(&mut self.hosts, |reached| *reached);
        let left_out = before - self.jobs.len();
        self.left_out += left_out as u64;
        if left_out > 0 {
            let scripts: HashSet<&[u8]> = self.jobs.keys().map(|name| without_parameters(name)).collect();
            self.variants.retain(|script, _| scripts.contains(&**script));
        }
    }

    /// Adds the jobs by their labels, each set of labels once: different bytes can have the same label.
    pub fn finish(mut self, scheduler: Scheduler, labelled: &mut Labelled) {
        self.leave_out();
        labelled.left_out += self.left_out;
        for (name, job) in &self.jobs {
            let script = without_parameters(name);
            let variants = self.variants.get(script).copied().unwrap_or(0);
            let is_joined = job.missed.is_none() && variants > MAX_VARIANTS;
            let mut labels = Labels::of_name(if is_joined { script } else { name }, scheduler);
            labels.script.push_str(if is_joined { " …" } else { "" });
            labelled.jobs.entry(labels).or_default().join(job);
        }
        for (host, reached) in self.hosts {
            let labels = Labels::of_name(&host, scheduler);
            let last = labelled.hosts.entry(labels).or_insert(reached);
            *last = reached.max(*last);
        }
    }
}

impl LastRuns {
    fn of(run: &Run, midnight: NaiveDateTime) -> Self {
        let end = run.ended();
        let is_counted = run.until().is_some_and(|until| until >= midnight);
        let count = |is_so: bool| u64::from(is_counted && is_so);
        Self {
            start: Some(run.trace.start),
            success: end.filter(|_| run.is_good()),
            completion: end.zip(run.end.status()).map(|(end, status)| Completion {
                end,
                status,
                seconds: run.seconds(),
            }),
            running: u32::from(run.end == End::Running),
            runs: count(true),
            failures: count(run.has_failed()),
            connection_failures: count(run.connection_failure().is_some()),
            retries: count(true) * u64::from(run.trace.retries),
            ..Self::default()
        }
    }

    fn join(&mut self, other: &Self) {
        self.start = self.start.max(other.start);
        self.success = self.success.max(other.success);
        self.completion = self.completion.max(other.completion);
        self.running += other.running;
        self.next = self.next.into_iter().chain(other.next).min();
        self.missed = self.missed.max(other.missed);
        self.runs += other.runs;
        self.failures += other.failures;
        self.connection_failures += other.connection_failures;
        self.retries += other.retries;
    }
}

/// Removes the oldest entries above [`MAX_JOBS`].
fn forget_oldest<V, Age: Ord>(all: &mut HashMap<Box<[u8]>, V>, age: impl Fn(&V) -> Age) {
    let too_many = all.len().saturating_sub(MAX_JOBS);
    if too_many > 0 {
        let mut names: Vec<_> = all.iter().map(|(name, value)| (age(value), name)).collect();
        names.sort_unstable();
        let oldest: Vec<Box<[u8]>> = names.into_iter().take(too_many).map(|(_, name)| name.clone()).collect();
        for name in oldest {
            all.remove(&name);
        }
    }
}
