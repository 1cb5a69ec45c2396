//! The last lines of the runs that the timeline leads to.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::look::{Look, in_text};
use super::timeline::{Row, Timeline};
use crate::escape::printable;
use crate::report::ledger::Entry;
use crate::report::outcome::Outcome;
use crate::report::text::View;
use crate::report::text::format::{age, duration, grouped};

/// The most bytes of all lines. The rest of the page has as many again.
const MAX_BYTES: usize = 900_000;

/// The bytes of a run that are not its lines.
const RUN_BYTES: usize = 250;

/// The section of the page.
pub fn section(view: &View, timeline: &Timeline) -> Markup {
    let rows = timeline.hosts.iter().flat_map(|host| &host.rows);
    let rows: Vec<(&Row, BTreeSet<usize>)> = rows.map(|row| (row, targets(row))).collect();
    let with_lines = with_lines(view, &rows);
    html! {
        section #lines aria-labelledby="lines-title" {
            h2 #lines-title { "Last lines" }
            p { "Of the runs that marks lead to, the newest first. " code { "remoteexe --report --run PID@TIME" } " shows all lines of one." }
            @for (row, targets) in &rows { (job(view, row, targets, &with_lines)) }
        }
    }
}

/// The places of the runs that are shown of a job: those that a mark leads to, and the last one.
fn targets(row: &Row) -> BTreeSet<usize> {
    let last = row.runs.last().map(|(place, _)| *place);
    row.targets().chain(last).collect()
}

/// The runs whose lines are on the page: the last bad one and the last one of each job, and then the newest ones, as
/// long as there is room.
fn with_lines(view: &View, rows: &[(&Row, BTreeSet<usize>)]) -> BTreeSet<usize> {
    let mut wanted: Vec<(bool, &Entry, usize)> = Vec::new();
    for (row, targets) in rows {
        let shown = || row.runs.iter().filter(|(place, _)| targets.contains(place));
        let last_bad = shown().rev().find(|(_, run)| run.outcome.is_bad());
        let first = [row.runs.last(), last_bad].map(|it| it.map(|(place, _)| *place));
        wanted.extend(shown().map(|(place, run)| (first.contains(&Some(*place)), *run, *place)));
    }
    wanted.sort_by_key(|(is_first, run, _)| std::cmp::Reverse((*is_first, run.start)));
    let mut room = MAX_BYTES.saturating_sub(wanted.len() * RUN_BYTES);
    let mut chosen = BTreeSet::new();
    for (_, run, place) in wanted {
        let size = view.ledger.tail(run).map_or(0, <[u8]>::len);
        if size > room {
            break;
        }
        room -= size;
        chosen.insert(place);
    }
    chosen
}

fn job(view: &View, row: &Row, targets: &BTreeSet<usize>, with_lines: &BTreeSet<usize>) -> Markup {
    let job = view.ledger.job(row.job);
    let name = view.job_name(row.job);
    let runs = row
        .runs
        .iter()
        .rev()
        .filter(|(place, _)| targets.contains(place));
    let lines = |place: &usize, run| view.ledger.tail(run).filter(|_| with_lines.contains(place));
    let shown: Vec<_> = runs
        .map(|(place, run)| (*place, *run, lines(place, run)))
        .collect();
    let before = [None]
        .into_iter()
        .chain(shown.iter().map(|(_, _, lines)| *lines));
    html! {
        article id={ "j" (row.job) } data-host=(printable(view.ledger.host(job.host))) data-job=(name) data-states=(row.letters()) {
            h3 { (name) }
            @if let Some(last) = row.missed.last() {
                p.facts { (grouped(row.missed.len() as u64)) " not started, the last one at " (view.clock().second(*last)) }
            }
            ol {
                @for ((place, run, lines), before) in shown.iter().zip(before) {
                    (item(view, *place, run, *lines, lines.is_some() && *lines == before))
                }
            }
        }
    }
}

fn item(view: &View, place: usize, run: &Entry, lines: Option<&[u8]>, is_same: bool) -> Markup {
    let clock = view.clock();
    let look = Look::of(run);
    let took = match run.outcome {
        Outcome::Running => format!("for {}", age(run.age(view.scope.now))),
        Outcome::Lost => format!("last record {}", clock.second(run.last)),
        Outcome::Good | Outcome::Failed(..) => format!("took {}", duration(run.seconds())),
    };
    html! {
        li id={ "r" (place) } data-state=(look.letter()) {
            (in_text(look)) " " b { (clock.second(run.start)) } " " (told(run)) ", " (took) ", run " code { (clock.run_name(run)) }
            @match lines {
                None => span.facts { " (its lines are not kept on this page)" },
                Some(b"") => span.facts { " (no output)" },
                Some(_) if is_same => span.facts { " (the same lines as the run above)" },
                Some(lines) => pre { @for line in lines.split(|&byte| byte == b'\n') { (printable(line)) "\n" } },
            }
        }
    }
}

/// The state of a run in words.
fn told(run: &Entry) -> String {
    match run.outcome {
        outcome @ Outcome::Failed(status, _) => format!("{status}: {outcome}"),
        outcome => outcome.to_string(),
    }
}
