//! Finds jobs that fail on a weekday, a day of the month, at an hour, or after another job more often than by chance.
//!
//! The chance is multiplied by the number of weekdays, days, hours or jobs that might have fitted.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Weekday};

use super::beat::{Beat, Counts};
use super::finding::{Oddity, WatchFinding};
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
    /// The periods from each START until [`SOON`] after its END, in order. Periods that overlap are joined beforehand:
    /// each pair of jobs is compared, and hundreds of jobs are as many pairs as a log has lines.
    spans: Vec<[NaiveDateTime; 2]>,
}

impl<'a> OtherJob<'a> {
    pub fn of(job: &'a WatchedJob) -> Self {
        let mut spans: Vec<[NaiveDateTime; 2]> = Vec::new();
        for sample in &job.samples {
            let (start, until) = (&sample.start, sample.end() + SOON);
            match spans.last_mut() {
                Some([_, last]) if start <= last => *last = until.max(*last),
                _ => spans.push([*start, until]),
            }
        }
        Self { job, spans }
    }

    /// Whether the run was started while a run of this job was going on, or soon after.
    fn is_followed_by(&self, run: &Sample) -> bool {
        let later = self.spans.partition_point(|[from, _]| *from <= run.start);
        self.spans[..later].last().is_some_and(|[_, until]| *until >= run.start)
    }

    /// The runs for which [`Self::is_followed_by`] is true. Needs runs in the order of their STARTs.
    fn followers<'r>(&self, runs: &'r [Sample]) -> impl Iterator<Item = &'r Sample> {
        let mut spans = self.spans.iter().peekable();
        runs.iter().filter(move |run| {
            while spans.next_if(|[_, until]| *until < run.start).is_some() {}
            spans.peek().is_some_and(|[from, _]| *from <= run.start)
        })
    }
}

pub fn find(job: &WatchedJob, all: &[OtherJob]) -> Option<WatchFinding> {
    let bad: Vec<&Sample> = job.samples.iter().filter(|it| it.failure.is_some()).collect();
    if bad.len() < 2 || bad.len() * 2 > job.samples.len() {
        return None;
    }
    let (beat, counts) = of_days(&job.samples).or_else(|| of_runs(job, all))?;
    // An earlier failure may have shown the beat. A beat of single runs is certain only with the last failure.
    let known = (1..bad.len()).find(|index| {
        let samples = &job.samples[..];
        let end = samples.partition_point(|it| it.start <= bad[*index].start);
        of_days(&samples[..end]).is_some_and(|(found, _)| found == beat)
    });
    let oddity = Oddity::Rhythm { beat, counts };
    job.finding(oddity, &bad, known.unwrap_or(bad.len() - 1), counts.others)
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
    let (all_bad, half) = (bad().count(), job.samples.len().div_ceil(2));
    // The failures come first: for most pairs of jobs a few of them are enough to see that there is nothing.
    let is_suspect = |is_there: &dyn Fn(&Sample) -> bool| bad().filter(|it| !is_there(it)).nth(all_bad / 5).is_none();
    let judged = |there: &mut dyn Iterator<Item = &Sample>, hypotheses: usize| {
        let (all, bad) =
            there.take(half).fold((0, 0), |(all, bad), run| (all + 1, bad + usize::from(run.failure.is_some())));
        let counts = Counts { bad, all, other_bad: all_bad - bad, others: job.samples.len() - all };
        let chance = (all < half).then(|| counts.chance() * real(hypotheses))?;
        (chance < CHANCE_OF_RUNS).then_some((chance, counts))
    };
    let others = all.iter().filter(|it| it.job.name != job.name || it.job.account != job.account);
    let mut after: Vec<(f64, &WatchedJob, Counts)> = others
        .filter(|other| other.is_followed_by(last) && is_suspect(&|it| other.is_followed_by(it)))
        .filter_map(|other| {
            let (chance, counts) = judged(&mut other.followers(&job.samples), all.len())?;
            Some((chance, other.job, counts))
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
    let is_hour = |it: &Sample| it.start.hour() == hour;
    let (_, counts) = judged(&mut job.samples.iter().filter(|it| is_hour(it)), 24).filter(|_| is_suspect(&is_hour))?;
    Some((Beat::Hour(hour), counts))
}
