//! Parses times as people write them: `14:00`, `yesterday`, `1d12h`, and as the report prints them.

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound, TimeDelta, Timelike};

use crate::decimal;

/// Parses a local time:
/// - a day and a time of day, or one of them: `2026-11-24`, `yesterday 14:00`, `14:00:05`;
/// - a duration before `now`: `90m`, `1d12h`;
/// - a time with its offset from UTC (RFC 3339), as `--json` prints it.
///
/// A day alone means its first second, or with `is_end` the first one after it. A time alone means the last such time.
pub fn parse(text: &str, now: DateTime<Local>, is_end: bool) -> Option<NaiveDateTime> {
    let today = now.date_naive();
    with_offset(text)
        .or_else(|| day_and_clock(text, today))
        .or_else(|| first_second(day(text, today)?, is_end))
        .or_else(|| last_time(clock(text)?, now))
        .or_else(|| (text == "now").then(|| now.naive_local()))
        .or_else(|| before(now, ago(text)?, is_end))
}

pub fn is_day_alone(text: &str) -> bool {
    day(text, NaiveDate::MAX).is_some()
}

pub fn is_clock_alone(text: &str) -> bool {
    clock(text).is_some()
}

/// Parses the time of a START: as in [`parse`], but without durations. Returns the day, if there is one, and the
/// beginning of `HH:MM:SS`: the time of day may be cut off anywhere.
pub fn start_time(text: &str, now: DateTime<Local>) -> Option<(Option<NaiveDate>, String)> {
    if let Some(time) = with_offset(text) {
        return Some((Some(time.date()), time.time().to_string()));
    }
    let (first, second) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let day = day(first, now.date_naive());
    let mut clock = if day.is_some() { second } else { text }.to_owned();
    if clock.find(':') == Some(1) {
        clock.insert(0, '0');
    }
    let is_time = (day.is_some() || !clock.is_empty()) && is_beginning_of_clock(&clock);
    is_time.then_some((day, clock))
}

fn is_beginning_of_clock(text: &str) -> bool {
    let form = "00:00:00".chars();
    let is_like = |(one, other): (char, char)| one == other || (one.is_ascii_digit() && other == '0');
    text.len() <= form.as_str().len() && text.chars().zip(form).all(is_like)
}

/// A time with an offset is the same moment in every zone. Records have whole seconds.
fn with_offset(text: &str) -> Option<NaiveDateTime> {
    DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Local).naive_local().with_nanosecond(0)
}

fn day_and_clock(text: &str, today: NaiveDate) -> Option<NaiveDateTime> {
    let (first, second) = text.split_once([' ', 'T'])?;
    Some(day(first, today)?.and_time(clock(second)?))
}

fn day(text: &str, today: NaiveDate) -> Option<NaiveDate> {
    match text {
        "today" => Some(today),
        "yesterday" => today.pred_opt(),
        _ => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok(),
    }
}

fn clock(text: &str) -> Option<NaiveTime> {
    let mut times = ["%H:%M:%S", "%H:%M"].iter().map(|format| NaiveTime::parse_from_str(text, format));
    times.find_map(Result::ok)
}

fn first_second(day: NaiveDate, is_end: bool) -> Option<NaiveDateTime> {
    let day = if is_end { day.succ_opt()? } else { day };
    Some(day.and_time(NaiveTime::MIN))
}

/// The last time, up to `now`, at which clocks showed `clock`.
fn last_time(clock: NaiveTime, now: DateTime<Local>) -> Option<NaiveDateTime> {
    let now = now.naive_local();
    let today = now.date().and_time(clock);
    if today <= now { Some(today) } else { Some(now.date().pred_opt()?.and_time(clock)) }
}

/// The local time `ago` before `now`, in whole seconds as in records.
///
/// If the clock was changed in between, there are two answers: the time that the clock showed then, and the time
/// without the change. The result is the one with more runs in the period.
fn before(now: DateTime<Local>, ago: TimeDelta, is_end: bool) -> Option<NaiveDateTime> {
    // `with_nanosecond` fails in the hour that comes twice.
    let now = now.trunc_subsecs(0);
    let shown = now.checked_sub_signed(ago)?;
    let offset = shown.offset();
    let shown = shown.naive_utc().checked_add_offset(*offset)?;
    let unchanged = now.naive_local().checked_sub_signed(ago)?;
    Some(if is_end { shown.max(unchanged) } else { shown.min(unchanged) })
}

/// A sum of numbers with units: `1d12h`.
fn ago(text: &str) -> Option<TimeDelta> {
    let is_unit = |character: char| character.is_ascii_alphabetic();
    let mut sum = TimeDelta::zero();
    for part in text.split_inclusive(is_unit) {
        let unit = part.chars().next_back()?;
        let number = decimal::number(part.strip_suffix(unit)?.as_bytes())?;
        let length = match unit {
            's' => TimeDelta::try_seconds(number),
            'm' => TimeDelta::try_minutes(number),
            'h' => TimeDelta::try_hours(number),
            'd' => TimeDelta::try_days(number),
            'w' => TimeDelta::try_weeks(number),
            _ => None,
        };
        sum = sum.checked_add(&length?)?;
    }
    (!text.is_empty()).then_some(sum)
}
