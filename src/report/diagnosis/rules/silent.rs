//! Times in which nothing was started, although there never was such a long pause before.

use chrono::{NaiveDateTime, TimeDelta};

use crate::clock::passed;
use crate::report::diagnosis::Scope;
use crate::report::diagnosis::incident::{Incident, Kind, Window};
use crate::report::history::{JobId, Ledger};
use crate::report::logs::scheduler::Scheduler;

/// The logs of a shorter time do not tell how long the usual pauses are: there may be none at night.
const MIN_HISTORY: TimeDelta = TimeDelta::hours(24);

/// With fewer starts nothing is said about the pauses between them.
const MIN_STARTS: usize = 20;

/// A pause has to be so many times as long as the longest one before.
const FACTOR: i32 = 2;

/// A shorter pause is none.
const MIN_PAUSE: TimeDelta = TimeDelta::minutes(10);

/// Adds the incidents of each scheduler, if all of its jobs are known. One that is due to a reboot is told with the
/// runs that were lost in it.
pub fn add(ledger: &Ledger, scope: &Scope, incidents: &mut Vec<Incident>) {
    if !scope.is_whole {
        return;
    }
    for scheduler in ledger.schedulers() {
        for window in pauses(&ledger.starts(scheduler), scope) {
            if !is_reboot(window, scheduler, ledger, incidents) {
                let is_in = |boot: &NaiveDateTime| window.since < *boot && *boot <= window.last;
                let boot = scope.boot_of(scheduler).filter(is_in);
                let kind = Kind::Silent { scheduler, boot };
                incidents.push(Incident::new(kind, window, Vec::new()));
            }
        }
    }
}

/// The pauses between `starts` that are longer than any before.
pub fn pauses(starts: &[NaiveDateTime], scope: &Scope) -> Vec<Window> {
    let mut pauses = Vec::new();
    let Some(first) = starts.first().copied() else {
        return pauses;
    };
    let ends = starts[1..].iter().map(|end| (*end, Some(*end)));
    let end = scope.is_live.then_some((scope.now, None));
    let mut longest = TimeDelta::zero();
    for ((index, begin), (end, over)) in starts.iter().enumerate().zip(ends.chain(end)) {
        let shown = end - *begin;
        let pause = if shown > MIN_PAUSE {
            passed(*begin, end)
        } else {
            shown
        };
        let limit = (longest * FACTOR).max(MIN_PAUSE);
        if index >= MIN_STARTS && *begin - first >= MIN_HISTORY && pause > limit {
            let window = Window {
                since: *begin,
                known: *begin + limit,
                last: end,
                over,
            };
            pauses.push(window);
        } else {
            longest = longest.max(pause);
        }
    }
    pauses
}

/// Notes the pause with the runs of the same scheduler that were lost in it. Returns false if there are none, or if
/// the pause goes on: that nothing is started is to be known, whoever has been told of the lost runs.
fn is_reboot(
    window: Window,
    scheduler: Scheduler,
    ledger: &Ledger,
    incidents: &mut [Incident],
) -> bool {
    if window.over.is_none() {
        return false;
    }
    for incident in incidents {
        let is_of_it = |job: &JobId| ledger.scheduler(*job) == scheduler;
        if let Kind::Lost {
            together: true,
            quiet_until,
            ..
        } = &mut incident.kind
            && window.since <= incident.window.last
            && incident.window.last <= window.last
            && incident.jobs.iter().any(is_of_it)
        {
            *quiet_until = window.over;
            return true;
        }
    }
    false
}
