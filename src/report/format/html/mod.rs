//! The form for a browser: one page that needs nothing else.
//!
//! The page follows from the same incidents and words as the first screen. It asks no server for anything, and its
//! Content-Security-Policy keeps a browser from doing so, whatever a log has in it. It can be read without its
//! script, which only filters.

pub mod durations;
pub mod lines;
pub mod look;
pub mod problems;
pub mod room;
pub mod seconds;
pub mod timeline;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::text::first_screen::summary;
use super::text::{Answer, View};
use crate::report::diagnosis;
use crate::report::diagnosis::incident::Incident;
use room::Room;
use timeline::Timeline;

/// The looks of the page.
const STYLE: &str = include_str!("style.css");

/// The filter.
const SCRIPT: &str = include_str!("filter.js");

/// No request is allowed. Of styles and scripts, only those two are: these are the SHA-256 of their text, which a
/// browser prints where they differ. The icon is empty, so that no browser asks a server for one.
const POLICY: &str = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; \
    style-src 'sha256-4R1OHptK0rNG5miczhoGZYD86CM/QN109bCxfPTLBJs='; \
    script-src 'sha256-EJo658epXERHDgSJFmNeD5xKjG+tjFCUgUeWxkTW6k0='";

/// The page.
pub fn page(view: &View) -> Answer {
    let incidents = diagnosis::of_period(view.ledger, &view.scope);
    let body = body(view, &incidents);
    let is_over = incidents.iter().filter(|incident| incident.is_over());
    let over = is_over.count();
    let title = format!(
        "remoteexe: {}",
        summary(incidents.len() - over, over, view.tally.ambiguous)
    );
    Answer {
        text: whole(&title, &body).into_string(),
        is_bad: view.tally.is_bad() || incidents.iter().any(Incident::is_failure),
    }
}

fn body(view: &View, incidents: &[Incident]) -> Markup {
    let Some(mut timeline) = Timeline::of(view, incidents) else {
        return problems::section(view, incidents, None);
    };
    let mut room = Room::of(room::JOBS);
    timeline.keep(view, |row, drawn| {
        room.take(&html! { (drawn) (lines::without_output(view, row)) })
    });
    let most = html! {
        a.skip href="#timeline" { "Skip to the timeline" }
        (problems::section(view, incidents, Some(&timeline)))
        (timeline.section(view))
        (seconds::section(view))
        (durations::section(view, &timeline, incidents))
    };
    let room = Room::of(room::PAGE).without(&whole("", &most));
    html! {
        (most)
        (lines::section(view, &timeline, room))
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
                (look::shapes())
                main {
                    h1 { (title) }
                    (body)
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}
