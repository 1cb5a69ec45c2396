//! Finds the incidents: each rule finds incidents of one kind, and then incidents that belong together are merged.

mod cause;
pub mod evidence;
pub mod incident;
pub mod job_changes;
pub mod merge;
pub mod order;
pub mod rules;
pub mod watch;

use super::history::scope::Scope;
use evidence::{Claims, Evidence, Rule};
use incident::{Incident, IncidentKind, IncidentWindow};
use rules::{clock, dropped, failing, hung, lost, missed, silent, slower, unreachable};

/// A bad run belongs to the first rule that claims it.
const RULES: [Rule; 9] = [
    lost::rule,
    unreachable::rule,
    dropped::rule,
    hung::rule,
    failing::rule,
    slower::rule,
    silent::rule,
    missed::rule,
    clock::rule,
];

/// All incidents, each of a job, a host or a time.
pub fn incidents(evidence: &Evidence) -> Vec<Incident> {
    let mut claims = Claims::new();
    let found = RULES.iter().flat_map(|rule| rule(evidence, &mut claims));
    let mut incidents = merge::merge_refused(found.collect(), evidence.history);
    merge::drop_explained(&mut incidents, evidence.history);
    let last_ended = merge::last_ended(evidence.history);
    for incident in &mut incidents {
        incident.not_recovered = merge::not_recovered(incident, evidence.history, &last_ended);
    }
    incidents
}

/// The incidents of the period, with similar ones merged, the most pressing first.
pub fn of_period(evidence: &Evidence) -> Vec<Incident> {
    let (history, scope) = (evidence.history, evidence.scope);
    let mut incidents = incidents(evidence);
    incidents.retain(|incident| is_of_period(incident, scope));
    let incidents = merge::merge_downtime(incidents, history);
    let incidents = merge::merge_repeated(incidents);
    order::sorted(merge::merge_alike(incidents, history), evidence)
}

/// The incidents that began in the period, and other incidents that ended in it.
pub fn changes(evidence: &Evidence) -> (Vec<Incident>, Vec<Incident>) {
    let (history, scope) = (evidence.history, evidence.scope);
    let is_new = |incident: &Incident| scope.includes(incident.window.detected_at);
    let (began, mut ended): (Vec<_>, Vec<_>) = incidents(evidence).into_iter().partition(is_new);
    // An incident that is not detected yet begins in a later period.
    let has_ended = |incident: &Incident| {
        let IncidentWindow { detected_at, over, .. } = incident.window;
        detected_at < scope.since && over.is_some_and(|over| scope.includes(over))
    };
    ended.retain(has_ended);
    let show = |incidents| order::sorted(merge::merge_alike(incidents, history), evidence);
    (show(began), show(ended))
}

/// Whether an incident goes on at the end of the period, or was not over at its beginning.
fn is_of_period(incident: &Incident, scope: &Scope) -> bool {
    if !incident.is_over() {
        return true;
    }
    let over = match incident.kind {
        IncidentKind::Dropped { .. } => Some(incident.window.last),
        _ => incident.window.over,
    };
    over.is_none_or(|over| over >= scope.since)
}
