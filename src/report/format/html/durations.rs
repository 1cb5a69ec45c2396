//! The durations of jobs that have become longer.

use std::collections::BTreeSet;
use std::fmt::Write;

use maud::{Markup, html};

use super::timeline::Timeline;
use super::timeline::scale::Scale;
use crate::report::diagnosis::incident::{Incident, IncidentKind};
use crate::report::format::report::Report;
use crate::report::format::words::{count, duration};
use crate::report::history::JobId;
use crate::report::history::durations::DurationStats;

/// The most jobs that are shown, by growth.
const MAX_JOBS: usize = 40;

/// With fewer good runs, no job grows.
const MIN_RUNS: usize = 20;

/// A job whose duration grows by less does not grow.
const MIN_SECONDS: u32 = 10;

const POINTS: usize = 120;

const HEIGHT: u64 = 40;

struct Growth {
    job: JobId,
    /// START in units of the scale, and the duration in seconds.
    runs: Vec<(i64, u32)>,
    /// In seconds, of the first quarter of runs.
    first: u32,
    /// In seconds, of the last quarter.
    last: u32,
}

impl Growth {
    fn of(report: &Report, scale: &Scale, job: JobId) -> Option<Self> {
        let runs = report.history.of_job(job).iter().filter(|run| report.scope.has(run));
        let runs = runs.filter_map(|run| Some((scale.unit(run.start), run.good_seconds()?)));
        let runs: Vec<(i64, u32)> = runs.collect();
        let quarter = (runs.len() / 4).max(1).min(runs.len());
        let median = |part: &[(i64, u32)]| {
            DurationStats::of_seconds(part.iter().map(|(_, seconds)| *seconds).collect()).median
        };
        let (first, last) = (median(&runs[..quarter]), median(&runs[runs.len() - quarter..]));
        (!runs.is_empty()).then_some(Self { job, runs, first, last })
    }

    /// Whether the last quarter took half as long again as the first, and more than a few seconds.
    fn is_steady(&self) -> bool {
        let least = (self.first + self.first / 2).max(self.first + MIN_SECONDS);
        self.runs.len() >= MIN_RUNS && self.last >= least
    }
}

pub fn section(report: &Report, timeline: &Timeline, incidents: &[Incident]) -> Markup {
    let slower = incidents.iter().filter(|it| matches!(it.kind, IncidentKind::Slower { .. }));
    let slower: BTreeSet<JobId> = slower.flat_map(|it| it.jobs.iter().copied()).collect();
    let all = report.jobs().filter_map(|job| Growth::of(report, &timeline.scale, job));
    let mut grown: Vec<Growth> =
        all.filter(|it| slower.contains(&it.job) || it.is_steady()).collect();
    grown.sort_by_key(|it| std::cmp::Reverse(it.last.saturating_sub(it.first)));
    let more = grown.len().saturating_sub(MAX_JOBS);
    html! {
        section #durations aria-labelledby="durations-title" {
            h2 #durations-title { "Durations that grow" }
            @if grown.is_empty() {
                p { "No job takes longer than before." }
            } @else {
                p { "Good runs of jobs that are SLOWER, or whose last quarter took half as long again as the first." }
                (table(report, timeline, &grown))
            }
            @if more > 0 { p { (count(more as u64, "more job")) } }
        }
    }
}

fn table(report: &Report, timeline: &Timeline, grown: &[Growth]) -> Markup {
    html! {
        table.durations role="table" aria-labelledby="durations-title" {
            thead role="rowgroup" { tr role="row" {
                th role="columnheader" scope="col" { "Job" }
                th.n role="columnheader" scope="col" { "First" }
                th.n role="columnheader" scope="col" { "Last" }
                th.n role="columnheader" scope="col" { "Longest" }
                th.chart role="columnheader" scope="col" { "Over the period" }
            } }
            tbody role="rowgroup" {
                @for growth in grown.iter().take(MAX_JOBS) { (row(report, timeline, growth)) }
            }
        }
    }
}

fn row(report: &Report, timeline: &Timeline, growth: &Growth) -> Markup {
    let longest = growth.runs.iter().map(|(_, seconds)| *seconds).max();
    let (first, last) = (duration(Some(growth.first)), duration(Some(growth.last)));
    let name = report.job_name(growth.job);
    let label = format!("{first} at first, {last} in the end");
    html! {
        tr role="row" {
            th role="rowheader" scope="row" { @if timeline.has(growth.job) { a href={ "#j" (growth.job) } { (name) } } @else { (name) } }
            td.n role="cell" { (first) }
            td.n role="cell" { (last) }
            td.n role="cell" { (duration(longest)) }
            td.chart role="cell" { svg.line role="img" aria-label=(label) viewBox="0 0 1440 40" preserveAspectRatio="none" {
                path.x d="M0 40h1440" {}
                path.d d=(line(&growth.runs, longest.unwrap_or_default())) {}
            } }
        }
    }
}

/// The longest run of each part of the period, as a line from the bottom (0 s) to the top.
fn line(runs: &[(i64, u32)], longest: u32) -> String {
    let mut path = String::new();
    for part in runs.chunks(runs.len().div_ceil(POINTS).max(1)) {
        let (at, seconds) =
            part.iter().max_by_key(|(_, seconds)| *seconds).copied().unwrap_or_default();
        let height = u64::from(seconds) * (HEIGHT - 2) / u64::from(longest.max(1));
        _ = write!(path, "{}{at} {}", if path.is_empty() { 'M' } else { 'L' }, HEIGHT - 1 - height);
    }
    path
}
