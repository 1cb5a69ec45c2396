//! The list of runs and missed slots, a line each.

use chrono::NaiveDateTime;
use unicode_width::UnicodeWidthStr;

use super::page::{Page, wrapped_whole};
use super::{heading, healthy::end, names};
use crate::escape::printable;
use crate::report::format::crontabs::place;
use crate::report::format::{Outcome, Reason, Report, RunFlag, RunSummary, Slot, age, duration};

/// The least columns of a script beside its host, in a line that also shows why the run was bad.
const MIN_SCRIPT: usize = 14;

pub enum RunRow<'a> {
    Run(RunSummary),
    NotStarted(&'a Slot),
}

impl RunRow<'_> {
    /// The key to sort by: START or slot.
    pub fn order(&self) -> (NaiveDateTime, u32) {
        match self {
            Self::Run(run) => (run.start, run.pid),
            Self::NotStarted(slot) => (slot.at, 0),
        }
    }
}

/// Shows the runs and the missed slots of the period, by time. Returns whether any run failed or is missing.
pub fn show(page: &mut Page, report: &Report) -> bool {
    let runs = report.runs().filter(|run| run.outcome.is_bad() || !report.filter.failed);
    let missing: Vec<RunRow> = report.missed_slots().map(RunRow::NotStarted).collect();
    let is_missing = !missing.is_empty();
    let mut rows: Vec<RunRow> = runs.map(RunRow::Run).chain(missing).collect();
    rows.sort_by_key(RunRow::order);
    heading::counts(page, report);
    heading::show_uncertain(page, report);
    if !rows.is_empty() {
        page.line("");
        show_rows(page, report, &rows);
    }
    report.tally.is_bad() || is_missing
}

pub fn show_rows(page: &mut Page, report: &Report, rows: &[RunRow]) {
    let width = page.width();
    let texts = rows.iter().map(|row| match row {
        RunRow::Run(run) => run_row(run, width, report),
        RunRow::NotStarted(slot) => slot_row(slot, width, report),
    });
    let titles = ["Start", "PID", "Took", "End", "Job, and why it was bad"];
    page.table_of(wrapped_whole, &titles, &[1, 2], texts);
}

fn slot_row(slot: &Slot, width: usize, report: &Report) -> Vec<String> {
    let job = short_job(&report.job_name(slot.job), width);
    vec![
        report.clock().second(slot.at),
        "-".to_owned(),
        "-".to_owned(),
        "none".to_owned(),
        format!("{job}: not started, {}", place(&slot.place)),
    ]
}

/// Half of the width beside the other columns.
fn room_for_job(width: usize) -> usize {
    width.saturating_sub(36) / 2
}

/// A job beside the reason of its bad run.
fn short_job(name: &str, width: usize) -> String {
    let room = room_for_job(width);
    let least = names::host_and_script(name).map_or(0, |(host, _)| host.width() + 1 + MIN_SCRIPT);
    names::job(name, room.max(least.min(2 * room)))
}

fn run_row(run: &RunSummary, width: usize, report: &Report) -> Vec<String> {
    let clock = report.clock();
    let took = match run.outcome {
        Outcome::Running => format!("{}…", age(run.age(report.scope.now))),
        Outcome::Lost => "?".to_owned(),
        Outcome::Good | Outcome::Skipped(_) | Outcome::Failed(..) => duration(run.seconds()),
    };
    let mut job = report.job_name(run.job);
    job = if run.outcome.is_bad() { short_job(&job, width) } else { names::job(&job, 2 * room_for_job(width)) };
    let why = match run.outcome {
        Outcome::Good | Outcome::Running => String::new(),
        outcome @ Outcome::Skipped(_) => format!(": {outcome}"),
        Outcome::Lost => {
            let (last, dead) = (clock.time(run.last), clock.time(run.until));
            format!(": between {last} and {dead}")
        }
        outcome @ Outcome::Failed(_, reason) => match report.history.line(run).map(printable) {
            // The status has its own column, and the room is needed.
            Some(line) if reason == Reason::Script => format!(": {line}"),
            None if run.is(RunFlag::Silent) && reason == Reason::Script => ": no output".to_owned(),
            None if reason == Reason::Script => String::new(),
            Some(line) => format!(": {outcome}: {line}"),
            None => format!(": {outcome}"),
        },
    };
    vec![clock.second(run.start), run.pid.to_string(), took, end(run), job + &why]
}
