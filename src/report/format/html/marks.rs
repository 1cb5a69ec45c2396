//! What concerned all jobs at once: stops of cron, boots, jumps of the clock, changes of a crontab. A mark across all
//! rows of the timeline.

use chrono::NaiveDateTime;
use maud::{Markup, html};

use super::grid::Grid;
use crate::clock::local_time;
use crate::escape::printable;
use crate::report::diagnosis;
use crate::report::diagnosis::incident::{Incident, IncidentKind};
use crate::report::format::report::Report;
use crate::report::format::text::incidents::words;

/// As many as there are letters.
const MOST: usize = 26;

#[derive(Debug)]
struct Event {
    from: NaiveDateTime,
    to: NaiveDateTime,
    words: String,
}

/// The marks, by time.
#[derive(Debug)]
pub struct Marks(Vec<Event>);

impl Marks {
    pub fn of(report: &Report, grid: &Grid) -> Self {
        let incidents = diagnosis::incidents(&report.evidence());
        let end = grid.time(grid.columns);
        let mut events: Vec<Event> =
            incidents.iter().filter(|it| it.is_of_all()).map(|it| event(report, it)).collect();
        let boots = incidents.iter().filter_map(boot).chain(report.scope.boot);
        let mut points: Vec<(NaiveDateTime, String)> =
            boots.map(|at| (at, "this machine booted".to_owned())).collect();
        if let Some(expected) = &report.crontabs {
            let lines = expected.wanted().iter().flat_map(|job| &job.lines);
            for entry in lines.map(|line| expected.line(*line)) {
                let file = printable(entry.place.file.display().to_string().as_bytes());
                let changed = entry.changed.map(local_time);
                points.extend(changed.map(|at| (at, format!("{file} was changed"))));
            }
        }
        let point = |(at, what): (NaiveDateTime, String)| Event {
            from: at,
            to: at,
            words: format!("{} {what}", report.clock().time(at)),
        };
        events.extend(points.into_iter().map(point));
        events.retain(|event| event.to >= grid.begin && event.from < end);
        events.sort_by(|one, other| (one.from, &one.words).cmp(&(other.from, &other.words)));
        events.dedup_by(|one, other| one.words == other.words);
        events.truncate(MOST);
        Self(events)
    }

    /// The letters on the axis. Those of one column come together.
    pub fn letters(&self, grid: &Grid) -> Markup {
        let mut letters: Vec<(NaiveDateTime, String)> = Vec::new();
        for (letter, event) in ('A'..='Z').zip(&self.0) {
            match letters.last_mut() {
                Some((at, label)) if grid.column(event.from) < grid.column(*at) + 2 => {
                    label.push(letter);
                }
                _ => letters.push((event.from, letter.to_string())),
            }
        }
        html! {
            @for (at, label) in &letters {
                text.mark x=(grid.percent(*at)) y="10" data-x=(grid.place(*at)) { (label) }
            }
        }
    }

    /// Bands and lines behind the rows.
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
                    @for (letter, event) in ('A'..='Z').zip(&self.0) { li { b { (letter) } " " (event.words) } }
                }
            }
        }
    }
}

fn event(report: &Report, incident: &Incident) -> Event {
    let words = words(incident, report);
    let from = match incident.kind {
        // Until then all was well.
        IncidentKind::Lost { .. } => incident.window.last,
        _ => incident.window.since,
    };
    Event {
        from,
        to: incident.end().unwrap_or(report.scope.now),
        words: format!("{} {}: {}", words.time, incident.state().word(), words.subject),
    }
}

fn boot(incident: &Incident) -> Option<NaiveDateTime> {
    match incident.kind {
        IncidentKind::Silent { boot, .. }
        | IncidentKind::CronDown { boot, .. }
        | IncidentKind::Lost { boot, .. } => boot,
        _ => None,
    }
}
