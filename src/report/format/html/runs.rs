//! The runs of jobs, opened in place: the output of the running, the last bad and the last good run, and a list.

use maud::{Markup, html};

use super::limits::{LISTED_JOBS, RUNS_OF_SEVERAL};
use super::rows::{JobRow, View};
use super::state::RunState;
use crate::escape::printable;
use crate::report::format::{
    DurationStats, Incident, JobId, Outcome, Report, RunSummary, age, count, crontabs, duration, grouped,
    usual_duration, way,
};
use crate::report::runs::reason::shown as readable;

/// The runs of a job. `back` is the id to return to.
pub fn of_job(report: &Report, row: &JobRow, back: &str, has_output: bool) -> Markup {
    let runs = || row.runs.iter().rev().map(|place| report.history.run(*place));
    let listed = row.runs.iter().rev().filter(|place| row.listed.contains(place));
    let going = runs().find(|run| run.outcome == Outcome::Running);
    html! {
        div.runs id={ "j" (row.job) } {
            p.facts { (facts(report, row)) }
            @if has_output { (outputs(report, [going, last_bad(report, runs), last_good(report, &[row.job])], false)) }
            (list(report, listed.map(|place| (Some(*place), report.history.run(*place))), false))
            (not_all(row.listed.len(), row.runs.len()))
            @if let Some(last) = row.missed.last() {
                p.facts { (count(row.missed.len() as u64, "start")) " missing, the last one of " (report.clock().second(*last)) }
            }
            (back_link(back))
        }
    }
}

/// The runs of a problem of several jobs, and links to each job.
pub fn of_incident(View { report, rows, .. }: &View, incident: &Incident, back: &str) -> Markup {
    let (jobs, last) = (&*incident.jobs, incident.last);
    // What ran before or after has nothing to do with the problem.
    let end = incident.until(report.scope.now);
    let in_time = |job: &JobId| {
        let runs = report.history.since(*job, incident.window.since);
        runs.filter(|run| run.start <= end && report.scope.has(run))
    };
    let with_runs = || jobs.iter().filter(|job| rows.contains_key(job));
    let all = with_runs().map(|job| in_time(job).count()).sum();
    // A problem may have millions of runs: only those that may be listed are kept.
    let mut runs: Vec<RunSummary> = with_runs().flat_map(|job| in_time(job).rev().take(RUNS_OF_SEVERAL)).collect();
    runs.sort_by_key(|run| std::cmp::Reverse((run.start, run.pid)));
    runs.truncate(RUNS_OF_SEVERAL);
    let shown = runs.len();
    let last_good = last.and_then(|run| last_good(report, std::slice::from_ref(&run.job)));
    let more = jobs.len().saturating_sub(LISTED_JOBS);
    html! {
        div.runs id={ (back) "r" } {
            (outputs(report, [None, last, last_good], true))
            (list(report, runs.into_iter().map(|run| (None, run)), true))
            (not_all(shown, all))
            @if !jobs.is_empty() {
                h4 { (count(jobs.len() as u64, "job")) }
                ul.jobs {
                    @for job in incident.in_order().take(LISTED_JOBS) {
                        @let name = report.job_name(*job);
                        li {
                            @if rows.contains_key(job) { a href={ "#t" (job) } { (name) } } @else { (name) }
                            @if incident.not_recovered.contains(job) { " (no good run since)" }
                        }
                    }
                    @if more > 0 { li { (count(more as u64, "more job")) } }
                }
            }
            (back_link(back))
        }
    }
}

/// The last bad run that printed something, or else the last bad run, of runs from the last on.
fn last_bad<R: Iterator<Item = RunSummary>>(report: &Report, runs: impl Fn() -> R) -> Option<RunSummary> {
    let bad = || runs().filter(|run| run.outcome.is_bad());
    bad().find(|run| report.history.tail(run).is_some_and(|tail| !tail.is_empty())).or_else(|| bad().next())
}

fn back_link(id: &str) -> Markup {
    html! { a.back href={ "#" (id) } { "↑ Back" } }
}

fn facts(report: &Report, row: &JobRow) -> String {
    let mut facts = Vec::new();
    if let Some(crontabs::Schedule { words, next, place, .. }) = crontabs::schedule_of(report, row.job) {
        let next = if report.scope.is_live { format!(", next {next}") } else { String::new() };
        facts.push(format!("{words}{next} ({place})"));
    }
    facts.push(format!("{}, {} bad", count(row.cells.runs(), "run"), row.cells.bad()));
    let usual = usual_duration(&DurationStats::of_job(&report.history, row.job));
    facts
        .push(usual.map_or_else(|| "no good run with a known duration".to_owned(), |usual| format!("usually {usual}")));
    facts.join("; ")
}

pub fn last_good(report: &Report, jobs: &[JobId]) -> Option<RunSummary> {
    let good = |job: &JobId| {
        let runs = report.history.of_job(*job).rev();
        runs.filter(|run| run.start < report.scope.now).find(|run| run.outcome == Outcome::Good)
    };
    jobs.iter().filter_map(good).max_by_key(|run| run.until)
}

/// A note if a list does not have all runs.
fn not_all(shown: usize, all: usize) -> Markup {
    html! { @if shown < all { p.facts { (grouped(shown as u64)) " of " (count(all as u64, "run")) " shown" } } }
}

/// The output of the running, the last bad and the last good run.
fn outputs(report: &Report, runs: [Option<RunSummary>; 3], has_names: bool) -> Markup {
    html! {
        @for (title, run) in ["Now", "Last bad run", "Last good run"].iter().zip(runs) {
            @if let Some(run) = run {
                h4 {
                    (title) ": " (report.clock().second(run.start)) " "
                    @if has_names { (report.job_name(run.job)) " " }
                    (words(report, &run))
                }
                (output(report, &run))
            }
        }
    }
}

/// The last lines of a run's output. The line that is the reason is marked.
fn output(report: &Report, run: &RunSummary) -> Markup {
    let reason = report.history.line(run);
    let tail = report.history.tail(run);
    let lines: Vec<&[u8]> = tail.into_iter().flat_map(|tail| tail.split(|&byte| byte == b'\n')).collect();
    let is_reason = |line: &&&[u8]| {
        // A kept line may be cut.
        let line = readable(line);
        !line.trim().is_empty() && reason.is_some_and(|reason| reason.starts_with(line.trim().as_bytes()))
    };
    let place = lines.iter().rposition(|line| is_reason(&line));
    html! {
        @match (tail, reason) {
            (None, None) => p.facts { "Its output is not on this page: remoteexe --report --run " (report.clock().run_name(run.pid, run.start)) },
            (Some(b""), None) => p.facts { "No output." },
            _ => pre {
                @if let (Some(reason), None) = (reason, place) { mark { (printable(reason)) } "\n" @if tail.is_none() { "…\n" } }
                @for (number, line) in lines.iter().enumerate() {
                    @if Some(number) == place { mark { (printable(line)) } } @else { (printable(line)) }
                    "\n"
                }
            },
        }
    }
}

/// A list of runs. Runs with a number can be linked to.
fn list(report: &Report, runs: impl Iterator<Item = (Option<usize>, RunSummary)>, has_names: bool) -> Markup {
    let mut above = None;
    html! {
        ol {
            @for (place, run) in runs {
                @let line = report.history.line(&run);
                @let is_new = std::mem::replace(&mut above, line) != line;
                li id=[place.map(|place| format!("r{place}"))] {
                    span class={ "dot " (RunState::of(&run).letter()) } {} " "
                    b { (report.clock().second(run.start)) } " "
                    @if has_names { (report.job_name(run.job)) " " }
                    (words(report, &run))
                    @if let Some(line) = line.filter(|_| is_new) { ": " span.why { (printable(line)) } }
                }
            }
        }
    }
}

/// `exit 2, took 4s, run 913@20:53:01`.
pub fn words(report: &Report, run: &RunSummary) -> String {
    let clock = report.clock();
    let took = match run.outcome {
        Outcome::Running => format!("for {}", age(run.age(report.scope.now))),
        Outcome::Lost => format!("last record {}", clock.second(run.last)),
        Outcome::Good | Outcome::Skipped(_) | Outcome::Failed(..) => format!("took {}", duration(run.seconds())),
    };
    format!("{}, {took}, run {}", way(run.outcome), clock.run_name(run.pid, run.start))
}
