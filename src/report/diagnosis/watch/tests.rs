//! Random honest jobs have hardly any finding, and each incident has one after two occurrences.
//!
//! `SEEDS=1000 cargo test honest` tries more of them.

use std::{collections::BTreeMap, env};

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use fastrand::Rng;

use super::samples::{Sample, WatchedJob};
use super::{findings, numbers::rounded};
use crate::report::logs::owner::Account;
use crate::report::runs::kept::ErrorLine;

/// The days on which a job is judged, and how far its logs reach back.
const DAYS: u32 = 42;
const REACH: TimeDelta = TimeDelta::days(35);
/// Jobs of one seed.
const JOBS: usize = 40;

/// What an honest job does.
struct Honest {
    /// The first day on which it runs.
    first: u32,
    hours: Vec<u32>,
    minute: u32,
    seconds: f64,
    /// The longest run takes this many times as long as the shortest.
    spread: f64,
    lines: u32,
    /// What it does on each weekday, as a share of its work. 0 is nothing.
    weekdays: [f64; 7],
    /// The day on which a growth begins, the day on which it stops, and the growth a day.
    growth: (u32, u32, f64),
    /// How often it has nothing to do, fails, or prints an error and goes on.
    idle: f64,
    fails: f64,
    errs: f64,
    /// The first day of summer time, on which the hours of a remote host in UTC change.
    summer: u32,
}

fn honest(random: &mut Rng) -> Honest {
    let hour = random.u32(0..24);
    let weekend = [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0];
    let any = [(); 7].map(|()| [1.0, 1.0, 1.0, 0.3, 0.1, 0.0][random.usize(0..6)]);
    let heavy = [0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 1.0];
    let begin = random.u32(0..DAYS);
    let sometimes = |random: &mut Rng, one_of, most: f64| {
        if random.u32(0..one_of) == 0 { random.f64() * most } else { 0.0 }
    };
    Honest {
        first: if random.bool() { 0 } else { random.u32(0..DAYS - 7) },
        hours: match random.u32(0..4) {
            0 => (0..24).collect(),
            1 => (0..24).filter(|it| it % 6 == hour % 6).collect(),
            _ => vec![hour],
        },
        minute: random.u32(0..60),
        seconds: 5.0 * 1000_f64.powf(random.f64()),
        spread: if random.bool() { 3.0 } else { 1.1 },
        lines: [0, 1, 5, 40][random.usize(0..4)],
        weekdays: [[1.0; 7], [1.0; 7], weekend, any, heavy][random.usize(0..5)],
        growth: (begin, begin + random.u32(2..12), sometimes(random, 3, 0.03)),
        idle: sometimes(random, 20, 0.2),
        fails: sometimes(random, 4, 0.03),
        errs: sometimes(random, 10, 0.05),
        summer: random.u32(0..DAYS * 2),
    }
}

impl Honest {
    fn run(&self, day: u32, hour: u32, random: &mut Rng) -> Sample {
        let start = midnight(day) + TimeDelta::minutes((hour * 60 + self.minute).into());
        let works_at = if day >= self.summer { hour + 1 } else { hour };
        // A job that runs each hour does nothing at night.
        let is_night = self.hours.len() == 24 && !(7..22).contains(&works_at);
        let weekday = self.weekdays[start.weekday().num_days_from_monday() as usize];
        let share = if is_night || random.f64() < self.idle { 0.0 } else { weekday };
        let (begin, end, rate) = self.growth;
        let grown = (1.0 + rate).powi((day.clamp(begin, end) - begin).cast_signed());
        let noise = self.spread.powf(random.f64());
        let seconds = 1 + rounded(self.seconds * share * grown * noise);
        let lines = rounded((f64::from(self.lines) * share).ceil());
        let errors = if random.f64() < self.errs { vec![1] } else { Vec::new() };
        let failure = (random.f64() < self.fails).then(|| random.u32(0..3));
        sample(start, seconds, lines, failure, errors)
    }
}

fn midnight(day: u32) -> NaiveDateTime {
    let first = NaiveDate::from_ymd_opt(2026, 3, 2).expect("a day");
    NaiveDateTime::from(first) + TimeDelta::days(day.into())
}

fn sample(start: NaiveDateTime, seconds: u32, lines: u32, failure: Option<u32>, errors: Vec<u32>) -> Sample {
    let until_end = i32::try_from(seconds).expect("a short run");
    Sample { start, until_end, pid: 1, seconds: Some(seconds), lines, failure, errors: errors.into() }
}

/// What a report after `day` knows of a job: the runs of the last two days, and earlier runs at the same times of day.
fn known(name: &str, runs: &[Sample], day: u32) -> WatchedJob {
    let now = midnight(day + 1);
    let recent = now - TimeDelta::days(2);
    let mut job = WatchedJob::new(Account::default(), name.as_bytes().into());
    let runs: Vec<&Sample> = runs.iter().filter(|it| it.end() < now && it.start >= now - REACH).collect();
    let late: Vec<&&Sample> = runs.iter().filter(|it| it.start >= recent).collect();
    let last = late.last().map(|it| it.start.hour());
    let is_asked = |it: &&Sample| late.len() < 12 || last == Some(it.start.hour());
    let kept = runs.iter().copied().filter(|it| it.start >= recent || is_asked(it));
    for it in kept {
        let lines = it.errors.iter().map(|_| ErrorLine { masked: 1, text: "ERROR".to_owned() });
        job.add(it.clone(), lines.collect());
    }
    job
}

/// The words of the findings on this day.
fn words(name: &str, runs: &[Sample], day: u32) -> Vec<(&'static str, NaiveDateTime)> {
    let found = findings(&known(name, runs, day), &[], midnight(0).max(midnight(day + 1) - REACH));
    found.into_iter().map(|it| (it.oddity.word(), it.since)).collect()
}

#[test]
fn honest_jobs_have_less_than_one_line_in_ten_thousand_days() {
    let seeds = env::var("SEEDS").ok().and_then(|it| it.parse().ok()).unwrap_or(25);
    let (mut days, mut lines) = (0, BTreeMap::<&str, u32>::new());
    for seed in 0..seeds {
        let mut random = Rng::with_seed(seed);
        for _ in 0..JOBS {
            let job = honest(&mut random);
            let mut runs = Vec::new();
            let mut known = Vec::new();
            for day in job.first..DAYS {
                runs.extend(job.hours.iter().map(|hour| job.run(day, *hour, &mut random)));
                days += 1;
                for found in words("h /x.sh", &runs, day) {
                    if !known.contains(&found) {
                        known.push(found);
                        *lines.entry(found.0).or_default() += 1;
                    }
                }
            }
        }
    }
    assert!(lines.values().sum::<u32>() * 10_000 <= days, "{lines:?} in {days} days");
}

/// The first runs of a job that works each night.
fn nights(random: &mut Rng, most: u32) -> Vec<Sample> {
    let job = Honest {
        first: 0,
        hours: vec![2],
        minute: 10,
        seconds: 200.0 + random.f64() * 100.0,
        spread: 1.0 + random.f64() * 2.0,
        lines: 40,
        weekdays: [1.0; 7],
        growth: (0, 0, 0.0),
        idle: 0.0,
        fails: 0.0,
        errs: 0.0,
        summer: DAYS,
    };
    (0..most).map(|day| job.run(day, 2, random)).collect()
}

#[test]
fn each_incident_is_found_with_its_second_occurrence() {
    type Change = fn(&mut Sample, u32);
    const BEGIN: u32 = 28;
    let incidents: [(&str, Change, u32); 6] = [
        ("FASTER", |run, _| run.seconds = Some(8), 1),
        ("EMPTY", |run, _| run.lines = 0, 1),
        ("SAYS ERROR", |run, _| run.errors = vec![1].into(), 1),
        ("TOO CLOSE", |run, _| run.seconds = Some(880), 1),
        // From a Monday on.
        ("RHYTHM", |run, day| run.failure = day.is_multiple_of(7).then_some(2), 7),
        (
            "CREEPING",
            |run, day| {
                run.seconds = Some(rounded(600.0 * 1.03_f64.powi(day.cast_signed() - 28)));
            },
            13,
        ),
    ];
    for seed in 0..30 {
        for (word, change, later) in incidents {
            let mut random = Rng::with_seed(seed);
            let mut runs = nights(&mut random, BEGIN + later + 1);
            if word == "CREEPING" {
                runs.drain(..BEGIN as usize);
            }
            for run in &mut runs {
                let day = u32::try_from((run.day() - midnight(0).date()).num_days()).expect("a day");
                if day >= BEGIN {
                    change(run, day);
                }
            }
            let found = words("h timeout 900 /x.sh", &runs, BEGIN + later);
            assert!(found.iter().any(|(it, _)| *it == word), "{word} of seed {seed}: {found:?}");
            let before = words("h timeout 900 /x.sh", &runs, BEGIN - 1);
            assert_eq!(before, [], "{word} of seed {seed}");
        }
    }
}

#[test]
fn a_week_of_logs_shows_that_a_job_of_all_days_did_nothing_on_sunday_and_monday() {
    // The runs begin on a Tuesday.
    let mut runs = nights(&mut Rng::with_seed(1), 15).split_off(8);
    for run in &mut runs[5..] {
        (run.seconds, run.lines) = (Some(8), 0);
    }
    let found = findings(&known("h /x.sh", &runs, 14), &[], runs[0].start);
    assert!(found.iter().any(|it| it.oddity.word() == "FASTER"), "{found:?}");
}
