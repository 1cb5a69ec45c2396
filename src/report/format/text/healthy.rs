//! Healthy jobs and hosts in one line, or all jobs and hosts in tables.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;

use super::page::{INDENT, Page};
use crate::report::format::{
    DurationStats, HostId, JobId, Outcome, Report, RunFlag, RunSummary, Tally, count, crontabs, duration, shown_name,
};

/// Shows the healthy jobs and hosts: not in `bad`, the jobs with an open incident. `hosts` are all hosts.
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
        show_schedules(page, report);
        show_hosts(page, report);
    }
}

fn show_jobs(page: &mut Page, report: &Report, jobs: &[JobId]) {
    let mut rows: Vec<(usize, Vec<String>)> = Vec::new();
    for job in jobs {
        let bad = report.runs_of(*job).filter(|run| run.outcome.is_bad()).count();
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
    page.table(&[2, 5, 6], &titles, &[0, 1, 5, 6], rows);
}

fn job_row(report: &Report, job: JobId, bad: usize) -> Vec<String> {
    let clock = report.clock();
    let usual = DurationStats::of_job(&report.history, job);
    let known = |seconds| (usual.good > 0).then_some(seconds);
    let last = report.runs_of(job).next_back();
    vec![
        report.runs_of(job).count().to_string(),
        bad.to_string(),
        last.map(|run| clock.second(run.start)).unwrap_or_default(),
        last.as_ref().map(end).unwrap_or_default(),
        report.last_good(job).map_or_else(|| "-".to_owned(), |time| clock.second(time)),
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

fn show_schedules(page: &mut Page, report: &Report) {
    let mut schedules: Vec<(JobId, crontabs::Schedule)> = crontabs::schedules(report).collect();
    if schedules.is_empty() || report.filter.failed {
        return;
    }
    schedules.sort_by_key(|(job, schedule)| (schedule.next_second.is_none(), schedule.next_second, *job));
    page.heading("Schedules");
    let rows = schedules.into_iter().map(|(job, schedule)| vec![schedule.next, schedule.words, report.job_name(job)]);
    page.table(&[], &["Next", "Schedule", "Job"], &[], rows.collect());
}

/// Shows the hosts with the counts of their runs, and when each was last reached.
fn show_hosts(page: &mut Page, report: &Report) {
    let mut hosts: BTreeMap<HostId, (Tally, Option<NaiveDateTime>)> = BTreeMap::new();
    for run in report.runs().filter(|run| run.is(RunFlag::HasCommand)) {
        let (tally, reached) = hosts.entry(report.history.job(run.job).host).or_default();
        tally.add(&run);
        if run.is(RunFlag::ReachedHost) && run.outcome != Outcome::Running {
            *reached = (*reached).max(Some(run.until));
        }
    }
    hosts.retain(|_, (tally, _)| tally.bad() > 0 || !report.filter.failed);
    if hosts.is_empty() {
        return;
    }
    let mut hosts: Vec<_> = hosts.into_iter().collect();
    let name = |host: &HostId| report.history.host(*host);
    hosts.sort_by_key(|(id, (tally, _))| (Reverse((tally.connection_failures, tally.bad())), name(id)));
    page.heading("Hosts");
    let rows = hosts.iter().map(|(id, (tally, reached))| {
        let reached = reached.map_or_else(|| "-".to_owned(), |time| report.clock().second(time));
        let [runs, bad, failed] = [tally.runs, tally.bad(), tally.connection_failures].map(|it| it.to_string());
        vec![runs, bad, failed, reached, shown_name(name(id))]
    });
    page.table(&[], &["Runs", "Bad", "Not connected", "Last reached", "Host"], &[0, 1, 2], rows.collect());
}
