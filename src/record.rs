//! The line grammar of the log: `[YYYY-MM-DD HH:MM:SS][PID] TEXT\n`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use chrono::{DateTime, Local};

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

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Local};

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
}
