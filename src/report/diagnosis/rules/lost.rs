//! Finds runs that were lost together: the machine went down, or somebody killed them all.

use chrono::{NaiveDateTime, TimeDelta};

use super::silent;
use crate::report::diagnosis::evidence::{
    Claims, DurationStats, Evidence, History, JobId, Outcome, RunFlag, RunSummary, Scheduler, Scope,
};
use crate::report::diagnosis::incident::{Incident, IncidentKind, IncidentWindow};
use crate::report::history::durations::before_each;
use crate::report::runs::reading::REMOTE_PATIENCE;

/// A lost run of a job without good runs is reported this long after its last record.
const PATIENCE: TimeDelta = TimeDelta::hours(1);

/// The local time at which a run counts as lost, unless the machine booted before: when a record shows that the run is
/// dead, or else when it is overdue.
///
/// Later logs do not change this time, so hourly reports show the run once.
pub fn detected_at(run: &RunSummary, usual: &DurationStats, history: &History) -> NaiveDateTime {
    let overdue = usual.overdue(run).unwrap_or(run.last + PATIENCE);
    let is_remote = history.scheduler(run.job).is_remote();
    // The processes of another machine cannot be seen: its run counts as running until then, as hung after its limit.
    let overdue = if is_remote && usual.limit().is_none() { overdue.max(run.last + REMOTE_PATIENCE) } else { overdue };
    let dated = run.is(RunFlag::Dated).then_some(run.until);
    dated.map_or(overdue, |dated| dated.min(overdue)).max(run.last)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct LostRun {
    /// The local time of the last record.
    last: NaiveDateTime,
    /// The number in the history.
    place: usize,
    /// The local time at which the run is reported alone. By then it was dead.
    detected: NaiveDateTime,
}

/// Lost runs that may have died at one time.
struct LostGroup {
    places: Vec<usize>,
    /// The last sign of life of any run.
    since: NaiveDateTime,
    /// The time by which the first run was certainly dead.
    dead_by: NaiveDateTime,
    /// When the loss of the last run is detected. An earlier run may have been reported already.
    detected: NaiveDateTime,
    /// The boot before which they died.
    boot: Option<NaiveDateTime>,
}

impl LostGroup {
    /// `over` is the next START, and `quiet_until` the end of a long pause.
    fn incident(&self, history: &History, over: Option<NaiveDateTime>, quiet_until: Option<NaiveDateTime>) -> Incident {
        let window = IncidentWindow { since: self.since, detected_at: self.detected, last: self.since, over };
        let kind = IncidentKind::LostTogether { boot: self.boot, quiet_until };
        Incident::of_runs(kind, window, self.places.iter().map(|place| history.run(*place)))
    }
}

/// Finds runs that died together: at least two, or all that were running at a reboot or before a long silence. No other
/// run on their scheduler survived that time. If not all jobs are known, only a reboot counts.
pub fn rule(evidence: &Evidence, claims: &mut Claims) -> Vec<Incident> {
    let (history, scope) = (evidence.history, evidence.scope);
    let mut incidents = Vec::new();
    for scheduler in history.schedulers() {
        let lost = lost(history, scheduler);
        if lost.is_empty() {
            continue;
        }
        let starts = history.starts(scheduler);
        let others = others(history, scheduler);
        let (booted, lost) = by_boot(lost, &others, scheduler, scope);
        let (lost, pauses) =
            if scope.has_all_jobs { (lost, silent::pauses(&starts, scope)) } else { (Vec::new(), Vec::new()) };
        let quiet_until = |group: &LostGroup| {
            let pause = pauses.iter().find(|it| it.is_over() && (it.since..=it.last).contains(&group.since));
            pause.and_then(|pause| pause.over)
        };
        let mut groups = without_survivors(groups(lost), &others);
        groups.retain(|group| group.places.len() > 1 || quiet_until(group).is_some());
        for group in booted.into_iter().chain(groups) {
            claims.extend(&group.places);
            let next = starts.partition_point(|(start, _)| *start <= group.since);
            let next = starts.get(next).map(|(start, _)| *start).filter(|start| *start < scope.now);
            incidents.push(group.incident(history, next, quiet_until(&group)));
        }
    }
    incidents
}

/// The lost runs of a scheduler, by their last records.
fn lost(history: &History, scheduler: Scheduler) -> Vec<LostRun> {
    let is_of_it = |job: &JobId| history.scheduler(*job) == scheduler;
    let of_job = |job: JobId| {
        let lost = before_each(history, job, |run| run.outcome == Outcome::Lost);
        let with_time = |(place, run, usual): (usize, RunSummary, DurationStats)| LostRun {
            last: run.last,
            place,
            detected: detected_at(&run, &usual, history),
        };
        lost.into_iter().map(with_time)
    };
    let mut lost: Vec<LostRun> = history.job_ids().filter(is_of_it).flat_map(of_job).collect();
    lost.sort_unstable();
    lost
}

/// START and END of each run of a scheduler that was not lost, by START.
fn others(history: &History, scheduler: Scheduler) -> Vec<(NaiveDateTime, NaiveDateTime)> {
    let end = |run: &RunSummary| match run.outcome {
        Outcome::Running => NaiveDateTime::MAX,
        _ => run.last,
    };
    let others = history.runs_of(scheduler).filter(|run| run.outcome != Outcome::Lost);
    let mut others: Vec<_> = others.map(|run| (run.start, end(&run))).collect();
    others.sort_unstable();
    others
}

/// The runs that were lost before the machine's last boot, and the others. If one survived it, another machine booted.
fn by_boot(
    lost: Vec<LostRun>,
    others: &[(NaiveDateTime, NaiveDateTime)],
    scheduler: Scheduler,
    scope: &Scope,
) -> (Option<LostGroup>, Vec<LostRun>) {
    let Some(boot) = scope.boot_of(scheduler) else { return (None, lost) };
    let before = &others[..others.partition_point(|(start, _)| *start < boot)];
    if before.iter().any(|(_, end)| *end > boot) {
        return (None, lost);
    }
    let signs = before.iter().map(|(_, end)| *end);
    let lasts = lost.iter().map(|run| run.last);
    let sign = signs.chain(lasts.filter(|last| *last < boot)).max();
    // A loss that was detected while the machine was up was reported then.
    let is_booted = |run: &LostRun| run.last < boot && Some(run.detected) > sign;
    let (booted, lost): (Vec<_>, Vec<_>) = lost.into_iter().partition(is_booted);
    let group = sign.filter(|_| !booted.is_empty()).map(|since| LostGroup {
        places: booted.iter().map(|run| run.place).collect(),
        since,
        dead_by: boot,
        detected: boot,
        boot: Some(boot),
    });
    (group, lost)
}

/// Groups of runs that may have died at one time, sorted by time.
fn groups(lost: Vec<LostRun>) -> Vec<LostGroup> {
    let mut groups: Vec<LostGroup> = Vec::new();
    for LostRun { last, place, detected } in lost {
        match groups.last_mut() {
            Some(group) if last <= group.dead_by => {
                group.places.push(place);
                group.since = last;
                group.dead_by = group.dead_by.min(detected);
                group.detected = group.detected.max(detected);
            }
            _ => groups.push(LostGroup { places: vec![place], since: last, dead_by: detected, detected, boot: None }),
        }
    }
    groups
}

/// The groups for which there is a time that no other run survived. If there are several such times, the longest pause
/// between STARTs follows the time of death.
fn without_survivors(groups: Vec<LostGroup>, others: &[(NaiveDateTime, NaiveDateTime)]) -> Vec<LostGroup> {
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
