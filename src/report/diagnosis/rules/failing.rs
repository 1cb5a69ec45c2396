//! Finds a job's bad runs in a row, and jobs that are good and bad in turn.
//!
//! Runs are sorted by the time at which their end was detected.

use std::mem;

use chrono::NaiveDateTime;

use super::lost;
use crate::report::diagnosis::evidence::{Claims, DurationStats, Evidence, History, JobId, Outcome, RunSummary};
use crate::report::diagnosis::incident::{Incident, IncidentKind, IncidentWindow};
use crate::report::history::durations::before_each;

/// The least number of bad streaks, with few good runs in between, that are one incident.
const MIN_FLAPS: usize = 3;
/// The most good runs in a row of a job that is good and bad in turn.
const FEW_GOOD: usize = 5;

#[derive(Debug, Default)]
struct Streak {
    /// Bad runs, each with the time at which it was detected.
    bad: Vec<(NaiveDateTime, RunSummary)>,
    last_good: Option<NaiveDateTime>,
    /// The number of good runs since the streak before.
    good_before: usize,
    /// The ENDs of the first good runs after, at most [`FEW_GOOD`] and one more.
    good_after: Vec<NaiveDateTime>,
}

/// Finds the incidents of bad runs that no other incident claims.
pub fn rule(evidence: &Evidence, claims: &mut Claims) -> Vec<Incident> {
    evidence.history.job_ids().flat_map(|job| of_job(evidence.history, job, claims)).collect()
}

fn of_job(history: &History, job: JobId, claims: &Claims) -> Vec<Incident> {
    let bad = before_each(history, job, |run| run.outcome.is_bad()).into_iter();
    let ours = bad.filter(|(place, ..)| !claims.contains(place));
    let mut detected: Vec<(NaiveDateTime, usize)> =
        ours.map(|(place, run, usual)| (detected_at(&run, &usual, history), place)).collect();
    if detected.is_empty() {
        return Vec::new();
    }
    let runs = history.range(job).zip(history.of_job(job));
    detected.extend(runs.filter(|(_, run)| run.outcome == Outcome::Good).map(|(place, run)| (run.until, place)));
    detected.sort_unstable();
    let streaks = streaks(detected.into_iter().map(|(at, place)| (at, history.run(place))));
    let near = streaks.chunk_by(|_, later| later.good_before <= FEW_GOOD);
    near.flat_map(|near| match near {
        flaps if flaps.len() >= MIN_FLAPS => vec![flapping(flaps)],
        streaks => streaks.iter().map(failing).collect(),
    })
    .collect()
}

/// When a bad run was detected. A run that took too long was detected before its END.
fn detected_at(run: &RunSummary, usual: &DurationStats, history: &History) -> NaiveDateTime {
    match run.outcome {
        Outcome::Lost => lost::detected_at(run, usual, history),
        _ => usual.hung_at(run, run.until).unwrap_or(run.until),
    }
}

fn streaks(detected: impl Iterator<Item = (NaiveDateTime, RunSummary)>) -> Vec<Streak> {
    let mut streaks: Vec<Streak> = Vec::new();
    let mut next = Streak::default();
    for (at, run) in detected {
        if run.outcome != Outcome::Good {
            next.bad.push((at, run));
            continue;
        }
        if !next.bad.is_empty() {
            streaks.push(mem::take(&mut next));
        }
        if let Some(last) = streaks.last_mut().filter(|last| last.good_after.len() <= FEW_GOOD) {
            // A run that started later may have ended before the bad runs.
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
    let kind = if is_lost { IncidentKind::Lost } else { IncidentKind::Failing };
    let (detected_at, _) = streak.bad[0];
    incident(kind, &[streak], detected_at, streak.good_after.first())
}

fn flapping(flaps: &[Streak]) -> Incident {
    let (detected_at, _) = flaps[MIN_FLAPS - 1].bad[0];
    let last = flaps.last().expect("there are some");
    let streaks: Vec<&Streak> = flaps.iter().collect();
    let mut incident = incident(IncidentKind::Flapping, &streaks, detected_at, last.good_after.get(FEW_GOOD));
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
