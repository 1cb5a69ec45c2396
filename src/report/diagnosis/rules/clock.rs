//! Finds jumps of a scheduler's clock.

use std::collections::BTreeMap;

use chrono::{NaiveDateTime, TimeDelta};

use crate::report::diagnosis::evidence::{Claims, DurationStats, Evidence, History, Scheduler};
use crate::report::diagnosis::incident::{Incident, IncidentKind, IncidentWindow};
use crate::report::history::durations::MIN_GOOD;

/// A record may come this long after the last slot before the jump.
const A_LITTLE: TimeDelta = TimeDelta::seconds(5);
/// How much longer than twice its usual time a run may take before that shows a jump.
const GRACE: TimeDelta = TimeDelta::minutes(1);

/// Finds the times at which a clock went back.
pub fn rule(evidence: &Evidence, _: &mut Claims) -> Vec<Incident> {
    let back = evidence.missed.back.iter().map(|back| {
        let kind = IncidentKind::ClockJumped { scheduler: back.scheduler, from: back.from, to: back.to };
        // The clock may have been ahead of now.
        let last = Some(back.from).filter(|from| *from < evidence.scope.now).unwrap_or(back.to);
        let window = IncidentWindow { since: back.to, detected_at: back.to, last, over: Some(last) };
        Incident::new(kind, window, Vec::new())
    });
    back.collect()
}

/// Turns outages in which the clock jumped or the machine stood still into jumps, each one incident: cron was running.
pub fn name_jumps(outages: impl Iterator<Item = Incident>, history: &History) -> Vec<Incident> {
    let mut named: Vec<Incident> = Vec::new();
    let mut times: BTreeMap<Scheduler, Vec<NaiveDateTime>> = BTreeMap::new();
    for mut incident in outages {
        let Some(job) = incident.jobs.first() else { continue };
        let scheduler = history.scheduler(*job);
        let times = times.entry(scheduler).or_insert_with(|| record_times(history, scheduler));
        if let Some((from, to)) = jump_over(&incident, history, scheduler, times) {
            incident.kind = IncidentKind::ClockJumped { scheduler, from, to };
            (incident.window.last, incident.window.over) = (to, Some(to));
            if let Some(known) = named.iter_mut().find(|it| it.kind == incident.kind) {
                known.join(incident);
                continue;
            }
        }
        named.push(incident);
    }
    named
}

/// The times of a scheduler's known records, sorted.
fn record_times(history: &History, scheduler: Scheduler) -> Vec<NaiveDateTime> {
    let runs = history.runs_of(scheduler);
    let mut times: Vec<NaiveDateTime> = runs.flat_map(|run| [run.start, run.last]).collect();
    times.sort_unstable();
    times
}

/// The times of the last record before an outage and the first record after, if a run shows that less time passed
/// between them: the run went on during the outage, and seems to have taken far longer than usual.
fn jump_over(
    outage: &Incident,
    history: &History,
    scheduler: Scheduler,
    times: &[NaiveDateTime],
) -> Option<(NaiveDateTime, NaiveDateTime)> {
    if let IncidentKind::CronDown { boot: Some(_), .. } = outage.kind {
        return None;
    }
    let begin = outage.window.since + A_LITTLE;
    let after = times.partition_point(|time| *time <= begin);
    let (from, to) = (*times.get(after.checked_sub(1)?)?, *times.get(after)?);
    let hole = to - from;
    if to < outage.window.last || hole <= GRACE {
        return None;
    }
    let mut across = history.runs_of(scheduler).filter(|run| run.start <= from && to <= run.last);
    let is_sign = across.any(|run| {
        let usual = DurationStats::of_job(history, run.job);
        let most = TimeDelta::seconds(usual.median.into()) * 2 + GRACE;
        usual.good >= MIN_GOOD && hole > most && run.last - run.start - hole <= most
    });
    is_sign.then_some((from, to))
}
