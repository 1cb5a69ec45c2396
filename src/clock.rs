//! Local time, as records have it, and UTC.

use std::cell::Cell;

use chrono::{DateTime, FixedOffset, Local, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone};

/// The UTC of the local time `local`.
///
/// There is none if summer time skipped that hour, or if its end repeated the hour.
pub fn to_utc(local: NaiveDateTime) -> Option<NaiveDateTime> {
    match offsets(local).as_slice() {
        [offset] => Some(local - *offset),
        _ => None,
    }
}

/// The local time `local` with its offset from UTC. In a repeated hour this is the first of the two.
pub fn with_offset(local: NaiveDateTime) -> DateTime<FixedOffset> {
    // A skipped hour has none: take that of the day before.
    let offset = offsets(local).first().copied();
    let offset = offset.unwrap_or_else(|| offset_at(local - TimeDelta::days(1)));
    DateTime::from_naive_utc_and_offset(local - offset, offset)
}

/// The time from one local time to a later one. An hour that the clock skips when summer time begins is none.
pub fn passed(begin: NaiveDateTime, end: NaiveDateTime) -> TimeDelta {
    // In an hour that is repeated nobody knows which of the two it was: then the shorter one counts.
    (end - begin).min(with_offset(end) - with_offset(begin))
}

/// The local time when so much time has passed since `begin`. In an hour that is repeated this is the later of the two.
/// There is none if it is out of range.
pub fn after(begin: NaiveDateTime, length: TimeDelta) -> Option<NaiveDateTime> {
    let unchanged = begin.checked_add_signed(length)?;
    let moment = with_offset(begin).naive_utc().checked_add_signed(length)?;
    let shown = moment.checked_add_offset(offset_at(moment))?;
    Some(unchanged.max(shown))
}

/// The latest local time that clocks have shown until `now`. In an hour that is repeated it is that of the first time.
pub fn latest_shown(now: DateTime<Local>) -> NaiveDateTime {
    let utc = now.naive_utc();
    let before = utc.checked_add_offset(offset_at(utc - TimeDelta::hours(3)));
    now.naive_local().max(before.unwrap_or(utc))
}

/// The offsets from UTC that the local time `local` can have, the earlier one first. There are two in an
/// hour that is repeated when summer time ends, and none in an hour that is skipped when it begins.
///
/// chrono's own answer is wrong for the first second after such an hour.
fn offsets(local: NaiveDateTime) -> Vec<FixedOffset> {
    if let Some(offset) = offset_of_day(local.date()) {
        return vec![offset];
    }
    let day = TimeDelta::days(1);
    let mut offsets = vec![offset_at(local - day), offset_at(local + day)];
    offsets.dedup();
    offsets.retain(|offset| offset_at(local - *offset) == *offset);
    offsets
}

/// The only offset that local time has on a day, on the one before and on the one after. None if there are two.
///
/// It is looked up once for all runs of a day: chrono asks the system for the time with each look-up.
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

/// The offset of local time from UTC at the time `utc`.
fn offset_at(utc: NaiveDateTime) -> FixedOffset {
    Local.offset_from_utc_datetime(&utc).fix()
}

/// Seconds of local time, counted as if the local time were UTC.
pub fn local_seconds(time: NaiveDateTime) -> i64 {
    time.and_utc().timestamp()
}

/// The local time that is `seconds` as [`local_seconds`] counts them.
pub fn of_local_seconds(seconds: i64) -> NaiveDateTime {
    let time = DateTime::from_timestamp(seconds, 0);
    time.unwrap_or_default().naive_utc()
}

/// The local time so many seconds after 1970 began in UTC.
pub fn local_time(seconds: i64) -> NaiveDateTime {
    let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    time.with_timezone(&Local).naive_local()
}
