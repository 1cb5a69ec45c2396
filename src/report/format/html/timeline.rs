//! The timeline: an axis, marks across all rows, and a row of cells for each job, opened in place.

use maud::{Markup, html};

use super::budget::{Budget, OUTPUT};
use super::grid::Grid;
use super::lines::{Line, Lines};
use super::marks::Marks;
use super::problems::Problems;
use super::rows::Rows;
use super::runs;
use super::state::legend;
use crate::report::format::report::Report;
use crate::report::format::words::count;

/// More hosts are opened by a click.
const MAX_HOSTS: usize = 64;

pub fn section(
    report: &Report,
    grid: &Grid,
    rows: &Rows,
    lines: &Lines,
    problems: &Problems,
) -> Markup {
    let marks = Marks::of(report, grid);
    let mut room = Budget::of(OUTPUT);
    let mut row = |line: &Line| row(report, rows, problems, line, &mut room);
    let first: Vec<Markup> = lines.first.iter().map(&mut row).collect();
    let hosts = lines.hosts.iter().map(|host| {
        html! {
            details.host { (host.head) @for line in &host.lines { (row(line)) } }
        }
    });
    let hosts: Vec<Markup> = hosts.collect();
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
fn row(
    report: &Report,
    rows: &Rows,
    problems: &Problems,
    line: &Line,
    room: &mut Budget,
) -> Markup {
    let opened =
        rows.of_jobs.get(&line.job).filter(|_| !problems.homes.contains(&line.job)).map(|row| {
            let back = format!("t{}", line.job);
            let with_output = runs::of_job(report, row, &back, true);
            if room.take(&with_output) {
                with_output
            } else {
                runs::of_job(report, row, &back, false)
            }
        });
    html! {
        (line.markup)
        @if let Some(opened) = opened { details.opened { summary { "Close" } (opened) } }
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
