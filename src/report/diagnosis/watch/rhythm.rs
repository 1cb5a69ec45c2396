//! Finds jobs that fail on one weekday, on one day of the month, at one hour, or after another job, more often than
//! chance allows.
//!
//! The chance is multiplied by the number of weekdays, days, hours or jobs that might have fitted.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use chrono::{Datelike, Days, NaiveDate, TimeDelta, Timelike, Weekday};

use super::beat::{Beat, Counts};
use super::finding::{Oddity, WatchFinding, finding};
use super::numbers::real;
use super::samples::{Sample, WatchedJob};

/// The highest chances that still show a rhythm. By days: for two failures with one reason, for more with one reason,
/// and for more with several. By runs: less, because runs are not independent.
const CHANCE_OF_TWO: f64 = 0.12;
const CHANCE_OF_ONE_REASON: f64 = 0.02;
const CHANCE_OF_DAYS: f64 = 0.005;
const CHANCE_OF_RUNS: f64 = 0.001;

/// The least number of days with failures at an hour, or after another job.
const MIN_DAYS: usize = 3;

/// How long after another job a failure may come from it.
const SOON: TimeDelta = TimeDelta::minutes(15);

/// A job after which another job may fail.
pub struct OtherJob<'a> {
    job: &'a WatchedJob,
    /// Whether each run started while the run before was going on, or soon after.
    has_no_pause: bool,
}

impl<'a> OtherJob<'a> {
    pub fn of(job: &'a WatchedJob) -> Self {
        let has_no_pause = job.samples.windows(2).all(|two| two[1].start <= two[0].end + SOON);
        Self { job, has_no_pause }
    }

    /// Whether the run was started while a run of this job was going on, or soon after.
    fn is_followed_by(&self, run: &Sample) -> bool {
        let later = self.job.samples.partition_point(|it| it.start <= run.start);
        let last = self.job.samples[..later].last();
        last.is_some_and(|last| last.end + SOON >= run.start)
    }

    /// Whether most of the runs follow this job, for a job without a pause. Saves a search for each run: with hundreds of
    /// jobs that run every few minutes there are as many pairs as lines in a log.
    fn is_followed_by_most(&self, runs: &[Sample]) -> bool {
        let (Some(first), Some(last)) = (self.job.samples.first(), self.job.samples.last()) else { return false };
        let before = runs.partition_point(|it| it.start < first.start);
        let until_end = runs.partition_point(|it| it.start <= last.end + SOON);
        self.has_no_pause && (until_end - before) * 2 >= runs.len()
    }
}

pub fn find(job: &WatchedJob, all: &[OtherJob]) -> Option<WatchFinding> {
    let bad: Vec<&Sample> = job.samples.iter().filter(|it| it.failure.is_some()).collect();
    if bad.len() < 2 || bad.len() * 2 > job.samples.len() {
        return None;
    }
    let (beat, counts) = of_days(&job.samples).or_else(|| of_runs(job, all))?;
    // An earlier failure may have shown the beat.
    let known = (1..bad.len()).find(|index| {
        let samples = &job.samples[..];
        let end = samples.partition_point(|it| it.start <= bad[*index].start);
        is_of(&samples[..end], &beat)
    });
    let oddity = Oddity::Rhythm { beat, counts };
    finding(job, oddity, &bad, known.unwrap_or(bad.len() - 1), counts.others)
}

/// Whether the failures by day have this beat. A beat of single runs is certain only with the last failure.
fn is_of(samples: &[Sample], beat: &Beat) -> bool {
    of_days(samples).is_some_and(|(found, _)| found == *beat)
}

fn of_days(samples: &[Sample]) -> Option<(Beat, Counts)> {
    let first = samples.iter().find(|it| it.failure.is_some())?.day();
    let mut days: BTreeMap<NaiveDate, Option<u32>> = BTreeMap::new();
    let is_near = |it: &&Sample| it.day() + Days::new(6) >= first;
    for sample in samples.iter().filter(is_near) {
        let failure = days.entry(sample.day()).or_default();
        *failure = failure.or(sample.failure);
    }
    let today = *days.last_key_value()?.0;
    let bad: Vec<(NaiveDate, u32)> = days.iter().filter_map(|(day, failure)| Some((*day, (*failure)?))).collect();
    let last = bad.last()?.0;
    // A job that runs often fails on any two days.
    let is_seldom = samples.iter().filter(is_near).count() <= days.len() * 2;
    let has_one_reason = is_seldom && bad.iter().all(|(_, failure)| *failure == bad[0].1);
    let weekdays: HashSet<Weekday> = days.keys().map(NaiveDate::weekday).collect();
    let beats = [(Beat::Weekday(last.weekday()), real(weekdays.len()), 7), (Beat::DayOfMonth(last.day()), 31.0, 31)];
    beats.into_iter().find_map(|(beat, hypotheses, period)| {
        let is_there = |day: &NaiveDate| match beat {
            Beat::Weekday(weekday) => day.weekday() == weekday,
            _ => day.day() == last.day(),
        };
        let counts = Counts::of(days.iter().map(|(day, it)| (is_there(day), it.is_some())));
        let chance = counts.chance() * hypotheses;
        let limit = match counts {
            Counts { bad: 2, all: 2, other_bad: 0, .. } if has_one_reason => CHANCE_OF_TWO,
            Counts { bad: 3.., .. } if has_one_reason => CHANCE_OF_ONE_REASON,
            Counts { bad: 3.., .. } => CHANCE_OF_DAYS,
            _ => return None,
        };
        let is_now = (today - last).num_days() <= period;
        (chance < limit && is_now).then_some((beat, counts))
    })
}

fn of_runs(job: &WatchedJob, all: &[OtherJob]) -> Option<(Beat, Counts)> {
    let bad = || job.samples.iter().filter(|it| it.failure.is_some());
    let mut days: Vec<NaiveDate> = bad().map(Sample::day).collect();
    days.dedup();
    let last = bad().next_back()?;
    let is_now = job.samples.last()?.start - last.start <= TimeDelta::days(2);
    if days.len() < MIN_DAYS || !is_now {
        return None;
    }
    let most_elsewhere = bad().count() / 5;
    // The failures come first: for most pairs of jobs a few of them are enough to see that there is nothing.
    let counts = |is_there: &dyn Fn(&Sample) -> bool| {
        let is_most = bad().filter(|it| !is_there(it)).nth(most_elsewhere).is_none();
        is_most.then(|| Counts::of(job.samples.iter().map(|it| (is_there(it), it.failure.is_some()))))
    };
    let chance = |counts: &Counts, hypotheses: usize| {
        let chance = counts.chance() * real(hypotheses);
        (chance < CHANCE_OF_RUNS && counts.all * 2 < job.samples.len()).then_some(chance)
    };
    let others = all.iter().filter(|it| it.job.name != job.name || it.job.account != job.account);
    let mut after: Vec<(f64, &WatchedJob, Counts)> = others
        .filter(|other| other.is_followed_by(last) && !other.is_followed_by_most(&job.samples))
        .filter_map(|other| {
            let counts = counts(&|it| other.is_followed_by(it))?;
            Some((chance(&counts, all.len())?, other.job, counts))
        })
        .collect();
    after.sort_by(|one, two| one.0.total_cmp(&two.0));
    // If several jobs fit equally well, none is named.
    if let [(first, other, counts), rest @ ..] = after.as_slice()
        && rest.first().is_none_or(|second| second.0 > *first * 10.0)
    {
        return Some((Beat::After(Rc::clone(&other.name)), *counts));
    }
    let hour = last.start.hour();
    let counts = counts(&|it| it.start.hour() == hour)?;
    chance(&counts, 24).map(|_| (Beat::Hour(hour), counts))
}
