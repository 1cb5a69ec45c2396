//! The form for a browser: one page without any other file.
//!
//! The page has the same incidents and words as the first screen. The page makes no request, and its
//! Content-Security-Policy prevents any, whatever is in a log. The script only filters, sorts and zooms.

pub mod cells;
pub mod durations;
pub mod grid;
pub mod limits;
pub mod marks;
pub mod notes;
pub mod problems;
pub mod rows;
pub mod runs;
pub mod state;
pub mod timeline;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::text::heading::{hosts, summary};
use super::{Format, Needs, Report, count};
use crate::report::diagnosis;
use crate::report::format::{Incident, ReportOutput};
use problems::Problems;
use rows::View;
use timeline::JobLines;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Allows no request. Allows only this style and this script, by the SHA-256 of their text, which a browser prints if
/// they differ. The icon is empty: otherwise a browser would request one.
const POLICY: &str = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; \
    style-src 'sha256-aI3sibKkikHtkA5Zs19jK2Wc3UjSihjOPCHSS0bNnsY='; \
    script-src 'sha256-5J8KDV8VxeUOcb1okwuo43vn9m5DzxVPXaVrHoZlTkA='";

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
    let (over, now): (Vec<Incident>, Vec<Incident>) = incidents.into_iter().partition(Incident::is_over);
    let title = format!("remoteexe: {}", summary(now.len(), over.len(), report));
    let incidents = [now, over].concat();
    let is_bad = report.tally.is_bad() || incidents.iter().any(Incident::is_failure);
    (whole(&title, &body(report, &incidents)).into_string(), is_bad)
}

fn body(report: &Report, incidents: &[Incident]) -> Markup {
    let first = timeline::first_jobs(incidents);
    let mut view = View::of(report, &first);
    let lines = view.as_mut().map(|view| JobLines::of(view, &first));
    let view = view.as_ref();
    let problems = Problems::of(report, incidents, view);
    html! {
        a.skip href="#problems" { "Skip to the problems" }
        p.span { (made(report)) }
        (problems.section(report))
        (notes::watched(report, view))
        (notes::changed(report))
        @if let (Some(view), Some(lines)) = (view, &lines) { (timeline::section(view, lines, &problems)) }
        (notes::section(report))
    }
}

/// A line with the time at which the page was made, its period and its size.
fn made(report: &Report) -> String {
    let made = report.machine.now.format("%Y-%m-%d %H:%M");
    let Some(period) = report.period() else { return format!("Made {made}. No runs.") };
    let jobs = count(report.jobs().count() as u64, "job");
    let hosts = count(hosts(report).len() as u64, "host");
    let runs = count(report.tally.runs, "run");
    format!("Made {made}, for {period}: {runs}, {jobs}, {hosts}")
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
