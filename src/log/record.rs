//! The line grammar of the log: `[YYYY-MM-DD HH:MM:SS][PID] TEXT\n`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::str::FromStr;

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime};

/// The most bytes of whole records that go to the log in one write(2).
pub const MAX_APPEND: usize = 1 << 20;

/// The most bytes of text that one record carries. A longer text becomes several records.
///
/// What this leaves of an append is more than any prefix takes.
pub const MAX_TEXT: usize = MAX_APPEND - 64;

/// The part of a record before its text, made once a second instead of once a line.
#[derive(Debug)]
pub struct Prefix {
    pid: u32,
    second: i64,
    bytes: String,
}

impl Prefix {
    /// The prefix of records by process `pid` at the time `now`.
    pub fn new(pid: u32, now: DateTime<Local>) -> Self {
        Self {
            pid,
            second: now.timestamp(),
            bytes: format!("[{}][{pid}] ", now.format("%Y-%m-%d %H:%M:%S")),
        }
    }

    /// Stamps the records that follow with `now`.
    pub fn set(&mut self, now: DateTime<Local>) {
        // The offset from UTC changes at whole seconds only, so the UTC second decides alone.
        if self.second != now.timestamp() {
            *self = Self::new(self.pid, now);
        }
    }

    /// The length in bytes of the record that [`Prefix::encode`] makes of `text`.
    pub fn encoded_len(&self, text: &[u8]) -> usize {
        self.bytes.len() + text.len() + 1
    }

    /// Appends to `records` the one record of `text`, which holds no newline.
    pub fn encode(&self, text: &[u8], records: &mut Vec<u8>) {
        records.extend_from_slice(self.bytes.as_bytes());
        records.extend_from_slice(text);
        records.push(b'\n');
    }
}

/// `words` joined by single spaces, for a record.
///
/// A control character is shown escaped (`\n`, `\x1b`), so that a record is always one line and a
/// terminal that shows the log is not steered by an operand. Every other byte stands for itself, in
/// whatever encoding the crontab is written.
pub fn join<'a>(words: impl IntoIterator<Item = &'a OsStr>) -> Vec<u8> {
    let mut text = Vec::new();
    for (index, word) in words.into_iter().enumerate() {
        if index > 0 {
            text.push(b' ');
        }
        for &byte in word.as_bytes() {
            if byte.is_ascii_control() {
                text.extend(byte.escape_ascii());
            } else {
                text.push(byte);
            }
        }
    }
    text
}

/// A record that has been read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// The local time that it is stamped with.
    pub time: NaiveDateTime,
    /// The process that wrote it.
    pub pid: u32,
    /// The rest of the line.
    pub text: &'a [u8],
}

/// What the text of a record can be. An output line may look like any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind<'a> {
    /// `START,-,OPERANDS`.
    Start(&'a [u8]),
    /// `command,COMMAND`.
    Command(&'a [u8]),
    /// `retry,K/N,255,wait S s`.
    Retry,
    /// `END,RC,OPERANDS`.
    End(u8, &'a [u8]),
    /// Anything else.
    Output,
}

impl<'a> Kind<'a> {
    /// The kind of a record of `text`.
    pub fn of(text: &'a [u8]) -> Self {
        if let Some(operands) = text.strip_prefix(b"START,-,") {
            Self::Start(operands)
        } else if let Some(command) = text.strip_prefix(b"command,") {
            Self::Command(command)
        } else if let Some((code, operands)) = text.strip_prefix(b"END,").and_then(end) {
            Self::End(code, operands)
        } else if text.strip_prefix(b"retry,").is_some_and(is_retry) {
            Self::Retry
        } else {
            Self::Output
        }
    }
}

/// Whether `text` is `K/N,255,wait S s`.
fn is_retry(text: &[u8]) -> bool {
    let parts = str::from_utf8(text).ok().and_then(|text| {
        let (count, wait) = text.strip_suffix(" s")?.split_once(",255,wait ")?;
        let (number, most) = count.split_once('/')?;
        Some([number, most, wait])
    });
    parts.is_some_and(|[number, most, wait]| {
        let mut numbers = [number, most].into_iter().chain(wait.split('.'));
        numbers.all(|number| are_digits(number.as_bytes()))
    })
}

fn end(text: &[u8]) -> Option<(u8, &[u8])> {
    let comma = text.iter().position(|&byte| byte == b',')?;
    Some((number(&text[..comma])?, &text[comma + 1..]))
}

/// The number that is written in decimal digits and nothing else.
pub fn number<T: FromStr>(digits: &[u8]) -> Option<T> {
    are_digits(digits).then(|| str::from_utf8(digits).ok()?.parse().ok())?
}

fn are_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// Reads records back, in the order of a log, where many in a row have the same prefix and more of them
/// the same time.
#[derive(Debug, Default)]
pub struct Parser {
    time: Option<([u8; TIME], NaiveDateTime)>,
    prefix: Vec<u8>,
    pid: u32,
}

/// The length of a record's time.
const TIME: usize = "[YYYY-MM-DD HH:MM:SS]".len();

impl Parser {
    /// The record that `line`, without its newline, is.
    pub fn parse<'a>(&mut self, line: &'a [u8]) -> Option<Record<'a>> {
        let (begin, rest) = line.split_first_chunk::<TIME>()?;
        let time = match self.time {
            Some((known, time)) if known == *begin => time,
            _ => {
                let time = time(begin)?;
                self.time = Some((*begin, time));
                time
            }
        };
        if self.prefix.is_empty() || !rest.starts_with(&self.prefix) {
            let length = rest.iter().position(|&byte| byte == b' ')? + 1;
            let pid = rest[..length].strip_prefix(b"[")?.strip_suffix(b"] ")?;
            self.pid = number(pid)?;
            self.prefix.clear();
            self.prefix.extend_from_slice(&rest[..length]);
        }
        Some(Record {
            time,
            pid: self.pid,
            text: &rest[self.prefix.len()..],
        })
    }
}

fn time(text: &[u8; TIME]) -> Option<NaiveDateTime> {
    let part = |begin, end, before| {
        let digits = text[begin..end].strip_prefix(&[before]);
        digits.and_then(number)
    };
    let year = number(text[..5].strip_prefix(b"[")?)?;
    let date = NaiveDate::from_ymd_opt(year, part(5, 8, b'-')?, part(8, 11, b'-')?)?;
    let time = date.and_hms_opt(
        part(11, 14, b' ')?,
        part(14, 17, b':')?,
        part(17, 20, b':')?,
    );
    time.filter(|_| text.ends_with(b"]"))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Local, Timelike};

    use super::*;

    fn at(second: i64) -> DateTime<Local> {
        DateTime::from_timestamp(second, 999_999_999)
            .expect("a time")
            .with_timezone(&Local)
    }

    #[test]
    fn a_record_is_time_pid_text_and_newline() {
        let now = at(1_561_436_461);
        let prefix = Prefix::new(913, now);
        let mut records = Vec::new();
        prefix.encode(b"START,-,h s", &mut records);
        let time = now.naive_local().to_string();
        let expected = format!("[{}][913] START,-,h s\n", &time[..19]);
        assert_eq!(String::from_utf8_lossy(&records), expected);
        assert_eq!(prefix.encoded_len(b"START,-,h s"), records.len());
    }

    #[test]
    fn the_time_of_a_record_is_that_of_the_last_set_forwards_and_backwards() {
        let mut prefix = Prefix::new(1, at(0));
        for second in [
            1_000_000_000,
            1_000_000_000,
            1_000_000_001,
            999_999_999,
            1_000_000_001,
        ] {
            prefix.set(at(second));
            assert_eq!(prefix.bytes, Prefix::new(1, at(second)).bytes);
        }
    }

    #[test]
    fn the_longest_text_of_a_record_fits_into_one_append() {
        let prefix = Prefix::new(u32::MAX, at(253_402_300_799));
        assert!(prefix.encoded_len(&[]) + MAX_TEXT <= MAX_APPEND);
    }

    #[test]
    fn joined_words_of_any_bytes_are_one_line_without_control_characters() {
        for seed in 0..1000 {
            let mut random = fastrand::Rng::with_seed(seed);
            let words: Vec<Vec<u8>> = (0..random.usize(..5))
                .map(|_| (0..random.usize(..50)).map(|_| random.u8(..)).collect())
                .collect();
            let text = join(words.iter().map(|word| OsStr::from_bytes(word)));
            assert!(!text.iter().any(u8::is_ascii_control), "seed {seed}");
            let not_ascii = |bytes: &[u8]| -> Vec<u8> {
                bytes.iter().copied().filter(|byte| *byte >= 0x80).collect()
            };
            assert_eq!(not_ascii(&text), not_ascii(&words.concat()), "seed {seed}");
        }
    }

    #[test]
    fn what_is_encoded_is_parsed_back() {
        let mut parser = Parser::default();
        for (second, pid, text) in [
            (1_561_436_461, 913, b"START,-,h s".as_slice()),
            (1_561_436_461, 913, b""),
            (1_561_436_461, 9130, b"  [2019-06-25 13:21:01][1] x "),
            (1_561_436_462, 913, b"\xff\r"),
        ] {
            let prefix = Prefix::new(pid, at(second));
            let mut records = Vec::new();
            prefix.encode(text, &mut records);
            let line = records.strip_suffix(b"\n").expect("a newline");
            let time = at(second).naive_local();
            let time = time.with_nanosecond(0).expect("a time");
            assert_eq!(parser.parse(line), Some(Record { time, pid, text }));
        }
    }

    #[test]
    fn a_line_of_another_shape_is_no_record() {
        let mut parser = Parser::default();
        for line in [
            "",
            "x",
            "[2019-06-25 13:21:01][913]",
            "[2019-06-25 13:21:01][913]x y",
            "[2019-06-25 13:21:01][] x",
            "[2019-06-25 13:21:01][+1] x",
            "[2019-06-25 13:21:01][99999999999] x",
            "[2019-13-25 13:21:01][913] x",
            "[2019-06-25 13:21:61][913] x",
            "2019-06-25 13:21:01][913] x",
            " [2019-06-25 13:21:01][913] x",
        ] {
            for _ in 0..2 {
                assert_eq!(parser.parse(line.as_bytes()), None, "{line}");
            }
        }
    }

    #[test]
    fn the_kind_of_a_record_is_told_by_its_text() {
        for (text, kind) in [
            ("START,-,", Kind::Start(b"")),
            ("START,-,h s,a [b]", Kind::Start(b"h s,a [b]")),
            ("command,ssh root@h s", Kind::Command(b"ssh root@h s")),
            ("retry,1/8,255,wait 0.412 s", Kind::Retry),
            ("retry,db1 in 5 s", Kind::Output),
            ("retry,1/8,255,wait x s", Kind::Output),
            ("retry,1/,255,wait 1 s", Kind::Output),
            ("END,0,h s", Kind::End(0, b"h s")),
            ("END,255,", Kind::End(255, b"")),
            ("END,256,h s", Kind::Output),
            ("END,+1,h s", Kind::Output),
            ("END,,h s", Kind::Output),
            ("END,0", Kind::Output),
            ("START,0,h s", Kind::Output),
            (" START,-,h s", Kind::Output),
        ] {
            assert_eq!(Kind::of(text.as_bytes()), kind, "{text}");
        }
    }
}
