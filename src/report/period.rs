//! Points in time as `--since` and `--until` give them.

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, Timelike};

use super::run::{End, Run};
use crate::log::record;

/// What is not a point in time.
#[derive(Debug, thiserror::Error)]
#[error("not a valid time")]
pub struct NoTime;

/// From when to when, in local time; the end is not part of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Period {
    /// `--since`.
    pub since: Option<NaiveDateTime>,
    /// `--until`.
    pub until: Option<NaiveDateTime>,
}

impl Period {
    /// Whether `run` was going on at some time in it. A run that was lost was so at its last record.
    pub fn has(&self, run: &Run) -> bool {
        let begins = self.until.is_none_or(|until| run.trace.start < until);
        let ends = self.since.is_none_or(|since| run.trace.last >= since);
        begins && (ends || run.end == End::Running)
    }
}

/// The time that `text` gives: a date, a date and a time, or how long before `now` it was (`90m`, `2h`, `3d`).
///
/// A date alone is its first second, or with `is_end` the first after it.
///
/// # Errors
///
/// It is none of these.
pub fn parse(text: &str, now: DateTime<Local>, is_end: bool) -> Result<NaiveDateTime, NoTime> {
    for separator in [" ", "T"] {
        for time in ["%H:%M:%S", "%H:%M"] {
            let format = format!("%Y-%m-%d{separator}{time}");
            if let Ok(time) = NaiveDateTime::parse_from_str(text, &format) {
                return Ok(time);
            }
        }
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        let day = if is_end { date.succ_opt() } else { Some(date) };
        return day.map(|day| day.and_time(NaiveTime::MIN)).ok_or(NoTime);
    }
    ago(text)
        .and_then(|ago| before(now, ago, is_end))
        .ok_or(NoTime)
}

/// The local time `ago` before `now`, to the second, as the records have it.
///
/// Where the clocks were changed meanwhile there are two answers: what the clock showed then, and what it
/// would have shown as it goes now. Of these the one that leaves nothing out.
fn before(now: DateTime<Local>, ago: TimeDelta, is_end: bool) -> Option<NaiveDateTime> {
    let now = now.with_nanosecond(0)?;
    let then = now.checked_sub_signed(ago)?;
    let shown = then.naive_utc().checked_add_offset(then.offset().fix())?;
    let reckoned = now.naive_local().checked_sub_signed(ago)?;
    Some(if is_end {
        shown.max(reckoned)
    } else {
        shown.min(reckoned)
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
