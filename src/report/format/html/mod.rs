//! The form for a browser: one page without any other file.
//!
//! The page has the same incidents and words as the first screen. It makes no request, and its Content-Security-Policy
//! keeps the browser from making one, whatever is in a log. It can be read without its script, which only filters.

pub mod budget;
pub mod durations;
pub mod lines;
pub mod problems;
pub mod run_state;
pub mod seconds;
pub mod timeline;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::report::Report;
use super::text::heading::summary;
use super::{Format, Needs};
use crate::report::diagnosis;
use crate::report::diagnosis::incident::Incident;
use crate::report::output::ReportOutput;
use budget::Budget;
use timeline::Timeline;

const STYLE: &str = include_str!("style.css");

const SCRIPT: &str = include_str!("filter.js");

/// Allows no request. Allows only this style and this script, by the SHA-256 of their text, which a browser prints if
/// they differ. The icon is empty: otherwise a browser would request one.
const POLICY: &str = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; \
    style-src 'sha256-4R1OHptK0rNG5miczhoGZYD86CM/QN109bCxfPTLBJs='; \
    script-src 'sha256-EJo658epXERHDgSJFmNeD5xKjG+tjFCUgUeWxkTW6k0='";

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
    let body = body(report, &incidents);
    let is_over = incidents.iter().filter(|incident| incident.is_over());
    let over = is_over.count();
    let title =
        format!("remoteexe: {}", summary(incidents.len() - over, over, report.tally.ambiguous));
    let is_bad = report.tally.is_bad() || incidents.iter().any(Incident::is_failure);
    (whole(&title, &body).into_string(), is_bad)
}

fn body(report: &Report, incidents: &[Incident]) -> Markup {
    let Some(mut timeline) = Timeline::of(report, incidents) else {
        return problems::section(report, incidents, None);
    };
    let mut room = Budget::of(budget::JOBS);
    timeline.keep(report, |row, drawn| {
        room.take(&html! { (drawn) (lines::without_output(report, row)) })
    });
    let most = html! {
        a.skip href="#timeline" { "Skip to the timeline" }
        (problems::section(report, incidents, Some(&timeline)))
        (timeline.section(report))
        (seconds::section(report))
        (durations::section(report, &timeline, incidents))
    };
    let room = Budget::of(budget::PAGE).without(&whole("", &most));
    html! {
        (most)
        (lines::section(report, &timeline, room))
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
                (run_state::shapes())
                main {
                    h1 { (title) }
                    (body)
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}
