//! Finds times in which nothing was started, for longer than ever before.

use chrono::{NaiveDateTime, TimeDelta};

use crate::clock::passed;
use crate::report::diagnosis::evidence::{Claims, Evidence, Scope};
use crate::report::diagnosis::incident::{Incident, IncidentKind, IncidentWindow};

/// Shorter logs do not show the usual pauses: perhaps nothing starts at night.
const MIN_HISTORY: TimeDelta = TimeDelta::hours(24);
/// The least number of starts before a pause.
const MIN_STARTS: usize = 20;
/// The factor by which a pause has to be longer than any pause before.
const FACTOR: i32 = 2;
/// The shortest pause that counts.
const MIN_PAUSE: TimeDelta = TimeDelta::minutes(10);

/// Finds pauses of schedulers, if all their jobs were read.
pub fn rule(evidence: &Evidence, _: &mut Claims) -> Vec<Incident> {
    let (history, scope) = (evidence.history, evidence.scope);
    let mut incidents = Vec::new();
    if !scope.has_all_jobs {
        return incidents;
    }
    for scheduler in history.schedulers() {
        for window in pauses(&history.starts(scheduler), scope) {
            let boot = scope.boot_of(scheduler).filter(|boot| window.since < *boot && *boot <= window.last);
            let kind = IncidentKind::Silent { scheduler, boot };
            incidents.push(Incident::new(kind, window, Vec::new()));
        }
    }
    incidents
}

/// The pauses between `starts` that are longer than any before.
pub fn pauses(starts: &[(NaiveDateTime, usize)], scope: &Scope) -> Vec<IncidentWindow> {
    let mut pauses = Vec::new();
    let Some((first, _)) = starts.first().copied() else { return pauses };
    let ends = starts[1..].iter().map(|(end, _)| (*end, Some(*end)));
    let end = scope.is_live.then_some((scope.now, None));
    let (mut longest, mut started) = (TimeDelta::zero(), 0);
    for ((begin, count), (end, over)) in starts.iter().copied().zip(ends.chain(end)) {
        started += count;
        let shown = end - begin;
        let pause = if shown > MIN_PAUSE { passed(begin, end) } else { shown };
        let limit = (longest * FACTOR).max(MIN_PAUSE);
        if started > MIN_STARTS && begin - first >= MIN_HISTORY && pause > limit {
            let window = IncidentWindow { since: begin, detected_at: begin + limit, last: end, over };
            pauses.push(window);
        } else {
            longest = longest.max(pause);
        }
    }
    pauses
}
