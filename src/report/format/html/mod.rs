//! The form for a browser: one page without any other file.
//!
//! The page has the same incidents and words as the first screen. It makes no request, and its Content-Security-Policy
//! keeps the browser from making one, whatever is in a log. It can be read without its script, which filters, sorts and
//! zooms.

pub mod budget;
pub mod cells;
pub mod durations;
pub mod grid;
pub mod lines;
pub mod marks;
pub mod notes;
pub mod problems;
pub mod rows;
pub mod runs;
pub mod state;
pub mod timeline;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::report::Report;
use super::text::heading::{hosts, summary};
use super::words::count;
use super::{Format, Needs};
use crate::report::diagnosis;
use crate::report::diagnosis::incident::Incident;
use crate::report::output::ReportOutput;
use grid::Grid;
use lines::Lines;
use problems::Problems;
use rows::Rows;

const STYLE: &str = include_str!("page.css");

const SCRIPT: &str = include_str!("page.js");

/// Allows no request. Allows only this style and this script, by the SHA-256 of their text, which a browser prints if
/// they differ. The icon is empty: otherwise a browser would request one.
const POLICY: &str = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; \
    style-src 'sha256-vCzHJGnl/j9yMGmf7B+5OsKwk3XSCYQ/HutEmZJy0+c='; \
    script-src 'sha256-pvWcLLep5SG6WqDj1n+swFddWxYdrI9NmQYGAzIRG78='";

#[derive(Debug)]
pub struct Html;

impl Format for Html {
    fn needs(&self) -> Needs {
        Needs {
            slots: true,
            history: true,
            as_of_end: true,
            tails: true,
            baseline: true,
            watch: true,
            ..Needs::default()
        }
    }

    fn finish(self: Box<Self>, report: &Report, out: &mut ReportOutput) -> bool {
        let (page, is_bad) = page(report);
        out.write(page.as_bytes());
        is_bad
    }
}

fn page(report: &Report) -> (String, bool) {
    let incidents = diagnosis::of_period(&report.evidence());
    let (over, now): (Vec<Incident>, Vec<Incident>) =
        incidents.into_iter().partition(Incident::is_over);
    let title = format!("remoteexe: {}", summary(now.len(), over.len(), report.tally.ambiguous));
    let incidents = [now, over].concat();
    let is_bad = report.tally.is_bad() || incidents.iter().any(Incident::is_failure);
    (whole(&title, &body(report, &incidents)).into_string(), is_bad)
}

fn body(report: &Report, incidents: &[Incident]) -> Markup {
    let grid = Grid::of(report);
    let drawn = grid.as_ref().map(|grid| {
        let first = lines::first_jobs(incidents);
        let mut rows = Rows::of(report, grid, &first);
        let lines = Lines::of(report, grid, &mut rows, &first, incidents);
        (grid, rows, lines)
    });
    let drawn = drawn.filter(|(_, rows, _)| !rows.of_jobs.is_empty());
    let view = drawn.as_ref().map(|(grid, rows, _)| (*grid, rows));
    let problems = Problems::of(report, incidents, view);
    html! {
        @if view.is_some() { a.skip href="#timeline" { "Skip to the timeline" } }
        p.span { (made(report)) }
        @if view.is_some() { (controls()) }
        (problems.section(report))
        (notes::watched(report, view.map(|(_, rows)| rows)))
        (notes::changed(report))
        @if let Some((grid, rows, lines)) = &drawn { (timeline::section(report, grid, rows, lines, &problems)) }
        (notes::section(report))
    }
}

/// When the page was made, and what it is about.
fn made(report: &Report) -> String {
    let made = report.machine.now.format("%Y-%m-%d %H:%M");
    let Some(period) = report.period() else {
        return format!("Made {made}. No runs.");
    };
    let jobs = count(report.jobs().count() as u64, "job");
    let hosts = count(hosts(report).len() as u64, "host");
    let runs = count(report.tally.runs, "run");
    format!("Made {made}, for {period}: {runs}, {jobs}, {hosts}")
}

/// The fields that the script needs, hidden without it.
fn controls() -> Markup {
    html! {
        form #find hidden role="search" {
            label { "Find " input type="search" name="q" autocomplete="off" placeholder="job, state, reason or output"; }
            label { "Sort " select name="sort" {
                @for by in ["worst", "name", "duration"] { option value=(by) { (by) } }
            } }
            label { "From " input type="datetime-local" name="from"; }
            label { "to " input type="datetime-local" name="to"; }
            button type="reset" { "Show all" }
            output role="status" {}
        }
    }
}

fn whole(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="referrer" content="no-referrer";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { (title) }
                    (body)
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}
