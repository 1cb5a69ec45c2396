//! Writes a line's time for Airflow.
//!
//! Airflow parses the five fields with croniter, whose rules differ from cron's: a day has to match one of the two day
//! fields, however they begin; `6-6` is every value; `fri-mon` and `50-10` wrap around. So no field is copied. The
//! fields are written from cron's minutes, hours, days, months and weekdays, in a form that both programs read alike.

use std::fmt::Write;
use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDate};

use crate::cron::{PortableLine, Timing, numbers};

const MINUTES: RangeInclusive<u32> = 0..=59;
const HOURS: RangeInclusive<u32> = 0..=23;
const DAYS: RangeInclusive<u32> = 1..=31;
const MONTHS: RangeInclusive<u32> = 1..=12;
const WEEKDAYS: RangeInclusive<u32> = 0..=6;

/// A line that becomes a DAG.
pub struct DagLine {
    pub line: PortableLine,
    pub schedule: AirflowSchedule,
    /// The index of the crontab in the request.
    pub crontab: usize,
}

pub struct AirflowSchedule {
    /// The times at which Airflow starts a run, even if the guard ends it. Of two restricted day fields one must match.
    pub timing: Timing,
    /// Written as two expressions of half a day each.
    is_split: bool,
    /// The run checks its day itself, because Airflow cannot.
    pub guard: Guard,
}

pub enum Guard {
    Nothing,
    Days(u64),
    Weekdays(u64),
}

impl AirflowSchedule {
    /// The schedule of a line of a crontab. `clock_changes` if the clock of its zone may change.
    pub fn of(timing: &Timing, clock_changes: bool) -> Self {
        let Timing { days, weekdays, .. } = *timing;
        let (all_days, all_weekdays) = (all(&DAYS), all(&WEEKDAYS));
        let is_either = !timing.needs_both_days;
        let (days, weekdays, guard) = match (days == all_days, weekdays == all_weekdays) {
            // One of the two always matches.
            (true, _) | (_, true) if is_either => (all_days, all_weekdays, Guard::Nothing),
            (true, _) | (_, true) => (days, weekdays, Guard::Nothing),
            _ if is_either => (days, weekdays, Guard::Nothing),
            // Airflow checks the rarer of the two.
            _ if days.count_ones() * 7 < weekdays.count_ones() * 31 => (days, all_weekdays, Guard::Weekdays(weekdays)),
            _ => (all_days, weekdays, Guard::Days(days)),
        };
        let needs_both_days = days == all_days || weekdays == all_weekdays;
        let timing = Timing { days, weekdays, needs_both_days, ..*timing };
        let mut schedule = Self { timing, is_split: false, guard };
        schedule.is_split = clock_changes && schedule.counts_time() && !schedule.is_due_on_sundays();
        schedule
    }

    /// Sunday is when most clocks change.
    fn is_due_on_sundays(&self) -> bool {
        let Timing { days, months, weekdays, .. } = self.timing;
        let is_each_day = days == all(&DAYS) || weekdays != all(&WEEKDAYS);
        months == all(&MONTHS) && weekdays & 1 == 1 && is_each_day
    }

    /// Whether a run on this day passes the guard.
    pub fn is_let_go_on(&self, date: NaiveDate) -> bool {
        match self.guard {
            Guard::Nothing => true,
            Guard::Days(days) => days >> date.day() & 1 == 1,
            Guard::Weekdays(days) => days >> date.weekday().num_days_from_sunday() & 1 == 1,
        }
    }

    /// The minutes of a day with a run, from midnight.
    pub fn minutes_of_day(&self) -> impl Iterator<Item = i64> {
        let Timing { hours, minutes, .. } = self.timing;
        numbers(hours).flat_map(move |hour| numbers(minutes).map(move |minute| i64::from(60 * hour + minute)))
    }

    /// Whether Airflow counts the time between runs, instead of the hours that the clock shows.
    ///
    /// That is so if an expression has each hour. If the clock changes between two days with runs, all runs up to the
    /// next change are then an hour off, or the first ones are lost. Two expressions of twelve hours avoid that.
    pub fn counts_time(&self) -> bool {
        self.timing.hours == all(&HOURS) && !self.is_split
    }

    /// The five fields, with a bar between two expressions.
    pub fn text(&self) -> String {
        let Timing { minutes, hours, days, months, weekdays, .. } = self.timing;
        let [minutes, days] = [field(minutes, &MINUTES), field(days, &DAYS)];
        let [months, weekdays] = [field(months, &MONTHS), field(weekdays, &WEEKDAYS)];
        let fields = |hours: &str| format!("{minutes} {hours} {days} {months} {weekdays}");
        if self.is_split { fields("0-11") + " | " + &fields("12-23") } else { fields(&field(hours, &HOURS)) }
    }
}

fn all(range: &RangeInclusive<u32>) -> u64 {
    range.clone().map(|number| 1 << number).sum()
}

/// `*`, or `*/STEP`, or a list of numbers and of ranges longer than two.
fn field(bits: u64, range: &RangeInclusive<u32>) -> String {
    if bits == all(range) {
        return "*".to_owned();
    }
    let is_step = |step: &usize| range.clone().step_by(*step).map(|n| 1 << n).sum::<u64>() == bits;
    // croniter has eight days of the week, two of them Sunday.
    let longest = if *range == WEEKDAYS { 0 } else { range.clone().count() / 2 };
    if let Some(step) = (2..=longest).find(is_step) {
        return format!("*/{step}");
    }
    let mut text = String::new();
    let mut numbers = numbers(bits).peekable();
    while let Some(first) = numbers.next() {
        let mut last = first;
        while let Some(next) = numbers.next_if_eq(&(last + 1)) {
            last = next;
        }
        let comma = if text.is_empty() { "" } else { "," };
        let _ = match last - first {
            0 => write!(text, "{comma}{first}"),
            1 => write!(text, "{comma}{first},{last}"),
            _ => write!(text, "{comma}{first}-{last}"),
        };
    }
    text
}
