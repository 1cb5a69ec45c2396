//! Local time, as records have it, and UTC.

use chrono::{DateTime, FixedOffset, Local, NaiveDateTime, Offset, TimeDelta, TimeZone};

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

/// The offsets from UTC that the local time `local` can have, the earlier one first. There are two in an
/// hour that is repeated when summer time ends, and none in an hour that is skipped when it begins.
///
/// chrono's own answer is wrong for the first second after such an hour.
fn offsets(local: NaiveDateTime) -> Vec<FixedOffset> {
    let day = TimeDelta::days(1);
    let mut offsets = vec![offset_at(local - day), offset_at(local + day)];
    offsets.dedup();
    offsets.retain(|offset| offset_at(local - *offset) == *offset);
    offsets
}

/// The offset of local time from UTC at the time `utc`.
fn offset_at(utc: NaiveDateTime) -> FixedOffset {
    Local.offset_from_utc_datetime(&utc).fix()
}
