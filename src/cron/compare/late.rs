//! Detects late STARTs in a row.
//!
//! On an overloaded machine, a line of every minute may start more than a minute late for some time. Each START then
//! falls into the minute of the next slot: the first slot looks missed, and the last START looks like one too many. But
//! each slot has its START, in order.

use std::{collections::VecDeque, mem};

use super::due::{Due, EARLY};

/// STARTs that come at most this many seconds after their slots on average are not late. If a scheduler's STARTs
/// usually come later, the usual delay is added.
const PROMPT: i64 = 5;
/// A usual delay of this many seconds is within [`PROMPT`].
const NO_DELAY: i64 = 2;
/// The number of STARTs before the first late one that count for the average, because STARTs become late one by one.
const BEFORE: usize = 3;
/// The longest time, in seconds, of late STARTs in a row.
const LONGEST: i64 = 3600;

/// The last slots of a job with their STARTs.
pub struct LateStarts {
    found: VecDeque<(Due, i64)>,
    /// The time up to which no slot can still get a START.
    settled: i64,
    /// The late slots that are no longer in `found`.
    late: Vec<(Due, i64)>,
    /// The longest average delay, in seconds, of STARTs that are not late.
    prompt: i64,
}

impl LateStarts {
    /// Watches a job whose STARTs usually come `delay` seconds after their slots.
    pub fn new(delay: i64) -> Self {
        Self {
            prompt: if delay > NO_DELAY { PROMPT + delay } else { PROMPT },
            found: VecDeque::new(),
            settled: i64::MIN,
            late: Vec::new(),
        }
    }

    /// Notes the START of a slot, which may show that the last slot in `missed` has none.
    pub fn push(&mut self, due: Due, start: i64, missed: Option<&mut Due>) {
        let waited = self.found.back().map(|(last, _)| last.detected_at);
        while self.found.front().is_some_and(|(first, _)| first.at < due.at - LONGEST) {
            self.late.extend(self.found.pop_front().filter(is_late));
        }
        self.found.push_back((due, start));
        let Some(missed) = missed.filter(|missed| self.settled < missed.at) else { return };
        // The slot was certainly missed before this START, or is now.
        let waited = waited.map(|waited| waited.max(missed.detected_at));
        let is_known = waited.filter(|waited| *waited <= start).or((!self.explains(missed)).then_some(start));
        if let Some(known) = is_known {
            self.settled = missed.at;
            missed.detected_at = missed.detected_at.max(known);
        }
    }

    /// Whether `start`, which matches no slot, is the last of late STARTs since the slot `missed`. Then takes `start`:
    /// each START belongs to the slot before its own.
    pub fn takes(&mut self, missed: &Due, start: i64) -> bool {
        if !self.last_waits_at(start) || !self.explains(missed) {
            return false;
        }
        let free = self.shift(missed);
        self.found.push_back((free, start));
        true
    }

    /// The same for STARTs of which the last one may still come at `until`.
    pub fn goes_on(&mut self, missed: &Due, until: i64) -> bool {
        let is_late = self.settled < missed.at && self.last_waits_at(until) && self.explains(missed);
        if is_late {
            self.shift(missed);
        }
        is_late
    }

    /// The slots whose START came in the time of a later slot.
    pub fn late(self) -> impl Iterator<Item = (Due, i64)> {
        self.late.into_iter().chain(self.found.into_iter().filter(is_late))
    }

    /// Whether the START of the last slot may still come.
    fn last_waits_at(&self, time: i64) -> bool {
        self.found.back().is_some_and(|(last, _)| time < last.detected_at)
    }

    /// Whether STARTs since the slot `missed` are late, and each may belong to the slot before its own.
    fn explains(&self, missed: &Due) -> bool {
        let first = self.first_since(missed);
        let mut slot = missed;
        for (due, start) in self.found.range(first..) {
            if *start >= slot.detected_at || *start < slot.at - EARLY {
                return false;
            }
            slot = due;
        }
        // A random wait is not a delay.
        let delay = |(due, start): &(Due, i64)| start - due.latest_without_delay();
        let before = self.found.range(first.saturating_sub(BEFORE)..first).map(delay);
        let since = self.found.range(first..).map(delay);
        let (count, seconds) = before.clone().chain(since.clone()).fold((0, 0), |(n, sum), delay| (n + 1, sum + delay));
        // After a stop one START may come late, and the next ones as promptly as before it: then none of them belongs
        // to the slot before its own. If STARTs were late before a stop of some slots too, `prompt` is the limit.
        let usual = before.max().filter(|usual| *usual <= self.prompt);
        let most = usual.map(|usual| usual + NO_DELAY).or(self.is_stop(missed, first).then_some(self.prompt));
        let is_as_before = |delay: &i64| most.is_some_and(|most| *delay <= most);
        let are_prompt = 2 * since.clone().filter(is_as_before).count() > since.len();
        let are_late = !are_prompt && seconds > count * self.prompt;
        slot.at > missed.at && slot.at - missed.at <= LONGEST && are_late
    }

    /// Whether the slot before `missed` has no START either. The START `next` is the first one since.
    fn is_stop(&self, missed: &Due, next: usize) -> bool {
        let before = next.checked_sub(1).and_then(|last| self.found.get(last));
        let next = self.found.get(next);
        before.zip(next).is_some_and(|((before, _), (next, _))| missed.at - before.at > next.at - missed.at)
    }

    /// Gives the slot `missed` and all later ones the next START. Returns the last slot, which is left without one.
    fn shift(&mut self, missed: &Due) -> Due {
        let mut slot = *missed;
        let first = self.first_since(missed);
        for (due, _) in self.found.range_mut(first..) {
            mem::swap(due, &mut slot);
        }
        slot
    }

    fn first_since(&self, missed: &Due) -> usize {
        self.found.partition_point(|(due, _)| due.at < missed.at)
    }
}

fn is_late((due, start): &(Due, i64)) -> bool {
    due.deadline <= *start
}
