//! Finds a job's bad runs in a row, and jobs that are good and bad in turn.
//!
//! Runs are sorted by the time at which their end was known.

use std::collections::HashMap;
use std::mem;

use chrono::NaiveDateTime;

use super::lost;
use crate::report::diagnosis::evidence::{Claims, Evidence};
use crate::report::diagnosis::incident::{Incident, IncidentKind, IncidentWindow};
use crate::report::history::durations::{DurationStats, before_each, is_long};
use crate::report::history::scope::Scope;
use crate::report::history::{History, JobId, RunSummary};
use crate::report::runs::outcome::Outcome;

/// This many bad streaks with few good runs in between are one incident.
const MIN_FLAPS: usize = 3;

/// After more good runs, a job that was good and bad in turn is good.
const FEW_GOOD: usize = 5;

#[derive(Debug, Default)]
struct Streak<'a> {
    /// Each with the time at which it was known to be bad.
    bad: Vec<(NaiveDateTime, &'a RunSummary)>,
    last_good: Option<NaiveDateTime>,
    /// The number of good runs since the streak before.
    good_before: usize,
    /// The ENDs of the first good runs after, at most [`FEW_GOOD`] and one more.
    good_after: Vec<NaiveDateTime>,
}

/// Finds the incidents of bad runs that no other incident claims.
pub fn rule(evidence: &Evidence, claims: &mut Claims) -> Vec<Incident> {
    let (history, scope) = (evidence.history, evidence.scope);
    let jobs = history.job_ids();
    jobs.flat_map(|job| of_job(history, job, scope, claims)).collect()
}

fn of_job(history: &History, job: JobId, scope: &Scope, claims: &Claims) -> Vec<Incident> {
    let places = history.range(job);
    let is_ours = |place: &usize| history.runs[*place].outcome.is_bad() && !claims.has(*place);
    if !places.clone().any(|place| is_ours(&place)) {
        return Vec::new();
    }
    let ours = places.filter(|place| history.runs[*place].outcome == Outcome::Good || is_ours(place));
    let streaks = streaks(known(history, job, ours, scope));
    let is_near = |_: &Streak, later: &Streak| later.good_before <= FEW_GOOD;
    let near = streaks.chunk_by(is_near);
    near.flat_map(|near| match near {
        flaps if flaps.len() >= MIN_FLAPS => vec![flapping(flaps)],
        streaks => streaks.iter().map(failing).collect(),
    })
    .collect()
}

/// The runs with the times at which their ends were known, sorted by these. A run that took too long was known to be
/// bad before its END.
fn known<'a>(
    history: &'a History,
    job: JobId,
    places: impl Iterator<Item = usize>,
    scope: &Scope,
) -> Vec<(NaiveDateTime, &'a RunSummary)> {
    let is_asked = |run: &RunSummary| match run.outcome {
        Outcome::Lost => true,
        Outcome::Good => false,
        _ => is_long(run, scope.now),
    };
    let asked = before_each(history, job, is_asked).into_iter();
    let first = history.range(job).start;
    let usual: HashMap<usize, DurationStats> = asked.map(|(index, _, usual)| (first + index, usual)).collect();
    let mut known: Vec<_> = places
        .map(|place| {
            let run = &history.runs[place];
            let usual = usual.get(&place).copied().unwrap_or_default();
            let at = match run.outcome {
                Outcome::Lost => lost::known(run, &usual, history),
                Outcome::Good => run.until,
                _ => usual.hung_at(run, run.until).unwrap_or(run.until),
            };
            (at, run)
        })
        .collect();
    known.sort_by_key(|(at, _)| *at);
    known
}

fn streaks(known: Vec<(NaiveDateTime, &RunSummary)>) -> Vec<Streak<'_>> {
    let mut streaks: Vec<Streak> = Vec::new();
    let mut next = Streak::default();
    for (at, run) in known {
        if run.outcome != Outcome::Good {
            next.bad.push((at, run));
            continue;
        }
        if !next.bad.is_empty() {
            streaks.push(mem::take(&mut next));
        }
        if let Some(last) = streaks.last_mut()
            && last.good_after.len() <= FEW_GOOD
        {
            // A run that started later may have ended before the bad ones.
            last.good_after.push(at);
        }
        next.good_before += 1;
        next.last_good = Some(at);
    }
    if !next.bad.is_empty() {
        streaks.push(next);
    }
    streaks
}

fn failing(streak: &Streak) -> Incident {
    let is_lost = streak.bad.iter().all(|(_, run)| run.outcome == Outcome::Lost);
    let kind = if is_lost {
        IncidentKind::Lost { together: false, boot: None, quiet_until: None }
    } else {
        IncidentKind::Failing
    };
    let (known, _) = streak.bad[0];
    incident(kind, &[streak], known, streak.good_after.first())
}

fn flapping(flaps: &[Streak]) -> Incident {
    let (known, _) = flaps[MIN_FLAPS - 1].bad[0];
    let last = flaps.last().expect("there are some");
    let streaks: Vec<&Streak> = flaps.iter().collect();
    let mut incident = incident(IncidentKind::Flapping, &streaks, known, last.good_after.get(FEW_GOOD));
    incident.runs += flaps[1..].iter().map(|flap| flap.good_before as u64).sum::<u64>();
    incident
}

fn incident(kind: IncidentKind, streaks: &[&Streak], known: NaiveDateTime, over: Option<&NaiveDateTime>) -> Incident {
    let bad = || streaks.iter().flat_map(|streak| &streak.bad);
    let first = bad().map(|(_, run)| run.start).min();
    let last = bad().map(|(at, run)| run.last.max(*at)).max();
    let window = IncidentWindow {
        since: first.expect("there is a bad run"),
        detected_at: known,
        last: last.expect("there is a bad run"),
        over: over.copied(),
    };
    let mut incident = Incident::of_runs(kind, window, bad().map(|(_, run)| *run));
    incident.last_good = streaks[0].last_good;
    incident
}
