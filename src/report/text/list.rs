//! Runs, a line each.

use super::format::{age, duration};
use super::healthy::end;
use super::page::{Page, least_columns, shortened};
use super::{View, screen};
use crate::escape::printable;
use crate::report::ledger::Entry;
use crate::report::outcome::{Outcome, Reason};

/// The columns for a script beside its host, more than the least.
const MORE_OF_SCRIPT: usize = 6;

/// Shows the runs of the period in the order of their STARTs. Returns whether any has failed.
pub fn show(page: &mut Page, view: &View) -> bool {
    let runs = view.ledger.runs.iter().filter(|run| view.scope.has(run));
    let mut runs: Vec<&Entry> = runs.collect();
    runs.retain(|run| run.outcome.is_bad() || !view.failed_only);
    runs.sort_by_key(|run| (run.start, run.pid));
    screen::counts(page, view);
    if !runs.is_empty() {
        page.line("");
        show_runs(page, view, &runs);
    }
    view.tally.bad() > 0
}

/// Shows a line for each run.
pub fn show_runs(page: &mut Page, view: &View, runs: &[&Entry]) {
    let width = page.width();
    let rows = runs.iter().map(|run| row(run, width, view));
    let titles = ["Start", "PID", "Took", "End", "Job, and why it was bad"];
    page.table_of_texts(&titles, &[1, 2], rows);
}

fn row(run: &Entry, width: usize, view: &View) -> Vec<String> {
    // Half of what is left beside the other columns.
    let room = width.saturating_sub(36) / 2;
    let clock = view.clock();
    let took = match run.outcome {
        Outcome::Running => format!("{}…", age(run.age(view.scope.now))),
        Outcome::Lost => "?".to_owned(),
        Outcome::Good | Outcome::Failed(..) => duration(run.seconds()),
    };
    let mut job = view.job_name(run.job);
    job = if run.outcome.is_bad() {
        let least = least_columns(&job, width) + MORE_OF_SCRIPT;
        shortened(&job, room.max(least))
    } else {
        shortened(&job, 2 * room)
    };
    let why = match run.outcome {
        Outcome::Good | Outcome::Running => String::new(),
        Outcome::Lost => {
            let (last, dead) = (clock.time(run.last), clock.time(run.until));
            format!(": between {last} and {dead}")
        }
        outcome @ Outcome::Failed(_, reason) => match view.ledger.line(run).map(printable) {
            // The status has a column of its own, and the room is needed.
            Some(line) if reason == Reason::Script => format!(": {line}"),
            Some(line) => format!(": {outcome}: {line}"),
            None => format!(": {outcome}"),
        },
    };
    vec![
        clock.second(run.start),
        run.pid.to_string(),
        took,
        end(run),
        job + &why,
    ]
}
