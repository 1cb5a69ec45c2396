//! The history of one job.

use super::page::{INDENT, Page};
use super::run_list::{RunRow, show_rows};
use super::{heading, incidents, watch};
use crate::report::format::{
    DurationStats, Incident, IncidentState, JobId, Outcome, Report, count, crontabs, usual_duration,
};

const LAST_RUNS: usize = 20;

/// The job that passes the filter, if there is only one.
pub fn only_job(report: &Report) -> Option<JobId> {
    let mut jobs = report.history.job_ids();
    let job = jobs.next().filter(|_| report.filter.job.is_some())?;
    jobs.next().is_none().then_some(job)
}

/// Shows the history of the job. `incidents` are its incidents of the period.
pub fn show(page: &mut Page, report: &Report, job: JobId, incidents: &[Incident]) {
    let runs = report.history.of_job(job);
    let clock = report.clock();
    page.line("");
    page.labelled("Job", INDENT, &report.job_name(job));
    page.labelled("State", INDENT, &state(report, job, incidents));
    let last_good = report.last_good(job).map(|time| clock.second(time));
    page.labelled("Last good", INDENT, last_good.as_deref().unwrap_or("none in these logs"));
    let usual = usual_duration(&DurationStats::of_job(&report.history, job));
    page.labelled("Duration", INDENT, usual.as_deref().unwrap_or("no good run with a known duration"));
    watch::show_chart(page, report, job);
    if let Some(schedule) = crontabs::schedule_of(report, job) {
        let crontabs::Schedule { words, next, place, .. } = schedule;
        page.labelled("Schedule", INDENT, &format!("{words}, next {next} ({place})"));
    }
    heading::show_crontabs(page, report);
    incidents::show(page, report, "Incidents", incidents, usize::MAX);
    watch::show(page, report, usize::MAX);
    let mut rows: Vec<RunRow> = runs.clone().map(RunRow::Run).collect();
    let slots = report.missed.slots().into_iter();
    rows.extend(slots.filter(|slot| slot.job == job).map(RunRow::NotStarted));
    rows.sort_by_key(RunRow::order);
    let last = &rows[rows.len().saturating_sub(LAST_RUNS)..];
    if last.is_empty() {
        return;
    }
    let missing = match rows.len() - runs.len() {
        0 => String::new(),
        missing => format!(" and {missing} missing"),
    };
    let all = count(runs.len() as u64, "run");
    page.heading(&format!("Last {} of {all}{missing}", last.len()));
    show_rows(page, report, last);
}

/// Whether the job is healthy, newly bad, or good and bad in turn.
fn state(report: &Report, job: JobId, incidents: &[Incident]) -> String {
    let mut runs = report.history.of_job(job);
    let clock = report.clock();
    let Some(open) = incidents.iter().find(|incident| !incident.is_over()) else {
        if runs.len() == 0 {
            return "no run in these logs".to_owned();
        }
        let last = runs.rfind(|run| !matches!(run.outcome, Outcome::Running | Outcome::Skipped(_)));
        return last
            .map_or("no run has ended yet", |last| match last.outcome {
                Outcome::Good => "ok",
                // Without an open incident, such as a dropped connection.
                _ => "the last run failed",
            })
            .to_owned();
    };
    let since = clock.second(open.window.since);
    let word = open.state().word();
    match open.state() {
        IncidentState::Flapping => format!("{word} since {since}: good and bad in turn"),
        _ if open.window.since >= report.scope.since => format!("{word} since {since}: new in this period"),
        _ => format!("{word} since {since}: since before this period"),
    }
}
