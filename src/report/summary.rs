//! What many runs come to: the counts of the whole, of each job, of each host and of each second.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;

use chrono::{NaiveDateTime, Timelike};

use super::run::{End, Run};
use crate::ssh_error::Cause;

/// How many failures are kept, the newest.
const FAILURES: usize = 10;

/// From how many connection failures on it is asked whether they cluster.
const CLUSTER: u64 = 3;

/// Counts of all runs.
#[derive(Debug, Default)]
pub struct Summary {
    /// The first START and the last record.
    pub span: Option<(NaiveDateTime, NaiveDateTime)>,
    /// All runs.
    pub runs: u64,
    /// With exit status 0.
    pub ok: u64,
    /// With another one.
    pub failed: u64,
    /// 255 before anything ran; part of the failed.
    pub connection_failures: u64,
    /// 10 for a command line that was refused; part of the failed.
    pub usage_errors: u64,
    /// With at least one more try than the first.
    pub retried: u64,
    /// Without END, the process is there.
    pub running: u64,
    /// Without END, the process is gone.
    pub lost: u64,
    /// In which output cannot be told from records.
    pub ambiguous: u64,
    /// During which the same job was started again.
    pub overlaps: u64,
    /// By the job.
    pub jobs: HashMap<Rc<[u8]>, Job>,
    /// By the host.
    pub hosts: BTreeMap<Box<[u8]>, Host>,
    /// By the second of the minute in which they started.
    pub seconds: Seconds,
    /// The newest failures, the newest last.
    pub failures: VecDeque<Run>,
}

/// Counts of one job.
#[derive(Debug, Default)]
pub struct Job {
    /// All runs.
    pub runs: u64,
    /// The failed ones, by how they ended.
    pub failures: BTreeMap<End, u64>,
    /// The start and the end of the run that started last.
    pub last: Option<(NaiveDateTime, End)>,
    /// When the last run with exit status 0 ended.
    pub last_success: Option<NaiveDateTime>,
    /// During which it was started again.
    pub overlaps: u64,
    /// How many runs took how many seconds: the log has no finer time.
    durations: BTreeMap<u64, u64>,
}

/// Counts of one host.
#[derive(Debug, Default)]
pub struct Host {
    /// All runs.
    pub runs: u64,
    /// Failed and lost ones.
    pub failed: u64,
    /// 255 before anything ran; part of the failed.
    pub connection_failures: u64,
    /// Why, the last time.
    pub cause: Option<Cause>,
    /// When it was last reached.
    pub last_reached: Option<NaiveDateTime>,
}

/// Counts by the second of the minute.
#[derive(Debug)]
pub struct Seconds {
    /// Starts.
    pub starts: [u64; 60],
    /// Connection failures that may pass, by their start.
    pub failures: [u64; 60],
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
    /// Takes a run into account.
    pub fn add(&mut self, run: Run) {
        let (first, last) = self.span.unwrap_or((run.trace.start, run.trace.last));
        self.span = Some((first.min(run.trace.start), last.max(run.trace.last)));
        self.runs += 1;
        match run.end {
            End::Exit(0) => self.ok += 1,
            End::Exit(_) => self.failed += 1,
            End::Running => self.running += 1,
            End::Lost => self.lost += 1,
        }
        let connection_failure = run.connection_failure();
        self.connection_failures += u64::from(connection_failure.is_some());
        self.usage_errors += u64::from(run.is_usage_error());
        self.retried += u64::from(run.trace.retries > 0);
        self.ambiguous += u64::from(run.trace.is_ambiguous);
        // Of a lost run nobody knows how long it was going on.
        let is_overlap = run.trace.is_overlapped && run.end != End::Lost;
        self.overlaps += u64::from(is_overlap);

        let job = self.jobs.entry(Rc::clone(&run.trace.job)).or_default();
        job.overlaps += u64::from(is_overlap);
        job.add(&run);
        // Where nothing was to be run, the first word need not be a host.
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
        // Nearly sorted already: runs come in the order of their ends, the lost ones last of all.
        let behind = |other: &Run| other.trace.last > run.trace.last;
        let index = self.failures.iter().rposition(|other| !behind(other));
        self.failures
            .insert(index.map_or(0, |index| index + 1), run);
        if self.failures.len() > FAILURES {
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
        if run.end == End::Exit(0) {
            self.last_success = self.last_success.max(Some(run.trace.last));
        }
        if let Some(seconds) = run.seconds() {
            *self.durations.entry(seconds).or_default() += 1;
        }
    }

    /// How many runs have failed or were lost.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    /// The duration in seconds that `percent` of the runs with a known one do not exceed (nearest rank).
    pub fn quantile(&self, percent: u64) -> Option<u64> {
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
        // A leap second is one with 59 of them before it.
        let second = run.trace.start.second().min(59) as usize;
        self.starts[second] += 1;
        let is_transient = connection_failure.is_some_and(Cause::is_transient);
        self.failures[second] += u64::from(is_transient);
    }

    /// Whether half of the connection failures or more are of jobs that started within three seconds in a
    /// row, and what those are.
    pub fn cluster(&self) -> Option<(usize, u64)> {
        let all: u64 = self.failures.iter().sum();
        let within = |first: usize| {
            (first..first + 3)
                .map(|second| self.failures[second % 60])
                .sum()
        };
        let sums = (0..60).map(|first| (first, within(first)));
        let (first, most): (usize, u64) = sums.max_by_key(|(first, sum)| (*sum, 60 - first))?;
        (all >= CLUSTER && most * 2 >= all).then_some((first, most))
    }
}
