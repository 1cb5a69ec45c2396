//! Tests the rule with jobs of a few minutes, and with random weeks in which summer time begins or ends.

use std::{collections::HashMap, ops::Range, path::Path, rc::Rc};

use super::comparison::{Comparison, ComparisonResult, MissedSlot};
use super::due::Due;
use crate::cron::calendar::dst::clock_intervals;
use crate::cron::calendar::zone::Zone;
use crate::cron::crontab::files::{Crontab, Crontabs, Trust};
use crate::cron::crontab::parse::{Columns, Contents};
use crate::cron::daemon::MachineCron;
use crate::cron::jobs::{CallMeaning, CronJob, CronJobs};
use crate::cron::timing::Timing;

const MINUTE: i64 = 60;
const WEEK: i64 = 7 * 24 * 60;

fn entry(timing: &str) -> Rc<CronJob> {
    let text = format!("{timing} root remoteexe h s\n");
    let cron = MachineCron::of(Path::new("/nowhere"));
    let crontab = Crontab {
        path: "crontab".into(),
        trust: Trust::Full,
        columns: Columns::System,
        owner: None,
        changed: None,
        rejection: None,
        is_installed: false,
        has_ignored_name: false,
        contents: Contents::parse(text.as_bytes(), Columns::System, &cron),
    };
    let crontabs = Crontabs { cron, read: vec![crontab], left_out: vec![], denied: None, of_others: vec![] };
    let refused = |_: &[_], _: &[_]| CallMeaning::Refused { job: b"h s".to_vec(), reason: String::new() };
    CronJobs::of(&crontabs, refused).entries.remove(0)
}

/// The slots of a line of every minute, up to minute `until`.
fn due(until: i64) -> Vec<Due> {
    let intervals = clock_intervals(&Zone::named("UTC").unwrap(), 0, until);
    entry("* * * * *").due(&intervals, 0)
}

fn compare(period: Range<i64>, jobs: Vec<(Vec<Due>, Vec<i64>)>) -> ComparisonResult {
    let mut comparison = Comparison::new(&period);
    for (job, (mut due, starts)) in (0..).zip(jobs) {
        comparison.add(job, &mut due, &starts);
    }
    comparison.finish()
}

fn minutes(missed: &[MissedSlot]) -> Vec<i64> {
    missed.iter().map(|missed| missed.at / MINUTE).collect()
}

#[test]
fn a_slot_that_is_missed_by_a_scheduler_which_always_starts_late_is_not_late() {
    for delay in [1, 10, 25, 40] {
        let starts = (0..60).filter(|minute| *minute != 30).map(|minute| minute * MINUTE + delay + minute % 3);
        let verdict = compare(0..64 * MINUTE, vec![(due(60), starts.collect())]);
        assert_eq!(minutes(&verdict.missed), [30], "{delay}");
        assert_eq!(verdict.late, [], "{delay}");
        assert_eq!(verdict.strays, [], "{delay}");
    }
}

#[test]
fn a_stop_after_the_first_starts_which_were_late_is_no_row_of_late_ones() {
    for first in [&[45, 20][..], &[50, 40, 30], &[42, 11], &[30]] {
        for usual in [1, 3, 5, 6, 10, 15] {
            let up = i64::try_from(first.len()).unwrap();
            let late = (0..).zip(first).map(|(slot, late)| slot * MINUTE + late);
            let again = (up + 8..40).map(|slot| slot * MINUTE + usual + slot % 3);
            let starts: Vec<i64> = late.chain(again).collect();
            for now in up + 11..40 {
                let before = starts.iter().copied().filter(|start| *start < now * MINUTE);
                let verdict = compare(0..now * MINUTE, vec![(due(40), before.collect())]);
                let stop: Vec<i64> = (up..up + 8).collect();
                assert_eq!(minutes(&verdict.missed), stop, "{first:?} {usual} {now}");
            }
        }
    }
}

/// The missing slots of a line of every minute, in a report at each of these minutes. The START of slot N comes
/// `delay(N)` seconds after it, if at all.
fn missed_at_each_minute(until: i64, delay: impl Fn(i64) -> Option<i64>) -> Vec<(i64, Vec<i64>)> {
    let starts = (0..until).filter_map(|slot| Some(slot * MINUTE + delay(slot)?));
    let starts: Vec<i64> = starts.collect();
    let reports = (1..until).map(|now| {
        let before = starts.iter().copied().filter(|start| *start < now * MINUTE);
        let verdict = compare(0..now * MINUTE, vec![(due(until), before.collect())]);
        assert_eq!(verdict.strays, [], "{now}");
        (now, minutes(&verdict.missed))
    });
    reports.filter(|(_, missed)| !missed.is_empty()).collect()
}

/// A delay that grows from minute 5 on by `growth` seconds a minute up to `most`, and shrinks after minute 40.
fn swelling(slot: i64, growth: i64, most: i64) -> i64 {
    1 + (growth * (slot - 5).min(40 - slot)).clamp(0, most)
}

#[test]
fn starts_that_are_late_for_some_time_are_no_alarm_at_any_moment() {
    for growth in [5, 10, 20, 30, 50] {
        for most in [50, 64, 70, 90, 130, 150, 170] {
            let delay = |slot| Some(swelling(slot, growth, most));
            assert_eq!(missed_at_each_minute(80, delay), [], "{growth} {most}");
        }
    }
}

#[test]
fn starts_that_are_late_all_at_once_are_no_alarm_in_the_end() {
    for most in [70, 90, 130, 170] {
        let alarms = missed_at_each_minute(80, |slot| Some(swelling(slot, 1000, most)));
        let last = alarms.last().map_or(0, |(now, _)| *now);
        assert!(last <= 43, "{most}: {alarms:?}");
    }
}

#[test]
fn a_slot_that_is_missed_among_prompt_starts_is_known_after_three_minutes() {
    let alarms = missed_at_each_minute(20, |slot| (slot != 10).then_some(2));
    let expected: Vec<_> = (13..20).map(|now| (now, vec![10])).collect();
    assert_eq!(alarms, expected);
}

#[test]
fn a_slot_that_is_missed_among_late_starts_is_known_in_the_end() {
    let delay = |slot| (slot != 10).then_some(if (8..20).contains(&slot) { 40 } else { 1 });
    let alarms = missed_at_each_minute(120, delay);
    assert!(alarms.iter().all(|(_, missed)| *missed == [10]), "{alarms:?}");
    assert_eq!(alarms.last().unwrap(), &(119, vec![10]));
}

#[test]
fn a_start_by_hand_does_not_hide_a_slot_that_was_missed_long_before() {
    let slots = (0..100).filter(|slot| *slot != 10);
    let mut starts: Vec<i64> = slots.map(|slot| slot * MINUTE + 2).collect();
    starts.push(50 * MINUTE + 30);
    starts.sort_unstable();
    let verdict = compare(0..110 * MINUTE, vec![(due(100), starts)]);
    assert_eq!(minutes(&verdict.missed), [10]);
    assert_eq!(verdict.strays, [(0, 50 * MINUTE + 30)]);
}

/// Random lines, most of them due some times a day.
fn entries(count: usize, random: &mut fastrand::Rng) -> Vec<Rc<CronJob>> {
    let lines = (0..count).map(|_| {
        let minute = match random.u8(..4) {
            0 => format!("*/{}", [1, 5, 10, 15, 20, 30][random.usize(..6)]),
            1 => format!("{}-{}/7", random.u8(..20), random.u8(20..60)),
            2 => format!("{},{}", random.u8(..60), random.u8(..60)),
            _ => random.u8(..60).to_string(),
        };
        let hour = match random.u8(..4) {
            0 => "*".to_owned(),
            1 => format!("*/{}", random.u8(1..8)),
            2 => format!("{}-{}", random.u8(..3), random.u8(3..24)),
            _ => random.u8(..24).to_string(),
        };
        let day = ["* * *", "* * *", "*/2 * *", "* * 1-5", "25-31 * sun", "1 * *"][random.usize(..6)];
        entry(&format!("{minute} {hour} {day}"))
    });
    lines.collect()
}

/// The STARTs that a daemon makes from the minute `from` of UTC up to `until`, in seconds of local time: a
/// simulation of cron(8), minute by minute.
fn simulated(entries: &[Rc<CronJob>], zone: &Zone, from: i64, until: i64, random: &mut fastrand::Rng) -> Vec<Vec<i64>> {
    let mut starts = vec![Vec::new(); entries.len()];
    let mut done = from - 1 + zone.offset(from - 1);
    for minute in from..until {
        let now = minute + zone.offset(minute);
        let ahead = now - done;
        let mut run = |local: i64, delay: i64, runs: &dyn Fn(bool) -> bool| {
            for (entry, starts) in entries.iter().zip(&mut starts) {
                let is_wildcard = entry.timing.is_wildcard;
                if runs(is_wildcard) && is_due(&entry.timing, local) {
                    starts.push(now * 60 + delay + random.i64(0..4));
                }
            }
        };
        if ahead > 1 {
            for (index, skipped) in (done + 1..now).enumerate() {
                let delay = i64::try_from(index).unwrap() * 10;
                run(skipped, delay, &|is_wildcard| !is_wildcard);
            }
        }
        run(now, 0, &|is_wildcard| ahead > 0 || is_wildcard);
        done = done.max(now);
    }
    for starts in &mut starts {
        starts.sort_unstable();
    }
    starts
}

fn is_due(timing: &Timing, local: i64) -> bool {
    let time = chrono::DateTime::from_timestamp(local * 60, 0).unwrap().naive_utc();
    let (hour, minute) = (local.rem_euclid(24 * 60) / 60, local.rem_euclid(60));
    timing.minutes >> minute & 1 == 1 && timing.hours >> hour & 1 == 1 && timing.is_due_on(time.date())
}

fn compare_week(entries: &[Rc<CronJob>], starts: &[Vec<i64>], zone: &Zone, from: i64) -> ComparisonResult {
    let until = from + WEEK;
    let clock_intervals = clock_intervals(zone, from, until);
    let jobs = (0..).zip(entries).zip(starts);
    let jobs = jobs.map(|((line, entry), starts)| (entry.due(&clock_intervals, line), starts.clone()));
    compare((from + zone.offset(from)) * 60..(until + zone.offset(until)) * 60, jobs.collect())
}

#[test]
fn a_week_of_300_lines_over_each_change_of_summer_time_has_no_false_alarm_and_hides_nothing() {
    let utc = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp() / 60;
    let mut random = fastrand::Rng::with_seed(15);
    for (zone, from) in [
        ("Europe/Berlin", "2026-03-25T12:00:00Z"),
        ("Europe/Berlin", "2026-10-21T12:00:00Z"),
        ("America/New_York", "2026-03-04T12:00:00Z"),
        ("America/New_York", "2026-10-28T12:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-01T12:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-01T12:00:00Z"),
    ] {
        let (zone, from) = (Zone::named(zone).unwrap(), utc(from));
        let entries = entries(300, &mut random);
        let mut starts = simulated(&entries, &zone, from, from + WEEK, &mut random);
        assert!(starts.iter().map(Vec::len).sum::<usize>() > 50_000);
        assert_eq!(compare_week(&entries, &starts, &zone, from), ComparisonResult::default());

        // One START in a hundred goes missing.
        let mut expected: HashMap<u32, usize> = HashMap::new();
        for (number, starts) in (0..).zip(&mut starts) {
            let before = starts.len();
            starts.retain(|_| random.u8(..100) > 0);
            if starts.len() < before {
                expected.insert(number, before - starts.len());
            }
        }
        let verdict = compare_week(&entries, &starts, &zone, from);
        let mut found: HashMap<u32, usize> = HashMap::new();
        for missed in verdict.missed.iter().chain(verdict.outages.iter().flat_map(|outage| &outage.missed)) {
            *found.entry(missed.job).or_default() += 1;
        }
        assert_eq!(verdict.strays, []);
        // Slots whose grace is not over are not judged, so the last ones may be missing from the count.
        let is_near = |(job, count): (&u32, &usize)| found.get(job).copied().unwrap_or(0) + 1 >= *count;
        assert!(expected.iter().all(is_near));
        assert!(found.iter().all(|(job, count)| expected.get(job).is_some_and(|expected| count <= expected)));
    }
}
