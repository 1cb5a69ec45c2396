//! Parses one time field of a crontab line as cron does.
//!
//! The two daemons differ. Debian's skips whatever follows a range up to the next blank, so it takes `0~9` for 0.
//! cronie refuses that, draws a number for `0~9`, and reads `fri-sun` as a range. The vectors in `tests/data/cron` come
//! from the real daemons.

use crate::cron::daemon::Daemon;

pub struct Unit {
    pub name: &'static str,
    pub low: u8,
    pub high: u8,
    /// The names of the values from `low` on.
    pub names: &'static [&'static str],
}

pub const UNITS: [Unit; 5] = [
    unit("minute", 0, 59, &[]),
    unit("hour", 0, 23, &[]),
    unit("day of month", 1, 31, &[]),
    unit("month", 1, 12, &MONTHS),
    unit("day of week", 0, 7, &WEEKDAYS),
];

pub const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Sunday is both 0 and 7.
pub const WEEKDAYS: [&str; 8] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

const fn unit(name: &'static str, low: u8, high: u8, names: &'static [&'static str]) -> Unit {
    Unit { name, low, high, names }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Values {
    /// Bit N is the value N.
    pub bits: u64,
    /// The most by which cronie's random value (`0~9`) may be above the value in `bits`.
    pub spread: u8,
    /// The number of bytes at the end of the field that Debian's cron ignores.
    pub ignored: usize,
}

type FieldError = &'static str;

const NO_NUMBER: FieldError = "has no number where one is needed";
const RANGE: FieldError = "is out of range";

impl Unit {
    /// The values of `text`, which has no blanks.
    pub fn parse(&self, text: &[u8], daemon: Daemon) -> Result<Values, FieldError> {
        if daemon == Daemon::Busybox {
            return Ok(self.busybox(text));
        }
        let mut values = Values::default();
        let mut rest = text;
        loop {
            let range = match daemon {
                Daemon::Debian => self.debian_range(&mut rest)?,
                _ => self.cronie_range(&mut rest)?,
            };
            for value in (range.first..=range.last).step_by(range.step) {
                let is_value = (i64::from(self.low)..=i64::from(self.high)).contains(&value);
                if !is_value {
                    return Err(RANGE);
                }
                values.bits |= 1 << value;
            }
            values.spread = values.spread.max(range.spread);
            let Some((b',', after)) = rest.split_first() else {
                values.ignored = rest.len();
                return Ok(values);
            };
            rest = after;
        }
    }

    /// The values that the crond of busybox takes before what it does not understand. A range may go past the last
    /// value to the first, and one to a number that does not exist has every value.
    fn busybox(&self, text: &[u8]) -> Values {
        let mut values = Values::default();
        let mut rest = text;
        let first = usize::from(self.low == 1 && !self.names.is_empty());
        let count = usize::from(self.high) + 1 - first - usize::from(self.names == WEEKDAYS);
        loop {
            let before = rest.len();
            let item = |rest: &mut &[u8]| {
                if take(rest, b'*') {
                    return Some((0, Some(count - 1)));
                }
                Some((self.busybox_number(rest)?.checked_sub(first)?, None))
            };
            let Some((begin, end)) = item(&mut rest) else { return Values { ignored: before, ..values } };
            let end = match end {
                None if take(&mut rest, b'-') => match item(&mut rest) {
                    Some((number, end)) => end.unwrap_or(number),
                    None => return Values { ignored: before, ..values },
                },
                end => end.unwrap_or(begin),
            };
            let step = take(&mut rest, b'/').then(|| self.busybox_number(&mut rest).unwrap_or(0));
            let steps = if end < count { (end + count - begin % count) % count + 1 } else { 1023 };
            // Without a number behind the slash only the first value counts.
            for place in (0..steps).step_by(step.map_or(1, |step| if step == 0 { 1023 } else { step })) {
                values.bits |= 1 << ((begin + place) % count + first);
            }
            if end >= count || !take(&mut rest, b',') {
                let ignored = if end < count { rest.len() } else { before };
                return Values { ignored, ..values };
            }
        }
    }

    /// A number, or the number of a name of three letters.
    fn busybox_number(&self, rest: &mut &[u8]) -> Option<usize> {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, after) = rest.split_at(if digits > 0 { digits } else { rest.len().min(3) });
        let word = str::from_utf8(number).ok()?;
        let name = self.names.iter().position(|name| name.eq_ignore_ascii_case(word));
        let value = name.map(|name| name + usize::from(self.low)).or_else(|| word.parse().ok())?;
        *rest = after;
        Some(value)
    }

    fn debian_range(&self, rest: &mut &[u8]) -> Result<Range, FieldError> {
        let range = if take(rest, b'*') {
            self.all()
        } else {
            let first = self.number(rest)?;
            if !take(rest, b'-') {
                return match rest.first() {
                    Some(b'/') => Err("has a step without a range"),
                    _ => Ok(Range::new(first, first)),
                };
            }
            Range::new(first, self.number(rest)?)
        };
        let range = self.step(range, rest)?;
        let bounds = i64::from(self.low)..=i64::from(self.high);
        if bounds.contains(&range.first) && bounds.contains(&range.last) { Ok(range) } else { Err(RANGE) }
    }

    fn cronie_range(&self, rest: &mut &[u8]) -> Result<Range, FieldError> {
        let range = if take(rest, b'*') {
            self.step(self.all(), rest)?
        } else if take(rest, b'~') {
            self.random(i64::from(self.low), rest)?
        } else {
            let first = self.number(rest)?;
            if take(rest, b'-') {
                let range = Range::new(first, self.number(rest)?);
                match rest.first() {
                    Some(b'/') => self.step(range, rest)?,
                    // Saturday to Sunday.
                    _ if range.last == 0 && first > 0 => Range::new(first, 7),
                    _ => range,
                }
            } else if take(rest, b'~') {
                self.random(first, rest)?
            } else {
                Range::new(first, first)
            }
        };
        match rest.first() {
            None | Some(b',') => Ok(range),
            Some(_) => Err("has something after a value that does not belong there"),
        }
    }

    /// The rest of `FIRST~LAST`. `LAST` may be missing.
    fn random(&self, first: i64, rest: &mut &[u8]) -> Result<Range, FieldError> {
        let last = match rest.first() {
            None | Some(b',') => i64::from(self.high),
            Some(_) => self.number(rest)?,
        };
        if first > last || last > i64::from(self.high) {
            return Err(RANGE);
        }
        let mut range = Range::new(first, first);
        range.spread = u8::try_from(last - first).map_err(|_| RANGE)?;
        Ok(range)
    }

    fn step(&self, mut range: Range, rest: &mut &[u8]) -> Result<Range, FieldError> {
        if take(rest, b'/') {
            let names_do_not_count = Unit { names: &[], ..*self };
            let step = usize::try_from(names_do_not_count.number(rest)?).unwrap_or(0);
            if step == 0 {
                return Err("has no step above 0");
            }
            range.step = step;
        }
        Ok(range)
    }

    fn number(&self, rest: &mut &[u8]) -> Result<i64, FieldError> {
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric();
        let (word, after) = rest.split_at(rest.iter().take_while(is_part).count());
        *rest = after;
        let word = str::from_utf8(word).unwrap_or_default();
        if let Some(index) = self.names.iter().position(|name| name.eq_ignore_ascii_case(word)) {
            return Ok(i64::from(self.low) + i64::try_from(index).unwrap_or_default());
        }
        if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NO_NUMBER);
        }
        // cron would keep the low 32 bits of a larger number, which nobody means.
        word.parse::<u32>().map(i64::from).map_err(|_| RANGE)
    }

    fn all(&self) -> Range {
        Range::new(i64::from(self.low), i64::from(self.high))
    }
}

/// A part of a field between commas. Empty if `first` is above `last`, which cron accepts silently.
#[derive(Debug, Clone, Copy)]
struct Range {
    first: i64,
    last: i64,
    step: usize,
    spread: u8,
}

impl Range {
    fn new(first: i64, last: i64) -> Self {
        Self { first, last, step: 1, spread: 0 }
    }
}

fn take(rest: &mut &[u8], byte: u8) -> bool {
    let is_there = rest.first() == Some(&byte);
    if is_there {
        *rest = &rest[1..];
    }
    is_there
}
