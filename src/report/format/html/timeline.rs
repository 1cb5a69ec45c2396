//! The timeline: an axis, marks across all rows, and a row of cells for each job, opened in place.

use maud::{Markup, html};

use super::budget::{Budget, OUTPUT};
use super::grid::Grid;
use super::lines::{JobLine, Lines};
use super::marks::Marks;
use super::problems::Problems;
use super::rows::View;
use super::runs;
use super::state::legend;
use crate::report::format::{count, duration};

/// More hosts are opened by a click.
const MAX_HOSTS: usize = 64;

pub fn section(view: &View, lines: &Lines, problems: &Problems) -> Markup {
    let grid = &view.grid;
    let marks = Marks::of(view.report, grid);
    let mut room = Budget::of(OUTPUT);
    let mut row = |line: &JobLine| row(view, problems, line, &mut room);
    let first: Vec<Markup> = lines.first.iter().map(&mut row).collect();
    let hosts = lines.hosts.iter().map(|(head, lines)| {
        html! { details.host { (head) @for line in lines { (row(line)) } } }
    });
    let hosts: Vec<Markup> = hosts.collect();
    let (seen, more) = hosts.split_at(hosts.len().min(MAX_HOSTS));
    html! {
        section #timeline aria-labelledby="timeline-title" {
            h2 #timeline-title { "Timeline" }
            p.facts { "A cell is " (duration(u32::try_from(grid.step).ok())) ", and shows the worst in its time; a click leads to the last bad run in it." }
            (legend())
            (marks.in_words())
            div.lines data-begin=(grid.begin.format("%Y-%m-%dT%H:%M:%S")) data-step=(grid.step) data-columns=(grid.columns) {
                (axis(grid))
                svg.marks viewBox={ "0 0 " (grid.columns) " 1" } preserveAspectRatio="none" aria-hidden="true" { (marks.draw(grid)) }
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

/// A line, and below it the runs, if no problem lists them. Output has a room of its own.
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
