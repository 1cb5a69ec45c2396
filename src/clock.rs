//! Converts between UTC and local time, which records have.

use std::cell::Cell;

use chrono::{DateTime, FixedOffset, Local, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Timelike};

/// The UTC of a local time. None if summer time skipped that hour, or if its end repeated the hour.
pub fn to_utc(local: NaiveDateTime) -> Option<NaiveDateTime> {
    match offsets(local) {
        [Some(offset), None] | [None, Some(offset)] => Some(local - offset),
        _ => None,
    }
}

/// A local time with its offset from UTC, in a repeated hour the first one.
pub fn with_offset(local: NaiveDateTime) -> DateTime<FixedOffset> {
    // A skipped hour has the offset of the day before.
    let offset = offsets(local).into_iter().flatten().next().unwrap_or_else(|| offset_at(local - TimeDelta::days(1)));
    DateTime::from_naive_utc_and_offset(local - offset, offset)
}

/// The seconds from one local time to another by the clock, whatever its offset from UTC.
pub fn seconds_between(begin: NaiveDateTime, end: NaiveDateTime) -> i64 {
    if begin.date() == end.date() {
        // chrono counts the days between the dates first, which takes five times as long.
        return i64::from(end.num_seconds_from_midnight()) - i64::from(begin.num_seconds_from_midnight());
    }
    (end - begin).num_seconds()
}

/// The time between two local times. An hour that summer time skips does not count.
pub fn passed(begin: NaiveDateTime, end: NaiveDateTime) -> TimeDelta {
    // In a repeated hour the offset is ambiguous: the shorter time counts.
    (end - begin).min(with_offset(end) - with_offset(begin))
}

/// How far the clock was set back between two records. The end of summer time sets no clock back.
pub fn went_back(before: NaiveDateTime, next: NaiveDateTime) -> TimeDelta {
    if next >= before {
        return TimeDelta::zero();
    }
    let latest = offsets(next).into_iter().flatten().last().map_or(with_offset(next).naive_utc(), |it| next - it);
    with_offset(before).naive_utc() - latest
}

/// The local time `length` after `begin`, in a repeated hour the later one. None if out of range.
pub fn after(begin: NaiveDateTime, length: TimeDelta) -> Option<NaiveDateTime> {
    let unchanged = begin.checked_add_signed(length)?;
    let moment = with_offset(begin).naive_utc().checked_add_signed(length)?;
    let shown = moment.checked_add_offset(offset_at(moment))?;
    Some(unchanged.max(shown))
}

/// The latest local time that clocks have shown until `now`. In a repeated hour, it dates from the first pass.
pub fn latest_shown(now: DateTime<Local>) -> NaiveDateTime {
    let utc = now.naive_utc();
    let before = utc.checked_add_offset(offset_at(utc - TimeDelta::hours(3)));
    now.naive_local().max(before.unwrap_or(utc))
}

/// The possible offsets of a local time from UTC, the earlier one first: two in an hour that is repeated when summer
/// time ends, and none in an hour that is skipped when it begins.
///
/// chrono's own answer is wrong for the first second after such an hour.
fn offsets(local: NaiveDateTime) -> [Option<FixedOffset>; 2] {
    if let Some(offset) = offset_of_day(local.date()) {
        return [Some(offset), None];
    }
    let day = TimeDelta::days(1);
    let [earlier, later] = [local - day, local + day].map(offset_at);
    let is_possible = |offset: &FixedOffset| offset_at(local - *offset) == *offset;
    [Some(earlier).filter(is_possible), Some(later).filter(|later| *later != earlier && is_possible(later))]
}

/// The only offset on a day, the day before and the day after. None if there are two. Looked up once for all runs of a
/// day, because chrono asks the system for the time at each look-up.
fn offset_of_day(day: NaiveDate) -> Option<FixedOffset> {
    thread_local! {
        static LAST: Cell<(NaiveDate, Option<FixedOffset>)> = const { Cell::new((NaiveDate::MIN, None)) };
    }
    let (last, offset) = LAST.get();
    if last == day {
        return offset;
    }
    let begin = NaiveDateTime::from(day);
    let offset = offset_at(begin - TimeDelta::days(1));
    let is_only = offset == offset_at(begin + TimeDelta::days(2));
    let offset = is_only.then_some(offset);
    LAST.set((day, offset));
    offset
}

fn offset_at(utc: NaiveDateTime) -> FixedOffset {
    Local.offset_from_utc_datetime(&utc).fix()
}

/// The last multiple of `step` since midnight, at or before `time`.
pub fn last_multiple(step: TimeDelta, time: NaiveDateTime) -> NaiveDateTime {
    let seconds = i64::from(time.num_seconds_from_midnight());
    NaiveDateTime::from(time.date()) + TimeDelta::seconds(seconds - seconds % step.num_seconds())
}

/// The day number `day`, counted from 1970.
pub fn date(day: i64) -> Option<NaiveDate> {
    NaiveDate::from_epoch_days(i32::try_from(day).ok()?)
}

/// Seconds of local time, counted as if local time were UTC.
pub fn local_seconds(time: NaiveDateTime) -> i64 {
    time.and_utc().timestamp()
}

/// The inverse of [`local_seconds`].
pub fn of_local_seconds(seconds: i64) -> NaiveDateTime {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc()
}

/// The local time this many seconds after 1970 began in UTC.
pub fn local_time(seconds: i64) -> NaiveDateTime {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().with_timezone(&Local).naive_local()
}
