//! Counts the runs of a period.

use chrono::NaiveDateTime;

use super::{History, RunFlag, RunSummary};
use crate::report::history::scope::Scope;
use crate::report::runs::outcome::{Outcome, Reason};

#[derive(Default)]
pub struct Tally {
    /// The local times of the first START and the last record.
    pub first_to_last: Option<(NaiveDateTime, NaiveDateTime)>,
    pub runs: u64,
    /// Exit status 0.
    pub ok: u64,
    /// Another exit status, which is accepted.
    pub accepted: u64,
    /// Runs that did nothing because a lock was held.
    pub skipped: u64,
    /// Any other exit status.
    pub failed: u64,
    /// Failed runs whose ssh failed before the remote command ran.
    pub connection_failures: u64,
    /// Failed runs whose command line was refused.
    pub usage_errors: u64,
    pub retried: u64,
    pub running: u64,
    /// No END, and the process is gone.
    pub lost: u64,
    /// A record may be another run's, or output.
    pub ambiguous: u64,
    /// The same job was started again during the run.
    pub overlaps: u64,
}

pub struct Count {
    pub name: &'static str,
    pub number: u64,
    /// Whether the number should be 0, and is not.
    pub is_bad: bool,
}

impl Count {
    fn of(name: &'static str, number: u64) -> Self {
        Self { name, number, is_bad: false }
    }

    /// A number that should be 0.
    pub fn bad(name: &'static str, number: u64) -> Self {
        Self { is_bad: number > 0, ..Self::of(name, number) }
    }
}

impl Tally {
    pub fn of(history: &History, scope: &Scope) -> Self {
        let mut tally = Self::default();
        for run in history.runs().filter(|run| scope.has(run)) {
            tally.add(&run);
        }
        tally
    }

    pub fn add(&mut self, run: &RunSummary) {
        let (first, last) = self.first_to_last.unwrap_or((run.start, run.last));
        self.first_to_last = Some((first.min(run.start), last.max(run.last)));
        self.runs += 1;
        match run.outcome {
            Outcome::Good if run.is(RunFlag::Accepted) => self.accepted += 1,
            Outcome::Good => self.ok += 1,
            Outcome::Skipped(_) => self.skipped += 1,
            Outcome::Failed(..) => self.failed += 1,
            Outcome::Running => self.running += 1,
            Outcome::Lost => self.lost += 1,
        }
        let is_usage_error = matches!(run.outcome, Outcome::Failed(_, Reason::Usage));
        self.usage_errors += u64::from(is_usage_error);
        self.connection_failures += u64::from(run.outcome.connection_failure().is_some());
        self.retried += u64::from(run.is(RunFlag::Retried));
        self.ambiguous += u64::from(run.is(RunFlag::Ambiguous));
        self.overlaps += u64::from(run.is(RunFlag::Overlapped));
    }

    /// Counts by the end of a run.
    pub fn ends(&self) -> Vec<Count> {
        let mut ends = vec![
            Count::of("runs", self.runs),
            Count::of("ok", self.ok),
            Count::bad("failed", self.failed),
            Count::bad("lost", self.lost),
            Count::of("running", self.running),
        ];
        if self.accepted > 0 {
            ends.insert(2, Count::of("ok by --ok", self.accepted));
        }
        if self.skipped > 0 {
            ends.push(Count::of("skipped (flock -n)", self.skipped));
        }
        ends
    }

    pub fn kinds(&self) -> Vec<Count> {
        vec![
            Count::bad("connection failures", self.connection_failures),
            Count::bad("usage errors", self.usage_errors),
            Count::of("retried", self.retried),
            Count::of("overlaps", self.overlaps),
        ]
    }

    /// Whether a run has failed or was lost, or may have.
    pub fn is_bad(&self) -> bool {
        self.bad() + self.ambiguous > 0
    }

    pub fn bad(&self) -> u64 {
        self.failed + self.lost
    }
}
