//! How long the good runs of a job usually take.
//!
//! A run is judged by the runs that had ended when it started, so later logs do not change the judgement, and hourly
//! reports show a slow run once.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, NaiveDateTime, TimeDelta};

use super::{GoodRun, History, JobId, RunSummary};
use crate::clock::after;
use crate::report::runs::outcome::Outcome;

/// The least number of good runs by which the duration of a run is judged.
pub const MIN_GOOD: usize = 3;
/// A run is judged by the good runs of this many days before its START, or of more days until there are [`MIN_GOOD`].
pub const LAST_DAYS: u64 = 1;
/// The most such days, for a rare job.
pub const MAX_DAYS: u64 = 14;
/// How much longer than the longest good run any run may take.
pub const GRACE: TimeDelta = TimeDelta::minutes(10);
/// How many times as long as the longest good run any run may take.
const FACTOR: i32 = 3;

/// How long the good runs of a job took, in seconds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct DurationStats {
    /// The number of good runs with a known duration.
    pub good: usize,
    /// The median by the nearest rank.
    pub median: u32,
    pub longest: u32,
}

impl DurationStats {
    pub fn of_job(history: &History, job: JobId) -> Self {
        let earlier = history.earlier(job).iter().map(|good| good.seconds);
        let seconds = history.of_job(job).filter_map(|run| run.good_seconds());
        Self::of_seconds(earlier.chain(seconds).collect())
    }

    /// The statistics of these durations, in seconds.
    pub fn of_seconds(mut seconds: Vec<u32>) -> Self {
        if seconds.is_empty() {
            return Self::default();
        }
        let middle = (seconds.len() - 1) / 2;
        let (_, median, longer) = seconds.select_nth_unstable(middle);
        let median = *median;
        Self { good: longer.len() + middle + 1, median, longest: longer.iter().copied().max().unwrap_or(median) }
    }

    /// The longest time that a run may take, unless there are fewer than three good runs.
    pub fn limit(&self) -> Option<TimeDelta> {
        self.bound().filter(|_| self.good >= MIN_GOOD)
    }

    /// The same limit, but known from the first good run on.
    fn bound(&self) -> Option<TimeDelta> {
        let longest = TimeDelta::seconds(self.longest.into());
        (self.good > 0).then(|| (longest * FACTOR).max(longest + GRACE))
    }

    /// The local time at which a run became hung, if that was by `now`.
    pub fn hung_at(&self, run: &RunSummary, now: NaiveDateTime) -> Option<NaiveDateTime> {
        let at = after(run.begun, self.limit()?)?;
        (at < now).then_some(at)
    }

    /// The local time from which a run without END is overdue, if its job has a good run.
    pub fn overdue(&self, run: &RunSummary) -> Option<NaiveDateTime> {
        after(run.begun, self.bound()?)
    }
}

/// The good runs of a job, by the day of their START. Medians are unknown.
#[derive(Default)]
struct ByDay(BTreeMap<NaiveDate, DurationStats>);

impl ByDay {
    fn add(&mut self, good: GoodRun) {
        let usual = self.0.entry(good.start.date()).or_default();
        usual.good += 1;
        usual.longest = usual.longest.max(good.seconds);
    }

    /// The usual durations for a run that starts on this day.
    fn before(&self, day: NaiveDate) -> DurationStats {
        let back = |days| day.checked_sub_days(Days::new(days)).unwrap_or(day);
        let mut usual = DurationStats::default();
        for (of, good) in self.0.range(back(MAX_DAYS)..=day).rev() {
            if usual.good >= MIN_GOOD && *of < back(LAST_DAYS) {
                break;
            }
            usual.good += good.good;
            usual.longest = usual.longest.max(good.longest);
        }
        usual
    }
}

/// A run with its number in the history, and the durations of earlier good runs. Medians are unknown.
pub type JudgedRun = (usize, RunSummary, DurationStats);

/// The runs of a job for which `is_asked` is true, by START.
pub fn before_each(history: &History, job: JobId, is_asked: impl Fn(&RunSummary) -> bool) -> Vec<JudgedRun> {
    let asked: Vec<_> = history.range(job).zip(history.of_job(job)).filter(|(_, run)| is_asked(run)).collect();
    if asked.is_empty() {
        return Vec::new();
    }
    let good = history
        .of_job(job)
        .filter_map(|run| Some(GoodRun { end: run.until, start: run.start, seconds: run.good_seconds()? }));
    let mut good: Vec<GoodRun> = history.earlier(job).iter().copied().chain(good).collect();
    good.sort_unstable();
    let mut good = good.into_iter().peekable();
    let mut by_day = ByDay::default();
    let with_usual = asked.into_iter().map(|(place, run)| {
        while let Some(good) = good.next_if(|good| good.end <= run.start) {
            by_day.add(good);
        }
        (place, run, by_day.before(run.start.date()))
    });
    with_usual.collect()
}

/// Whether a run took long enough to compare it with the usual durations.
pub fn is_long(run: &RunSummary, now: NaiveDateTime) -> bool {
    let end = if run.outcome == Outcome::Running { now } else { run.until };
    end - run.begun > GRACE
}
