//! Finds jobs whose good runs take longer than before.

use crate::report::diagnosis::evidence::{Claims, DurationStats, Evidence, History, JobId, RunSummary};
use crate::report::diagnosis::incident::{Incident, IncidentKind, IncidentWindow};

/// The number of earlier good runs to compare with.
const BEFORE: usize = 50;
/// The least number of earlier good runs.
const MIN_BEFORE: usize = 10;
/// The number of good runs in a row that have to be slow, or fast again.
const IN_A_ROW: usize = 5;
/// The least growth of the duration.
const MIN_SECONDS: u32 = 10;

pub fn rule(evidence: &Evidence, _: &mut Claims) -> Vec<Incident> {
    evidence.history.job_ids().flat_map(|job| of_job(evidence.history, job)).collect()
}

fn of_job(history: &History, job: JobId) -> Vec<Incident> {
    let all = history.of_job(job);
    let good: Vec<(RunSummary, u32)> = all.filter_map(|run| Some((run, run.good_seconds()?))).collect();
    let mut incidents = Vec::new();
    let mut index = MIN_BEFORE;
    while index + IN_A_ROW <= good.len() {
        let Some(usual) = usual_before(&good, index) else {
            index += 1;
            continue;
        };
        let is_fast = |row: &[(RunSummary, u32)]| row.iter().all(|(_, it)| *it <= usual.longest);
        let fast = good[index..].windows(IN_A_ROW).position(is_fast);
        let end = fast.map_or(good.len(), |fast| index + fast);
        let over = fast.map(|fast| good[index + fast + IN_A_ROW - 1].0);
        incidents.push(incident(job, &usual, &good[index..end], over));
        index = end + IN_A_ROW;
    }
    incidents
}

/// The durations before, if the runs from `index` on are slow.
fn usual_before(good: &[(RunSummary, u32)], index: usize) -> Option<DurationStats> {
    // A quick check first: the first slow run must be slower than the run before it.
    if good[index].1 < good[index - 1].1 + MIN_SECONDS {
        return None;
    }
    let before = &good[index.saturating_sub(BEFORE)..index];
    let usual = DurationStats::of_seconds(before.iter().map(|(_, seconds)| *seconds).collect());
    let least = (usual.longest + 1).max(usual.median + usual.median / 2).max(usual.median + MIN_SECONDS);
    let row = &good[index..index + IN_A_ROW];
    row.iter().all(|(_, it)| *it >= least).then_some(usual)
}

fn incident(job: JobId, usual: &DurationStats, slow: &[(RunSummary, u32)], over: Option<RunSummary>) -> Incident {
    let now = DurationStats::of_seconds(slow.iter().map(|(_, seconds)| *seconds).collect());
    let (first, last) = (slow[0].0, slow[slow.len() - 1].0);
    let window = IncidentWindow {
        since: first.start,
        detected_at: slow[..IN_A_ROW].iter().map(|(run, _)| run.until).max().unwrap_or(first.until),
        last: last.until,
        over: over.map(|run| run.until),
    };
    let kind = IncidentKind::Slower { before: usual.median, now: now.median };
    let mut incident = Incident::new(kind, window, vec![job]);
    incident.runs = slow.len() as u64;
    incident
}
