//! What cron and Airflow make of a line when the clock is changed.
//!
//! cron runs what the clock has skipped right afterwards, and does not repeat a fixed time (cron(8)). Airflow counts in
//! local time: a time that does not exist becomes an hour later, and of a repeated time the second one counts. Only if
//! an expression has each hour, Airflow counts the time since the last run ([`AirflowSchedule::counts_time`]).

use std::collections::BTreeMap;

use super::schedule::{AirflowSchedule, DagLine};
use crate::{clock::date, cron::Zone};

const DAY: i64 = 24 * 60;
/// The days in which changes of the clock are looked for.
const AHEAD: i64 = 366;
/// The most days around a change of the clock, for a line that is seldom due.
const FAR: i64 = 32;

pub struct ClockChange {
    /// The minute of UTC, from 1970.
    pub at: i64,
    /// The offset from UTC before the change, in minutes.
    pub before: i64,
    /// The same after the change.
    pub after: i64,
}

pub struct Difference {
    pub change: ClockChange,
    /// The number of starts by cron, and by Airflow, in each minute of UTC in which the two differ.
    pub starts: BTreeMap<i64, [usize; 2]>,
}

/// The changes of the clock in a zone in the year after the minute `now`.
pub fn changes(zone: &Zone, now: i64) -> Vec<ClockChange> {
    let offsets = zone.offsets(now, now + AHEAD * DAY);
    let changes = offsets.windows(2).filter_map(|offsets| match *offsets {
        [(_, before), (at, after)] => Some(ClockChange { at, before, after }),
        _ => None,
    });
    changes.collect()
}

/// The differences of a line in the year after the minute `now`.
pub fn differences(line: &DagLine, now: i64) -> Vec<Difference> {
    let Some(zone) = Zone::named(&line.line.zone) else { return Vec::new() };
    let differences = changes(&zone, now).into_iter().filter_map(|change| {
        let (from, until) = window(&line.schedule, &zone, change.at);
        let mut starts: BTreeMap<i64, [usize; 2]> = BTreeMap::new();
        for minute in line.line.cron_minutes(from, until) {
            starts.entry(minute).or_default()[0] += 1;
        }
        for minute in minutes(&line.schedule, &zone, from, until) {
            starts.entry(minute).or_default()[1] += 1;
        }
        starts.retain(|_, [cron, airflow]| cron != airflow);
        (!starts.is_empty()).then_some(Difference { change, starts })
    });
    differences.collect()
}

/// The minutes of UTC in which the change at `at` may matter: from the last day before with a slot to the first after.
fn window(schedule: &AirflowSchedule, zone: &Zone, at: i64) -> (i64, i64) {
    let today = (at + zone.offset(at)).div_euclid(DAY);
    let is_due = |day: &i64| date(*day).is_some_and(|date| schedule.timing.is_due_on(date));
    let first = (today - FAR..today).rev().find(is_due).unwrap_or(today - 1);
    let last = (today + 1..=today + FAR).find(is_due).unwrap_or(today + 1);
    let midnight = |day: i64| day * DAY - zone.offset(day * DAY - zone.offset(day * DAY));
    (midnight(first), midnight(last + 1))
}

/// The minutes of UTC, from `from` up to `until`, in which Airflow's `CronTriggerTimetable` starts a line.
pub fn minutes(schedule: &AirflowSchedule, zone: &Zone, from: i64, until: i64) -> Vec<i64> {
    let mut found = Vec::new();
    // A run at `from` itself counts too.
    let mut now = from - 1;
    loop {
        let local = now + zone.offset(now);
        let Some(next) = next(schedule, local, until + 2 * DAY) else { return found };
        let minute = if schedule.counts_time() { now + (next - local) } else { utc(zone, next) };
        if minute >= until || minute <= now {
            return found;
        }
        let day = (minute + zone.offset(minute)).div_euclid(DAY);
        if date(day).is_some_and(|date| schedule.is_let_go_on(date)) {
            found.push(minute);
        }
        now = minute;
    }
}

/// The first local minute after `local` in the fields.
fn next(schedule: &AirflowSchedule, local: i64, until: i64) -> Option<i64> {
    let days = local.div_euclid(DAY)..=until.div_euclid(DAY);
    let mut days = days.filter(|day| date(*day).is_some_and(|date| schedule.timing.is_due_on(date)));
    days.find_map(|day| {
        let mut minutes = schedule.minutes_of_day().map(|minute| day * DAY + minute);
        minutes.find(|minute| *minute > local)
    })
}

/// The minute of UTC for a local minute, as Airflow sees it.
fn utc(zone: &Zone, local: i64) -> i64 {
    let before = zone.offset(local - DAY);
    let after = zone.offset(local + DAY);
    // With the later offset first: of a repeated minute that is the second one.
    let mut offsets = [after, before].into_iter();
    let offset = offsets.find(|offset| zone.offset(local - offset) == *offset).unwrap_or(before);
    local - offset
}
