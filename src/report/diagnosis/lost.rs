//! Runs that were lost together: the machine went down, or somebody killed them all.

use chrono::NaiveDateTime;

use super::usual::Usual;
use super::{Claims, Scope};
use crate::report::incident::{Incident, Kind, Window};
use crate::report::ledger::{Entry, Ledger};
use crate::report::outcome::Outcome;

/// The local time by which a lost run was dead. If no record tells, it would have been hung from some time on,
/// had it still been there.
pub fn dead_by(run: &Entry, usual: &Usual, now: NaiveDateTime) -> NaiveDateTime {
    let hung = usual.hung_at(run, run.until).unwrap_or(run.until);
    hung.max(run.last).min(run.until).min(now)
}

/// A group of lost runs, by their places in the ledger.
struct Group {
    places: Vec<usize>,
    /// When they can have died: at the last sign of life of any of them or later,
    since: NaiveDateTime,
    /// and before the first of them is known to be dead.
    dead_by: NaiveDateTime,
}

/// The incidents in which two or more runs were lost, and no run that was going on then survived.
pub fn together(ledger: &Ledger, scope: &Scope, claims: &mut Claims) -> Vec<Incident> {
    let groups = groups(ledger, scope);
    if groups.is_empty() {
        return Vec::new();
    }
    let groups = without_survivors(groups, ledger);
    let mut starts: Vec<NaiveDateTime> = ledger.runs.iter().map(|run| run.start).collect();
    starts.sort_unstable();
    let incident = |group: Group| {
        group.places.iter().for_each(|place| claims.claim(*place));
        incident(ledger, scope, &group, &starts)
    };
    groups.into_iter().map(incident).collect()
}

/// The groups that have a time at which no run was going on that survived it. They died at the first such time.
fn without_survivors(groups: Vec<Group>, ledger: &Ledger) -> Vec<Group> {
    let others = ledger
        .runs
        .iter()
        .filter(|run| run.outcome != Outcome::Lost);
    let end = |run: &Entry| match run.outcome {
        Outcome::Running => NaiveDateTime::MAX,
        _ => run.last,
    };
    let mut others: Vec<_> = others.map(|run| (run.start, end(run))).collect();
    others.sort_unstable();
    let mut others = others.into_iter().peekable();
    let mut survived = NaiveDateTime::MIN;
    let dated = groups.into_iter().filter_map(|mut group| {
        loop {
            group.since = group.since.max(survived);
            let Some((_, end)) = others.next_if(|(start, _)| *start <= group.since) else {
                break;
            };
            survived = survived.max(end);
        }
        (group.since <= group.dead_by).then_some(group)
    });
    dated.collect()
}

/// Runs that can have died at one time, in the order of these times.
fn groups(ledger: &Ledger, scope: &Scope) -> Vec<Group> {
    let mut lost = Vec::new();
    for job in ledger.job_ids() {
        let runs = ledger.of_job(job);
        if !runs.iter().any(|run| run.outcome == Outcome::Lost) {
            continue;
        }
        let usual = Usual::of(runs);
        for (place, run) in ledger.range(job).zip(runs) {
            if run.outcome == Outcome::Lost {
                lost.push((run.last, place, dead_by(run, &usual, scope.now)));
            }
        }
    }
    lost.sort_unstable();
    let mut groups: Vec<Group> = Vec::new();
    for (last, place, dead_by) in lost {
        match groups.last_mut() {
            Some(group) if last <= group.dead_by => {
                group.places.push(place);
                group.since = last;
                group.dead_by = group.dead_by.min(dead_by);
            }
            _ => groups.push(Group {
                places: vec![place],
                since: last,
                dead_by,
            }),
        }
    }
    groups.retain(|group| group.places.len() > 1);
    groups
}

fn incident(ledger: &Ledger, scope: &Scope, group: &Group, starts: &[NaiveDateTime]) -> Incident {
    let next = starts.partition_point(|start| *start <= group.since);
    let next_start = starts.get(next).copied();
    let boot = scope.boot.filter(|boot| {
        *boot >= group.since && next_start.is_none_or(|start| *boot <= start) && *boot < scope.now
    });
    let known = group.dead_by.min(next_start.unwrap_or(group.dead_by));
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
