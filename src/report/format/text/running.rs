//! The runs that are going on, and whether they take long for their jobs.

use std::cmp::Reverse;

use super::page::{INDENT, Page};
use crate::report::format::{DurationStats, Outcome, Report, RunSummary, age, count, duration};
use crate::report::history::durations::{MIN_GOOD, before_each};

/// The most runs that are shown: hung runs first, then the oldest.
const MAX_SHOWN: usize = 8;

struct RunningRow {
    run: RunSummary,
    usual: DurationStats,
    good_before: usize,
    is_hung: bool,
}

pub fn show(page: &mut Page, report: &Report) {
    let mut going = going(report);
    if going.is_empty() {
        return;
    }
    let hung = going.iter().filter(|going| going.is_hung).count();
    let too_long = match hung {
        0 => String::new(),
        1 => ", one of them too long".to_owned(),
        hung => format!(", {hung} of them too long"),
    };
    let text = format!("{}{too_long}", count(going.len() as u64, "run"));
    page.labelled("Running", INDENT, &text);
    let more = going.len().saturating_sub(report.most(MAX_SHOWN));
    going.truncate(report.most(MAX_SHOWN));
    let rows = going.iter().map(|going| row(going, report)).collect();
    page.table(&[3, 1], &["  PID", "Started", "For", "Usual", "Longest", "", "Job"], &[0, 2, 3, 4], rows);
    if more > 0 {
        page.line(&format!("  and {more} more (--all lists them)"));
    }
}

fn going(report: &Report) -> Vec<RunningRow> {
    let mut all = Vec::new();
    for job in report.history.job_ids() {
        let going = before_each(&report.history, job, |run| run.outcome == Outcome::Running);
        if going.is_empty() {
            continue;
        }
        let usual = DurationStats::of_job(&report.history, job);
        all.extend(going.into_iter().map(|(_, run, before)| RunningRow {
            run,
            usual,
            good_before: before.good,
            is_hung: before.hung_at(&run, report.scope.now).is_some(),
        }));
    }
    all.sort_by_key(|going| (Reverse(going.is_hung), going.run.start, going.run.pid));
    all
}

fn row(going: &RunningRow, report: &Report) -> Vec<String> {
    let RunningRow { run, usual, good_before, is_hung } = going;
    let known = |seconds| (usual.good > 0).then_some(seconds);
    let judgement = match *good_before {
        _ if *is_hung => "HUNG",
        _ if usual.good == 0 => "no good run known",
        good if good < MIN_GOOD => "too few good runs",
        _ => "",
    };
    vec![
        format!("  {}", run.pid),
        report.clock().second(run.start),
        age(run.age(report.scope.now)),
        duration(known(usual.median)),
        duration(known(usual.longest)),
        judgement.to_owned(),
        report.job_name(run.job),
    ]
}
