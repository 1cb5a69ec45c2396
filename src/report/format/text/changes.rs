//! The incidents that began or ended in a period, and nothing if there are none.

use super::{heading, incidents, page::Page, watch};
use crate::report::diagnosis;
use crate::report::format::{Incident, IncidentState, Report};

/// Returns whether an incident with failures began, or a run is ambiguous.
pub fn show(page: &mut Page, report: &Report) -> bool {
    let (mut began, mut ended) = diagnosis::changes(&report.evidence());
    let is_bad = began.iter().any(Incident::is_failure);
    let is_certain = report.tally.ambiguous == 0;
    let is_watched = report.watched().next().is_some();
    if began.is_empty() && ended.is_empty() && !is_watched && is_certain {
        return false;
    }
    let has_recovered = |it: &mut Incident| it.state() == IncidentState::Recovered;
    ended.extend(began.extract_if(.., has_recovered));
    let (since, now) = (report.scope.since, report.scope.now);
    page.title(&format!("{since} to {now}"));
    heading::show_uncertain(page, report);
    incidents::show(page, report, "Began", &began, usize::MAX);
    incidents::show(page, report, "Ended", &ended, usize::MAX);
    watch::show(page, report, usize::MAX);
    is_bad || !is_certain
}
