//! The problems: each with its state, its time, its reason and its last runs. A problem opens in place.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use maud::{Markup, html};

use super::limits::{self, Budget, CELLS_OF_PROBLEM};
use super::{cells, durations, rows::View, runs, state::RunState};
use crate::report::format::text::heading::uncertain;
use crate::report::format::text::incident_words::IncidentWords;
use crate::report::format::{Incident, IncidentState, JobId, Report, Severity, count, crontabs, duration, way};

#[derive(Default)]
pub struct Problems {
    /// The jobs whose runs a problem lists. Other problems only link to these.
    pub homes: BTreeSet<JobId>,
    markup: [Vec<Markup>; 2],
    left_out: [usize; 2],
}

impl Problems {
    pub fn of(report: &Report, incidents: &[Incident], view: Option<&View>) -> Self {
        let mut problems = Self::default();
        let mut rooms = limits::PROBLEM_BYTES.map(Budget::of);
        for (number, incident) in incidents.iter().enumerate() {
            let kind = usize::from(incident.is_over());
            if problems.left_out[kind] > 0 || problems.markup[kind].len() == limits::PROBLEMS {
                problems.left_out[kind] += 1;
                continue;
            }
            let room = &mut rooms[kind];
            let home = home(incident, view).filter(|job| !problems.homes.contains(job));
            let id = format!("p{number}");
            let opened = view.map(|view| opened(view, incident, home, &id));
            let whole = problem(report, incident, &id, view, opened.as_ref());
            let has_runs = room.take(&whole);
            let brief = if has_runs { whole } else { problem(report, incident, &id, view, None) };
            if has_runs || room.take(&brief) {
                problems.markup[kind].push(brief);
                problems.homes.extend(home.filter(|_| has_runs));
            } else {
                problems.left_out[kind] += 1;
            }
        }
        problems
    }

    pub fn section(&self, report: &Report) -> Markup {
        html! {
            section #problems aria-labelledby="problems-title" {
                h2 #problems-title { "Problems" }
                @if let Some(text) = uncertain(report) { p { "Not certain: " (text) } }
                @else if self.markup.iter().all(Vec::is_empty) { p { "None in this period." } }
                @for (kind, title) in ["Now", "Over"].iter().enumerate() {
                    @let (list, left_out) = (&self.markup[kind], self.left_out[kind]);
                    @if !list.is_empty() {
                        @let (seen, more) = list.split_at(list.len().min(limits::SEEN_PROBLEMS[kind]));
                        div.kind {
                            h3 { (title) " " span.facts { (list.len() + left_out) } }
                            @for problem in seen { (problem) }
                            @if !more.is_empty() {
                                details.more { summary { (count(more.len() as u64, "more problem")) } @for problem in more { (problem) } }
                            }
                            @if left_out > 0 { p { "and " (left_out) " more (remoteexe --report --all lists them)" } }
                        }
                    }
                }
            }
        }
    }
}

/// The only job of the incident, if the page has its runs.
fn home(incident: &Incident, view: Option<&View>) -> Option<JobId> {
    let [job] = incident.jobs.as_slice() else { return None };
    (incident.hosts().is_empty() && view?.rows.contains_key(job)).then_some(*job)
}

/// The runs of one job, or of all jobs of the incident, after their id.
type Opened = (String, Markup);

fn opened(view: &View, incident: &Incident, job: Option<JobId>, id: &str) -> Opened {
    match job.and_then(|job| view.rows.get(&job)) {
        Some(row) => (format!("j{}", row.job), runs::of_job(view.report, row, id, true)),
        None => (format!("{id}r"), runs::of_incident(view, incident, id)),
    }
}

fn problem(report: &Report, incident: &Incident, id: &str, view: Option<&View>, opened: Option<&Opened>) -> Markup {
    let words = IncidentWords::of(incident, report);
    let subject = words.whole_subject();
    let state = incident.state();
    let end = incident.end().unwrap_or(report.scope.now);
    let jobs = incident.jobs.iter().take(limits::KNOWN_JOBS).map(JobId::to_string);
    let jobs = jobs.collect::<Vec<_>>().join(" ");
    let place = |time| view.map(|view| view.grid.place(time));
    html! {
        article.problem.(class(state)) id=(id) data-jobs=(jobs) data-from=[place(incident.window.since)] data-to=[place(end)] {
            div.head {
                h4 {
                    span.state { (state.word()) } " " span.time { (words.time) } " "
                    @match opened {
                        Some((target, _)) => a href={ "#" (target) } { (subject) },
                        None => (subject),
                    }
                }
                @if !words.facts.is_empty() { p.facts { (words.facts) } }
                @if !words.why.is_empty() { p.why { (words.why) } }
            }
            @if let Some(view) = view {
                div.beside { (last_runs(view, incident)) (durations::of_incident(report, incident)) }
            }
            @if let Some((_, opened)) = opened {
                details.opened { summary { "Close" } (opened) }
            }
        }
    }
}

/// Shows the last runs and missed slots before the end of the problem as cells, the last good run and the next start.
fn last_runs(View { report, rows, .. }: &View, incident: &Incident) -> Markup {
    let clock = report.clock();
    let end = incident.until(report.scope.now);
    let is_after = |at: NaiveDateTime| at > end || at >= report.scope.now;
    let mut last: Vec<(NaiveDateTime, RunState, String)> = Vec::new();
    for job in &incident.jobs {
        let name = if incident.jobs.len() > 1 { report.job_name(*job) + " " } else { String::new() };
        let runs = report.history.of_job(*job).rev().filter(|run| !is_after(run.start)).take(CELLS_OF_PROBLEM);
        last.extend(runs.map(|run| {
            let start = clock.second(run.start);
            let took = run.good_seconds().map(|seconds| format!(", {}", duration(Some(seconds))));
            let words = format!("{start} {name}{}{}", way(run.outcome), took.unwrap_or_default());
            (run.start, RunState::of(&run), words)
        }));
        let missed = rows.get(job).into_iter().flat_map(|row| &row.missed);
        let missed = missed.rev().filter(|at| !is_after(**at)).take(CELLS_OF_PROBLEM);
        let words = |at| format!("{} {name}not started", clock.second(at));
        last.extend(missed.map(|at| (*at, RunState::NotStarted, words(*at))));
    }
    last.sort_by_key(|(at, ..)| *at);
    let skipped = last.len().saturating_sub(CELLS_OF_PROBLEM);
    let last: Vec<_> = last.into_iter().skip(skipped).map(|(_, state, title)| (state, title)).collect();
    let good = runs::last_good(report, &incident.jobs);
    let is_live = report.scope.is_live;
    let next = incident.jobs.iter().take(limits::JOBS_WITH_NEXT).filter(|_| is_live);
    let next = next.filter_map(|job| crontabs::schedule_of(report, *job));
    let next = next.min_by_key(|schedule| (schedule.next_second.is_none(), schedule.next_second));
    html! {
        @if !last.is_empty() { (cells::bar(&last)) }
        p.facts {
            @match good {
                Some(run) => { "last good " (clock.time(run.until)) },
                None => "no good run in these logs",
            }
            @if let Some(next) = next { ", next " (next.next) }
        }
    }
}

fn class(state: IncidentState) -> &'static str {
    match Severity::of(state) {
        Severity::Good => "good",
        Severity::Doubtful => "doubtful",
        Severity::Heading | Severity::Bad => "bad",
    }
}
