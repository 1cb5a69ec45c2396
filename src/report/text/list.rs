//! Runs, a line each.

use super::format::{age, duration};
use super::healthy::end;
use super::page::{Page, shortened};
use super::{View, screen};
use crate::escape::printable;
use crate::report::ledger::Entry;
use crate::report::outcome::Outcome;

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
    // Half of that is left beside the other columns.
    let room = page.width().saturating_sub(36) / 2;
    let rows = runs.iter().map(|run| row(run, view, room)).collect();
    let titles = ["Start", "PID", "Took", "End", "Job, and why it was bad"];
    page.table_of_texts(&titles, &[1, 2], rows);
}

fn row(run: &Entry, view: &View, room: usize) -> Vec<String> {
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
