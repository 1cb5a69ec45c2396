//! Local time, as the records have it, and points in time.

use chrono::{DateTime, FixedOffset, Local, NaiveDateTime, Offset, TimeDelta, TimeZone};

/// The point in time of local time `time`, if there is one and only one.
pub fn certain(time: NaiveDateTime) -> Option<NaiveDateTime> {
    match offsets(time).as_slice() {
        [offset] => Some(time - *offset),
        _ => None,
    }
}

/// The offsets from UTC that local time `time` can have, the one that comes first before the other: two
/// where it comes twice when summer time ends, none where it is skipped when that begins.
///
/// chrono takes also the second after these hours for one of them.
fn offsets(time: NaiveDateTime) -> Vec<FixedOffset> {
    let day = TimeDelta::days(1);
    let mut offsets = vec![offset_at(time - day), offset_at(time + day)];
    offsets.dedup();
    offsets.retain(|offset| offset_at(time - *offset) == *offset);
    offsets
}

/// The offset of local time at the point in time `utc`.
fn offset_at(utc: NaiveDateTime) -> FixedOffset {
    Local.offset_from_utc_datetime(&utc).fix()
}

/// Local time `time` with its offset from UTC; of two possible ones the first.
pub fn with_offset(time: NaiveDateTime) -> DateTime<FixedOffset> {
    // Skipped when summer time begins: as if it had not begun.
    let offset = offsets(time).first().copied();
    let offset = offset.unwrap_or_else(|| offset_at(time - TimeDelta::days(1)));
    DateTime::from_naive_utc_and_offset(time - offset, offset)
}
