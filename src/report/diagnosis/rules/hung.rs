//! Runs that go on far longer than their job ever took, or that did so before they were good.

use crate::report::diagnosis::evidence::{Claims, Evidence};
use crate::report::diagnosis::incident::{Hung, Incident, Kind, Window};
use crate::report::history::durations::{Usual, before_each, is_long};
use crate::report::history::scope::Scope;
use crate::report::history::{Entry, JobId, Ledger};
use crate::report::runs::outcome::Outcome;

/// Finds an incident for each of these runs.
pub fn rule(evidence: &Evidence, _: &mut Claims) -> Vec<Incident> {
    let (ledger, scope) = (evidence.history, evidence.scope);
    let jobs = ledger.job_ids();
    jobs.flat_map(|job| of_job(ledger, job, scope)).collect()
}

fn of_job(ledger: &Ledger, job: JobId, scope: &Scope) -> Vec<Incident> {
    let runs = ledger.of_job(job);
    let asked = before_each(ledger, job, |run| is_long(run, scope.now));
    let incidents = asked
        .into_iter()
        .filter_map(|(index, run, usual)| incident(run, &usual, &runs[index + 1..], scope));
    incidents.collect()
}

/// The incident of `run`, before which the job took as long as `usual`, and which `later` ones followed.
fn incident(run: &Entry, usual: &Usual, later: &[Entry], scope: &Scope) -> Option<Incident> {
    let (until, over) = match run.outcome {
        Outcome::Running => (scope.now, None),
        Outcome::Good if run.seconds().is_some() => (run.until, Some(run.until)),
        // It is bad for another reason too.
        _ => return None,
    };
    let window = Window {
        since: run.start,
        known: usual.hung_at(run, until)?,
        last: until,
        over,
    };
    let hung = Hung {
        pid: run.pid,
        longest: usual.longest,
        again: later.len() as u64,
    };
    let mut incident = Incident::new(Kind::Hung(hung), window, vec![run.job]);
    incident.last = Some(*run);
    incident.runs = 1;
    Some(incident)
}
