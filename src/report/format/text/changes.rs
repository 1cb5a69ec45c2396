//! The incidents that began or ended in a period, and nothing if there are none.

use super::page::Page;
use super::{View, first_screen, incidents};
use crate::report::diagnosis;
use crate::report::diagnosis::incident::Incident;

/// Shows them. Returns whether any began.
pub fn show(page: &mut Page, view: &View) -> bool {
    let (began, ended) = diagnosis::changes(view.ledger, &view.scope);
    let is_certain = view.tally.ambiguous == 0;
    if began.is_empty() && ended.is_empty() && is_certain {
        return false;
    }
    let (since, now) = (view.scope.since, view.scope.now);
    page.title(&format!("{since} to {now}"));
    first_screen::show_uncertain(page, view);
    for (title, incidents) in [("Began", &began), ("Ended", &ended)] {
        if !incidents.is_empty() {
            page.heading(title);
            let incidents: Vec<&Incident> = incidents.iter().collect();
            incidents::show(page, view, &incidents);
        }
    }
    began.iter().any(Incident::is_failure) || !is_certain
}
