//! Sorts incidents, the most pressing first.

use std::cmp::Reverse;

use chrono::TimeDelta;
use foldhash::HashMap;

use super::evidence::Evidence;
use super::incident::{Incident, IncidentKind};
use crate::report::history::{History, JobId, RunSummary};

/// A job with more time between two STARTs is rare: no later run makes up for a bad run soon.
const RARE: TimeDelta = TimeDelta::hours(4);

/// Sorts open incidents first; among these, incidents that no later run makes up for soon; then by the share of bad
/// runs, then by the number of jobs.
pub fn sorted(mut incidents: Vec<Incident>, evidence: &Evidence) -> Vec<Incident> {
    let since = evidence.history.runs().map(|run| run.start).min();
    let span = since.map_or(TimeDelta::zero(), |since| evidence.scope.now - since);
    for incident in &mut incidents {
        incident.is_pressing = is_pressing(incident, evidence.history, span);
    }
    let (history, scope) = (evidence.history, evidence.scope);
    // The same for all incidents of a job: a week may have a thousand.
    let mut in_period = HashMap::default();
    let mut runs_of = |job: JobId| {
        let is_in = |run: &RunSummary| run.is_in(scope.since, scope.now);
        *in_period.entry(job).or_insert_with(|| history.of_job(job).filter(is_in).count() as u64)
    };
    incidents.sort_by_cached_key(|incident| key(incident, incident.jobs.iter().map(|job| runs_of(*job)).sum()));
    incidents
}

/// Whether an incident has a run that no later run makes up for soon. `span` is the time of the history.
fn is_pressing(incident: &Incident, history: &History, span: TimeDelta) -> bool {
    let is_rare = |job: &JobId| {
        let runs = i32::try_from(history.of_job(*job).len()).unwrap_or(i32::MAX);
        span / runs.max(1) > RARE
    };
    let is_one_run =
        matches!(incident.kind, IncidentKind::NotStarted { .. } | IncidentKind::Hung { .. } | IncidentKind::Lost);
    let matters = incident.is_of_all() || is_one_run || incident.jobs.iter().any(is_rare);
    matters && !incident.is_over() && incident.is_failure()
}

/// The key by which incidents are sorted. Shares are in thousandths.
type Urgency = (bool, bool, bool, Reverse<u64>, Reverse<usize>, Reverse<u64>, chrono::NaiveDateTime);

/// `runs` is the number of runs of the incident's jobs in the period.
fn key(incident: &Incident, runs: u64) -> Urgency {
    let in_period = share(incident.bad, runs);
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
        !incident.is_pressing,
        // A slower job has not failed.
        matches!(incident.kind, IncidentKind::Slower { .. }),
        Reverse(now),
        Reverse(jobs),
        Reverse(in_period),
        incident.window.since,
    )
}

fn share(bad: u64, all: u64) -> u64 {
    match bad {
        0 => 1000,
        _ => (bad * 1000).checked_div(all).unwrap_or(1000).min(1000),
    }
}
