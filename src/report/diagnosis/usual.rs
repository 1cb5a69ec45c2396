//! How long a job usually takes: its good runs decide.

use chrono::{NaiveDateTime, TimeDelta};

use crate::report::ledger::Entry;

/// With fewer good runs nothing is said about how long a run should take.
pub const MIN_GOOD: usize = 3;

/// How much longer than the longest good run any run may take.
const GRACE: TimeDelta = TimeDelta::minutes(10);

/// How many times the longest good run any run may take.
const FACTOR: i32 = 3;

/// How long the good runs of a job took.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Usual {
    /// The number of good runs whose seconds are known.
    pub good: usize,
    /// The median of their seconds, by the nearest rank.
    pub median: u32,
    /// The most seconds.
    pub longest: u32,
}

impl Usual {
    /// How long the good ones of these runs took.
    pub fn of(runs: &[Entry]) -> Self {
        Self::of_seconds(runs.iter().filter_map(Entry::good_seconds).collect())
    }

    /// How long runs took that took so many seconds.
    pub fn of_seconds(mut seconds: Vec<u32>) -> Self {
        if seconds.is_empty() {
            return Self::default();
        }
        let middle = (seconds.len() - 1) / 2;
        let (_, median, longer) = seconds.select_nth_unstable(middle);
        let median = *median;
        Self {
            good: longer.len() + middle + 1,
            median,
            longest: longer.iter().copied().max().unwrap_or(median),
        }
    }

    /// Adds a run, as far as the limit needs it.
    pub fn add(&mut self, run: &Entry) {
        if let Some(seconds) = run.good_seconds() {
            self.good += 1;
            self.longest = self.longest.max(seconds);
        }
    }

    /// How long a run may go on before it is hung: three times as long as the longest good one, and at least ten
    /// minutes longer. There is no limit with fewer than three good runs.
    pub fn limit(&self) -> Option<TimeDelta> {
        let longest = TimeDelta::seconds(self.longest.into());
        (self.good >= MIN_GOOD).then(|| (longest * FACTOR).max(longest + GRACE))
    }

    /// The local time at which a run was hung, if it went on as long as that by `now`.
    pub fn hung_at(&self, run: &Entry, now: NaiveDateTime) -> Option<NaiveDateTime> {
        let at = run.begun.checked_add_signed(self.limit()?)?;
        (at < now).then_some(at)
    }
}
