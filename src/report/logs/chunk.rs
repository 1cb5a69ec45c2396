//! A chunk of lines, read from one input at once. Most of a log is output: consecutive lines of it form one group.

use std::iter;

use chrono::NaiveDateTime;
use memchr::{memchr, memrchr};

use crate::log::record::Kind;

/// One record, or consecutive lines of output of one process and one second.
#[derive(Debug, Clone, Copy)]
pub struct Records<'a> {
    /// The local time.
    pub time: NaiveDateTime,
    pub pid: u32,
    /// The lines of the log, joined by newlines. At least one.
    pub lines: &'a [u8],
    pub count: u64,
    /// The number of bytes before the text of each line.
    pub prefix: usize,
    /// Whether all lines are output, whatever their text.
    pub is_output: bool,
}

#[derive(Debug, Default)]
pub struct Chunk {
    /// The lines, and perhaps unused bytes after them.
    pub bytes: Vec<u8>,
    pub groups: Vec<LineGroup>,
}

#[derive(Debug, Clone, Copy)]
pub struct LineGroup {
    /// The index of the first byte.
    pub begin: usize,
    /// The index of the last newline.
    pub end: usize,
    /// The local time of the last record so far, or the earliest possible time.
    pub time: NaiveDateTime,
    pub kind: GroupKind,
}

#[derive(Debug, Clone, Copy)]
pub enum GroupKind {
    /// A record, or lines of output.
    Records { pid: u32, prefix: usize, count: u64, is_output: bool },
    /// Not a record: the rest of a torn record, or a line of another program.
    Unrecognized,
    /// An empty line, as two processes leave that end a torn line at one time, a mark, or a later piece of a long line.
    Empty,
}

impl Chunk {
    /// The group at this index, if its lines are records.
    pub fn records(&self, group: usize) -> Option<Records<'_>> {
        let LineGroup { begin, end, time, kind } = self.groups[group];
        let GroupKind::Records { pid, prefix, count, is_output } = kind else { return None };
        Some(Records { time, pid, lines: &self.bytes[begin..end], count, prefix, is_output })
    }
}

impl<'a> Records<'a> {
    /// The kind of the first record.
    pub fn kind(&self) -> Kind<'a> {
        if self.is_output { Kind::Output(b"") } else { Kind::parse(&self.lines[self.prefix..]) }
    }

    pub fn texts(&self) -> impl Iterator<Item = &'a [u8]> {
        self.texts_from(0)
    }

    /// The texts of the last `count` lines.
    pub fn last(&self, count: usize) -> impl Iterator<Item = &'a [u8]> {
        let mut begin = self.lines.len();
        for _ in 0..count {
            let newline = memrchr(b'\n', &self.lines[..begin.saturating_sub(1)]);
            begin = newline.map_or(0, |newline| newline + 1);
        }
        self.texts_from(begin)
    }

    fn texts_from(&self, begin: usize) -> impl Iterator<Item = &'a [u8]> {
        // Not by `split`, which looks at each byte: the texts of all output pass here.
        let (mut rest, prefix) = (Some(&self.lines[begin..]), self.prefix);
        iter::from_fn(move || {
            let lines = rest?;
            let newline = memchr(b'\n', lines);
            rest = newline.map(|newline| &lines[newline + 1..]);
            Some(&lines[prefix..newline.unwrap_or(lines.len())])
        })
    }

    /// The number of bytes of all texts, including their newlines.
    pub fn bytes(&self) -> u64 {
        self.lines.len() as u64 + 1 - self.count * self.prefix as u64
    }
}
