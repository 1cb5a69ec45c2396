//! Marks across all rows of the timeline, for what concerned all jobs at once: stops of cron, boots, jumps of the
//! clock, changes of a crontab.

use chrono::NaiveDateTime;
use maud::{Markup, html};

use super::{grid::Grid, limits};
use crate::clock::local_time;
use crate::report::diagnosis;
use crate::report::format::crontabs::path;
use crate::report::format::text::incident_words::IncidentWords;
use crate::report::format::{Expected, Incident, IncidentKind, Report};

pub struct Mark {
    from: NaiveDateTime,
    to: NaiveDateTime,
    words: String,
}

pub fn of(report: &Report, grid: &Grid) -> Vec<Mark> {
    let incidents = diagnosis::incidents(&report.evidence());
    let end = grid.time(grid.columns);
    let of_all = incidents.iter().filter(|incident| incident.is_of_all());
    let mut marks: Vec<Mark> = of_all.map(|incident| mark(report, incident)).collect();
    let mut point = |at: NaiveDateTime, what: &str| {
        let words = format!("{} {what}", report.clock().time(at));
        marks.push(Mark { from: at, to: at, words });
    };
    for at in incidents.iter().filter_map(Incident::boot).chain(report.scope.boot) {
        point(at, "this machine booted");
    }
    for entry in report.crontabs.iter().flat_map(Expected::wanted).flat_map(|job| &job.lines) {
        if let Some(at) = entry.changed.map(local_time) {
            point(at, &format!("{} was changed", path(&entry.place.file)));
        }
    }
    marks.retain(|mark| mark.to >= grid.begin && mark.from < end);
    marks.sort_by(|one, other| (one.from, &one.words).cmp(&(other.from, &other.words)));
    marks.dedup_by(|one, other| one.words == other.words);
    marks.truncate(limits::MARKS);
    marks
}

/// Draws bands and lines behind the rows.
pub fn draw(marks: &[Mark], grid: &Grid) -> Markup {
    html! {
        @for mark in marks {
            @let (from, to) = (grid.place(mark.from), grid.place(mark.to));
            @if from != to { path.band d={ "M" (from) " 0V1H" (to) "V0z" } {} }
            path.edge d={ "M" (from) " 0V1" } {}
        }
    }
}

pub fn in_words(marks: &[Mark]) -> Markup {
    html! {
        @if !marks.is_empty() {
            ul.marks-list aria-label="Marks across all rows" {
                @for mark in marks { li { (mark.words) } }
            }
        }
    }
}

fn mark(report: &Report, incident: &Incident) -> Mark {
    let words = IncidentWords::of(incident, report);
    let from = match incident.kind {
        // The runs were alive until then.
        IncidentKind::Lost | IncidentKind::LostTogether { .. } => incident.window.last,
        _ => incident.window.since,
    };
    Mark {
        from,
        to: incident.end().unwrap_or(report.scope.now),
        words: format!("{} {}: {}", words.time, incident.state().word(), words.whole_subject()),
    }
}
