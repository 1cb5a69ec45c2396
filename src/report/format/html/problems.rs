//! The problems, and the counts of the period: what the first screen tells.

use maud::{Markup, html};

use super::room::{INCIDENTS, Room};
use super::timeline::Timeline;
use crate::escape::printable;
use crate::report::diagnosis::incident::{Incident, State};
use crate::report::format::text::View;
use crate::report::format::text::first_screen::{ends, hosts, uncertain};
use crate::report::format::text::incidents::words;
use crate::report::format::words::{count, grouped};
use crate::report::history::JobId;
use crate::report::history::counts::Count;
use crate::report::output::style::Tone;

/// How many incidents are shown that go on, and how many that are over.
const MAX_INCIDENTS: usize = 200;

/// The counts and the incidents, those that go on first.
pub fn section(view: &View, incidents: &[Incident], timeline: Option<&Timeline>) -> Markup {
    let is_over = |incident: &&Incident| incident.is_over();
    let (over, now): (Vec<_>, Vec<_>) = incidents.iter().partition(is_over);
    html! {
        section #problems aria-labelledby="problems-title" {
            (counts(view))
            h2 #problems-title { "Problems" }
            @if let Some(text) = uncertain(view) { p { "Not certain: " (text) } }
            @else if incidents.is_empty() { p { "None in this period." } }
            (table("Now", view, &now, timeline))
            (table("Over", view, &over, timeline))
        }
    }
}

fn counts(view: &View) -> Markup {
    let (tally, remarks) = (&view.tally, &view.remarks);
    let jobs = count(view.jobs().count() as u64, "job");
    let hosts = count(hosts(view).len() as u64, "host");
    html! {
        @if let Some((first, last)) = tally.span {
            p.span { (first) " to " (last) ": " (jobs) ", " (hosts) }
            dl.counts {
                @for Count { name, number, is_bad } in ends(view).into_iter().chain(tally.kinds()) {
                    div.bad[is_bad] { dt { (name) } dd { (grouped(number)) } }
                }
            }
        } @else {
            p.span { "no runs" }
        }
        p.said {
            @if remarks.unrecognized + remarks.unmatched + tally.ambiguous > 0 {
                "unrecognized lines " (remarks.unrecognized) ", records without START " (remarks.unmatched)
                ", ambiguous runs " (tally.ambiguous) br;
            }
            @for line in &remarks.scope { (printable(line.as_bytes())) br; }
            @for line in &view.crontabs.summary { (line) br; }
        }
    }
}

fn table(title: &str, view: &View, incidents: &[&Incident], timeline: Option<&Timeline>) -> Markup {
    let mut room = Room::of(INCIDENTS);
    let rows = incidents
        .iter()
        .take(MAX_INCIDENTS)
        .map(|it| row(view, it, timeline));
    let rows: Vec<Markup> = rows.take_while(|row| room.take(row)).collect();
    let more = incidents.len() - rows.len();
    html! {
        @if !incidents.is_empty() {
            table.incidents {
                caption { (title) }
                thead { tr {
                    th scope="col" { "State" }
                    th scope="col" { "Time" }
                    th scope="col" { "Job or host, and why" }
                } }
                tbody { @for row in &rows { (row) } }
            }
        }
        @if more > 0 { p { "and " (grouped(more as u64)) " more" } }
    }
}

fn row(view: &View, incident: &Incident, timeline: Option<&Timeline>) -> Markup {
    let words = words(incident, view);
    let state = incident.state();
    html! {
        tr {
            th scope="row" { span class={ "state " (class(state)) } { (state.word()) } }
            td.time { (words.time) }
            td {
                b { @match job(incident, timeline) {
                    Some(job) => a href={ "#j" (job) } { (words.subject) },
                    None => (words.subject),
                } }
                " " span.facts { (words.facts) }
                @if !words.why.is_empty() { p.why { (words.why) } }
            }
        }
    }
}

/// The only job of the incident, if the timeline has it.
fn job(incident: &Incident, timeline: Option<&Timeline>) -> Option<JobId> {
    let [job] = incident.jobs.as_slice() else {
        return None;
    };
    let is_shown = incident.hosts().is_empty() && timeline?.has(*job);
    is_shown.then_some(*job)
}

/// The class of a state's word: how bad it is.
fn class(state: State) -> &'static str {
    match Tone::of(state) {
        Tone::Good => "good",
        Tone::Doubtful => "doubtful",
        Tone::Heading | Tone::Bad => "bad",
    }
}
