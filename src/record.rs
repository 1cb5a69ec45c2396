//! The line grammar of the log: `[YYYY-MM-DD HH:MM:SS][PID] TEXT\n`.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;

use chrono::{DateTime, Local};

/// The most bytes of text that one record carries. A longer text becomes several records.
///
/// One write(2) to the log is at most 1 MiB; what is kept free here is more than any prefix takes.
pub const MAX_TEXT: usize = (1 << 20) - 64;

/// The part of a record before its text, made once a second instead of once a line.
#[derive(Debug)]
pub struct Prefix {
    pid: u32,
    second: Option<i64>,
    bytes: String,
}

impl Prefix {
    /// The prefix of records by process `pid`; [`Prefix::set`] must give it a time before its first use.
    pub fn new(pid: u32) -> Self {
        Self {
            pid,
            second: None,
            bytes: String::new(),
        }
    }

    /// Stamps the records that follow with `now`.
    pub fn set(&mut self, now: DateTime<Local>) {
        // The offset from UTC changes at whole seconds only, so the UTC second decides alone.
        if self.second != Some(now.timestamp()) {
            self.second = Some(now.timestamp());
            self.bytes.clear();
            // Writing to a String cannot fail.
            let _ = write!(
                self.bytes,
                "[{}][{}] ",
                now.format("%Y-%m-%d %H:%M:%S"),
                self.pid
            );
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
