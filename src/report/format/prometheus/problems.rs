//! The metrics of problems: one series for each cause, so that each problem raises one alert, with its name.

use std::collections::{BTreeMap, BTreeSet};

use super::{exposition::Exposition, labels::Labels};
use crate::report::format::{HostId, Incident, IncidentKind, IncidentState, JobId, Report, Scheduler};

/// The most series of one metric. Prometheus keeps each for weeks.
const MOST: usize = 200;
/// Stands for more than one host or script: a number would make a new series with each change.
const SEVERAL: &str = "several";

pub fn add(text: &mut Exposition, report: &Report, incidents: &[Incident]) {
    let now = || incidents.iter().filter(|incident| !incident.is_over());
    // A state without a problem has a 0, so an alert sees the problem end.
    let mut counts: BTreeMap<IncidentState, u64> = IncidentState::now().map(|state| (state, 0)).collect();
    for incident in now() {
        *counts.entry(incident.state()).or_default() += 1;
    }
    let help = "Problems now, as the first screen of the report has them.";
    let mut samples = text.metric("remoteexe_problems", help);
    for (state, count) in counts {
        samples.add(&[("state", &lower(state.word()))], count);
    }
    let problems = now().map(|incident| (lower(incident.state().word()), labels(report, incident)));
    add_counts(text, "remoteexe_problem", "Problems now: one for each cause.", problems);
    let watched = report.watched().map(|finding| {
        let scheduler = finding.account.scheduler.whole();
        (lower(finding.oddity.word()), Labels::of_job(&finding.job, scheduler))
    });
    add_counts(text, "remoteexe_watch", "Jobs with good runs that are not as usual.", watched);
    add_switched_off(text, report);
}

fn add_counts(text: &mut Exposition, name: &str, help: &str, all: impl Iterator<Item = (String, Labels)>) {
    let mut samples = text.metric(name, help);
    let mut counts: BTreeMap<(String, Labels), u64> = BTreeMap::new();
    for key in all.take(MOST) {
        *counts.entry(key).or_default() += 1;
    }
    for ((state, labels), count) in counts {
        let is_one = |label: &String| !label.is_empty() && label != SEVERAL;
        let is_job = is_one(&labels.host) && is_one(&labels.script);
        let job = format!("{} {}", labels.host, labels.script);
        let more = [("state", &*state), ("job", &*job)];
        samples.add_labelled(&more[..=usize::from(is_job)], &labels, count);
    }
}

/// The labels of a problem. A problem of a whole host has no script, and a problem of a scheduler no host.
fn labels(report: &Report, incident: &Incident) -> Labels {
    let history = &report.history;
    let scheduler = match (&incident.kind, incident.jobs.first()) {
        (IncidentKind::Silent { scheduler, .. } | IncidentKind::CronDown { scheduler, .. }, _) => *scheduler,
        (_, Some(job)) => history.scheduler(*job).whole(),
        (_, None) => Scheduler::default(),
    };
    if incident.is_of_all() {
        return Labels::of_job(b"", scheduler);
    }
    let name = |job: &JobId| Labels::of_job(&history.job(*job).name, scheduler);
    let host = |host: &HostId| Labels::of_job(history.host(*host), scheduler);
    let (hosts, jobs) = (incident.hosts(), &incident.jobs);
    let jobs = jobs.iter().filter(|_| hosts.is_empty());
    let all = hosts.iter().map(host).chain(jobs.map(name)).reduce(|mut labels, other| {
        for (one, other) in [(&mut labels.host, other.host), (&mut labels.script, other.script)] {
            if *one != other {
                SEVERAL.clone_into(one);
            }
        }
        labels
    });
    all.unwrap_or_default()
}

fn add_switched_off(text: &mut Exposition, report: &Report) {
    let off = report.crontabs.iter().flat_map(|it| it.commented_out(report.filter, &report.machine.users));
    let off = off.filter(|off| report.filter.names(&off.job));
    let off = off.map(|off| Labels::of_job(&off.job, Scheduler::default()));
    let help = "All lines of the job in the crontabs are comments.";
    let mut samples = text.metric("remoteexe_job_switched_off", help);
    for labels in off.collect::<BTreeSet<_>>().iter().take(MOST) {
        samples.add_labelled(&[], labels, 1);
    }
}

fn lower(word: &str) -> String {
    word.to_lowercase().replace(' ', "_")
}
