//! Incidents that belong together become one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::incident::{Incident, IncidentKind, IncidentState, IncidentWindow};
use crate::report::history::{History, HostId, JobId};
use crate::report::logs::owner::Account;
use crate::report::logs::scheduler::Scheduler;
use crate::report::runs::outcome::Outcome;

/// What two incidents have in common that become one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    /// The same job, again, and the state.
    Again(Vec<JobId>, Vec<HostId>, IncidentState),
    /// The same script of the same user, in the same state, in the same way.
    Script(Account, Box<[u8]>, IncidentState, bool, Option<Outcome>),
    /// Jobs on lines of one crontab, which cron ignores.
    Ignored(PathBuf),
    /// Jobs on one host whose login or key is refused.
    Host(HostId, Option<Outcome>),
    /// Like no other one.
    Alone(usize),
}

/// Merges what happened to a job or a host several times, if it is over.
pub fn merge_repeated(incidents: Vec<Incident>) -> Vec<Incident> {
    joined(incidents, |number, incident| {
        let is_single = incident.jobs.len() <= 1 || !incident.hosts().is_empty();
        let may_repeat = !matches!(
            incident.kind,
            IncidentKind::Silent { .. }
                | IncidentKind::Dropped { .. }
                | IncidentKind::CronDown { .. }
                | IncidentKind::Late { .. }
                | IncidentKind::Lost { together: true, .. }
        );
        if incident.is_over() && is_single && may_repeat {
            let jobs = if incident.hosts().is_empty() { incident.jobs.clone() } else { Vec::new() };
            Likeness::Again(jobs, incident.hosts().to_vec(), incident.state())
        } else {
            Likeness::Alone(number)
        }
    })
}

/// Merges jobs on one host whose connections are refused in one way: it is the host.
pub fn merge_refused(incidents: Vec<Incident>, history: &History) -> Vec<Incident> {
    let joined = joined(incidents, |number, incident| {
        let is_refused =
            |way: &Outcome| way.connection_failure().is_some_and(|it| !it.is_transient());
        match (&incident.kind, incident.main_way().filter(is_refused)) {
            (IncidentKind::Failing, way @ Some(_)) if !incident.is_over() => {
                Likeness::Host(history.job(incident.jobs[0]).host, way)
            }
            _ => Likeness::Alone(number),
        }
    });
    let is_several =
        |incident: &Incident| incident.kind == IncidentKind::Failing && incident.jobs.len() > 1;
    let named = joined.into_iter().map(|mut incident| {
        if is_several(&incident) {
            let hosts = vec![history.job(incident.jobs[0]).host];
            incident.kind = IncidentKind::Unreachable { hosts };
            incident.times = 1;
        }
        incident
    });
    named.collect()
}

/// Merges the same script that fails in the same way on several hosts.
pub fn merge_alike(incidents: Vec<Incident>, history: &History) -> Vec<Incident> {
    joined(incidents, |number, incident| match (&incident.kind, incident.jobs.as_slice()) {
        (IncidentKind::NotStarted { place, is_ignored: true }, _) if !incident.is_over() => {
            Likeness::Ignored(place.file.to_path_buf())
        }
        (
            IncidentKind::Failing
            | IncidentKind::Flapping
            | IncidentKind::Slower { .. }
            | IncidentKind::NotStarted { .. },
            [job],
        ) => {
            let script = history.job(*job).script().into();
            let (state, way) = (incident.state(), incident.main_way());
            Likeness::Script(history.account(*job), script, state, incident.is_over(), way)
        }
        _ => Likeness::Alone(number),
    })
}

/// Joins those of the same likeness. `times` is the most that one of them has happened.
fn joined(
    incidents: Vec<Incident>,
    likeness: impl Fn(usize, &Incident) -> Likeness,
) -> Vec<Incident> {
    let mut groups: BTreeMap<Likeness, Vec<Incident>> = BTreeMap::new();
    for (number, incident) in incidents.into_iter().enumerate() {
        let likeness = likeness(number, &incident);
        groups.entry(likeness).or_default().push(incident);
    }
    let one = |(likeness, group): (Likeness, Vec<Incident>)| {
        let count = group.len() as u64;
        let most = group.iter().map(|incident| incident.times).max();
        let mut group = group.into_iter();
        let mut first = group.next()?;
        group.for_each(|other| first.join(other));
        let is_again = matches!(likeness, Likeness::Again(..));
        first.times = if is_again { count } else { most? };
        Some(first)
    };
    groups.into_iter().filter_map(one).collect()
}

/// Puts a silence that has ended into the incident of the same scheduler's runs that were lost in it: a reboot.
///
/// A silence that goes on stays: that nothing is started is to be known, whoever knows of the lost runs.
pub fn merge_reboots(incidents: &mut Vec<Incident>, history: &History) {
    let is_silence = |incident: &mut Incident| matches!(incident.kind, IncidentKind::Silent { .. });
    let silences: Vec<Incident> = incidents.extract_if(.., is_silence).collect();
    let is_single = |silence: &Incident| match silence.kind {
        IncidentKind::Silent { scheduler, .. } => {
            !is_reboot(&silence.window, scheduler, history, incidents)
        }
        _ => true,
    };
    let singles: Vec<Incident> = silences.into_iter().filter(is_single).collect();
    incidents.extend(singles);
}

/// Notes the pause with the runs of the same scheduler that were lost in it. Returns false if there are none.
fn is_reboot(
    window: &IncidentWindow,
    scheduler: Scheduler,
    history: &History,
    incidents: &mut [Incident],
) -> bool {
    if window.over.is_none() {
        return false;
    }
    for incident in incidents {
        let is_of_it = |job: &JobId| history.scheduler(*job) == scheduler;
        if let IncidentKind::Lost { together: true, quiet_until, .. } = &mut incident.kind
            && window.since <= incident.window.last
            && incident.window.last <= window.last
            && incident.jobs.iter().any(is_of_it)
        {
            *quiet_until = window.over;
            return true;
        }
    }
    false
}

/// Drops the silences that outages explain: the lines that were not started are known.
pub fn drop_explained(incidents: &mut Vec<Incident>) {
    let is_outage = |incident: &&Incident| matches!(incident.kind, IncidentKind::CronDown { .. });
    let outages: Vec<Incident> = incidents.iter().filter(is_outage).cloned().collect();
    incidents.retain(|incident| !outages.iter().any(|outage| explains(outage, incident)));
}

/// Whether a silence is the same as an outage.
fn explains(outage: &Incident, silence: &Incident) -> bool {
    match (&outage.kind, &silence.kind) {
        (
            IncidentKind::CronDown { scheduler, .. },
            IncidentKind::Silent { scheduler: other, .. },
        ) => {
            let ends_after = silence.window.over.is_none_or(|over| over >= outage.window.since);
            scheduler == other && ends_after && silence.window.since <= outage.window.last
        }
        _ => false,
    }
}

/// Puts runs that were lost while nothing was started into that outage: the machine was down.
pub fn merge_downtime(incidents: Vec<Incident>, history: &History) -> Vec<Incident> {
    let is_outage = |incident: &Incident| matches!(incident.kind, IncidentKind::CronDown { .. });
    let (mut outages, others): (Vec<_>, Vec<_>) = incidents.into_iter().partition(is_outage);
    let mut rest = Vec::new();
    for incident in others {
        let mut outages = outages.iter_mut();
        match outages.find(|outage| was_lost_in(&incident, outage, history)) {
            Some(outage) => add(outage, incident),
            None => rest.push(incident),
        }
    }
    rest.extend(outages);
    rest
}

/// Whether these are runs of the same scheduler that were lost together while nothing was started.
fn was_lost_in(incident: &Incident, outage: &Incident, history: &History) -> bool {
    let (
        IncidentKind::Lost { together: true, .. },
        IncidentKind::CronDown { scheduler, .. },
        Some(job),
    ) = (&incident.kind, &outage.kind, incident.jobs.first())
    else {
        return false;
    };
    let (lost, down) = (incident.window, outage.window);
    let ends_after = lost.over.is_none_or(|over| over >= down.since);
    history.scheduler(*job) == *scheduler && lost.since <= down.last && ends_after
}

fn add(outage: &mut Incident, incident: Incident) {
    let missing = (outage.bad, outage.runs);
    let (killed, booted) = match incident.kind {
        IncidentKind::Lost { boot, .. } => (incident.bad, boot),
        _ => return,
    };
    outage.join(incident);
    (outage.bad, outage.runs) = missing;
    if let IncidentKind::CronDown { boot, lost, .. } = &mut outage.kind {
        *boot = boot.or(booted);
        *lost += killed;
    }
}

/// The jobs of an incident that has passed whose last run is one of its bad ones. A nightly job is not made up for.
pub fn not_recovered(incident: &Incident, history: &History) -> Vec<JobId> {
    let is_of_many = matches!(
        incident.kind,
        IncidentKind::Unreachable { .. }
            | IncidentKind::Dropped { .. }
            | IncidentKind::Lost { together: true, .. }
    );
    let is_not_recovered = |job: &JobId| {
        let runs = history.of_job(*job).iter();
        let ended = runs.filter(|run| run.outcome != Outcome::Running);
        let last = ended.max_by_key(|run| (run.last, run.start));
        last.is_some_and(|run| run.outcome.is_bad() && run.last <= incident.window.last)
    };
    let jobs = incident.jobs.iter().copied();
    jobs.filter(|job| is_of_many && incident.has_passed() && is_not_recovered(job)).collect()
}
