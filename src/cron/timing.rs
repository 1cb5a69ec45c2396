//! The time part of a crontab line: `*/5 3 * * mon` or `@daily`.

mod field;

use chrono::{Datelike, NaiveDate};

use super::daemon::Daemon;
use crate::escape::shortened;
use field::{FieldError, UNITS, Values};

/// The most bytes of a field that a message shows.
const LONGEST: usize = 40;

/// When a line is due, in the local time of its cron.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Bit N stands for minute N of an hour.
    pub minutes: u64,
    /// Bit N stands for hour N of a day.
    pub hours: u32,
    /// Bit N stands for day N of a month.
    pub days: u32,
    /// Bit N stands for month N of a year.
    pub months: u16,
    /// Bit N stands for day N of a week, Sunday being 0.
    pub weekdays: u8,
    /// A day has to match both day fields, because one begins with `*`. Otherwise one match is enough.
    pub needs_both_days: bool,
    /// The minute or the hour begins with `*`: the line follows the clock when summer time begins or ends.
    pub is_wildcard: bool,
    /// The line runs when the machine has booted, and at no time of day.
    pub is_reboot: bool,
    /// How many minutes later than the given minute the time may be that cronie draws for `0~9`. None if cronie draws
    /// the day.
    pub spread: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimingError {
    #[error("{name} '{text}' {error}")]
    Field {
        name: &'static str,
        text: String,
        error: FieldError,
        /// The smallest and the largest value.
        bounds: (u8, u8),
    },
    /// Fewer than five fields.
    #[error("there is no {0}")]
    Missing(&'static str),
    /// An `@word` that cron does not have.
    #[error("'@{0}' is not a time that cron knows")]
    Word(String),
}

impl TimingError {
    pub fn remedy(&self) -> String {
        match self {
            Self::Field { text, bounds: (low, high), .. } => match unit_habit(text) {
                Some(remedy) => remedy.to_owned(),
                None => format!(
                    "give numbers from {low} to {high}, as *, N, N-M, */STEP or a list with commas"
                ),
            },
            Self::Missing(_) => {
                "give minute, hour, day of month, month, day of week and the command".to_owned()
            }
            Self::Word(_) => {
                "give @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually or @reboot"
                    .to_owned()
            }
        }
    }
}

/// A field of which cron reads only the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HalfReadField {
    name: &'static str,
    read: String,
    ignored: String,
}

impl HalfReadField {
    /// The fields of `time` that cron reads only in part.
    pub fn all(time: &[u8], daemon: Daemon) -> Vec<Self> {
        let mut rest = time;
        let fields = UNITS.iter().filter_map(|unit| {
            let (field, after) = split_word(rest);
            rest = after;
            let ignored = unit.parse(field, daemon).ok()?.ignored;
            let (read, ignored) = field.split_at(field.len() - ignored);
            (!ignored.is_empty()).then(|| Self {
                name: unit.name,
                read: shortened(read, LONGEST),
                ignored: shortened(ignored, LONGEST),
            })
        });
        fields.collect()
    }

    pub fn problem(&self) -> String {
        let Self { name, read, ignored } = self;
        format!("cron reads the {name} as {read} and ignores '{ignored}'")
    }

    pub fn remedy(&self) -> &'static str {
        let is_long_dash = ["–", "—", "−"].iter().any(|dash| self.ignored.starts_with(dash));
        match self.ignored.chars().next() {
            _ if is_long_dash => "write a range with a plain hyphen (-)",
            Some('~') => "give a number, or use sleep: only cronie draws numbers",
            Some('#') => {
                "cron has no nth weekday: give the days of the month, and test the weekday in the command"
            }
            Some('\u{a0}') => "replace the no-break space by a blank",
            _ => "write a list with commas (0,30), a range (9-17) or a step (*/5)",
        }
    }
}

impl Timing {
    /// Parses the time at the beginning of `line`. Returns it with the rest of the line after the blanks.
    pub fn parse(line: &[u8], daemon: Daemon) -> Result<(Self, &[u8]), TimingError> {
        if let Some(line) = line.strip_prefix(b"@") {
            let (word, rest) = split_word(line);
            let timing = match word {
                b"reboot" => Self::reboot(),
                _ => Self::of_fields(fields_of(word)?, daemon)?,
            };
            return Ok((timing, rest));
        }
        let mut rest = line;
        let mut fields = [b"".as_slice(); 5];
        for (field, unit) in fields.iter_mut().zip(UNITS) {
            (*field, rest) = split_word(rest);
            if field.is_empty() {
                return Err(TimingError::Missing(unit.name));
            }
        }
        Ok((Self::of_fields(fields, daemon)?, rest))
    }

    fn of_fields(fields: [&[u8]; 5], daemon: Daemon) -> Result<Self, TimingError> {
        let mut values = [Values::default(); 5];
        for ((values, unit), text) in values.iter_mut().zip(UNITS).zip(fields) {
            *values = unit.parse(text, daemon).map_err(|error| TimingError::Field {
                name: unit.name,
                text: shortened(text, LONGEST),
                error,
                bounds: (unit.low, unit.high),
            })?;
        }
        let begins_with_star = |index: usize| fields[index].starts_with(b"*");
        let [minutes, hours, days, months, weekdays] = values;
        // Sunday is both 0 and 7.
        let sunday = u8::from(weekdays.bits & 0b1000_0001 != 0);
        Ok(Self {
            minutes: minutes.bits,
            hours: low_bits(hours.bits),
            days: low_bits(days.bits),
            months: u16::try_from(months.bits).unwrap_or_default(),
            weekdays: u8::try_from(weekdays.bits & 0b111_1110).unwrap_or_default() | sunday,
            needs_both_days: begins_with_star(2) || begins_with_star(4),
            is_wildcard: begins_with_star(0) || begins_with_star(1),
            is_reboot: false,
            spread: (days.spread == 0 && months.spread == 0 && weekdays.spread == 0)
                .then_some(u16::from(minutes.spread) + 60 * u16::from(hours.spread)),
        })
    }

    fn reboot() -> Self {
        Self {
            minutes: 0,
            hours: 0,
            days: 0,
            months: 0,
            weekdays: 0,
            needs_both_days: true,
            is_wildcard: false,
            is_reboot: true,
            spread: Some(0),
        }
    }

    pub fn is_due_on(&self, date: NaiveDate) -> bool {
        let is_month = self.months >> date.month() & 1 == 1;
        let is_day = self.days >> date.day() & 1 == 1;
        let is_weekday = self.weekdays >> date.weekday().num_days_from_sunday() & 1 == 1;
        is_month && if self.needs_both_days { is_day && is_weekday } else { is_day || is_weekday }
    }

    /// Whether no day or no minute can ever match, as in `50-10 * * * *` or on February 30.
    pub fn is_never_due(&self) -> bool {
        // 28 years have every date on every day of the week.
        let first = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default();
        let has_day = || first.iter_days().take(28 * 366).any(|date| self.is_due_on(date));
        !self.is_reboot && (self.minutes == 0 || self.hours == 0 || !has_day())
    }
}

/// The first word of `text`, and the rest after the blanks.
pub fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let end = text.iter().position(&is_blank);
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    let blanks = rest.iter().take_while(|byte| is_blank(byte)).count();
    (word, &rest[blanks..])
}

/// The five fields that an `@word` stands for, with the stars where cron's own table has them.
fn fields_of(word: &[u8]) -> Result<[&'static [u8]; 5], TimingError> {
    Ok(match word {
        b"yearly" | b"annually" => [b"0", b"0", b"1", b"1", b"*"],
        b"monthly" => [b"0", b"0", b"1", b"*", b"*"],
        b"weekly" => [b"0", b"0", b"*", b"*", b"0"],
        b"daily" | b"midnight" => [b"0", b"0", b"*", b"*", b"*"],
        b"hourly" => [b"0", b"*", b"*", b"*", b"*"],
        _ => return Err(TimingError::Word(shortened(word, LONGEST))),
    })
}

/// The remedy for what other schedulers accept and cron does not.
fn unit_habit(field: &str) -> Option<&'static str> {
    let is_long_name = |name: &str| {
        let three = name.get(..3).unwrap_or_default();
        let mut names = UNITS.iter().flat_map(|unit| unit.names);
        name.len() > 3 && names.any(|it| it.eq_ignore_ascii_case(three))
    };
    let mut parts = field.split([',', '-', '/']);
    if parts.any(is_long_name) {
        return Some("cut names to three letters: mon, jan");
    }
    match field.as_bytes() {
        [.., b'?'] => Some("write * instead of ?"),
        [.., b'L' | b'W'] => {
            Some("cron knows neither L nor W: give days, and test the date in the command")
        }
        _ => None,
    }
}

fn low_bits(bits: u64) -> u32 {
    u32::try_from(bits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(text: &str) -> Timing {
        Timing::parse(text.as_bytes(), Daemon::Debian).unwrap().0
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_matches_one_of_two_day_fields_unless_one_begins_with_a_star() {
        // 13 November 2026 is a Friday, the 16th a Monday.
        for (text, friday_13, monday_16, friday_20) in [
            ("0 0 13 * *", true, false, false),
            ("0 0 * * fri", true, false, true),
            ("0 0 16 * fri", true, true, true),
            ("0 0 */15 * fri", false, false, false),
            ("0 0 16 * */5", false, false, false),
            ("0 0 1-31 * fri", true, true, true),
        ] {
            let due = |day| timing(text).is_due_on(date(day));
            assert_eq!(
                (due("2026-11-13"), due("2026-11-16"), due("2026-11-20")),
                (friday_13, monday_16, friday_20),
                "{text}"
            );
        }
    }

    #[test]
    fn a_time_that_never_comes_is_found() {
        for text in ["50-10 * * * *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"] {
            assert!(timing(text).is_never_due(), "{text}");
        }
        for text in ["0 0 29 2 *", "0 0 30 2 mon", "@reboot"] {
            assert!(!timing(text).is_never_due(), "{text}");
        }
    }

    #[test]
    fn a_refused_time_says_which_field_is_wrong() {
        for (text, reason) in [
            ("61 * * * *", "minute '61' is out of range"),
            ("* * * foo * x", "month 'foo' has no number where one is needed"),
            ("* * *", "there is no month"),
            ("@often", "'@often' is not a time that cron knows"),
        ] {
            let error = Timing::parse(text.as_bytes(), Daemon::Debian).unwrap_err();
            assert_eq!(error.to_string(), reason);
        }
    }
}
