//! The most pressing incident first.

use std::cmp::Reverse;
use std::mem;

use super::incident::{Incident, IncidentKind};
use crate::report::history::History;
use crate::report::history::scope::Scope;

/// The most pressing first: those that go on, then those with the greater share of bad runs, then those that
/// affect more jobs.
pub fn sorted(mut incidents: Vec<Incident>, history: &History, scope: &Scope) -> Vec<Incident> {
    let mut keyed: Vec<_> = mem::take(&mut incidents)
        .into_iter()
        .map(|incident| (key(&incident, history, scope), incident))
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, incident)| incident).collect()
}

/// Shares are in thousandths.
type Urgency = (bool, bool, Reverse<u64>, Reverse<usize>, Reverse<u64>, chrono::NaiveDateTime);

fn key(incident: &Incident, history: &History, scope: &Scope) -> Urgency {
    let runs = incident.jobs.iter().flat_map(|job| history.of_job(*job));
    let in_period = runs.filter(|run| run.is_in(scope.since, scope.now)).count() as u64;
    let in_period = share(incident.bad, in_period);
    let is_over = incident.is_over();
    // Dropped connections are single runs of jobs that were good before and after.
    let now = if is_over || matches!(incident.kind, IncidentKind::Dropped { .. }) {
        in_period
    } else {
        share(incident.bad, incident.runs)
    };
    let jobs = match incident.kind {
        IncidentKind::Silent { .. } => usize::MAX,
        _ => incident.jobs.len(),
    };
    (
        is_over,
        // A job that is slower is good.
        matches!(incident.kind, IncidentKind::Slower { .. }),
        Reverse(now),
        Reverse(jobs),
        Reverse(in_period),
        incident.window.since,
    )
}

fn share(bad: u64, all: u64) -> u64 {
    match bad {
        // A hung run or a silence has no bad run.
        0 => 1000,
        _ => (bad * 1000).checked_div(all).unwrap_or(1000).min(1000),
    }
}
