//! A time at which nothing was started, and the runs that were lost then, in one incident: the machine was down.

use super::incident::{Incident, Kind};
use crate::report::history::Ledger;

/// Tells of the runs that were lost in an outage with that outage.
pub fn in_one(incidents: Vec<Incident>, ledger: &Ledger) -> Vec<Incident> {
    let is_outage = |incident: &Incident| matches!(incident.kind, Kind::CronDown { .. });
    let (mut outages, others): (Vec<_>, Vec<_>) = incidents.into_iter().partition(is_outage);
    let mut rest = Vec::new();
    for incident in others {
        let mut outages = outages.iter_mut();
        match outages.find(|outage| was_lost_in(&incident, outage, ledger)) {
            Some(outage) => add(outage, incident),
            None => rest.push(incident),
        }
    }
    rest.extend(outages);
    rest
}

/// Whether these are runs of the same scheduler that were lost together while nothing was started.
fn was_lost_in(incident: &Incident, outage: &Incident, ledger: &Ledger) -> bool {
    let (Kind::Lost { together: true, .. }, Kind::CronDown { scheduler, .. }, Some(job)) =
        (&incident.kind, &outage.kind, incident.jobs.first())
    else {
        return false;
    };
    let (lost, down) = (incident.window, outage.window);
    let ends_after = lost.over.is_none_or(|over| over >= down.since);
    ledger.scheduler(*job) == *scheduler && lost.since <= down.last && ends_after
}

fn add(outage: &mut Incident, incident: Incident) {
    let missing = (outage.bad, outage.runs);
    let (killed, booted) = match incident.kind {
        Kind::Lost { boot, .. } => (incident.bad, boot),
        _ => return,
    };
    outage.join(incident);
    (outage.bad, outage.runs) = missing;
    if let Kind::CronDown { boot, lost, .. } = &mut outage.kind {
        *boot = boot.or(booted);
        *lost += killed;
    }
}
