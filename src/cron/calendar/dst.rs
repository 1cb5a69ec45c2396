//! The behaviour of a cron daemon as the clock jumps: which local minutes it runs, and when.
//!
//! The daemon counts local minutes. When summer time begins or ends, it runs some of them late or only in part
//! (cron(8), "daylight saving time"; `cron.c` of either daemon). So a period is a list of intervals, and the daemon
//! treats all minutes of an interval alike. Minutes are counted from 1970, local ones as if local time were UTC.

use std::ops::Range;

use super::zone::Zone;

/// A larger jump of the clock, in minutes, is not summer time: the daemon goes on from there.
const LARGEST_CHANGE: i64 = 3 * 60;
/// The longest gap, in minutes, that the daemon makes up for in full.
const CAUGHT_UP: i64 = 5;

pub struct ClockInterval {
    pub local: Range<i64>,
    pub lines: DueLines,
    pub when: Pace,
}

pub enum DueLines {
    All,
    /// Lines whose minute or hour begins with `*`: the others have already run.
    Wildcard,
    /// Lines without such a `*`: wildcard lines follow the clock.
    FixedTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Each minute in its time, given the offset from UTC in minutes.
    InTime(i64),
    /// All minutes in a row at this minute of UTC, because the clock has skipped them.
    CatchUpAt(i64),
}

/// The intervals from the minute `from` up to `until`, both of UTC, in which a daemon runs lines.
pub fn clock_intervals(zone: &Zone, from: i64, until: i64) -> Vec<ClockInterval> {
    // After a jump back the daemon skips lines for three hours at most, so it is back to normal when the period begins.
    let offsets = zone.offsets(from - 2 * LARGEST_CHANGE, until);
    let ends = offsets.iter().skip(1).map(|(minute, _)| *minute).chain([until]);
    let mut clock_intervals = Vec::new();
    // The last local minute whose fixed-time lines have been run.
    let mut done = None;
    for ((begin, offset), end) in offsets.iter().zip(ends) {
        let local = begin + offset..end + offset;
        let mut add = |local: Range<i64>, lines, when| {
            let interval = ClockInterval { local, lines, when };
            clock_intervals.extend(interval.within(from, until));
        };
        let done = done.replace(local.end - 1).unwrap_or(local.start - 1);
        let ahead = local.start - done;
        if (2..=LARGEST_CHANGE).contains(&ahead) {
            let lines = if ahead > CAUGHT_UP { DueLines::FixedTime } else { DueLines::All };
            add(done + 1..local.start, lines, Pace::CatchUpAt(*begin));
        }
        // The minutes that a jump back repeats.
        let repeated = if (1 - LARGEST_CHANGE..=0).contains(&ahead) {
            local.start..local.end.min(done + 1)
        } else {
            local.start..local.start
        };
        add(repeated.clone(), DueLines::Wildcard, Pace::InTime(*offset));
        add(repeated.end..local.end, DueLines::All, Pace::InTime(*offset));
    }
    clock_intervals
}

impl ClockInterval {
    fn within(mut self, from: i64, until: i64) -> Option<Self> {
        match self.when {
            Pace::InTime(offset) => {
                let Range { start, end } = self.local;
                self.local = start.max(from + offset)..end.min(until + offset);
                (!self.local.is_empty()).then_some(self)
            }
            Pace::CatchUpAt(minute) => ((from..until).contains(&minute)).then_some(self),
        }
    }

    pub fn runs(&self, is_wildcard: bool) -> bool {
        match self.lines {
            DueLines::All => true,
            DueLines::Wildcard => is_wildcard,
            DueLines::FixedTime => !is_wildcard,
        }
    }
}
