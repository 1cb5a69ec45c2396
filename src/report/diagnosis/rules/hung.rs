//! Finds runs that take far longer than any earlier run of their job, even if they end well.

use crate::report::diagnosis::evidence::{Claims, DurationStats, Evidence, History, JobId, Outcome, RunSummary, Scope};
use crate::report::diagnosis::incident::{Incident, IncidentKind, IncidentWindow};
use crate::report::history::durations::{before_each, is_long};

pub fn rule(evidence: &Evidence, _: &mut Claims) -> Vec<Incident> {
    let (history, scope) = (evidence.history, evidence.scope);
    history.job_ids().flat_map(|job| of_job(history, job, scope)).collect()
}

fn of_job(history: &History, job: JobId, scope: &Scope) -> Vec<Incident> {
    let asked = before_each(history, job, |run| is_long(run, scope.now)).into_iter();
    let later = |place: usize| history.range(job).end - 1 - place;
    asked.filter_map(|(place, run, usual)| incident(&run, &usual, later(place), scope)).collect()
}

/// The incident of `run`, with the usual duration before it, and the number of `later` runs of the job.
fn incident(run: &RunSummary, usual: &DurationStats, later: usize, scope: &Scope) -> Option<Incident> {
    let (until, over) = match run.outcome {
        Outcome::Running => (scope.now, None),
        Outcome::Good if run.seconds().is_some() => (run.until, Some(run.until)),
        // A bad run belongs to another rule.
        _ => return None,
    };
    let window = IncidentWindow { since: run.start, detected_at: usual.hung_at(run, until)?, last: until, over };
    let kind = IncidentKind::Hung { longest: usual.longest, again: later as u64 };
    let mut incident = Incident::new(kind, window, vec![run.job]);
    incident.last = Some(*run);
    incident.runs = 1;
    Some(incident)
}
