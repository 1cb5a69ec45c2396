//! Runs, a line each.

use chrono::NaiveDateTime;

use super::format::{age, duration};
use super::healthy::end;
use super::page::{Page, shortened};
use super::{View, screen};
use crate::escape::printable;
use crate::report::expected::place;
use crate::report::ledger::Entry;
use crate::report::missing::Slot;
use crate::report::outcome::Outcome;

/// A run, or a slot without one.
#[derive(Debug, Clone, Copy)]
pub enum Row<'a> {
    /// A run.
    Run(&'a Entry),
    /// A slot of a line at which nothing was started.
    NotStarted(&'a Slot),
}

impl Row<'_> {
    /// By START or slot.
    pub fn order(&self) -> (NaiveDateTime, u32) {
        match self {
            Self::Run(run) => (run.start, run.pid),
            Self::NotStarted(slot) => (slot.at, 0),
        }
    }
}

/// Shows the runs of the period in the order of their STARTs, and the slots without one. Returns whether any has
/// failed or is missing.
pub fn show(page: &mut Page, view: &View) -> bool {
    let runs = view.ledger.runs.iter().filter(|run| view.scope.has(run));
    let runs = runs.filter(|run| run.outcome.is_bad() || !view.failed_only);
    let slots = view.ledger.missing.slots().into_iter();
    let slots = slots.filter(|slot| view.scope.includes(slot.at));
    let missing: Vec<Row> = slots.map(Row::NotStarted).collect();
    let is_missing = !missing.is_empty();
    let mut rows: Vec<Row> = runs.map(Row::Run).chain(missing).collect();
    rows.sort_by_key(Row::order);
    screen::counts(page, view);
    if !rows.is_empty() {
        page.line("");
        show_rows(page, view, &rows);
    }
    view.tally.bad() > 0 || is_missing
}

/// Shows a line for each.
pub fn show_rows(page: &mut Page, view: &View, rows: &[Row]) {
    // Half of that is left beside the other columns.
    let room = page.width().saturating_sub(36) / 2;
    let texts = rows.iter().map(|row| match row {
        Row::Run(run) => run_row(run, view, room),
        Row::NotStarted(slot) => slot_row(slot, view, room),
    });
    let texts = texts.collect();
    let titles = ["Start", "PID", "Took", "End", "Job, and why it was bad"];
    page.table_of_texts(&titles, &[1, 2], texts);
}

fn slot_row(slot: &Slot, view: &View, room: usize) -> Vec<String> {
    let job = shortened(&view.job_name(slot.job), room);
    vec![
        view.clock().second(slot.at),
        "-".to_owned(),
        "-".to_owned(),
        "none".to_owned(),
        format!("{job}: not started, {}", place(&slot.place)),
    ]
}

fn run_row(run: &Entry, view: &View, room: usize) -> Vec<String> {
    let clock = view.clock();
    let took = match run.outcome {
        Outcome::Running => format!("{}…", age(run.age(view.scope.now))),
        Outcome::Lost => "?".to_owned(),
        Outcome::Good | Outcome::Failed(..) => duration(run.seconds()),
    };
    let mut job = view.job_name(run.job);
    job = shortened(&job, if run.outcome.is_bad() { room } else { 2 * room });
    let why = match run.outcome {
        Outcome::Good | Outcome::Running => String::new(),
        Outcome::Lost => {
            let (last, dead) = (clock.time(run.last), clock.time(run.until));
            format!(": between {last} and {dead}")
        }
        outcome @ Outcome::Failed(..) => {
            let line = view
                .ledger
                .line(run)
                .map(|line| format!(": {}", printable(line)));
            format!(": {outcome}{}", line.unwrap_or_default())
        }
    };
    vec![
        clock.second(run.start),
        run.pid.to_string(),
        took,
        end(run),
        job + &why,
    ]
}
