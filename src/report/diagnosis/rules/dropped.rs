//! Finds single connections that a server dropped while it took others.

use chrono::{NaiveDateTime, TimeDelta, Timelike};

use super::contacts::failed_contacts;
use crate::report::diagnosis::evidence::{Claims, Evidence, History, Outcome, RunSummary, Scope};
use crate::report::diagnosis::incident::{Herd, Incident, IncidentKind, IncidentWindow};

/// Drops of rare jobs this far apart belong to different incidents: no later run replaces a rare job's run.
const SELDOM_APART: TimeDelta = TimeDelta::minutes(10);
/// The same for drops of other jobs.
const APART: TimeDelta = TimeDelta::hours(6);
/// A job with more time between two STARTs is rare.
const OFTEN: TimeDelta = TimeDelta::hours(1);
/// The least number of drops of a herd.
const MIN_HERD: u64 = 3;

/// Finds crowds of drops, each as one incident.
pub fn rule(evidence: &Evidence, claims: &mut Claims) -> Vec<Incident> {
    let (history, scope) = (evidence.history, evidence.scope);
    let rows = failed_contacts(history).into_iter().filter(|row| row.is_dropping_only(history));
    let places: Vec<usize> = rows.flat_map(|row| row.failed).collect();
    claims.extend(&places);
    let is_seldom = |place: &usize| runs_seldom(history, *place);
    let (seldom, often): (Vec<_>, Vec<_>) = places.into_iter().partition(is_seldom);
    let mut incidents = drops(history, seldom, SELDOM_APART, scope);
    incidents.extend(drops(history, often, APART, scope));
    incidents
}

/// Whether the START before a run, or if there is none the next START of the job, is more than [`OFTEN`] away.
fn runs_seldom(history: &History, place: usize) -> bool {
    let run = history.run(place);
    let range = history.range(run.job);
    let before = (place > range.start).then(|| run.start - history.run(place - 1).start);
    let after = (place + 1 < range.end).then(|| history.run(place + 1).start - run.start);
    before.or(after).is_none_or(|time| time > OFTEN)
}

/// Groups drops into incidents that are `apart` from each other.
fn drops(history: &History, mut places: Vec<usize>, apart: TimeDelta, scope: &Scope) -> Vec<Incident> {
    places.sort_unstable_by_key(|place| history.run(*place).start);
    let is_near = |one: &usize, other: &usize| history.run(*other).start - history.run(*one).start < apart;
    let incident = |places: &[usize]| {
        let runs: Vec<RunSummary> = places.iter().map(|place| history.run(*place)).collect();
        // None if a job has had no good run since.
        let good: Option<Vec<NaiveDateTime>> = runs.iter().map(|run| good_after(history, run)).collect();
        let good = good.and_then(|good| good.into_iter().max());
        let mut window = IncidentWindow::of_bad_runs(&runs, None);
        window.over = good.map(|good| good.max(window.last + apart)).filter(|over| *over < scope.now);
        let herd = herd(history, &runs, &window);
        Incident::of_runs(IncidentKind::Dropped { herd }, window, runs)
    };
    places.chunk_by(is_near).map(incident).collect()
}

/// The local time of the END of the next good run of the job.
fn good_after(history: &History, run: &RunSummary) -> Option<NaiveDateTime> {
    let is_good = |other: &RunSummary| other.outcome == Outcome::Good && other.until >= run.until;
    history.since(run.job, run.start).find(is_good).map(|good| good.until)
}

/// The three seconds of the minute with the most drops, if these are denser there than starts: servers drop the crowd.
fn herd(history: &History, dropped: &[RunSummary], window: &IncidentWindow) -> Option<Herd> {
    let in_window = |job| history.since(job, window.since).take_while(|run| run.start <= window.last);
    let starts = by_second(history.job_ids().flat_map(in_window));
    let drops = by_second(dropped.iter().copied());
    let sum = |counts: &[u64; 60], first: usize| -> u64 { (first..first + 3).map(|second| counts[second % 60]).sum() };
    let (all_starts, all_drops) = (starts.iter().sum::<u64>(), drops.iter().sum::<u64>());
    let first = (0..60).max_by_key(|first| (sum(&drops, *first), 60 - first))?;
    let dropped = sum(&drops, first);
    let started = sum(&starts, first);
    let is_denser = dropped * all_starts > all_drops * started;
    let is_all = started * 10 >= all_starts * 9;
    let herd = Herd { first: u32::try_from(first).ok()?, last: u32::try_from((first + 2) % 60).ok()?, dropped };
    (all_drops >= MIN_HERD && dropped * 2 >= all_drops && (is_denser || is_all)).then_some(herd)
}

fn by_second(runs: impl Iterator<Item = RunSummary>) -> [u64; 60] {
    let mut counts = [0; 60];
    for run in runs {
        // A leap second counts as the second before it.
        counts[run.start.second().min(59) as usize] += 1;
    }
    counts
}
