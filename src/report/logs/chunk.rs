//! The lines that were read from one input at once.

use chrono::NaiveDateTime;

use super::output_block::OutputBlock;
use crate::log::record::Record;

/// One line of a log, or several lines of output.
#[derive(Debug)]
pub enum Line<'a> {
    /// With the whole line, without its newline.
    Record(Record<'a>, &'a [u8]),
    /// Lines of output in a row.
    Output(OutputBlock<'a>),
    /// Not a record: the rest of a torn one, or a line of another program.
    Unrecognized,
    /// Nothing, or a mark. Two processes that end a torn line at the same time leave an empty line. Of a line that is
    /// read in pieces, only the first piece counts.
    Empty,
}

#[derive(Debug, Default)]
pub struct Chunk {
    /// There may be more after the last line.
    pub bytes: Vec<u8>,
    pub groups: Vec<LineGroup>,
}

/// A line, or several lines of output in a row.
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
    Records {
        pid: u32,
        /// The number of bytes before the text of each.
        prefix: usize,
        /// If there are several, all are lines of output.
        count: u64,
        /// They are output, whatever their text.
        is_output: bool,
    },
    /// The mark before a line of output.
    Mark,
    Unrecognized,
    Empty,
}

impl Chunk {
    pub fn line(&self, index: usize) -> Line<'_> {
        let LineGroup { begin, end, time, kind } = self.groups[index];
        let lines = &self.bytes[begin..end];
        match kind {
            GroupKind::Records { pid, prefix, count, is_output: true } => {
                Line::Output(OutputBlock { time, pid, lines, count, prefix })
            }
            GroupKind::Records { pid, prefix, .. } => {
                let text = &lines[prefix..];
                Line::Record(Record { time, pid, text }, lines)
            }
            GroupKind::Unrecognized => Line::Unrecognized,
            GroupKind::Mark | GroupKind::Empty => Line::Empty,
        }
    }
}
