//! The runs to which the timeline links, with their last lines.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::budget::Budget;
use super::run_state::{RunState, in_text};
use super::timeline::Timeline;
use super::timeline::rows::JobRow;
use crate::escape::printable;
use crate::report::format::report::Report;
use crate::report::format::words::{age, duration, grouped};
use crate::report::history::RunSummary;
use crate::report::runs::outcome::Outcome;

pub fn section(report: &Report, timeline: &Timeline, mut room: Budget) -> Markup {
    let rows = &timeline.rows;
    for row in rows {
        room = room.without(&without_output(report, row));
    }
    let with_output = with_output(report, rows, room);
    html! {
        section #lines aria-labelledby="lines-title" {
            h2 #lines-title { "Last lines" }
            p { "Of the runs that marks lead to, the newest first. " code { "remoteexe --report --run PID@TIME" } " shows all lines of one." }
            @for row in rows { (job(report, row, &with_output)) }
        }
    }
}

/// The list of a job's runs without their output.
pub fn without_output(report: &Report, row: &JobRow) -> Markup {
    job(report, row, &BTreeSet::new())
}

/// The runs of a job that are listed: those with a mark, and the last one.
fn shown<'a>(row: &'a JobRow) -> Vec<(usize, &'a RunSummary)> {
    let last = row.runs.last().map(|(place, _)| *place);
    let targets: BTreeSet<usize> = row.targets().chain(last).collect();
    let is_shown = |(place, _): &&(usize, &'a RunSummary)| targets.contains(place);
    row.runs.iter().filter(is_shown).copied().collect()
}

/// The runs whose output fits: first the last bad run and the last run of each job, then the newest.
fn with_output(report: &Report, rows: &[JobRow], mut room: Budget) -> BTreeSet<usize> {
    let mut wanted: Vec<(bool, &RunSummary, usize)> = Vec::new();
    for row in rows {
        let shown = shown(row);
        let last_bad = shown.iter().rev().find(|(_, run)| run.outcome.is_bad());
        let first = [shown.last(), last_bad].map(|it| it.map(|(place, _)| *place));
        let is_first = |place| first.contains(&Some(place));
        wanted.extend(shown.iter().map(|(place, run)| (is_first(*place), *run, *place)));
    }
    wanted.sort_by_key(|(is_first, run, _)| std::cmp::Reverse((*is_first, run.start)));
    let has_room = |(_, run, _): &(bool, &RunSummary, usize)| {
        let tail = report.history.tail(run);
        tail.is_none_or(|tail| room.take(&output(tail, false)))
    };
    let chosen = wanted.into_iter().take_while(has_room);
    chosen.map(|(_, _, place)| place).collect()
}

fn job(report: &Report, row: &JobRow, with_output: &BTreeSet<usize>) -> Markup {
    let mut above = None;
    html! {
        article id={ "j" (row.job) } {
            h3 { (report.job_name(row.job)) }
            @if let Some(last) = row.missed.last() {
                p.facts { (grouped(row.missed.len() as u64)) " not started, the last one at " (report.clock().second(*last)) }
            }
            ol {
                @for (place, run) in shown(row).into_iter().rev() {
                    @let tail = report.history.tail(run).filter(|_| with_output.contains(&place));
                    @let is_same = std::mem::replace(&mut above, tail) == tail;
                    li id={ "r" (place) } data-state=(RunState::of(run).letter()) {
                        (head(report, run))
                        @match tail {
                            None => i { " (its lines are not kept on this page)" },
                            Some(tail) => (output(tail, is_same)),
                        }
                    }
                }
            }
        }
    }
}

fn head(report: &Report, run: &RunSummary) -> Markup {
    let clock = report.clock();
    let took = match run.outcome {
        Outcome::Running => format!("for {}", age(run.age(report.scope.now))),
        Outcome::Lost => format!("last record {}", clock.second(run.last)),
        Outcome::Good | Outcome::Skipped(_) | Outcome::Failed(..) => {
            format!("took {}", duration(run.seconds()))
        }
    };
    html! {
        (in_text(RunState::of(run))) " " b { (clock.second(run.start)) } " " (state_in_words(run)) ", " (took)
        ", run " code { (clock.run_name(run)) }
    }
}

fn output(tail: &[u8], is_same: bool) -> Markup {
    html! {
        @if tail.is_empty() {
            i { " (no output)" }
        } @else if is_same {
            i { " (the same lines as the run above)" }
        } @else {
            pre { @for line in tail.split(|&byte| byte == b'\n') { (printable(line)) "\n" } }
        }
    }
}

fn state_in_words(run: &RunSummary) -> String {
    match run.outcome {
        outcome @ Outcome::Failed(status, _) => format!("{status}: {outcome}"),
        outcome => outcome.to_string(),
    }
}
