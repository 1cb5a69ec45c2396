//! Healthy jobs and hosts in one line, or all jobs and hosts in tables.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::crontab;
use super::page::{INDENT, Page};
use crate::report::format::report::Report;
use crate::report::format::words::shown_name;
use crate::report::format::words::{count, duration};
use crate::report::history::durations::DurationStats;
use crate::report::history::{HostId, JobId, RunFlag, RunSummary};
use crate::report::runs::outcome::Outcome;

/// `bad` are the jobs with an open incident, `hosts` are all hosts.
pub fn show(page: &mut Page, report: &Report, bad: &BTreeSet<JobId>, hosts: &BTreeSet<HostId>) {
    let jobs: Vec<JobId> = report.jobs().collect();
    let healthy = jobs.iter().filter(|job| !bad.contains(job)).count();
    let bad_hosts: BTreeSet<HostId> = bad.iter().map(|job| report.history.job(*job).host).collect();
    let healthy_hosts = hosts.difference(&bad_hosts).count();
    let how = if report.lists_all() { "" } else { " (--all lists them)" };
    let text = format!("{}, {}{how}", count(healthy as u64, "job"), count(healthy_hosts as u64, "host"));
    page.labelled("Healthy", INDENT, &text);
    if report.lists_all() {
        show_jobs(page, report, &jobs);
        crontab::show_schedules(page, report);
        show_hosts(page, report);
    }
}

fn runs_in_period<'a>(report: &'a Report, job: JobId) -> impl Iterator<Item = &'a RunSummary> + Clone {
    report.history.of_job(job).iter().filter(|run| report.scope.has(run))
}

fn bad_runs<'a>(runs: impl Iterator<Item = &'a RunSummary>) -> u64 {
    runs.filter(|run| run.outcome.is_bad()).count() as u64
}

fn show_jobs(page: &mut Page, report: &Report, jobs: &[JobId]) {
    let mut rows: Vec<(u64, Vec<String>)> = Vec::new();
    for job in jobs {
        let bad = bad_runs(runs_in_period(report, *job));
        if bad > 0 || !report.filter.failed {
            rows.push((bad, job_row(report, *job, bad)));
        }
    }
    if rows.is_empty() {
        return;
    }
    rows.sort_by(|(bad, row), (other, other_row)| (Reverse(bad), row.last()).cmp(&(Reverse(other), other_row.last())));
    page.heading("Jobs");
    let titles = ["Runs", "Bad", "Last start", "Last", "Last good", "Median", "Longest", "Job"];
    let rows = rows.into_iter().map(|(_, row)| row).collect();
    page.table_without(&[2, 5, 6], &titles, &[0, 1, 5, 6], rows);
}

fn job_row(report: &Report, job: JobId, bad: u64) -> Vec<String> {
    let runs = runs_in_period(report, job);
    let clock = report.clock();
    let usual = DurationStats::of_job(&report.history, job);
    let known = |seconds| (usual.good > 0).then_some(seconds);
    let last = runs.clone().last();
    let good = report.history.of_job(job).iter();
    let last_good = good.filter(|run| run.outcome == Outcome::Good).map(|run| run.until).max();
    vec![
        runs.count().to_string(),
        bad.to_string(),
        last.map(|run| clock.second(run.start)).unwrap_or_default(),
        last.map(end).unwrap_or_default(),
        last_good.map_or_else(|| "-".to_owned(), |time| clock.second(time)),
        duration(known(usual.median)),
        duration(known(usual.longest)),
        report.job_name(job),
    ]
}

/// The exit status, or the state of a run without END.
pub fn end(run: &RunSummary) -> String {
    match run.outcome {
        Outcome::Good if run.is(RunFlag::Accepted) => "ok".to_owned(),
        Outcome::Good => "0".to_owned(),
        Outcome::Skipped(status) | Outcome::Failed(status, _) => status.to_string(),
        Outcome::Running => "running".to_owned(),
        Outcome::Lost => "lost".to_owned(),
    }
}

#[derive(Default)]
struct HostCounts {
    runs: u64,
    bad: u64,
    not_connected: u64,
    last_reached: Option<chrono::NaiveDateTime>,
}

fn show_hosts(page: &mut Page, report: &Report) {
    let mut hosts: BTreeMap<HostId, HostCounts> = BTreeMap::new();
    let runs = report.history.runs.iter().filter(|run| report.scope.has(run));
    for run in runs.filter(|run| run.is(RunFlag::HasCommand)) {
        let host = hosts.entry(report.history.job(run.job).host).or_default();
        host.runs += 1;
        host.bad += u64::from(run.outcome.is_bad());
        host.not_connected += u64::from(run.outcome.connection_failure().is_some());
        if run.is(RunFlag::ReachedHost) && run.outcome != Outcome::Running {
            host.last_reached = host.last_reached.max(Some(run.until));
        }
    }
    hosts.retain(|_, host| host.bad > 0 || !report.filter.failed);
    if hosts.is_empty() {
        return;
    }
    let mut hosts: Vec<_> = hosts.into_iter().collect();
    let name = |host: &HostId| report.history.host(*host);
    hosts.sort_by_key(|(id, host)| (Reverse((host.not_connected, host.bad)), name(id)));
    page.heading("Hosts");
    let clock = report.clock();
    let rows = hosts.iter().map(|(id, host)| {
        let reached = host.last_reached.map(|time| clock.second(time));
        vec![
            host.runs.to_string(),
            host.bad.to_string(),
            host.not_connected.to_string(),
            reached.unwrap_or_else(|| "-".to_owned()),
            shown_name(name(id)),
        ]
    });
    let rows = rows.collect();
    page.table(&["Runs", "Bad", "Not connected", "Last reached", "Host"], &[0, 1, 2], rows);
}
