//! Lines of one input, as many as were read at once.

use chrono::NaiveDateTime;

use super::outputs::Outputs;
use crate::log::record::Record;

/// One line of the logs, or several.
#[derive(Debug)]
pub enum Line<'a> {
    /// A record, and the whole line without its newline.
    Record(Record<'a>, &'a [u8]),
    /// Lines of output, all that are in a row.
    Outputs(Outputs<'a>),
    /// No record: the rest of a torn one, or a line from another program.
    Unrecognized,
    /// Nothing, or a mark. Two processes that end a torn line at the same time leave an empty line. A line that is too
    /// long is read in pieces, and only the first piece counts.
    Empty,
}

/// The bytes that were read, and the lines in them.
#[derive(Debug, Default)]
pub struct Batch {
    /// The bytes. There may be more behind the last line.
    pub bytes: Vec<u8>,
    /// The lines in their order.
    pub rows: Vec<Row>,
}

/// The place and the meaning of a line, or of several in a row.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The index of the first byte.
    pub begin: usize,
    /// The index of the last newline.
    pub end: usize,
    /// The local time of the last record so far, or before the first one the earliest time there is.
    pub time: NaiveDateTime,
    /// The meaning.
    pub meaning: Meaning,
}

/// The meaning of a row.
#[derive(Debug, Clone, Copy)]
pub enum Meaning {
    /// Records.
    Records {
        /// The process that wrote them.
        pid: u32,
        /// The length of what is before the text of each.
        prefix: usize,
        /// How many there are. If there are several, all are lines of output.
        count: u64,
        /// They are lines of output, whatever they look like.
        is_output: bool,
    },
    /// The mark of a line of output.
    Mark,
    /// [`Line::Unrecognized`].
    Unrecognized,
    /// [`Line::Empty`].
    Empty,
}

impl Batch {
    /// The line, or the lines, of the row with this index.
    pub fn line(&self, index: usize) -> Line<'_> {
        let Row { begin, end, time, meaning } = self.rows[index];
        let lines = &self.bytes[begin..end];
        match meaning {
            Meaning::Records { pid, prefix, count, is_output: true } => {
                Line::Outputs(Outputs { time, pid, lines, count, prefix })
            }
            Meaning::Records { pid, prefix, .. } => {
                let text = &lines[prefix..];
                Line::Record(Record { time, pid, text }, lines)
            }
            Meaning::Unrecognized => Line::Unrecognized,
            Meaning::Mark | Meaning::Empty => Line::Empty,
        }
    }
}
