//! The timeline: an axis, marks across all rows, and a line of cells for each host and for as many jobs as fit. The
//! runs of a job open in place.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::limits::{self, Budget, LINKED_CELLS};
use super::rows::{JobRow, View};
use super::{cells::Cells, grid::Grid, marks, problems::Problems, runs, state::legend};
use crate::report::format::{DurationStats, HostId, Incident, JobId, count, duration, grouped, shown_name};

pub type JobLine = (JobId, Markup);

pub struct JobLines {
    /// The jobs of the first problems, in their order.
    pub first: Vec<JobLine>,
    /// The other jobs, below the line of their host.
    pub hosts: Vec<(Markup, Vec<JobLine>)>,
    pub left_out: usize,
}

/// The jobs whose lines come first.
pub fn first_jobs(incidents: &[Incident]) -> Vec<JobId> {
    let mut jobs = Vec::new();
    for job in incidents.iter().flat_map(|incident| incident.in_order().take(limits::FIRST_JOBS_OF_PROBLEM)) {
        if jobs.len() < limits::FIRST_JOBS && !jobs.contains(job) {
            jobs.push(*job);
        }
    }
    jobs
}

impl JobLines {
    /// Draws the lines as far as there is room, and removes the other rows. The lists of runs need room too.
    pub fn of(view: &mut View, first: &[JobId]) -> Self {
        let order = order(view, first);
        let all: usize = view.rows.values().map(|row| row.cells.marks()).sum();
        let share = LINKED_CELLS / (2 * order.len()).max(1);
        let most = if all <= LINKED_CELLS { usize::MAX } else { share };
        let mut room = Budget::of(limits::LINE_BYTES);
        let mut lines = Self { first: Vec::new(), hosts: Vec::new(), left_out: 0 };
        let mut host = None;
        for job in &order {
            let row = &view.rows[job];
            let markup = line(view, row, most, share);
            let is_first = first.contains(job);
            let is_new = !is_first && host != Some(row.host);
            let head = is_new.then(|| head(view, row.host, share));
            if !room.take(
                &html! { (markup) (runs::of_job(view.report, row, "", false)) @if let Some(head) = &head { (head) } },
            ) {
                break;
            }
            if let Some(head) = head {
                host = Some(row.host);
                lines.hosts.push((head, Vec::new()));
            }
            let list =
                if is_first { &mut lines.first } else { &mut lines.hosts.last_mut().expect("a head comes before").1 };
            list.push((*job, markup));
        }
        let drawn = lines.hosts.iter().flat_map(|(_, lines)| lines).chain(&lines.first);
        let drawn: BTreeSet<JobId> = drawn.map(|(job, _)| *job).collect();
        lines.left_out = view.left_out + order.len() - drawn.len();
        view.rows.retain(|job, _| drawn.contains(job));
        lines
    }
}

/// The jobs in the order of their lines: first the jobs of problems, then the others by host and name.
fn order(View { report, rows, .. }: &View, first: &[JobId]) -> Vec<JobId> {
    let first: BTreeMap<JobId, usize> = first.iter().copied().zip(0..).collect();
    let mut order: Vec<&JobRow> = rows.values().collect();
    order.sort_by_cached_key(|row| {
        let place = first.get(&row.job).copied().unwrap_or(usize::MAX);
        (place, report.history.host(row.host).to_vec(), report.job_name(row.job))
    });
    order.into_iter().map(|row| row.job).collect()
}

fn line(View { report, grid, .. }: &View, row: &JobRow, cells: usize, groups: usize) -> Markup {
    let name = report.job_name(row.job);
    let host = shown_name(report.history.host(row.host));
    let script = name.strip_prefix(&host).map_or(&*name, str::trim_start);
    let usual = DurationStats::of_job(&report.history, row.job);
    let href = |run: Option<usize>| {
        let run = run.filter(|run| row.listed.contains(run));
        Some(run.map_or_else(|| format!("#j{}", row.job), |run| format!("#r{run}")))
    };
    html! {
        div.row id={ "t" (row.job) } data-s=(usual.median) {
            span.n title=(name) {
                a href={ "#j" (row.job) } {
                    @if !host.is_empty() { span.h { (host) " " } }
                    @if script.is_empty() { "(no script)" } @else { (script) }
                }
            }
            (counts(&row.cells))
            (row.cells.draw(report, grid, row.cells.detail(cells, groups), href))
        }
    }
}

/// The line of all jobs of a host.
fn head(View { report, grid, rows, .. }: &View, host: HostId, groups: usize) -> Markup {
    let mut all = Cells::of(grid, &report.history, &[], &[]);
    for row in rows.values().filter(|row| row.host == host) {
        all.join(&row.cells);
    }
    let name = shown_name(report.history.host(host));
    html! {
        summary.row {
            span.n { @if name.is_empty() { "(no host)" } @else { (name) } }
            (counts(&all))
            (all.draw(report, grid, all.detail(0, groups), |_| None))
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

pub fn section(view: &View, lines: &JobLines, problems: &Problems) -> Markup {
    let grid = &view.grid;
    let marks = marks::of(view.report, grid);
    let mut room = Budget::of(limits::OUTPUT_BYTES);
    let mut row = |line: &JobLine| row(view, problems, line, &mut room);
    let first: Vec<Markup> = lines.first.iter().map(&mut row).collect();
    let hosts = lines.hosts.iter().map(|(head, lines)| {
        html! { details.host { (head) @for line in lines { (row(line)) } } }
    });
    let hosts: Vec<Markup> = hosts.collect();
    let (seen, more) = hosts.split_at(hosts.len().min(limits::SEEN_HOSTS));
    html! {
        section #timeline aria-labelledby="timeline-title" {
            h2 #timeline-title { "Timeline" }
            p.facts { "A cell is " (duration(u32::try_from(grid.step).ok())) ", and shows the worst in its time; a click leads to the last bad run in it." }
            (legend())
            (marks::in_words(&marks))
            div.lines data-begin=(grid.begin.format("%Y-%m-%dT%H:%M:%S")) data-step=(grid.step) data-columns=(grid.columns) {
                (axis(grid))
                svg.marks viewBox={ "0 0 " (grid.columns) " 1" } preserveAspectRatio="none" aria-hidden="true" { (marks::draw(&marks, grid)) }
                div { @for row in &first { (row) } }
                @for host in seen { (host) }
                @if !more.is_empty() {
                    details.more { summary { (count(more.len() as u64, "more host")) } @for host in more { (host) } }
                }
                div.sorted {}
            }
            @if lines.left_out > 0 { p { (count(lines.left_out as u64, "more job")) " (choose with --host or --job)" } }
        }
    }
}

/// A line, and below it the runs, if no problem lists them. `room` limits their output.
fn row(view: &View, problems: &Problems, (job, line): &JobLine, room: &mut Budget) -> Markup {
    let row = view.rows.get(job).filter(|_| !problems.homes.contains(job));
    let opened = row.map(|row| {
        let of_job = |has_output| runs::of_job(view.report, row, &format!("t{job}"), has_output);
        Some(of_job(true)).filter(|opened| room.take(opened)).unwrap_or_else(|| of_job(false))
    });
    html! {
        (line)
        @if let Some(opened) = opened { details.opened { summary { "Close" } (opened) } }
    }
}

fn axis(grid: &Grid) -> Markup {
    html! {
        div.row.axis aria-hidden="true" {
            span.n { "Job" } span.k { "Runs" } span.k { "Bad" }
            svg.scale {
                @for (time, label) in grid.ticks() { text.tick x=(grid.percent(time)) y="20" { (label) } }
            }
        }
    }
}
