//! Detects STARTs in a row that are later than the next slot.
//!
//! On an overloaded machine a line of every minute may start more than a minute late for some time. Each START then
//! falls into the minute of the next slot: the first slot looks missed, and the last START looks like one too many.
//! Each slot has its START all the same, in order.

use std::collections::VecDeque;
use std::mem;

use super::due::{Due, EARLY};

/// STARTs that come at most this many seconds after their slots on average are not late. On a scheduler whose STARTs
/// usually come later, that delay is added.
const PROMPT: i64 = 5;

/// A usual delay of this many seconds is within [`PROMPT`].
const NO_DELAY: i64 = 2;

/// How many STARTs before the first late one count for the average, because STARTs become late one by one.
const BEFORE: usize = 3;

/// The longest time, in seconds, for which STARTs are taken to be late in a row.
const LONGEST: i64 = 3600;

/// The last slots of a job that have a START, each with the START.
#[derive(Debug)]
pub struct LateStarts {
    found: VecDeque<(Due, i64)>,
    /// No slot until then may still have a START.
    settled: i64,
    late: Vec<(Due, i64)>,
    /// How many seconds after their slots STARTs come at most, on average, where they are not late.
    prompt: i64,
}

impl LateStarts {
    /// No START yet, of a job whose STARTs usually come `delay` seconds after their slots.
    pub fn new(delay: i64) -> Self {
        Self {
            prompt: if delay > NO_DELAY { PROMPT + delay } else { PROMPT },
            found: VecDeque::new(),
            settled: i64::MIN,
            late: Vec::new(),
        }
    }

    /// Notes the START of a slot. It may show that the last slot that is `missed` has none.
    pub fn push(&mut self, due: Due, start: i64, missed: Option<&mut Due>) {
        let waited = self.found.back().map(|(last, _)| last.detected_at);
        let is_old = |(first, _): &(Due, i64)| first.at < due.at - LONGEST;
        while self.found.front().is_some_and(is_old) {
            self.found.pop_front();
        }
        self.found.push_back((due, start));
        let Some(missed) = missed.filter(|missed| self.settled < missed.at) else {
            return;
        };
        // It was missing before this START, or is now.
        let waited = waited.map(|waited| waited.max(missed.detected_at));
        let is_known = waited.filter(|waited| *waited <= start);
        let is_known = is_known.or((!self.explains(missed)).then_some(start));
        if let Some(known) = is_known {
            self.settled = missed.at;
            missed.detected_at = missed.detected_at.max(known);
        }
    }

    /// Whether `start`, which matches no slot, is one of late STARTs since the slot `missed`. Each START then belongs
    /// to the slot before.
    pub fn takes(&mut self, missed: &Due, start: i64) -> bool {
        if !self.last_waits_at(start) || !self.explains(missed) {
            return false;
        }
        let free = self.shift(missed);
        self.found.push_back((free, start));
        true
    }

    /// Whether STARTs since the slot `missed` are late, and the last one may still come at `until`. Each then belongs
    /// to the slot before.
    pub fn goes_on(&mut self, missed: &Due, until: i64) -> bool {
        let is_late =
            self.settled < missed.at && self.last_waits_at(until) && self.explains(missed);
        if is_late {
            self.shift(missed);
        }
        is_late
    }

    /// The slots whose START is in the time of the next slot.
    pub fn late(self) -> impl Iterator<Item = (Due, i64)> {
        let late = self.late.into_iter();
        late.filter(|(due, start)| due.deadline <= *start)
    }

    /// Whether the START of the last slot may still come.
    fn last_waits_at(&self, time: i64) -> bool {
        self.found.back().is_some_and(|(last, _)| time < last.detected_at)
    }

    /// Whether the slot `missed` and all later ones may have the next START, and STARTs are late at that time.
    fn explains(&self, missed: &Due) -> bool {
        let first = self.first_since(missed);
        let mut slot = missed;
        for (due, start) in self.found.range(first..) {
            if *start >= slot.detected_at || *start < slot.at - EARLY {
                return false;
            }
            slot = due;
        }
        let around = self.found.range(first.saturating_sub(BEFORE)..);
        let (mut count, mut seconds) = (0, 0);
        for (due, start) in around {
            count += 1;
            // A random wait is no delay.
            seconds += start - due.latest_without_delay();
        }
        slot.at > missed.at && slot.at - missed.at <= LONGEST && seconds > count * self.prompt
    }

    /// Gives the slot `missed` and all later ones the next START. Returns the last slot, which then has none.
    fn shift(&mut self, missed: &Due) -> Due {
        let mut slot = *missed;
        let first = self.first_since(missed);
        for (due, start) in self.found.range_mut(first..) {
            mem::swap(due, &mut slot);
            self.late.push((*due, *start));
        }
        slot
    }

    fn first_since(&self, missed: &Due) -> usize {
        self.found.partition_point(|(due, _)| due.at < missed.at)
    }
}
