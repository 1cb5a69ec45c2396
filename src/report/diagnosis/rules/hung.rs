//! Finds runs that take far longer than their job ever took, or did so before they were good.

use crate::report::diagnosis::evidence::{Claims, Evidence};
use crate::report::diagnosis::incident::{Hung, Incident, IncidentKind, IncidentWindow};
use crate::report::history::durations::{DurationStats, before_each, is_long};
use crate::report::history::scope::Scope;
use crate::report::history::{History, JobId, RunSummary};
use crate::report::runs::outcome::Outcome;

pub fn rule(evidence: &Evidence, _: &mut Claims) -> Vec<Incident> {
    let (history, scope) = (evidence.history, evidence.scope);
    let jobs = history.job_ids();
    jobs.flat_map(|job| of_job(history, job, scope)).collect()
}

fn of_job(history: &History, job: JobId, scope: &Scope) -> Vec<Incident> {
    let runs = history.of_job(job);
    let asked = before_each(history, job, |run| is_long(run, scope.now));
    let incidents =
        asked.into_iter().filter_map(|(index, run, usual)| incident(run, &usual, &runs[index + 1..], scope));
    incidents.collect()
}

/// The incident of `run`, with the usual duration before it, and `later` runs of the job.
fn incident(run: &RunSummary, usual: &DurationStats, later: &[RunSummary], scope: &Scope) -> Option<Incident> {
    let (until, over) = match run.outcome {
        Outcome::Running => (scope.now, None),
        Outcome::Good if run.seconds().is_some() => (run.until, Some(run.until)),
        // The run is bad for another reason too.
        _ => return None,
    };
    let window = IncidentWindow { since: run.start, detected_at: usual.hung_at(run, until)?, last: until, over };
    let hung = Hung { longest: usual.longest, again: later.len() as u64 };
    let mut incident = Incident::new(IncidentKind::Hung(hung), window, vec![run.job]);
    incident.last = Some(*run);
    incident.runs = 1;
    Some(incident)
}
