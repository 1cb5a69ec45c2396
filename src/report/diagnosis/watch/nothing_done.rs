//! Finds jobs whose last good runs took far less time than usual, or printed far less: they did nothing.
//!
//! A run is compared with the good runs of earlier days at about its time of day. A job may do nothing at night, on
//! some days of the week, or now and then. So a weekday counts only if the job has worked on that weekday before, and
//! each earlier run that did nothing requires one more such run now.

use chrono::{Datelike, NaiveDateTime, TimeDelta};

use super::finding::{Oddity, WatchFinding};
use super::numbers::{median, middle};
use super::samples::{Sample, WatchedJob};

/// The least number of earlier runs that show what is usual, and for one measure only: each weekday twice.
const MIN_BEFORE: usize = 7;
const MIN_BEFORE_ONE: usize = 14;
/// How many runs in a row have to do nothing.
const IN_A_ROW: usize = 2;
/// The usual duration and number of lines that are worth a comparison.
const MIN_SECONDS: u32 = 30;
const MIN_LINES: u32 = 3;
/// A value so many times less than the median is far less. The second is for both measures after few earlier runs.
const FAR: u32 = 5;
const VERY_FAR: u32 = 10;
/// A value so many spreads below the median is far less: median distances of logarithms from their median.
const MAX_SPREADS: f64 = 6.0;
/// The most runs in a row that are examined one by one.
const MAX_ROW: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Seconds,
    Lines,
}

impl Measure {
    fn of(self, sample: &Sample) -> Option<u32> {
        match self {
            Self::Seconds => sample.seconds,
            Self::Lines => Some(sample.lines),
        }
    }

    /// Whether `value` is about as little as `least`.
    fn is_little(self, value: u32, least: u32) -> bool {
        match self {
            Self::Seconds => value <= least.saturating_mul(3).saturating_add(10),
            Self::Lines => value <= least.saturating_mul(3),
        }
    }

    /// Whether `value` is far below these earlier values.
    fn is_far_below(self, value: u32, earlier: &[u32], times: u32) -> bool {
        let usual = median(earlier.to_vec());
        let least = if self == Self::Seconds { MIN_SECONDS } else { MIN_LINES };
        let logarithm = |value: u32| f64::from(value.max(1)).ln();
        let distances = earlier.iter().map(|it| (logarithm(*it) - logarithm(usual)).abs());
        let spread = middle(distances.collect());
        usual >= least
            && value.saturating_mul(times) <= usual
            // A single line is far from none, and 0 has no logarithm.
            && (value == 0 || logarithm(usual) - logarithm(value) > MAX_SPREADS * spread)
    }
}

/// The runs at the end that did nothing by one measure.
#[derive(Debug, Clone, Copy)]
struct IdleRow {
    /// The index of the first run among the good runs, and of the run that made the finding certain.
    first: usize,
    known: usize,
    now: u32,
    usual: u32,
    compared: usize,
}

pub fn find(job: &WatchedJob, from: NaiveDateTime) -> Option<WatchFinding> {
    let good = job.good();
    let [seconds, lines] = [Measure::Seconds, Measure::Lines].map(|by| idle_row(&good, by));
    let (seconds, lines) = match (seconds, lines) {
        (Some(_), Some(_)) => (seconds, lines),
        (Some(one), None) | (None, Some(one)) if one.compared >= MIN_BEFORE_ONE => (seconds, lines),
        _ if is_new(job, from) => return None,
        _ => {
            let [seconds, lines] = both_after_few(&good)?;
            (Some(seconds), Some(lines))
        }
    };
    let both = || [seconds, lines].into_iter().flatten();
    let first = both().map(|row| row.first).min()?;
    let known = both().map(|row| row.known).min()?;
    let values = |row: IdleRow| (row.now, row.usual);
    let oddity = Oddity::NothingDone { seconds: seconds.map(values), lines: lines.map(values) };
    let compared = both().map(|row| row.compared).max()?;
    job.finding(oddity, &good[first..], known - first, compared)
}

/// The index from which on the last good runs did as little as the very last, and the value of that run.
fn row_of_last(good: &[&Sample], by: Measure) -> Option<(usize, u32)> {
    let now = by.of(good.last()?)?;
    let first = good.iter().rposition(|it| by.of(it).is_none_or(|value| !by.is_little(value, now)))? + 1;
    Some((first, now))
}

fn idle_row(good: &[&Sample], by: Measure) -> Option<IdleRow> {
    let (first, now) = row_of_last(good, by)?;
    let (before, row) = good.split_at(first);
    // Most jobs end here.
    let least = now.saturating_mul(FAR).max(MIN_LINES);
    if before.iter().filter(|it| by.of(it) >= Some(least)).count() < MIN_BEFORE {
        return None;
    }
    let (mut counted, mut is_proved) = (0, false);
    for (index, run) in row.iter().enumerate().take(MAX_ROW) {
        let earlier = before.iter().filter(|it| it.day() < run.day() && it.is_at_hour_of(run));
        let earlier: Vec<&Sample> = earlier.copied().collect();
        let is_idle = |it: &&&Sample| by.of(it).is_some_and(|value| by.is_little(value, now));
        let same_weekday: Vec<&Sample> =
            earlier.iter().copied().filter(|it| it.day().weekday() == run.day().weekday()).collect();
        if same_weekday.iter().any(|it| is_idle(&it)) {
            continue;
        }
        let values: Vec<u32> = earlier.iter().filter(|it| !is_idle(it)).filter_map(|it| by.of(it)).collect();
        let value = by.of(run)?;
        if values.len() < MIN_BEFORE || !by.is_far_below(value, &values, FAR) {
            continue;
        }
        counted += 1;
        is_proved |= !same_weekday.is_empty();
        let needed = IN_A_ROW + single_idle(&earlier, |it| is_idle(&it)) + often(row, before);
        if is_proved && counted >= needed {
            let usual = median(values.clone());
            return Some(IdleRow { first, known: first + index, now, usual, compared: values.len() });
        }
    }
    None
}

/// The number of additional runs that earlier idle runs require. A weekday that is mostly idle does not count.
fn single_idle(earlier: &[&Sample], is_idle: impl Fn(&&Sample) -> bool) -> usize {
    let counts = (0..7).map(|weekday| {
        let on = earlier.iter().filter(|it| it.day().weekday().num_days_from_monday() == weekday);
        let (all, idle) = on.fold((0, 0), |(all, idle), it| (all + 1, idle + usize::from(is_idle(it))));
        if idle > 1 && idle * 2 >= all { 0 } else { idle }
    });
    let idle: usize = counts.sum();
    idle + usize::from(idle > 0)
}

/// The number of additional runs that a job requires if it runs more than once a day.
fn often(row: &[&Sample], before: &[&Sample]) -> usize {
    let last = row.last().or(before.last()).map(|it| it.day());
    let of_day = row.iter().chain(before).filter(|it| Some(it.day()) == last);
    usize::from(of_day.count() > 1)
}

/// Whether the logs begin at least a day before the job's first run. The weekdays of a new job are unknown.
fn is_new(job: &WatchedJob, from: NaiveDateTime) -> bool {
    job.samples.first().is_none_or(|first| first.start - from >= TimeDelta::days(1))
}

/// The idle rows of a job with only a few earlier runs, if its last runs took a tenth of the time and printed nothing.
/// A weekend day counts only if an earlier run was on a weekend.
fn both_after_few(good: &[&Sample]) -> Option<[IdleRow; 2]> {
    let rows = [Measure::Seconds, Measure::Lines].map(|by| Some((by, row_of_last(good, by)?)));
    let [Some((_, (first, _))), Some((_, (same, 0)))] = rows else { return None };
    let (before, row) = good.split_at(first);
    let is_weekend = |it: &Sample| it.day().weekday().number_from_monday() > 5;
    let has_weekend = before.iter().any(|it| is_weekend(it));
    let is_workday = |it: &&Sample| has_weekend || !is_weekend(it);
    let days = |samples: &[&Sample]| {
        let mut days: Vec<_> = samples.iter().filter(|it| is_workday(it)).map(|it| it.day()).collect();
        days.dedup();
        days.len()
    };
    if same != first || days(row) < IN_A_ROW || before.len() > MIN_BEFORE_ONE || often(row, before) > 0 {
        return None;
    }
    let of = |by: Measure, now: u32| {
        let earlier: Vec<u32> = before.iter().filter_map(|it| by.of(it)).collect();
        let is_one = earlier.iter().all(|value| by.is_far_below(now, &[*value], VERY_FAR));
        let (known, usual) = (first + IN_A_ROW - 1, median(earlier.clone()));
        is_one.then_some(IdleRow { first, known, now, usual, compared: earlier.len() })
    };
    let seconds = of(Measure::Seconds, Measure::Seconds.of(good.last()?)?)?;
    let lines = of(Measure::Lines, 0).filter(|row| row.usual >= VERY_FAR)?;
    Some([seconds, lines])
}
