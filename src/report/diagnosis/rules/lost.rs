//! Runs that were lost together: the machine went down, or somebody killed them all.

use chrono::{NaiveDateTime, TimeDelta};

use super::silent;
use crate::machine;
use crate::report::diagnosis::evidence::{Claims, Evidence};
use crate::report::diagnosis::incident::{Incident, Kind, Window};
use crate::report::history::durations::{Usual, before_each};
use crate::report::history::scope::Scope;
use crate::report::history::{Entry, JobId, Ledger, Mark};
use crate::report::logs::scheduler::Scheduler;
use crate::report::runs::outcome::Outcome;

/// A lost run of a job without a good one is told so long after its last record.
const PATIENCE: TimeDelta = TimeDelta::hours(1);

/// The local time at which it is told that a run is lost, if the machine has not booted before.
///
/// Later logs do not change it, so that a report of each hour tells it once: when a record shows that the run is
/// dead, or else when it is overdue.
pub fn known(run: &Entry, usual: &Usual, ledger: &Ledger) -> NaiveDateTime {
    let overdue = usual.overdue(run).unwrap_or(run.last + PATIENCE);
    let is_elsewhere = ledger.scheduler(run.job).is_elsewhere();
    // Of a machine that nobody here can ask, a run counts as running before. Then it may be hung.
    let overdue = if is_elsewhere && usual.limit().is_none() {
        overdue.max(run.last + machine::PATIENCE)
    } else {
        overdue
    };
    let dated = run.is(Mark::Dated).then_some(run.until);
    dated
        .map_or(overdue, |dated| dated.min(overdue))
        .max(run.last)
}

/// A lost run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Lost {
    /// The local time of its last record.
    last: NaiveDateTime,
    /// Its place in the ledger.
    place: usize,
    /// The local time at which it is told alone. By then it was dead.
    known: NaiveDateTime,
}

/// Lost runs that can have died at one time.
struct Group {
    places: Vec<usize>,
    /// When they can have died: at the last sign of life of any of them or later,
    since: NaiveDateTime,
    /// and before the first of them is known to be dead.
    dead_by: NaiveDateTime,
    /// When it is known of the last one of them: one that was lost before them may have been told of already.
    known: NaiveDateTime,
    /// The boot after which they are known to be dead.
    boot: Option<NaiveDateTime>,
}

/// Finds runs that died together: at least two, or all that were running at a reboot or before a long silence. No run
/// of their scheduler that was going on then survived. If not all jobs are known, only a reboot shows it.
pub fn rule(evidence: &Evidence, claims: &mut Claims) -> Vec<Incident> {
    let (ledger, scope) = (evidence.history, evidence.scope);
    let mut incidents = Vec::new();
    for scheduler in ledger.schedulers() {
        let lost = lost(ledger, scheduler);
        if lost.is_empty() {
            continue;
        }
        let starts = ledger.starts(scheduler);
        let pauses = silent::pauses(&starts, scope);
        let others = others(ledger, scheduler);
        let (booted, lost) = by_boot(lost, &others, scheduler, scope);
        let lost = if scope.has_all_jobs { lost } else { Vec::new() };
        let mut groups = without_survivors(groups(lost), &others);
        groups.retain(|group| {
            let is_pause = |pause: &Window| {
                pause.is_over() && (pause.since..=pause.last).contains(&group.since)
            };
            group.places.len() > 1 || pauses.iter().any(is_pause)
        });
        for group in booted.into_iter().chain(groups) {
            for place in &group.places {
                claims.claim(*place);
            }
            incidents.push(incident(ledger, scope, &group, &starts));
        }
    }
    incidents
}

/// The lost runs of a scheduler, in the order of their last records.
fn lost(ledger: &Ledger, scheduler: Scheduler) -> Vec<Lost> {
    let is_of_it = |job: &JobId| ledger.scheduler(*job) == scheduler;
    let of_job = |job: JobId| {
        let first = ledger.range(job).start;
        let lost = before_each(ledger, job, |run| run.outcome == Outcome::Lost);
        lost.into_iter().map(move |(index, run, usual)| Lost {
            last: run.last,
            place: first + index,
            known: known(run, &usual, ledger),
        })
    };
    let jobs = ledger.job_ids().filter(is_of_it);
    let mut lost: Vec<Lost> = jobs.flat_map(of_job).collect();
    lost.sort_unstable();
    lost
}

/// The STARTs of the runs of a scheduler that were not lost, each with its END, in the order of the STARTs.
fn others(ledger: &Ledger, scheduler: Scheduler) -> Vec<(NaiveDateTime, NaiveDateTime)> {
    let is_other =
        |run: &&Entry| run.outcome != Outcome::Lost && ledger.scheduler(run.job) == scheduler;
    let end = |run: &Entry| match run.outcome {
        Outcome::Running => NaiveDateTime::MAX,
        _ => run.last,
    };
    let others = ledger.runs.iter().filter(is_other);
    let mut others: Vec<_> = others.map(|run| (run.start, end(run))).collect();
    others.sort_unstable();
    others
}

/// The runs that were lost when the machine went down before its last boot, and the other ones. A boot that a run
/// survived was that of another machine.
fn by_boot(
    lost: Vec<Lost>,
    others: &[(NaiveDateTime, NaiveDateTime)],
    scheduler: Scheduler,
    scope: &Scope,
) -> (Option<Group>, Vec<Lost>) {
    let Some(boot) = scope.boot_of(scheduler) else {
        return (None, lost);
    };
    let before = &others[..others.partition_point(|(start, _)| *start < boot)];
    if before.iter().any(|(_, end)| *end > boot) {
        return (None, lost);
    }
    let signs = before.iter().map(|(_, end)| *end);
    let lasts = lost.iter().map(|run| run.last);
    let sign = signs.chain(lasts.filter(|last| *last < boot)).max();
    // What was known while the machine was up was told then.
    let is_booted = |run: &Lost| run.last < boot && Some(run.known) > sign;
    let (booted, lost): (Vec<_>, Vec<_>) = lost.into_iter().partition(is_booted);
    let group = sign.filter(|_| !booted.is_empty()).map(|since| Group {
        places: booted.iter().map(|run| run.place).collect(),
        since,
        dead_by: boot,
        known: boot,
        boot: Some(boot),
    });
    (group, lost)
}

/// Runs that can have died at one time, in the order of these times.
fn groups(lost: Vec<Lost>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for Lost { last, place, known } in lost {
        match groups.last_mut() {
            Some(group) if last <= group.dead_by => {
                group.places.push(place);
                group.since = last;
                group.dead_by = group.dead_by.min(known);
                group.known = group.known.max(known);
            }
            _ => groups.push(Group {
                places: vec![place],
                since: last,
                dead_by: known,
                known,
                boot: None,
            }),
        }
    }
    groups
}

/// The groups that have a time at which none of the other runs was going on that survived it. If there are several
/// such times, they died at the one after which nothing was started for longest.
fn without_survivors(groups: Vec<Group>, others: &[(NaiveDateTime, NaiveDateTime)]) -> Vec<Group> {
    let mut others = others.iter().copied().peekable();
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

fn incident(ledger: &Ledger, scope: &Scope, group: &Group, starts: &[NaiveDateTime]) -> Incident {
    let next = starts.partition_point(|start| *start <= group.since);
    let next_start = starts.get(next).copied();
    let window = Window {
        since: group.since,
        known: group.known,
        last: group.since,
        over: next_start.filter(|start| *start < scope.now),
    };
    let kind = Kind::Lost {
        together: true,
        boot: group.boot,
        quiet_until: None,
    };
    let runs = group.places.iter().map(|place| &ledger.runs[*place]);
    Incident::of_runs(kind, window, runs)
}
