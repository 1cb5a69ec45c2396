//! The scale of a timeline: from local times to places.

use chrono::{NaiveDateTime, NaiveTime, TimeDelta, Timelike};

/// The width of a timeline. In a day, a unit is a minute.
pub const UNITS: i64 = 1440;

/// The most ticks.
const MAX_TICKS: i64 = 12;

/// The most ticks of a scale of months, where they are dates with years.
const MAX_LONG_TICKS: i64 = 6;

const MINUTES_OF_DAY: i64 = 1440;

/// The possible distances of ticks, in minutes.
const STEPS: [i64; 12] = [1, 5, 10, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080];

#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// The first second.
    pub begin: NaiveDateTime,
    /// The first second after it.
    pub end: NaiveDateTime,
}

#[derive(Debug)]
pub struct Tick {
    pub time: NaiveDateTime,
    pub label: String,
}

impl Scale {
    /// The place of a time. A time outside the period is at its nearer end.
    pub fn unit(&self, time: NaiveDateTime) -> i64 {
        self.part(time, UNITS)
    }

    pub fn percent(&self, time: NaiveDateTime) -> String {
        percent(self.part(time, 10_000))
    }

    pub fn width(&self, from: NaiveDateTime, to: NaiveDateTime) -> String {
        percent(self.part(to, 10_000) - self.part(from, 10_000))
    }

    fn part(&self, time: NaiveDateTime, whole: i64) -> i64 {
        let all = (self.end - self.begin).num_seconds().max(1);
        let passed = (time.clamp(self.begin, self.end.max(self.begin)) - self.begin).num_seconds();
        passed * whole / all
    }

    /// Ticks at round times.
    pub fn ticks(&self) -> Vec<Tick> {
        let minutes = (self.end - self.begin).num_minutes();
        let fits = |step: &&i64| minutes / **step <= MAX_TICKS;
        let usual = STEPS.iter().find(fits).copied();
        let step = usual.map_or_else(
            || TimeDelta::days(minutes / MINUTES_OF_DAY / MAX_LONG_TICKS + 1),
            TimeDelta::minutes,
        );
        let midnight = self.begin.date().and_time(NaiveTime::MIN);
        let before = i64::from(self.begin.num_seconds_from_midnight()) / step.num_seconds();
        let first = midnight + TimeDelta::seconds(before * step.num_seconds());
        let times = (0..).map(|number| first + step * number);
        let is_shown = |time: &NaiveDateTime| *time >= self.begin;
        times
            .take_while(|time| *time < self.end)
            .filter(is_shown)
            .map(|time| Tick { time, label: label(time, usual.is_none()) })
            .collect()
    }
}

/// The date at midnight, otherwise the time.
fn label(time: NaiveDateTime, has_year: bool) -> String {
    let format = match time.time() {
        _ if has_year => "%Y-%m-%d",
        NaiveTime::MIN => "%m-%d",
        _ => "%H:%M",
    };
    time.format(format).to_string()
}

/// Hundredths of a percent in the notation of SVG.
fn percent(hundredths: i64) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}
