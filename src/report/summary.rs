//! Counts of all runs: as a whole, by job, by host, and by the second of the minute in which they started.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;

use chrono::{NaiveDateTime, Timelike};

use super::owner::Account;
use super::run::{End, Run};
use crate::exit;
use crate::ssh_error::Cause;

/// The number of failures that are kept.
const MAX_FAILURES: usize = 10;

/// With fewer connection failures nothing is said about a cluster.
const MIN_CLUSTERED: u64 = 3;

/// Counts of all runs.
#[derive(Debug, Default)]
pub struct Summary {
    /// The local times of the first START and of the last record.
    pub span: Option<(NaiveDateTime, NaiveDateTime)>,
    /// All runs.
    pub runs: u64,
    /// Runs with exit status 0.
    pub ok: u64,
    /// Runs with an exit status that counts as no failure.
    pub accepted: u64,
    /// Runs with another exit status.
    pub failed: u64,
    /// Failed runs whose ssh failed before the remote command ran.
    pub connection_failures: u64,
    /// Failed runs whose command line was refused.
    pub usage_errors: u64,
    /// Runs with a retry.
    pub retried: u64,
    /// Runs without END whose process is there.
    pub running: u64,
    /// Runs without END whose process is gone.
    pub lost: u64,
    /// Runs with a line that may be a record or output.
    pub ambiguous: u64,
    /// Runs during which the same job was started again.
    pub overlaps: u64,
    /// Counts by job. The same operands are another job if another user runs them, or another scheduler.
    pub jobs: HashMap<(Account, Rc<[u8]>), Job>,
    /// Counts by host.
    pub hosts: BTreeMap<Box<[u8]>, Host>,
    /// Counts by the second of the minute in which runs started.
    pub seconds: Seconds,
    /// The newest failed and lost runs, the newest last.
    pub failures: VecDeque<Run>,
    /// The lines that belong to no run.
    pub leftovers: Leftovers,
    /// The logs that were read, and those that were not, as lines of text.
    pub scope: Vec<String>,
}

/// Counts of lines that belong to no run.
#[derive(Debug, Default, Clone, Copy)]
pub struct Leftovers {
    /// Lines that are no records.
    pub unrecognized: u64,
    /// Records whose START is missing.
    pub unmatched: u64,
}

/// Counts of the runs of one job.
#[derive(Debug, Default)]
pub struct Job {
    /// All runs.
    pub runs: u64,
    /// Failed and lost runs by their end.
    pub failures: BTreeMap<End, u64>,
    /// The START and the end of the run that started last.
    pub last: Option<(NaiveDateTime, End)>,
    /// The local time of the last END with exit status 0.
    pub last_success: Option<NaiveDateTime>,
    /// Runs during which the job was started again.
    pub overlaps: u64,
    /// Runs by their duration in seconds.
    durations: BTreeMap<u64, u64>,
}

/// Counts of the runs on one host.
#[derive(Debug, Default)]
pub struct Host {
    /// All runs.
    pub runs: u64,
    /// Failed and lost runs.
    pub failed: u64,
    /// Failed runs whose ssh failed before the remote command ran.
    pub connection_failures: u64,
    /// The cause of the last of them.
    pub cause: Option<Cause>,
    /// The local time at which a remote command ended last.
    pub last_reached: Option<NaiveDateTime>,
}

/// Counts by the second of the minute.
#[derive(Debug)]
pub struct Seconds {
    /// Runs by the second of START.
    pub starts: [u64; 60],
    /// Runs with a transient connection failure by the second of START.
    pub failures: [u64; 60],
}

/// The three seconds in a row with the most transient connection failures.
#[derive(Debug, Clone, Copy)]
pub struct Cluster {
    /// The first of the three seconds.
    pub first: usize,
    /// The last of them, which may be in the next minute.
    pub last: usize,
    /// The failures in these seconds.
    pub failures: u64,
    /// The failures in all seconds.
    pub all: u64,
}

impl Default for Seconds {
    fn default() -> Self {
        Self {
            starts: [0; 60],
            failures: [0; 60],
        }
    }
}

impl Summary {
    /// Adds a run.
    pub fn add(&mut self, run: Run) {
        let (first, last) = self.span.unwrap_or((run.trace.start, run.trace.last));
        self.span = Some((first.min(run.trace.start), last.max(run.trace.last)));
        self.runs += 1;
        match run.end {
            End::Exit(exit::SUCCESS) => self.ok += 1,
            End::Exit(_) if run.is_accepted => self.accepted += 1,
            End::Exit(_) => self.failed += 1,
            End::Running => self.running += 1,
            End::Lost => self.lost += 1,
        }
        let connection_failure = run.connection_failure();
        self.connection_failures += u64::from(connection_failure.is_some());
        self.usage_errors += u64::from(run.is_usage_error());
        self.retried += u64::from(run.trace.retries > 0);
        self.ambiguous += u64::from(run.trace.is_ambiguous);
        // A lost run may have been dead by then.
        let is_overlap = run.trace.is_overlapped && run.end != End::Lost;
        self.overlaps += u64::from(is_overlap);

        let key = (run.trace.owner.account(), Rc::clone(&run.trace.job));
        let job = self.jobs.entry(key).or_default();
        job.overlaps += u64::from(is_overlap);
        job.add(&run);
        // In a refused command line the first word may not be a host.
        if run.trace.command.is_some() {
            match self.hosts.get_mut(run.host()) {
                Some(host) => host.add(&run, connection_failure),
                None => self
                    .hosts
                    .entry(run.host().into())
                    .or_default()
                    .add(&run, connection_failure),
            }
        }
        self.seconds.add(&run, connection_failure);
        if run.has_failed() {
            self.add_failure(run);
        }
    }

    fn add_failure(&mut self, run: Run) {
        // Runs come in the order of their ENDs, but lost ones after all others.
        let is_not_newer = |other: &Run| other.trace.last <= run.trace.last;
        let index = self.failures.iter().rposition(is_not_newer);
        self.failures
            .insert(index.map_or(0, |index| index + 1), run);
        if self.failures.len() > MAX_FAILURES {
            self.failures.pop_front();
        }
    }
}

impl Job {
    fn add(&mut self, run: &Run) {
        self.runs += 1;
        if run.has_failed() {
            *self.failures.entry(run.end).or_default() += 1;
        }
        if self.last.is_none_or(|(start, _)| run.trace.start >= start) {
            self.last = Some((run.trace.start, run.end));
        }
        if run.is_good() {
            self.last_success = self.last_success.max(Some(run.trace.last));
        }
        if let Some(seconds) = run.seconds() {
            *self.durations.entry(seconds).or_default() += 1;
        }
    }

    /// The number of failed and lost runs.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    /// A percentile of the known durations, in seconds, by the nearest rank.
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let known: u64 = self.durations.values().sum();
        let rank = (known * percent).div_ceil(100).max(1);
        let mut below = 0;
        let reached = self.durations.iter().find(|(_, count)| {
            below += **count;
            below >= rank
        });
        reached.map(|(seconds, _)| *seconds)
    }
}

impl Host {
    fn add(&mut self, run: &Run, connection_failure: Option<Cause>) {
        self.runs += 1;
        self.failed += u64::from(run.has_failed());
        if connection_failure.is_some() {
            self.connection_failures += 1;
            self.cause = connection_failure;
        } else if run.has_reached_host() {
            self.last_reached = self.last_reached.max(run.ended());
        }
    }
}

impl Seconds {
    fn add(&mut self, run: &Run, connection_failure: Option<Cause>) {
        // A leap second counts as the second before it.
        let second = run.trace.start.second().min(59) as usize;
        self.starts[second] += 1;
        let is_transient = connection_failure.is_some_and(Cause::is_transient);
        self.failures[second] += u64::from(is_transient);
    }

    /// The cluster of transient connection failures, if it has at least half of them.
    pub fn cluster(&self) -> Option<Cluster> {
        let all: u64 = self.failures.iter().sum();
        let window = |first: usize| (first..first + 3).map(|second| second % 60);
        let failures = |first| window(first).map(|second| self.failures[second]).sum();
        let clusters = (0..60).map(|first| Cluster {
            first,
            last: (first + 2) % 60,
            failures: failures(first),
            all,
        });
        let largest = clusters.max_by_key(|cluster| (cluster.failures, 60 - cluster.first))?;
        (all >= MIN_CLUSTERED && largest.failures * 2 >= all).then_some(largest)
    }
}
