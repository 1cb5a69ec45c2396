//! The period of a report, and the times that `--since` and `--until` take.

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

use crate::log::record;

/// A text does not give a time.
#[derive(Debug, thiserror::Error)]
#[error("not a valid time")]
pub struct InvalidTime;

/// A period of local time, without its end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Period {
    /// Its first second: `--since`.
    pub since: Option<NaiveDateTime>,
    /// The first second after it: `--until`.
    pub until: Option<NaiveDateTime>,
}

impl Period {
    /// Whether something that went on from `start` to `end` overlaps it. Without an end it still goes on.
    pub fn overlaps(&self, start: NaiveDateTime, end: Option<NaiveDateTime>) -> bool {
        let begins_before = |until| start < until;
        let ends_after = |since| end.is_none_or(|end| end >= since);
        self.until.is_none_or(begins_before) && self.since.is_none_or(ends_after)
    }
}

/// The local time that `text` gives: a date, a date and a time, or how long before `now` (`90m`, `2h`, `3d`).
///
/// A date alone gives its first second, or with `is_end` the first second after it.
///
/// # Errors
///
/// `text` is none of these, or the time is out of range.
pub fn parse(text: &str, now: DateTime<Local>, is_end: bool) -> Result<NaiveDateTime, InvalidTime> {
    let time = date_and_time(text)
        .or_else(|| date(text, is_end))
        .or_else(|| ago(text).and_then(|ago| before(now, ago, is_end)));
    time.ok_or(InvalidTime)
}

fn date_and_time(text: &str) -> Option<NaiveDateTime> {
    let formats = [
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%dT%H:%M",
    ];
    let mut times = formats
        .iter()
        .map(|format| NaiveDateTime::parse_from_str(text, format));
    times.find_map(Result::ok)
}

fn date(text: &str, is_end: bool) -> Option<NaiveDateTime> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    let day = if is_end { date.succ_opt()? } else { date };
    Some(day.and_time(NaiveTime::MIN))
}

/// The local time `ago` before `now`, in whole seconds as records have it.
///
/// If the clock was changed in between, there are two answers: the time that the clock showed then, and the
/// time that it would have shown without the change. The result is the one that leaves out nothing.
fn before(now: DateTime<Local>, ago: TimeDelta, is_end: bool) -> Option<NaiveDateTime> {
    let now = now.with_nanosecond(0)?;
    let shown = now.checked_sub_signed(ago)?;
    let offset = shown.offset();
    let shown = shown.naive_utc().checked_add_offset(*offset)?;
    let unchanged = now.naive_local().checked_sub_signed(ago)?;
    Some(if is_end {
        shown.max(unchanged)
    } else {
        shown.min(unchanged)
    })
}

fn ago(text: &str) -> Option<TimeDelta> {
    let unit = text.chars().next_back()?;
    let number = record::number(text.strip_suffix(unit)?.as_bytes())?;
    match unit {
        's' => TimeDelta::try_seconds(number),
        'm' => TimeDelta::try_minutes(number),
        'h' => TimeDelta::try_hours(number),
        'd' => TimeDelta::try_days(number),
        'w' => TimeDelta::try_weeks(number),
        _ => None,
    }
}
