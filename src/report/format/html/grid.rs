//! The columns of the timeline: equal parts of the period, at round times.

use chrono::{NaiveDateTime, NaiveTime, TimeDelta};

use super::limits::{COLUMNS, TICKS};
use crate::clock::last_multiple;
use crate::report::format::{Report, Scope};

const DAY: i64 = 86_400;
/// The widths of a column up to a day, in seconds.
const STEPS: [i64; 18] =
    [1, 5, 10, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, DAY];

pub struct Grid {
    /// The local time at which the first column begins.
    pub begin: NaiveDateTime,
    /// The width of a column, in seconds.
    pub step: i64,
    pub columns: usize,
}

impl Grid {
    /// The columns of the period, from the first run if the period has no beginning. None without runs.
    pub fn of(report: &Report) -> Option<Self> {
        let (first, _) = report.tally.first_to_last?;
        let Scope { since, now, .. } = report.scope;
        let since = if since == NaiveDateTime::MIN { first } else { since };
        let seconds = (now - since).num_seconds().max(1);
        let step = round_step(seconds, COLUMNS - 1);
        let begin = last_multiple(TimeDelta::seconds(step), since);
        let columns = usize::try_from((now - begin).num_seconds().max(1) / step + 1).ok()?;
        // The end of a whole day begins no column.
        let is_even = (now - begin).num_seconds() % step == 0;
        Some(Self { begin, step, columns: (columns - usize::from(is_even && columns > 1)) })
    }

    /// The column of a time. A time outside the period is in the first or the last column.
    pub fn column(&self, time: NaiveDateTime) -> usize {
        let column = (time - self.begin).num_seconds().max(0) / self.step;
        usize::try_from(column).map_or(0, |column| column.min(self.columns - 1))
    }

    pub fn time(&self, column: usize) -> NaiveDateTime {
        let seconds = i64::try_from(column).unwrap_or_default() * self.step;
        self.begin.checked_add_signed(TimeDelta::seconds(seconds)).unwrap_or(self.begin)
    }

    /// The place of a time in columns.
    pub fn place(&self, time: NaiveDateTime) -> String {
        self.part(time, i64::try_from(self.columns * 100).unwrap_or(i64::MAX))
    }

    /// The place of a time in percent of the width.
    pub fn percent(&self, time: NaiveDateTime) -> String {
        self.part(time, 10_000) + "%"
    }

    /// The place of a time on a scale of `width` hundredths, with two decimals.
    fn part(&self, time: NaiveDateTime, width: i64) -> String {
        let all = (self.time(self.columns) - self.begin).num_seconds().max(1);
        let part = (time - self.begin).num_seconds().clamp(0, all) * width / all;
        format!("{}.{:02}", part / 100, part % 100)
    }

    /// Round times for the axis, each with its label: the date at midnight, otherwise the time.
    pub fn ticks(&self) -> Vec<(NaiveDateTime, String)> {
        let end = self.time(self.columns);
        let step = round_step((end - self.begin).num_seconds(), TICKS);
        let first = last_multiple(TimeDelta::seconds(step), self.begin);
        let format = match step {
            0..60 => "%H:%M:%S",
            60..=DAY => "%H:%M",
            _ if step <= 14 * DAY => "%m-%d",
            _ => "%Y-%m-%d",
        };
        let ticks = (0..).map_while(|number| first.checked_add_signed(TimeDelta::seconds(step) * number));
        let ticks = ticks.skip_while(|tick| *tick < self.begin).take_while(|tick| *tick < end);
        let label = |tick: NaiveDateTime| {
            let is_midnight = tick.time() == NaiveTime::MIN && step <= DAY;
            tick.format(if is_midnight { "%m-%d" } else { format }).to_string()
        };
        ticks.map(|tick| (tick, label(tick))).collect()
    }
}

/// The least round step, in seconds, by which at most `most` steps cover this time.
fn round_step(seconds: i64, most: i64) -> i64 {
    let step = STEPS.iter().find(|step| seconds <= **step * most);
    step.copied().unwrap_or_else(|| (seconds / most / DAY + 1) * DAY)
}
