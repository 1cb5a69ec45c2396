//! How long a job usually takes: its good runs decide.
//!
//! A run is judged by those that had ended when it was started. So later logs do not change the judgement, and a
//! report of each hour tells of it once.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, NaiveDateTime, TimeDelta};

use super::{Entry, Good, JobId, Ledger};
use crate::clock::after;
use crate::report::runs::outcome::Outcome;

/// With fewer good runs nothing is said about how long a run should take.
pub const MIN_GOOD: usize = 3;

/// The good runs of so many days before that of its START tell how long a run should take. If there are fewer than
/// [`MIN_GOOD`], the last day counts on which there were enough, and all after it.
pub const LAST_DAYS: u64 = 1;

/// How many days before that of its START tell how long a run should take, if it runs seldom.
pub const MAX_DAYS: u64 = 14;

/// How much longer than the longest good run any run may take.
pub const GRACE: TimeDelta = TimeDelta::minutes(10);

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
    /// How long all good runs of a job took.
    pub fn of_job(ledger: &Ledger, job: JobId) -> Self {
        let earlier = ledger.earlier(job).iter().map(|good| good.seconds);
        let seconds = ledger.of_job(job).iter().filter_map(Entry::good_seconds);
        Self::of_seconds(earlier.chain(seconds).collect())
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

    /// How long a run may go on before it is hung: three times as long as the longest good one, and at least ten
    /// minutes longer. There is no limit with fewer than three good runs.
    pub fn limit(&self) -> Option<TimeDelta> {
        self.bound().filter(|_| self.good >= MIN_GOOD)
    }

    /// The same limit, as far as a single good run tells.
    fn bound(&self) -> Option<TimeDelta> {
        let longest = TimeDelta::seconds(self.longest.into());
        (self.good > 0).then(|| (longest * FACTOR).max(longest + GRACE))
    }

    /// The local time at which a run was hung, if it went on as long as that by `now`.
    pub fn hung_at(&self, run: &Entry, now: NaiveDateTime) -> Option<NaiveDateTime> {
        let at = after(run.begun, self.limit()?)?;
        (at < now).then_some(at)
    }

    /// The local time from which on a run without END is overdue, if there is any good run.
    pub fn overdue(&self, run: &Entry) -> Option<NaiveDateTime> {
        after(run.begun, self.bound()?)
    }
}

/// The good runs of a job, by the day of their START. The median is not known.
#[derive(Debug, Default)]
struct ByDay(BTreeMap<NaiveDate, Usual>);

impl ByDay {
    fn add(&mut self, good: Good) {
        let usual = self.0.entry(good.start.date()).or_default();
        usual.good += 1;
        usual.longest = usual.longest.max(good.seconds);
    }

    /// What is usual for a run that was started on this day.
    fn before(&self, day: NaiveDate) -> Usual {
        let back = |days| day.checked_sub_days(Days::new(days)).unwrap_or(day);
        let mut usual = Usual::default();
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

/// The runs of a job for which `is_asked` is true, in the order of their STARTs, and for each how long the good ones
/// took that had ended when it was started. Their median is not known.
pub fn before_each(
    ledger: &Ledger,
    job: JobId,
    is_asked: impl Fn(&Entry) -> bool,
) -> Vec<(usize, &Entry, Usual)> {
    let runs = ledger.of_job(job).iter().enumerate();
    let asked: Vec<_> = runs.filter(|(_, run)| is_asked(run)).collect();
    if asked.is_empty() {
        return Vec::new();
    }
    let good = ledger.of_job(job).iter().filter_map(|run| {
        Some(Good {
            end: run.until,
            start: run.start,
            seconds: run.good_seconds()?,
        })
    });
    let mut good: Vec<Good> = ledger.earlier(job).iter().copied().chain(good).collect();
    good.sort_unstable();
    let mut good = good.into_iter().peekable();
    let mut by_day = ByDay::default();
    let with_usual = asked.into_iter().map(|(index, run)| {
        while let Some(good) = good.next_if(|good| good.end <= run.start) {
            by_day.add(good);
        }
        (index, run, by_day.before(run.start.date()))
    });
    with_usual.collect()
}

/// Whether a run went on for so long that what is usual for its job is worth knowing.
pub fn is_long(run: &Entry, now: NaiveDateTime) -> bool {
    let end = match run.outcome {
        Outcome::Running => now,
        _ => run.until,
    };
    end - run.begun > GRACE
}
