//! Slots of crontab lines at which nothing was started.

use std::collections::HashSet;

use chrono::NaiveDateTime;

use super::Scope;
use crate::report::incident::{Incident, Kind, Window};
use crate::report::ledger::{JobId, Ledger};
use crate::report::missing::{Delay, Gap, Outage, Slot};
use crate::report::outcome::Outcome;

/// So many jobs that are missing together are one incident.
const TOGETHER: usize = 3;

/// Adds the incidents. Those in which nothing was started are told with the lines that they concern, where those are
/// known.
pub fn add(ledger: &Ledger, scope: &Scope, incidents: &mut Vec<Incident>) {
    let missing = &ledger.missing;
    let outages = missing
        .outages
        .iter()
        .map(|outage| of_outage(outage, scope));
    let outages: Vec<Incident> = outages.collect();
    incidents.retain(|incident| !outages.iter().any(|outage| explains(outage, incident)));
    incidents.extend(outages);
    incidents.extend(missing.gaps.iter().map(|gap| of_gap(gap, ledger)));
    incidents.extend(missing.delays.iter().map(of_delay));
}

/// Whether a silence is the same as an outage.
fn explains(outage: &Incident, silence: &Incident) -> bool {
    match (&outage.kind, &silence.kind) {
        (Kind::CronDown { scheduler, .. }, Kind::Silent { scheduler: other }) => {
            let ends_after = silence
                .window
                .over
                .is_none_or(|over| over >= outage.window.since);
            scheduler == other && ends_after && silence.window.since <= outage.window.last
        }
        _ => false,
    }
}

fn of_gap(gap: &Gap, ledger: &Ledger) -> Incident {
    let first = &gap.slots[0];
    let kind = Kind::NotStarted {
        place: first.place.clone(),
        is_ignored: gap.is_ignored,
    };
    let mut incident = incident(kind, &gap.slots, first.known, gap.over);
    let before = ledger.of_job(first.job).iter();
    let good = before.filter(|run| run.outcome == Outcome::Good && run.start < first.at);
    incident.last_good = good.map(|run| run.until).max();
    incident
}

fn of_outage(outage: &Outage, scope: &Scope) -> Incident {
    let (first, last) = (outage.slots[0].at, outage.slots[outage.slots.len() - 1].at);
    let is_here = !outage.scheduler.is_elsewhere();
    let boot = scope.boot.filter(|boot| {
        let is_before = outage.over.is_none_or(|over| *boot <= over);
        is_here && first <= *boot && is_before && *boot < scope.now
    });
    let kind = Kind::CronDown {
        scheduler: outage.scheduler,
        boot,
    };
    let mut incident = incident(kind, &outage.slots, known(&outage.slots), outage.over);
    incident.window.last = last;
    incident
}

fn of_delay(delay: &Delay) -> Incident {
    let known = delay.slots.iter().map(|slot| slot.known).min();
    let kind = Kind::Late {
        started: delay.started,
    };
    incident(
        kind,
        &delay.slots,
        known.unwrap_or(delay.started),
        Some(delay.started),
    )
}

/// When so many jobs were known to be missing that it was no fault of theirs.
fn known(slots: &[Slot]) -> NaiveDateTime {
    let mut slots: Vec<&Slot> = slots.iter().collect();
    slots.sort_by_key(|slot| slot.known);
    let mut jobs = HashSet::new();
    let mut slots = slots.into_iter().peekable();
    let first = slots.peek().map(|slot| slot.known).unwrap_or_default();
    let decisive = slots.find(|slot| {
        jobs.insert(slot.job);
        jobs.len() >= TOGETHER
    });
    decisive.map_or(first, |slot| slot.known)
}

fn incident(
    kind: Kind,
    slots: &[Slot],
    known: NaiveDateTime,
    over: Option<NaiveDateTime>,
) -> Incident {
    let window = Window {
        since: slots[0].at,
        known,
        last: slots[slots.len() - 1].at,
        over,
    };
    let mut jobs: Vec<JobId> = slots.iter().map(|slot| slot.job).collect();
    jobs.sort_unstable();
    jobs.dedup();
    let mut incident = Incident::new(kind, window, jobs);
    incident.bad = slots.len() as u64;
    incident.runs = incident.bad;
    incident
}
