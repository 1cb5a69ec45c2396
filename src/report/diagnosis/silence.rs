//! Times in which nothing was started, although there never was such a long pause before.

use chrono::{NaiveDateTime, TimeDelta};

use super::Scope;
use crate::report::incident::{Incident, Kind, Window};
use crate::report::ledger::Ledger;

/// The logs of a shorter time do not tell how long the usual pauses are: there may be none at night.
const MIN_HISTORY: TimeDelta = TimeDelta::hours(24);

/// With fewer starts nothing is said about the pauses between them.
const MIN_STARTS: usize = 20;

/// A pause has to be so many times as long as the longest one before.
const FACTOR: i32 = 2;

/// A shorter pause is none.
const MIN_PAUSE: TimeDelta = TimeDelta::minutes(10);

/// Adds the incidents. One that is due to a reboot is told with the runs that were lost in it.
pub fn add(ledger: &Ledger, scope: &Scope, incidents: &mut Vec<Incident>) {
    let mut starts: Vec<NaiveDateTime> = ledger.runs.iter().map(|run| run.start).collect();
    starts.sort_unstable();
    let Some(first) = starts.first().copied() else {
        return;
    };
    let ends = starts[1..].iter().map(|end| (*end, Some(*end)));
    let end = scope.is_live.then_some((scope.now, None));
    let mut longest = TimeDelta::zero();
    for ((index, begin), (end, over)) in starts.iter().enumerate().zip(ends.chain(end)) {
        let pause = end - *begin;
        let limit = (longest * FACTOR).max(MIN_PAUSE);
        if index >= MIN_STARTS && *begin - first >= MIN_HISTORY && pause > limit {
            let window = Window {
                since: *begin,
                known: *begin + limit,
                last: end,
                over,
            };
            add_one(window, incidents);
        } else {
            longest = longest.max(pause);
        }
    }
}

fn add_one(window: Window, incidents: &mut Vec<Incident>) {
    for incident in incidents.iter_mut() {
        if let Kind::Lost {
            together: true,
            quiet_until,
            ..
        } = &mut incident.kind
            && window.since <= incident.window.last
            && incident.window.last <= window.last
        {
            *quiet_until = window.over;
            return;
        }
    }
    incidents.push(Incident::new(Kind::Silent, window, Vec::new()));
}
