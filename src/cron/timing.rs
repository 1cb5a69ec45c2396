//! The time part of a crontab line: `*/5 3 * * mon` or `@daily`.

mod field;

use chrono::{Datelike, NaiveDate};

use super::{daemon::Daemon, fault::Fault};
use crate::escape::shortened;
use field::{UNITS, Unit, Values};

/// The most bytes of a field that a message shows.
const LONGEST: usize = 40;

/// The times at which a line is due, in the local time of its cron.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timing {
    /// Bit N stands for minute N, and in the next fields for hour, day, month and weekday N. Sunday is 0.
    pub minutes: u64,
    pub hours: u64,
    pub days: u64,
    pub months: u64,
    pub weekdays: u64,
    /// A day has to match both day fields, because one begins with `*`. Otherwise one match is enough.
    pub needs_both_days: bool,
    /// The minute or the hour begins with `*`: the line follows the clock when summer time begins or ends.
    pub is_wildcard: bool,
    /// The line runs when the machine has booted, and at no time of day.
    pub is_reboot: bool,
    /// The most minutes by which cronie may draw a later time for `0~9`. None if cronie draws the day.
    pub spread: Option<u16>,
}

/// Each field of `time` of which cron reads only the beginning.
pub fn half_read_fields(time: &[u8], daemon: Daemon) -> Vec<Fault> {
    let mut rest = time;
    let faults = UNITS.iter().filter_map(|unit| {
        let (field, after) = split_word(rest);
        rest = after;
        let ignored = unit.parse(field, daemon).ok()?.ignored;
        let (read, ignored) = field.split_at(field.len() - ignored);
        (!ignored.is_empty()).then(|| {
            let (read, ignored) = (shortened(read, LONGEST), shortened(ignored, LONGEST));
            let name = unit.name;
            let problem = if read.is_empty() {
                format!("cron does not understand the {name} '{ignored}'")
            } else {
                format!("cron reads the {name} as {read} and ignores '{ignored}'")
            };
            Fault::new(problem, remedy_for_ignored(&ignored))
        })
    });
    faults.collect()
}

fn remedy_for_ignored(ignored: &str) -> &'static str {
    match ignored.chars().next() {
        Some('–' | '—' | '−') => "write a range with a plain hyphen (-)",
        Some('~') => "give a number, or use sleep: only cronie draws numbers",
        Some('#') => "cron has no nth weekday: give the days of the month, and test the weekday in the command",
        Some('\u{a0}') => "replace the no-break space by a blank",
        _ => "write a list with commas (0,30), a range (9-17) or a step (*/5)",
    }
}

impl Timing {
    /// Parses the time at the beginning of `line`. Returns it with the rest of the line after the blanks.
    pub fn parse(line: &[u8], daemon: Daemon) -> Result<(Self, &[u8]), Fault> {
        if let Some(line) = line.strip_prefix(b"@") {
            let (word, rest) = split_word(line);
            if daemon == Daemon::Busybox {
                let problem = format!("@{} crashes busybox crond", shortened(word, LONGEST));
                return Err(Fault::new(problem, "give five time fields"));
            }
            let timing = match word {
                b"reboot" => Self { is_reboot: true, spread: Some(0), ..Self::default() },
                _ => Self::of_fields(fields_of(word)?, daemon)?,
            };
            return Ok((timing, rest));
        }
        let mut rest = line;
        let mut fields = [b"".as_slice(); 5];
        for (field, unit) in fields.iter_mut().zip(UNITS) {
            (*field, rest) = split_word(rest);
            if field.is_empty() {
                return Err(Fault::new(
                    format!("there is no {}", unit.name),
                    "give minute, hour, day of month, month, day of week and the command",
                ));
            }
        }
        Ok((Self::of_fields(fields, daemon)?, rest))
    }

    fn of_fields(fields: [&[u8]; 5], daemon: Daemon) -> Result<Self, Fault> {
        let mut values = [Values::default(); 5];
        for ((values, unit), text) in values.iter_mut().zip(UNITS).zip(fields) {
            *values = unit.parse(text, daemon).map_err(|why| refused_field(&unit, text, why))?;
        }
        let begins_with_star = |index: usize| fields[index].starts_with(b"*");
        let [minutes, hours, mut days, months, mut weekdays] = values;
        let is_busybox = daemon == Daemon::Busybox;
        if is_busybox {
            // A field that restricts nothing does not count beside one that does.
            match (days.bits == u64::from(u32::MAX), weekdays.bits == 0x7f) {
                (true, false) => days.bits = 0,
                (false, true) => weekdays.bits = 0,
                _ => {}
            }
        }
        Ok(Self {
            minutes: minutes.bits,
            hours: hours.bits,
            days: days.bits,
            months: months.bits,
            // Sunday is both 0 and 7.
            weekdays: (weekdays.bits | weekdays.bits >> 7) & 0x7f,
            needs_both_days: !is_busybox && (begins_with_star(2) || begins_with_star(4)),
            // The crond of busybox follows the clock with all lines.
            is_wildcard: is_busybox || begins_with_star(0) || begins_with_star(1),
            is_reboot: false,
            spread: (days.spread == 0 && months.spread == 0 && weekdays.spread == 0)
                .then_some(u16::from(minutes.spread) + 60 * u16::from(hours.spread)),
        })
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
fn fields_of(word: &[u8]) -> Result<[&'static [u8]; 5], Fault> {
    Ok(match word {
        b"yearly" | b"annually" => [b"0", b"0", b"1", b"1", b"*"],
        b"monthly" => [b"0", b"0", b"1", b"*", b"*"],
        b"weekly" => [b"0", b"0", b"*", b"*", b"0"],
        b"daily" | b"midnight" => [b"0", b"0", b"*", b"*", b"*"],
        b"hourly" => [b"0", b"*", b"*", b"*", b"*"],
        _ => {
            let word = shortened(word, LONGEST);
            return Err(Fault::new(
                format!("'@{word}' is not a time that cron knows"),
                "give @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually or @reboot",
            ));
        }
    })
}

fn refused_field(unit: &Unit, text: &[u8], why: &str) -> Fault {
    let Unit { name, low, high, .. } = unit;
    let text = shortened(text, LONGEST);
    let remedy = unit_habit(&text).map_or_else(
        || format!("give numbers from {low} to {high}, as *, N, N-M, */STEP or a list with commas"),
        str::to_owned,
    );
    Fault::new(format!("{name} '{text}' {why}"), remedy)
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
        [.., b'L' | b'W'] => Some("cron knows neither L nor W: give days, and test the date in the command"),
        _ => None,
    }
}

/// The numbers of the bits that are set, the lowest first.
pub fn numbers(mut bits: u64) -> impl Iterator<Item = u32> + Clone {
    std::iter::from_fn(move || {
        let lowest = (bits != 0).then(|| bits.trailing_zeros())?;
        bits &= bits - 1;
        Some(lowest)
    })
}
