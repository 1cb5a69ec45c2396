//! Finds jobs whose good runs take longer from day to day, and the day on which they will reach their limit.
//!
//! Kendall's rank test and the Theil–Sen slope of the logarithms of the daily medians: a few odd days change neither.

use std::{cmp::Ordering, collections::BTreeMap};

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use super::finding::{Oddity, WatchFinding};
use super::limits::{Limit, limits};
use super::numbers::{median, middle, real, rounded};
use super::samples::{Sample, WatchedJob};

/// The least number of days that show a growth.
const MIN_DAYS: usize = 14;
/// The least growth from the first day to the last, and the least duration in seconds in the end.
const MIN_GROWTH: f64 = 1.45;
const MIN_SECONDS: f64 = 60.0;
/// The least distance of the ranks from chance, in standard deviations.
const MIN_RANKS: f64 = 4.5;
/// The most days until a growth reaches the limit.
const HORIZON: f64 = 365.0;
/// The growth must go on: these last days, compared with as many before, must show this part of the usual growth.
const LAST_DAYS: usize = 5;
const MIN_STEP: f64 = 0.8;

/// A growth from `first` to `now` seconds, by `slope` a day in logarithms.
struct Growth {
    slope: f64,
    first: f64,
    now: f64,
}

pub fn find(job: &WatchedJob) -> Option<WatchFinding> {
    let good = job.good();
    let mut by_day: BTreeMap<NaiveDate, Vec<u32>> = BTreeMap::new();
    for (sample, seconds) in good.iter().filter_map(|it| Some((it, it.seconds?))) {
        by_day.entry(sample.day()).or_default().push(seconds.max(1));
    }
    let level = |(day, seconds): (NaiveDate, Vec<u32>)| (day, f64::from(median(seconds)).ln());
    let days: Vec<(NaiveDate, f64)> = by_day.into_iter().map(level).collect();
    let limit = limits(job).into_iter().min_by_key(|limit| limit.seconds())?;
    let growth = growth(&days, limit)?;
    let is_short = |end: &usize| self::growth(&days[..*end], limit).is_none();
    let known = (MIN_DAYS..=days.len()).rev().find(is_short).map_or(MIN_DAYS, |end| end + 1);
    let known_day = days[known.min(days.len()) - 1].0;
    let known = good.iter().rposition(|it: &&Sample| it.day() <= known_day)?;
    let oddity = Oddity::Creeping {
        percent: growth.slope.exp_m1() * 100.0,
        from: rounded(growth.first),
        now: rounded(growth.now),
        limit,
        at: reached(&days, &growth, limit)?,
    };
    job.finding(oddity, &good, known, days.len())
}

/// The growth over these days, if it is steady and reaches the limit.
fn growth(days: &[(NaiveDate, f64)], limit: Limit) -> Option<Growth> {
    let [(first, _), .., (last, _)] = days else { return None };
    if days.len() < MIN_DAYS {
        return None;
    }
    let pairs = || days.iter().enumerate().flat_map(|(index, one)| days[..index].iter().map(move |it| (it, one)));
    let ranks: f64 = pairs()
        .map(|(one, two)| match two.1.total_cmp(&one.1) {
            Ordering::Less => -1.0,
            Ordering::Equal => 0.0,
            Ordering::Greater => 1.0,
        })
        .sum();
    let slopes = pairs().map(|(one, two)| (two.1 - one.1) / between(one.0, two.0));
    let slope = middle(slopes.collect());
    let count = real(days.len());
    let deviation = (count * (count - 1.0) * (2.0 * count + 5.0) / 18.0).sqrt();
    let base = middle(days.iter().map(|it| it.1 - slope * between(*first, it.0)).collect());
    let now = (base + slope * between(*first, *last)).exp();
    let growth = Growth { slope, first: base.exp(), now };
    // In logarithms, a growth by equal steps would seem to slow down, so the last days are compared in seconds.
    let step = middle(pairs().map(|(one, two)| (two.1.exp() - one.1.exp()) / between(one.0, two.0)).collect());
    let late = days.len() - LAST_DAYS;
    let level = |days: &[(NaiveDate, f64)]| middle(days.iter().map(|it| it.1.exp()).collect());
    let goes_on = level(&days[late..]) - level(&days[late - LAST_DAYS..late]);
    (ranks / deviation >= MIN_RANKS
        && growth.now / growth.first >= MIN_GROWTH
        && now >= MIN_SECONDS
        && goes_on >= step * real(LAST_DAYS) * MIN_STEP
        && reached(days, &growth, limit).is_some())
    .then_some(growth)
}

/// The day on which the growth reaches the limit, if that is soon.
fn reached(days: &[(NaiveDate, f64)], growth: &Growth, limit: Limit) -> Option<NaiveDateTime> {
    let left = (f64::from(limit.seconds()) / growth.now).ln() / growth.slope;
    let (last, _) = days.last()?;
    let day = NaiveDateTime::from(*last);
    (left < HORIZON).then(|| day + TimeDelta::days(rounded(left).into()))
}

fn between(one: NaiveDate, two: NaiveDate) -> f64 {
    f64::from(i32::try_from((two - one).num_days()).unwrap_or(i32::MAX))
}
