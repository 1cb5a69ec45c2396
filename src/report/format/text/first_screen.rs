//! The first screen: what is wrong now, what was wrong, and everything else in a line each.

use std::collections::BTreeSet;

use chrono::{NaiveDateTime, TimeDelta};

use super::heading::{counts, hosts, jobs_with, show_crontabs, show_uncertain, summary};
use super::page::{INDENT, Page};
use super::{healthy, incidents, job_history, running, watch};
use crate::clock::last_multiple;
use crate::report::diagnosis;
use crate::report::format::changed::changes;
use crate::report::format::{Incident, JobId, Report, RunFlag, Severity, chart, crontabs, grouped};

/// The most lines for open incidents, and for closed ones.
const MAX_LINES: [usize; 2] = [40, 12];
/// The most rows of Watch.
const MAX_WATCHED: usize = 8;
/// The least columns of the text beside the chart. With less room, it has a line of its own.
const MIN_BESIDE: usize = 20;

/// Returns whether anything is or was wrong.
pub fn show(page: &mut Page, report: &Report) -> bool {
    let incidents = diagnosis::of_period(&report.evidence());
    counts(page, report);
    let (over, now): (Vec<_>, Vec<_>) = incidents.iter().partition(|incident| incident.is_over());
    problems(page, report, now.len(), over.len());
    if let Some(job) = job_history::only_job(report) {
        job_history::show(page, report, job, &incidents);
    } else {
        for ((title, incidents), most) in [("Now", now), ("Over", over)].into_iter().zip(MAX_LINES) {
            incidents::show(page, report, title, incidents, report.most(most));
        }
        watch::show(page, report, report.most(MAX_WATCHED));
        changed(page, report);
        rest(page, report, &incidents);
    }
    report.tally.is_bad() || incidents.iter().any(Incident::is_failure)
}

fn problems(page: &mut Page, report: &Report, now: usize, over: usize) {
    if report.tally.first_to_last.is_none() && now + over == 0 {
        return;
    }
    let text = summary(now, over, report);
    let text = if now > 0 { page.style.paint(Severity::Bad, &text) } else { text };
    page.line(&text);
    show_uncertain(page, report);
}

fn rest(page: &mut Page, report: &Report, incidents: &[Incident]) {
    if report.tally.first_to_last.is_none() {
        if !crontabs::summary(report).is_empty() {
            page.line("");
            show_crontabs(page, report);
        }
        return;
    }
    page.line("");
    running::show(page, report);
    overlaps(page, report);
    failures_by_time(page, report);
    show_crontabs(page, report);
    let going_on = incidents.iter().filter(|incident| !incident.is_over());
    let bad: BTreeSet<JobId> = going_on.flat_map(|it| it.jobs.iter().copied()).collect();
    healthy::show(page, report, &bad, &hosts(report));
}

fn changed(page: &mut Page, report: &Report) {
    let changes = changes(report);
    if !changes.is_empty() {
        page.heading("Changed");
    }
    for (label, text) in &changes {
        page.labelled(label, INDENT + 1, text);
    }
}

fn overlaps(page: &mut Page, report: &Report) {
    if let Some(names) = jobs_with(report, RunFlag::Overlapped) {
        // The job has a lock already.
        let is_locked = report.runs().any(|run| run.is(RunFlag::Overlapped) && report.has_lock(run.job));
        let advice = if is_locked { "" } else { " (flock -n prevents it)" };
        let text = format!("started again while still running{advice}: {names}");
        page.labelled("Overlaps", INDENT, &text);
    }
}

/// Shows the bad runs as a bar for each hour, or for another unit if the period is short or long.
fn failures_by_time(page: &mut Page, report: &Report) {
    let Some((first, last)) = report.tally.first_to_last.filter(|_| report.tally.bad() > 0) else { return };
    let begin = first.max(report.scope.since);
    let (step, name) = match last - begin {
        span if span <= TimeDelta::hours(3) => (TimeDelta::minutes(5), "by 5 minutes"),
        span if span <= TimeDelta::hours(48) => (TimeDelta::hours(1), "by hour"),
        _ => (TimeDelta::days(1), "by day"),
    };
    let begin = last_multiple(step, begin);
    let room = page.width().saturating_sub(INDENT + 45).max(10);
    let place = |time: NaiveDateTime| {
        let steps = (time.max(begin) - begin).num_seconds() / step.num_seconds();
        usize::try_from(steps).unwrap_or_default()
    };
    // Only the newest bars, if there are too many.
    let skipped = (place(last) + 1).saturating_sub(room.max(48));
    let mut bars = vec![(0, 0); place(last) + 1 - skipped];
    for run in report.runs() {
        if let Some(bar) = place(run.last).checked_sub(skipped)
            && let Some((bad, all)) = bars.get_mut(bar)
        {
            *bad += u64::from(run.outcome.is_bad());
            *all += 1;
        }
    }
    let bad: Vec<u64> = bars.iter().map(|(bad, _)| *bad).collect();
    let index = (0..bars.len()).rev().max_by_key(|index| bad[*index]).unwrap_or_default();
    let (most, all) = bars[index];
    let at = begin + step * i32::try_from(index + skipped).unwrap_or_default();
    let at = report.clock().time(at);
    let text = format!("{name}, most {} of {} at {at}", grouped(most), grouped(all));
    // The blanks of a chart do not separate words: no line is broken there, and none is dropped.
    let label = format!("{:<INDENT$}{}", "Failures", chart(&bad));
    let indent = INDENT + bad.len() + 1;
    if indent + MIN_BESIDE <= page.width() {
        page.labelled(&label, indent, &text);
    } else {
        page.line(&label);
        page.labelled("", INDENT, &text);
    }
}
