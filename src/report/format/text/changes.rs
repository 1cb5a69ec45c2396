//! The incidents that began or ended in a period, and nothing if there are none.

use super::incidents;
use super::page::Page;
use crate::report::diagnosis;
use crate::report::diagnosis::incident::Incident;
use crate::report::format::report::Report;

/// Shows them. Returns whether any began.
pub fn show(page: &mut Page, report: &Report) -> bool {
    let (began, ended) = diagnosis::changes(&report.evidence());
    if began.is_empty() && ended.is_empty() {
        return false;
    }
    let (since, now) = (report.scope.since, report.scope.now);
    page.title(&format!("{since} to {now}"));
    for (title, incidents) in [("Began", &began), ("Ended", &ended)] {
        if !incidents.is_empty() {
            page.heading(title);
            let incidents: Vec<&Incident> = incidents.iter().collect();
            incidents::show(page, report, &incidents);
        }
    }
    began.iter().any(Incident::is_failure)
}
