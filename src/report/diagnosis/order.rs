//! Sorts incidents, the most pressing first.

use std::cmp::Reverse;

use chrono::TimeDelta;

use super::evidence::{Evidence, History, JobId};
use super::incident::{Incident, IncidentKind};

/// A job with more time between two STARTs is rare: no later run makes up for a bad run soon.
const RARE: TimeDelta = TimeDelta::hours(4);

/// Sorts open incidents first; among these, incidents that no later run makes up for soon; then by the share of bad
/// runs, then by the number of jobs.
pub fn sorted(mut incidents: Vec<Incident>, evidence: &Evidence) -> Vec<Incident> {
    let (history, scope) = (evidence.history, evidence.scope);
    let since = history.runs().map(|run| run.start).min();
    let span = since.map_or(TimeDelta::zero(), |since| scope.now - since);
    for incident in &mut incidents {
        incident.is_pressing = is_pressing(incident, history, span);
    }
    let in_period = |job| history.of_job(job).filter(|run| scope.has(run)).count() as u64;
    let in_period: Vec<u64> = history.job_ids().map(in_period).collect();
    let runs_of = |incident: &Incident| incident.jobs.iter().map(|job| in_period[*job as usize]).sum();
    incidents.sort_by_cached_key(|incident| key(incident, runs_of(incident)));
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

/// The key of an incident whose jobs have this many runs in the period.
fn key(incident: &Incident, runs: u64) -> Urgency {
    let in_period = share(incident.bad, runs);
    let is_over = incident.is_over();
    // Dropped connections are single runs of jobs that were good before and after.
    let is_by_period = is_over || matches!(incident.kind, IncidentKind::Dropped { .. });
    let now = if is_by_period { in_period } else { share(incident.bad, incident.runs) };
    let is_silent = matches!(incident.kind, IncidentKind::Silent { .. });
    let jobs = if is_silent { usize::MAX } else { incident.jobs.len() };
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
