//! What happened to a job since its last good run.

use chrono::NaiveDateTime;

use crate::report::format::{Clock, JobId, Outcome, Reason, Report, RunFlag, RunSummary, Slot, count};

pub struct Events<'a> {
    pub slots: Vec<&'a Slot>,
    /// Bad runs, and a run that goes on.
    runs: Vec<RunSummary>,
}

impl<'a> Events<'a> {
    pub fn of(report: &'a Report, id: JobId, slots: Vec<&'a Slot>) -> Self {
        let runs = report.history.of_job(id).filter(|run| report.scope.has(run));
        let last_good = runs.clone().filter(|run| run.outcome == Outcome::Good).map(|run| run.start).max();
        let is_later = |time: NaiveDateTime| last_good.is_none_or(|good| time > good);
        let is_event = |run: &RunSummary| run.outcome.is_bad() || run.outcome == Outcome::Running;
        Self {
            slots: slots.into_iter().filter(|slot| is_later(slot.at)).collect(),
            runs: runs.filter(is_event).filter(|run| is_later(run.start)).collect(),
        }
    }

    /// Whether there is nothing to make up for. A run that goes on needs nothing.
    pub fn is_over(&self) -> bool {
        self.slots.is_empty() && self.runs.iter().all(|run| run.outcome == Outcome::Running)
    }

    pub fn may_have_begun(&self) -> bool {
        self.runs.iter().any(|run| !was_never_begun(run))
    }

    pub fn words(&self, clock: Clock) -> String {
        let mut words = Vec::new();
        match self.slots.as_slice() {
            [] => {}
            [slot] => words.push(format!("not started at {}", clock.time(slot.at))),
            [first, .., last] => {
                words.push(format!("not started {} times, {}", self.slots.len(), clock.span(first.at, last.at)));
            }
        }
        if let Some(last) = self.runs.last() {
            let more = match self.runs.len() - 1 {
                0 => String::new(),
                more => format!(", and {} before it", count(more as u64, "run")),
            };
            let name = clock.run_name(last.pid, last.start);
            let proof = if is_by_message(last) { ", by ssh's message" } else { "" };
            let status = match last.outcome {
                Outcome::Failed(status, _) => format!("exit {status}, "),
                _ => String::new(),
            };
            words.push(format!("run {name}{more}: {status}{}{proof}", last.outcome));
        }
        words.join("; ")
    }
}

/// Whether the script of a bad run was never started, as far as the messages of ssh and remoteexe show.
fn was_never_begun(run: &RunSummary) -> bool {
    match run.outcome {
        Outcome::Failed(_, Reason::NoSsh | Reason::SshNotRun | Reason::Usage) => true,
        outcome => outcome.connection_failure().is_some(),
    }
}

/// Whether only a message of ssh shows that: without retries no record shows what ssh has requested, and a script that
/// calls ssh may print the same.
fn is_by_message(run: &RunSummary) -> bool {
    run.outcome.connection_failure().is_some() && !run.is(RunFlag::HasRetries)
}
