//! Draws the rows of a timeline.

use std::fmt::Write;

use maud::{Markup, html};

use super::Timeline;
use super::bands::Band;
use super::marks::{Mark, Span};
use super::rows::JobRow;
use crate::report::format::html::run_state::{RunState, at};
use crate::report::format::report::Report;
use crate::report::format::words::shown_name;
use crate::report::format::words::{count, duration, grouped};
use crate::report::history::HostId;
use crate::report::runs::outcome::Outcome;

/// In units.
pub const HEIGHT: i64 = 18;

/// The most outages of a host that a screen reader reads out.
const MAX_TOLD: usize = 20;

/// The heights of a strip's levels, the lowest first.
const LEVEL_HEIGHTS: [i64; 4] = [4, 7, 10, 14];

/// The same between lines of bad runs.
const THIN_HEIGHTS: [i64; 4] = [2, 3, 4, 6];

impl Timeline<'_> {
    /// The rows of one host.
    pub fn host(&self, report: &Report, rows: &[JobRow]) -> Markup {
        html! {
            tbody role="rowgroup" {
                (self.head(report, rows[0].host))
                @for row in rows { (self.row(report, row)) }
            }
        }
    }

    /// The row of a host, with its outages.
    pub fn head(&self, report: &Report, host: HostId) -> Markup {
        let name = shown_name(report.history.host(host));
        let of_host = self.bands.hosts.get(&host).map_or(&[][..], Vec::as_slice);
        let bands = of_host.iter().chain(&self.bands.cron);
        let more = bands.clone().count().saturating_sub(MAX_TOLD);
        let bands = bands.take(MAX_TOLD);
        let mut outages: Vec<String> = bands.map(|band| describe(band, report)).collect();
        if outages.is_empty() {
            outages.push("no outage".to_owned());
        } else if more > 0 {
            outages.push(format!("and {more} more"));
        }
        html! {
            tr.host role="row" {
                th role="rowheader" scope="rowgroup" { @if name.is_empty() { "(no host)" } @else { (name) } }
                td.chart role="cell" { svg.row role="img" aria-label=(outages.join(", ")) {
                    @if !of_host.is_empty() {
                        g id=(group(host)) { @for band in of_host { (self.band("bh", band, report)) } }
                    }
                    @if !self.bands.cron.is_empty() { use href="#cron" {} }
                } }
            }
        }
    }

    pub fn band(&self, class: &str, band: &Band, report: &Report) -> Markup {
        html! {
            rect class=(class) x=(self.scale.percent(band.from)) height=(HEIGHT)
                width=(self.scale.width(band.from, band.to)) { title { (describe(band, report)) } }
        }
    }

    pub fn row(&self, report: &Report, row: &JobRow) -> Markup {
        let host_name = shown_name(report.history.host(row.host));
        let name = report.job_name(row.job);
        let script = name.strip_prefix(&host_name);
        let script = script.map_or(&*name, str::trim_start);
        let bad = row.runs.iter().filter(|(_, run)| run.outcome.is_bad());
        let bad = bad.count() as u64;
        html! {
            tr role="row" data-host=(host_name) data-job=(name) data-states=(row.letters()) {
                th role="rowheader" scope="row" {
                    a href={ "#j" (row.job) } title=(name) { @if script.is_empty() { "(no script)" } @else { (script) } }
                }
                td.n role="cell" { (grouped(row.runs.len() as u64)) }
                td.n.bad[bad > 0] role="cell" { (grouped(bad)) }
                td.chart role="cell" { svg.row role="img" aria-label=(counts(row)) {
                    @if self.bands.hosts.contains_key(&row.host) { use href={ "#" (group(row.host)) } {} }
                    @if !self.bands.cron.is_empty() { use href="#cron" {} }
                    svg viewBox="0 0 1440 18" preserveAspectRatio="none" { (Self::plain(row)) }
                    @for mark in &row.marks.linked { (self.mark(report, row, mark)) }
                } }
            }
        }
    }

    /// Everything without a link to a run: the scale, good runs and overlaps.
    fn plain(row: &JobRow) -> Markup {
        let marks = &row.marks;
        let middle = HEIGHT / 2;
        let is_thin = !marks.thinned.is_empty();
        let (heights, bottom) =
            if is_thin { (THIN_HEIGHTS, HEIGHT - 6) } else { (LEVEL_HEIGHTS, HEIGHT - 2) };
        let strips = marks.strip.iter().zip(heights);
        let is_plain = !marks.ticks.is_empty() || marks.strip.iter().any(|it| !it.is_empty());
        html! {
            use.x href="#grid" {}
            @if is_plain {
                a.g href={ "#j" (row.job) } tabindex="-1" {
                    title { (count(row.count(RunState::Good), "run")) " ok" }
                    @if !marks.ticks.is_empty() { path.k.thin[is_thin] d=(segments(&marks.ticks, middle)) {} }
                    @for (spans, height) in strips {
                        @if !spans.is_empty() {
                            path stroke-width=(height) d=(segments(spans, bottom - height / 2)) {}
                        }
                    }
                }
            }
            @for (state, spans) in &marks.thinned {
                a class=(state.letter()) href={ "#j" (row.job) } tabindex="-1" {
                    title { (grouped(row.count(*state))) " " (state.name()) }
                    path d=(segments(spans, line_height(*state))) {}
                }
            }
            @if !marks.overlaps.is_empty() { path.o d=(segments(&marks.overlaps, HEIGHT - 1)) {} }
        }
    }

    fn mark(&self, report: &Report, row: &JobRow, mark: &Mark) -> Markup {
        let scale = &self.scale;
        let from = scale.percent(mark.from);
        let target = match mark.last {
            Some((place, _)) => format!("#r{place}"),
            None => format!("#j{}", row.job),
        };
        let has_bar = scale.unit(mark.to) - scale.unit(mark.from) > 4;
        html! {
            a class=(mark.state.letter()) href=(target) tabindex="-1" {
                title { (title(report, mark)) }
                @if has_bar { rect x=(from) y="4" width=(scale.width(mark.from, mark.to)) height="10" {} }
                (at(&from, "9", mark.state))
            }
        }
    }
}

/// The id of the bands of a host.
fn group(host: HostId) -> String {
    format!("h{host}")
}

/// The height of the lines of a state in a row with too many marks.
fn line_height(state: RunState) -> i64 {
    match state {
        RunState::Failed => 4,
        RunState::NotConnected => 14,
        RunState::Good | RunState::Lost | RunState::Running | RunState::NotStarted => HEIGHT / 2,
    }
}

/// One run or several, in words.
fn title(report: &Report, mark: &Mark) -> String {
    let (clock, name) = (report.clock(), mark.state.name());
    let from = clock.second(mark.from);
    let more = match mark.last {
        Some((_, run)) if mark.state == RunState::Good => {
            format!(", took {}", duration(run.seconds()))
        }
        Some((_, run)) => match run.outcome {
            Outcome::Failed(status, _) => format!(", {status}"),
            _ => String::new(),
        },
        None => String::new(),
    };
    if mark.count == 1 {
        return format!("{from} {name}{more}");
    }
    let (to, number) = (clock.second(mark.to), grouped(mark.count));
    let last = mark.last.map_or("", |_| ", the last one");
    format!("{from} to {to}: {number} {name}{last}{more}")
}

fn describe(band: &Band, report: &Report) -> String {
    let time = report.clock().span(band.from, band.to);
    format!("{} {time}", band.state.word())
}

/// The runs of a row in words, for a screen reader.
fn counts(row: &JobRow) -> String {
    let states = RunState::ALL.iter().map(|state| (row.count(*state), state.name()));
    let mut words: Vec<String> = states
        .filter(|(number, _)| *number > 0)
        .map(|(number, name)| format!("{} {name}", grouped(number)))
        .collect();
    if !row.marks.overlaps.is_empty() {
        words.push("some at once".to_owned());
    }
    words.join(", ")
}

/// Horizontal lines at a height. Relative paths are half as long.
fn segments(spans: &[Span], height: i64) -> String {
    let mut path = String::new();
    let mut at = 0;
    for (from, to) in spans {
        _ = if path.is_empty() {
            write!(path, "M{from} {height}h{}", to - from)
        } else {
            write!(path, "m{} 0h{}", from - at, to - from)
        };
        at = *to;
    }
    path
}
