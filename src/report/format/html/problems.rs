//! The problems and the counts of the period, as on the first screen.

use maud::{Markup, html};

use super::budget::{Budget, INCIDENTS};
use super::timeline::Timeline;
use crate::escape::printable;
use crate::report::diagnosis::incident::{Incident, IncidentState};
use crate::report::format::report::Report;
use crate::report::format::text::heading::{ends, hosts, uncertain};
use crate::report::format::text::incidents::words;
use crate::report::format::words::{count, grouped};
use crate::report::format::{crontabs, sources};
use crate::report::history::JobId;
use crate::report::history::counts::Count;
use crate::report::output::style::Severity;

/// The most open incidents that are shown, and the most closed ones.
const MAX_INCIDENTS: usize = 200;

/// Open incidents come first.
pub fn section(report: &Report, incidents: &[Incident], timeline: Option<&Timeline>) -> Markup {
    let is_over = |incident: &&Incident| incident.is_over();
    let (over, now): (Vec<_>, Vec<_>) = incidents.iter().partition(is_over);
    html! {
        section #problems aria-labelledby="problems-title" {
            (counts(report))
            h2 #problems-title { "Problems" }
            @if let Some(text) = uncertain(report) { p { "Not certain: " (text) } }
            @else if incidents.is_empty() { p { "None in this period." } }
            (table("Now", report, &now, timeline))
            (table("Over", report, &over, timeline))
        }
    }
}

fn counts(report: &Report) -> Markup {
    let (tally, read) = (&report.tally, &report.read);
    let jobs = count(report.jobs().count() as u64, "job");
    let hosts = count(hosts(report).len() as u64, "host");
    html! {
        @if let Some(period) = report.period() {
            p.span { (period) ": " (jobs) ", " (hosts) }
            dl.counts {
                @for Count { name, number, is_bad } in ends(report).into_iter().chain(tally.kinds()) {
                    div.bad[is_bad] { dt { (name) } dd { (grouped(number)) } }
                }
            }
        } @else {
            p.span { "no runs" }
        }
        p.said {
            @if read.unrecognized + read.unmatched + tally.ambiguous > 0 {
                "unrecognized lines " (read.unrecognized) ", records without START " (read.unmatched)
                ", ambiguous runs " (tally.ambiguous) br;
            }
            @for line in sources::lines(report) { (printable(line.as_bytes())) br; }
            @for line in crontabs::summary(report) { (line) br; }
        }
    }
}

fn table(
    title: &str,
    report: &Report,
    incidents: &[&Incident],
    timeline: Option<&Timeline>,
) -> Markup {
    let mut room = Budget::of(INCIDENTS);
    let rows = incidents.iter().take(MAX_INCIDENTS).map(|it| row(report, it, timeline));
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

fn row(report: &Report, incident: &Incident, timeline: Option<&Timeline>) -> Markup {
    let words = words(incident, report);
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

/// The only job of the incident, if the timeline has the job.
fn job(incident: &Incident, timeline: Option<&Timeline>) -> Option<JobId> {
    let [job] = incident.jobs.as_slice() else {
        return None;
    };
    let is_shown = incident.hosts().is_empty() && timeline?.has(*job);
    is_shown.then_some(*job)
}

/// The CSS class of a state.
fn class(state: IncidentState) -> &'static str {
    match Severity::of(state) {
        Severity::Good => "good",
        Severity::Doubtful => "doubtful",
        Severity::Heading | Severity::Bad => "bad",
    }
}
