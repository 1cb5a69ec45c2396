//! Marks across all rows of the timeline, for what concerned all jobs at once: stops of cron, boots, jumps of the
//! clock, changes of a crontab.

use chrono::NaiveDateTime;
use maud::{Markup, html};

use super::grid::Grid;
use super::limits;
use crate::clock::local_time;
use crate::report::diagnosis;
use crate::report::diagnosis::incident::{Incident, IncidentKind};
use crate::report::format::Report;
use crate::report::format::crontabs::path;
use crate::report::format::text::incident_words::IncidentWords;
use crate::report::slots::Expected;

struct Event {
    from: NaiveDateTime,
    to: NaiveDateTime,
    words: String,
}

pub struct Marks(Vec<Event>);

impl Marks {
    pub fn of(report: &Report, grid: &Grid) -> Self {
        let incidents = diagnosis::incidents(&report.evidence());
        let end = grid.time(grid.columns);
        let of_all = incidents.iter().filter(|incident| incident.is_of_all());
        let mut events: Vec<Event> = of_all.map(|incident| event(report, incident)).collect();
        let mut point = |at: NaiveDateTime, what: &str| {
            let words = format!("{} {what}", report.clock().time(at));
            events.push(Event { from: at, to: at, words });
        };
        for at in incidents.iter().filter_map(Incident::boot).chain(report.scope.boot) {
            point(at, "this machine booted");
        }
        let expected = report.crontabs.iter();
        for entry in expected.flat_map(Expected::wanted).flat_map(|job| &job.lines) {
            if let Some(at) = entry.changed.map(local_time) {
                point(at, &format!("{} was changed", path(&entry.place.file)));
            }
        }
        events.retain(|event| event.to >= grid.begin && event.from < end);
        events.sort_by(|one, other| (one.from, &one.words).cmp(&(other.from, &other.words)));
        events.dedup_by(|one, other| one.words == other.words);
        events.truncate(limits::MARKS);
        Self(events)
    }

    /// Draws bands and lines behind the rows.
    pub fn draw(&self, grid: &Grid) -> Markup {
        html! {
            @for event in &self.0 {
                @let (from, to) = (grid.place(event.from), grid.place(event.to));
                @if from != to { path.band d={ "M" (from) " 0V1H" (to) "V0z" } {} }
                path.edge d={ "M" (from) " 0V1" } {}
            }
        }
    }

    pub fn in_words(&self) -> Markup {
        html! {
            @if !self.0.is_empty() {
                ul.marks-list aria-label="Marks across all rows" {
                    @for event in &self.0 { li { (event.words) } }
                }
            }
        }
    }
}

fn event(report: &Report, incident: &Incident) -> Event {
    let words = IncidentWords::of(incident, report);
    let from = match incident.kind {
        // The runs were alive until then.
        IncidentKind::Lost | IncidentKind::LostTogether { .. } => incident.window.last,
        _ => incident.window.since,
    };
    Event {
        from,
        to: incident.end().unwrap_or(report.scope.now),
        words: format!("{} {}: {}", words.time, incident.state().word(), words.whole_subject()),
    }
}
