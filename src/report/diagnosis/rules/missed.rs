//! Finds slots of crontab lines at which nothing was started.

use chrono::{NaiveDateTime, TimeDelta};

use super::clock::name_jumps;
use crate::report::diagnosis::evidence::{Claims, Evidence, History, Outcome, Scheduler, Scope};
use crate::report::diagnosis::incident::{Incident, IncidentKind, IncidentWindow, unique};
use crate::report::slots::missed::{Delay, Gap, Outage, Slot};

/// How long before its slot a START may come, because clocks differ.
const A_LITTLE: TimeDelta = TimeDelta::minutes(1);
/// The least time between two slots that shows that the log was full twice.
const APART: TimeDelta = TimeDelta::hours(1);

pub fn rule(evidence: &Evidence, _: &mut Claims) -> Vec<Incident> {
    let missed = evidence.missed;
    let full = full_logs(evidence);
    let is_full = |slot: &Slot| {
        let scheduler = evidence.history.scheduler(slot.job);
        let mut full = full.iter().filter(|(of, ..)| *of == scheduler);
        full.any(|(_, since, until)| (*since..=*until).contains(&slot.at))
    };
    let outages = missed.outages.iter().map(|outage| (&outage.slots, of_outage(outage, evidence.scope)));
    let gaps = missed.gaps.iter().map(|gap| (&gap.slots, of_gap(gap, evidence.history)));
    let is_unlogged = |(slots, _): &(&Vec<Slot>, Incident)| slots.iter().all(is_full);
    let (unlogged, logged): (Vec<_>, Vec<_>) = outages.chain(gaps).partition(is_unlogged);
    let incidents = |found: Vec<(_, Incident)>| found.into_iter().map(|(_, incident)| incident);
    let logged = name_jumps(incidents(logged), evidence.history).into_iter();
    let delays = missed.delays.iter().map(of_delay);
    logged.chain(delays).chain(unlogged_starts(incidents(unlogged).collect())).collect()
}

/// The times in which a log was full: its STARTs of that time are lost, whatever cron did. If the log does not show
/// when such a time began, the last START before does.
fn full_logs(evidence: &Evidence) -> Vec<(Scheduler, NaiveDateTime, NaiveDateTime)> {
    let full = evidence.missed.full.iter().filter_map(|full| {
        let last_start = || {
            let starts = evidence.history.starts(full.scheduler);
            starts.into_iter().map(|(start, _)| start).rfind(|start| *start < full.until)
        };
        let since = full.since.or_else(last_start)?;
        Some((full.scheduler, since - A_LITTLE, full.until))
    });
    full.collect()
}

/// Joins the slots at which the log was full, unless hours are between them.
fn unlogged_starts(mut incidents: Vec<Incident>) -> Vec<Incident> {
    incidents.sort_by_key(|incident| incident.window.since);
    let mut joined: Vec<Incident> = Vec::new();
    for mut incident in incidents {
        incident.kind = IncidentKind::LogFull;
        match joined.last_mut() {
            Some(last) if incident.window.since - last.window.last <= APART => last.join(incident),
            _ => joined.push(incident),
        }
    }
    joined
}

fn of_gap(gap: &Gap, history: &History) -> Incident {
    let first = &gap.slots[0];
    let kind = IncidentKind::NotStarted { place: first.place.clone(), is_ignored: gap.is_ignored };
    let mut incident = incident(kind, &gap.slots, first.detected_at, gap.over);
    let good = history.of_job(first.job).filter(|run| run.outcome == Outcome::Good && run.start < first.at);
    incident.last_good = good.map(|run| run.until).max();
    incident
}

fn of_outage(outage: &Outage, scope: &Scope) -> Incident {
    let is_in = |boot: &NaiveDateTime| outage.slots[0].at <= *boot && outage.over.is_none_or(|over| *boot <= over);
    let boot = scope.boot_of(outage.scheduler).filter(is_in);
    let kind = IncidentKind::CronDown { scheduler: outage.scheduler, boot, lost: 0 };
    incident(kind, &outage.slots, outage.detected_at, outage.over)
}

fn of_delay(delay: &Delay) -> Incident {
    let detected_at = delay.slots.iter().map(|slot| slot.detected_at).min();
    let kind = IncidentKind::Late { started: delay.started };
    incident(kind, &delay.slots, detected_at.unwrap_or(delay.started), Some(delay.started))
}

fn incident(kind: IncidentKind, slots: &[Slot], known: NaiveDateTime, over: Option<NaiveDateTime>) -> Incident {
    let window = IncidentWindow { since: slots[0].at, detected_at: known, last: slots[slots.len() - 1].at, over };
    let mut incident = Incident::new(kind, window, unique(slots.iter().map(|slot| slot.job)));
    incident.bad = slots.len() as u64;
    incident.runs = incident.bad;
    incident
}
