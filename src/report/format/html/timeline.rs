//! The timeline: a row of cells for each job, first those with problems, then all others by host.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::budget::{Budget, ROWS, RUNS};
use super::cells::Cells;
use super::grid::Grid;
use super::marks::Marks;
use super::problems::Problems;
use super::rows::{JobRow, Rows};
use super::runs;
use super::state::legend;
use crate::report::format::report::Report;
use crate::report::format::words::{count, grouped, shown_name};
use crate::report::history::durations::DurationStats;
use crate::report::history::{HostId, JobId};

/// The most rows of jobs with problems above those of the hosts.
const MAX_FIRST: usize = 40;

/// The same of one problem.
const MAX_OF_PROBLEM: usize = 6;

/// More hosts are opened by a click.
const MAX_HOSTS: usize = 64;

/// With more bad cells on the page, equal ones side by side are one.
const MAX_CELLS: usize = 3000;

/// With more bad cells in a row, they do not lead to runs of their own.
const MAX_LINKS: usize = 60;

/// The rows of one page, as far as they fit.
struct Drawn {
    job: JobId,
    host: HostId,
    markup: Markup,
}

pub fn section(
    report: &Report,
    grid: &Grid,
    rows: &Rows,
    problems: &Problems,
    troubled: &[JobId],
) -> Markup {
    let order = order(report, rows, troubled);
    let marks = Marks::of(report, grid);
    let drawn = draw(report, grid, rows, problems, &order);
    let left_out = rows.left_out + order.len() - drawn.len();
    let first: BTreeSet<JobId> = troubled.iter().copied().collect();
    let (first, others): (Vec<&Drawn>, Vec<&Drawn>) =
        drawn.iter().partition(|row| first.contains(&row.job));
    let mut by_host: BTreeMap<(&[u8], HostId), Vec<&Drawn>> = BTreeMap::new();
    for row in others {
        by_host.entry((report.history.host(row.host), row.host)).or_default().push(row);
    }
    let hosts: Vec<Markup> =
        by_host.iter().map(|((_, host), of)| host_rows(report, grid, rows, *host, of)).collect();
    let (seen, more) = hosts.split_at(hosts.len().min(MAX_HOSTS));
    html! {
        section #timeline aria-labelledby="timeline-title" {
            h2 #timeline-title { "Timeline" }
            p.facts { "A cell is " (width(grid.step)) ", and shows the worst in its time; a click leads to the last bad run in it." }
            (legend())
            (marks.in_words())
            div.lines data-begin=(grid.begin.format("%Y-%m-%dT%H:%M:%S")) data-step=(grid.step) data-columns=(grid.columns) {
                (axis(grid, &marks))
                svg.marks viewBox={ "0 0 " (grid.columns) " 1" } preserveAspectRatio="none" aria-hidden="true" { (marks.draw(grid)) }
                div.first { @for row in &first { (row.markup) } }
                @for host in seen { (host) }
                @if !more.is_empty() { details.more { summary { (count(more.len() as u64, "more host")) } @for host in more { (host) } } }
                div.sorted {}
            }
            @if left_out > 0 { p { (count(left_out as u64, "more job")) " (choose with --host or --job)" } }
        }
    }
}

/// The jobs with the most pressing problems, for rows above those of the hosts.
pub fn troubled(incidents: &[crate::report::diagnosis::incident::Incident]) -> Vec<JobId> {
    let mut jobs = Vec::new();
    for job in incidents.iter().flat_map(|incident| incident.jobs.iter().take(MAX_OF_PROBLEM)) {
        if jobs.len() < MAX_FIRST && !jobs.contains(job) {
            jobs.push(*job);
        }
    }
    jobs
}

/// First the jobs with problems, then those of each host by name.
fn order<'a>(report: &Report, rows: &'a Rows<'a>, troubled: &[JobId]) -> Vec<&'a JobRow<'a>> {
    let first: BTreeMap<JobId, usize> = troubled.iter().copied().zip(0..).collect();
    let mut order: Vec<&JobRow> = rows.of_jobs.values().collect();
    order.sort_by_cached_key(|row| {
        let place = first.get(&row.job).copied().unwrap_or(usize::MAX);
        (place, report.history.host(row.host).to_vec(), report.job_name(row.job))
    });
    order
}

/// The rows up to the first one for which there is no room. Runs and output have a room of their own.
fn draw(
    report: &Report,
    grid: &Grid,
    rows: &Rows,
    problems: &Problems,
    order: &[&JobRow],
) -> Vec<Drawn> {
    let bad: usize = order.iter().map(|row| row.cells.marks()).sum();
    let (mut room, mut runs_room) = (Budget::of(ROWS), Budget::of(RUNS));
    let mut drawn = Vec::new();
    let _ = rows;
    for row in order {
        let is_home = problems.homes.contains(&row.job);
        let back = format!("t{}", row.job);
        let opened = [true, false]
            .into_iter()
            .map(|has_output| runs::of_job(report, row, &back, has_output));
        let opened =
            if is_home { None } else { opened.into_iter().find(|opened| runs_room.take(opened)) };
        let has_runs = is_home || opened.is_some();
        let line = line(report, grid, row, problems, has_runs, bad > MAX_CELLS);
        if !room.take(&line) {
            break;
        }
        let markup = html! {
            (line)
            @if let Some(opened) = opened { details.opened { summary { "Close" } (opened) } }
        };
        drawn.push(Drawn { job: row.job, host: row.host, markup });
    }
    drawn
}

fn line(
    report: &Report,
    grid: &Grid,
    row: &JobRow,
    problems: &Problems,
    has_runs: bool,
    joins_bad: bool,
) -> Markup {
    let name = report.job_name(row.job);
    let host = shown_name(report.history.host(row.host));
    let script = name.strip_prefix(&host).map_or(&*name, str::trim_start);
    let usual = DurationStats::of_job(&report.history, row.job);
    let numbers: Vec<String> =
        problems.of_jobs.get(&row.job).into_iter().flatten().map(usize::to_string).collect();
    let marks = row.cells.marks();
    let href = |run: Option<usize>| {
        let run = run.filter(|run| row.listed.contains(run)).map(|run| format!("#r{run}"));
        let is_linked = has_runs && (run.is_some() || marks <= MAX_LINKS);
        is_linked.then(|| run.unwrap_or_else(|| format!("#j{}", row.job)))
    };
    html! {
        div.row id={ "t" (row.job) } data-s=(usual.median) data-p=(numbers.join(" ")) {
            span.n title=(name) {
                @let label = html! { span.h { (host) " " } @if script.is_empty() { "(no script)" } @else { (script) } };
                @if has_runs { a href={ "#j" (row.job) } { (label) } } @else { (label) }
            }
            (counts(&row.cells))
            (row.cells.draw(report, grid, joins_bad, href))
        }
    }
}

fn counts(cells: &Cells) -> Markup {
    let bad = cells.bad();
    html! {
        span.k { (grouped(cells.runs())) }
        span.k.bad[bad > 0] { (grouped(bad)) }
    }
}

/// The rows of a host behind one of all its jobs.
fn host_rows(report: &Report, grid: &Grid, rows: &Rows, host: HostId, of: &[&Drawn]) -> Markup {
    let mut all = Cells::of(grid, &[], &[]);
    for row in rows.of_jobs.values().filter(|row| row.host == host) {
        all.join(&row.cells);
    }
    let name = shown_name(report.history.host(host));
    html! {
        details.host {
            summary.row {
                span.n { @if name.is_empty() { "(no host)" } @else { (name) } " " span.facts { (count(of.len() as u64, "job")) } }
                (counts(&all))
                (all.draw(report, grid, true, |_| None))
            }
            @for row in of { (row.markup) }
        }
    }
}

fn axis(grid: &Grid, marks: &Marks) -> Markup {
    html! {
        div.row.axis aria-hidden="true" {
            span.n { "Job" } span.k { "Runs" } span.k { "Bad" }
            svg.scale {
                (marks.letters(grid))
                @for (time, label) in grid.ticks() {
                    text.tick x=(grid.percent(time)) y="22" data-x=(grid.place(time)) { (label) }
                }
            }
        }
    }
}

/// The width of a column in words.
fn width(seconds: i64) -> String {
    let unit = |size: i64, name| count(u64::try_from(seconds / size).unwrap_or_default(), name);
    match seconds {
        0..60 => unit(1, "second"),
        60..3600 => unit(60, "minute"),
        3600..86_400 => unit(3600, "hour"),
        _ => unit(86_400, "day"),
    }
}
