//! Merges incidents that belong together.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::cause::Likeness;
use super::evidence::{History, JobId, Outcome, RunSummary};
use super::incident::{Incident, IncidentKind, unique};

/// The longest time between two outages of a host that are one incident: the host comes and goes.
const COMES_AND_GOES: TimeDelta = TimeDelta::hours(6);
/// How much later a cause may show in one job than in another.
const SLACK: TimeDelta = TimeDelta::minutes(10);

/// Merges repeated incidents: the past incidents of a job, and the outages of a host.
pub fn merge_repeated(incidents: Vec<Incident>) -> Vec<Incident> {
    let is_near = |one: &Incident, next: &Incident| {
        one.hosts().is_empty() || next.window.since - one.window.last <= COMES_AND_GOES
    };
    joined(incidents, Likeness::repeated, is_near)
}

/// Merges jobs, on any hosts, whose logins are refused in one way since one time: a key or an account was changed.
pub fn merge_refused(incidents: Vec<Incident>, history: &History) -> Vec<Incident> {
    let named = joined(incidents, Likeness::refused, began_together).into_iter().map(|mut incident| {
        let refusal = incident.main_way().and_then(Outcome::refusal);
        if let (IncidentKind::Failing, Some(refusal)) = (&incident.kind, refusal) {
            let hosts = unique(incident.jobs.iter().map(|job| history.job(*job).host));
            incident.kind = IncidentKind::Refused { hosts, refusal };
        }
        incident
    });
    named.collect()
}

/// Whether one job was last good before the other was first bad.
fn began_together(one: &Incident, next: &Incident) -> bool {
    next.last_good.is_none_or(|good| good <= one.window.since + SLACK)
}

/// Merges jobs whose output names the same state of their host, or the same service. Also merges a script that fails in
/// the same way on several hosts.
pub fn merge_alike(incidents: Vec<Incident>, history: &History) -> Vec<Incident> {
    let of_host = |incident: &Incident| Likeness::surroundings(incident, history);
    let of_script = |incident: &Incident| Likeness::script(incident, history);
    joined(joined(incidents, of_host, |_, _| true), of_script, |_, _| true)
}

/// Joins each incident with the first earlier incident of the same likeness to which it `belongs`. If the same incident
/// comes again, `times` are added; otherwise the highest one counts.
fn joined(
    incidents: Vec<Incident>,
    likeness: impl Fn(&Incident) -> Option<Likeness>,
    belongs: impl Fn(&Incident, &Incident) -> bool,
) -> Vec<Incident> {
    let mut groups: BTreeMap<Likeness, Vec<Incident>> = BTreeMap::new();
    let mut alone = Vec::new();
    for incident in incidents {
        match likeness(&incident) {
            Some(likeness) => groups.entry(likeness).or_default().push(incident),
            None => alone.push(incident),
        }
    }
    let mut all = Vec::new();
    for (likeness, mut group) in groups {
        group.sort_by_key(|incident| incident.window.since);
        let is_again = matches!(likeness, Likeness::Again(..) | Likeness::HostAgain(_));
        let first = all.len();
        for incident in group {
            match all[first..].iter_mut().find(|one| belongs(one, &incident)) {
                Some(one) => {
                    let both = one.times + incident.times;
                    let most = one.times.max(incident.times);
                    one.join(incident);
                    one.times = if is_again { both } else { most };
                }
                None => all.push(incident),
            }
        }
    }
    all.extend(alone);
    all
}

/// Drops explained incidents: a silence during an outage, a silence that began with a loss of runs, and a run over
/// which the clock jumped, which did not hang.
pub fn drop_explained(incidents: &mut Vec<Incident>, history: &History) {
    let is_cause = |incident: &&Incident| {
        matches!(
            incident.kind,
            IncidentKind::CronDown { .. }
                | IncidentKind::ClockJumped { .. }
                | IncidentKind::LostTogether { quiet_until: Some(_), .. }
        )
    };
    let causes: Vec<Incident> = incidents.iter().filter(is_cause).cloned().collect();
    incidents.retain(|incident| !causes.iter().any(|cause| explains(cause, incident, history)));
}

fn explains(cause: &Incident, other: &Incident, history: &History) -> bool {
    let (down, window) = (cause.window, other.window);
    match (&cause.kind, &other.kind) {
        (
            IncidentKind::CronDown { scheduler, .. } | IncidentKind::ClockJumped { scheduler, .. },
            IncidentKind::Silent { scheduler: silent, .. },
        ) => {
            let ends_after = window.over.is_none_or(|over| over >= down.since);
            scheduler == silent && ends_after && window.since <= down.last
        }
        (IncidentKind::LostTogether { quiet_until, .. }, IncidentKind::Silent { scheduler: silent, .. }) => {
            window.over == *quiet_until && history.scheduler(cause.jobs[0]) == *silent
        }
        (IncidentKind::ClockJumped { from, to, .. }, IncidentKind::Hung { longest, .. }) => {
            let longest = TimeDelta::seconds((*longest).into()) + SLACK;
            window.since <= *from && window.over.is_some_and(|over| over >= *to && over - *to <= longest)
        }
        _ => false,
    }
}

/// Merges runs that were lost together into an outage at the same time: the machine was down.
pub fn merge_downtime(mut incidents: Vec<Incident>, history: &History) -> Vec<Incident> {
    let is_outage = |incident: &mut Incident| matches!(incident.kind, IncidentKind::CronDown { .. });
    let mut outages: Vec<Incident> = incidents.extract_if(.., is_outage).collect();
    incidents.retain(|incident| {
        let Some(outage) = outages.iter_mut().find(|outage| was_lost_in(incident, outage, history)) else {
            return true;
        };
        let (missing, killed, booted) = ((outage.bad, outage.runs), incident.bad, incident.boot());
        outage.join(incident.clone());
        (outage.bad, outage.runs) = missing;
        if let IncidentKind::CronDown { boot, lost, .. } = &mut outage.kind {
            *boot = boot.or(booted);
            *lost += killed;
        }
        false
    });
    incidents.extend(outages);
    incidents
}

/// Whether runs of the same scheduler were lost together while nothing was started.
fn was_lost_in(incident: &Incident, outage: &Incident, history: &History) -> bool {
    let (IncidentKind::LostTogether { .. }, IncidentKind::CronDown { scheduler, .. }, Some(job)) =
        (&incident.kind, &outage.kind, incident.jobs.first())
    else {
        return false;
    };
    let (lost, down) = (incident.window, outage.window);
    let ends_after = lost.over.is_none_or(|over| over >= down.since);
    history.scheduler(*job) == *scheduler && lost.since <= down.last && ends_after
}

/// The run of each job that ended last.
pub fn last_ended(history: &History) -> Vec<Option<RunSummary>> {
    let has_ended = |run: &RunSummary| !matches!(run.outcome, Outcome::Running | Outcome::Skipped(_));
    let of_job = |job| history.of_job(job).filter(has_ended).max_by_key(|run| (run.last, run.start));
    history.job_ids().map(of_job).collect()
}

/// The jobs of a past incident without a good run since, such as nightly jobs.
pub fn not_recovered(incident: &Incident, history: &History, last_ended: &[Option<RunSummary>]) -> Vec<JobId> {
    let is_of_many = matches!(
        incident.kind,
        IncidentKind::Unreachable { .. } | IncidentKind::Dropped { .. } | IncidentKind::LostTogether { .. }
    );
    if let (IncidentKind::CronDown { .. }, Some(over)) = (&incident.kind, incident.window.over) {
        let is_made_up = |job: &JobId| history.since(*job, over).next().is_some();
        return incident.jobs.iter().copied().filter(|job| !is_made_up(job)).collect();
    }
    let is_not_recovered = |job: &JobId| {
        last_ended[*job as usize].is_some_and(|run| run.outcome.is_bad() && run.last <= incident.window.last)
    };
    let jobs = incident.jobs.iter().copied();
    jobs.filter(|job| is_of_many && incident.has_passed() && is_not_recovered(job)).collect()
}
