//! Runs that were lost together: the machine went down, or somebody killed them all.

use chrono::{NaiveDateTime, TimeDelta};

use super::usual::Usual;
use super::{Claims, Scope};
use crate::report::incident::{Incident, Kind, Window};
use crate::report::ledger::{Entry, JobId, Ledger};
use crate::report::outcome::Outcome;
use crate::report::scheduler::Scheduler;

/// If it may take longer until a run would be hung, the run is told of as soon as it is seen to be lost, and maybe
/// several times.
const PATIENCE: TimeDelta = TimeDelta::hours(1);

/// The local time by which a lost run was dead. If no record tells, it would have been hung from some time on,
/// had it still been there.
fn dead_by(run: &Entry, usual: &Usual, now: NaiveDateTime) -> NaiveDateTime {
    let hung = usual.hung_at(run, run.until).unwrap_or(run.until);
    // A log that goes on at `now` tells no earlier time, and `now` itself belongs to the next period.
    let seen = now - TimeDelta::seconds(1);
    hung.min(run.until).min(seen).max(run.last)
}

/// The local time at which it is told that a run is lost. It does not depend on when the logs are read, unless
/// that takes too long: the end of the log is a little later each time.
pub fn known(run: &Entry, usual: &Usual, now: NaiveDateTime) -> NaiveDateTime {
    let limit = usual
        .limit()
        .and_then(|limit| run.begun.checked_add_signed(limit));
    match limit.map(|limit| limit.max(run.last)) {
        Some(limit) if limit - run.last <= PATIENCE => limit,
        _ => dead_by(run, usual, now),
    }
}

/// A group of lost runs, by their places in the ledger.
struct Group {
    places: Vec<usize>,
    /// When they can have died: at the last sign of life of any of them or later,
    since: NaiveDateTime,
    /// and before the first of them is known to be dead.
    dead_by: NaiveDateTime,
    /// When the last one of them would be told of alone: one that was lost before them may have been told of already.
    known: NaiveDateTime,
}

/// The incidents in which two or more runs of one scheduler were lost, and no run of it that was going on then
/// survived.
pub fn together(ledger: &Ledger, scope: &Scope, claims: &mut Claims) -> Vec<Incident> {
    let mut incidents = Vec::new();
    for scheduler in ledger.schedulers() {
        let groups = groups(ledger, scope, scheduler);
        if groups.is_empty() {
            continue;
        }
        let starts = ledger.starts(scheduler);
        for group in without_survivors(groups, ledger, scheduler) {
            for place in &group.places {
                claims.claim(*place);
            }
            incidents.push(incident(ledger, scope, &group, &starts));
        }
    }
    incidents
}

/// The groups that have a time at which no run was going on that survived it. If there are several such times,
/// they died at the one after which nothing was started for longest.
fn without_survivors(groups: Vec<Group>, ledger: &Ledger, scheduler: Scheduler) -> Vec<Group> {
    let is_other =
        |run: &&Entry| run.outcome != Outcome::Lost && ledger.scheduler(run.job) == scheduler;
    let others = ledger.runs.iter().filter(is_other);
    let end = |run: &Entry| match run.outcome {
        Outcome::Running => NaiveDateTime::MAX,
        _ => run.last,
    };
    let mut others: Vec<_> = others.map(|run| (run.start, end(run))).collect();
    others.sort_unstable();
    let mut others = others.into_iter().peekable();
    let mut survived = NaiveDateTime::MIN;
    let dated = groups.into_iter().filter_map(|mut group| {
        let mut best: Option<(TimeDelta, NaiveDateTime)> = None;
        let mut time = group.since;
        loop {
            time = time.max(survived);
            if let Some((_, end)) = others.next_if(|(start, _)| *start <= time) {
                survived = survived.max(end);
                continue;
            }
            if time > group.dead_by {
                break;
            }
            let next = others.peek().map(|(start, _)| *start);
            let pause = next.unwrap_or(NaiveDateTime::MAX) - time;
            if best.is_none_or(|(longest, _)| longest < pause) {
                best = Some((pause, time));
            }
            let Some(next) = next else { break };
            time = next;
        }
        group.since = best?.1;
        Some(group)
    });
    dated.collect()
}

/// Runs that can have died at one time, in the order of these times.
fn groups(ledger: &Ledger, scope: &Scope, scheduler: Scheduler) -> Vec<Group> {
    let mut lost = Vec::new();
    let is_of_it = |job: &JobId| ledger.scheduler(*job) == scheduler;
    for job in ledger.job_ids().filter(is_of_it) {
        let runs = ledger.of_job(job);
        if !runs.iter().any(|run| run.outcome == Outcome::Lost) {
            continue;
        }
        let usual = Usual::of(runs);
        for (place, run) in ledger.range(job).zip(runs) {
            if run.outcome == Outcome::Lost {
                let dead_by = dead_by(run, &usual, scope.now);
                lost.push((run.last, place, dead_by, known(run, &usual, scope.now)));
            }
        }
    }
    lost.sort_unstable();
    let mut groups: Vec<Group> = Vec::new();
    for (last, place, dead_by, known) in lost {
        match groups.last_mut() {
            Some(group) if last <= group.dead_by => {
                group.places.push(place);
                group.since = last;
                group.dead_by = group.dead_by.min(dead_by);
                group.known = group.known.max(known);
            }
            _ => groups.push(Group {
                places: vec![place],
                since: last,
                dead_by,
                known,
            }),
        }
    }
    groups.retain(|group| group.places.len() > 1);
    groups
}

fn incident(ledger: &Ledger, scope: &Scope, group: &Group, starts: &[NaiveDateTime]) -> Incident {
    let next = starts.partition_point(|start| *start <= group.since);
    let next_start = starts.get(next).copied();
    let is_here = !ledger
        .scheduler(ledger.runs[group.places[0]].job)
        .is_elsewhere();
    let boot = scope.boot.filter(|_| is_here).filter(|boot| {
        *boot >= group.since && next_start.is_none_or(|start| *boot <= start) && *boot < scope.now
    });
    let known = group.known.min(next_start.unwrap_or(group.known));
    let known = boot.map_or(known, |boot| known.min(boot));
    let window = Window {
        since: group.since,
        known,
        last: group.since,
        over: next_start.filter(|start| *start < scope.now),
    };
    let kind = Kind::Lost {
        together: true,
        boot,
        quiet_until: None,
    };
    let runs = group.places.iter().map(|place| &ledger.runs[*place]);
    Incident::of_runs(kind, window, runs)
}
