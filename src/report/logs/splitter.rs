//! Cuts the bytes of one input into lines, and parses the records among them.

use std::io::{self, Read};

use chrono::NaiveDateTime;
use memchr::memchr;

use super::chunk::{Chunk, GroupKind, LineGroup};
use super::decompress::Source;
use crate::log::record::{Kind, MAX_APPEND, Parser, Record, can_only_be_output};

/// The number of bytes that are read at once.
const CHUNK: usize = 256 << 10;

pub struct Splitter {
    input: Source,
    parser: Parser,
    /// The beginning of a line whose end has not been read.
    rest: Vec<u8>,
    /// Whether the rest belongs to a line whose first pieces were returned already.
    is_in_line: bool,
    time: NaiveDateTime,
    /// The bytes before the text of the last line, if that was a mark. Otherwise empty.
    marked: Vec<u8>,
}

impl Splitter {
    /// Cuts `input`, which is decompressed already.
    pub fn new(input: Source) -> Self {
        Self {
            input,
            parser: Parser::default(),
            rest: Vec::new(),
            is_in_line: false,
            time: NaiveDateTime::MIN,
            marked: Vec::new(),
        }
    }

    /// Replaces the lines in `chunk` by the next lines of the input. At the end there are none.
    pub fn fill(&mut self, chunk: &mut Chunk) -> io::Result<()> {
        let Chunk { bytes, groups } = chunk;
        groups.clear();
        // The kernel provides memory only for pages that are used.
        if bytes.is_empty() {
            *bytes = vec![0; MAX_APPEND + CHUNK];
        }
        let mut filled = self.rest.len();
        bytes[..filled].copy_from_slice(&self.rest);
        self.rest.clear();
        let mut begin = 0;
        while groups.is_empty() {
            let searched = filled;
            let end = bytes.len().min(filled + CHUNK);
            let length = self.read(&mut bytes[filled..end])?;
            filled += length;
            if length == 0 {
                if filled > 0 {
                    groups.push(self.piece(0, filled));
                    self.is_in_line = false;
                }
                return Ok(());
            }
            if let Some(newline) = memchr(b'\n', &bytes[searched..filled]) {
                begin = self.split(&bytes[..filled], searched + newline, groups);
            } else if filled > MAX_APPEND {
                // In a file that is not a log, a line may have any length.
                groups.push(self.piece(0, filled));
                begin = filled;
            }
        }
        self.rest.extend_from_slice(&bytes[begin..filled]);
        Ok(())
    }

    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.input.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    /// Adds the lines of `bytes` that end with a newline, the first at `newline`. Returns where the rest begins.
    fn split(&mut self, bytes: &[u8], newline: usize, groups: &mut Vec<LineGroup>) -> usize {
        let (mut begin, mut newline) = (0, Some(newline));
        while let Some(end) = newline {
            let group = if self.is_in_line { self.piece(begin, end) } else { self.group(bytes, begin, end) };
            self.is_in_line = false;
            begin = group.end + 1;
            groups.push(group);
            newline = memchr(b'\n', &bytes[begin..]).map(|length| begin + length);
        }
        begin
    }

    /// A piece of a line that is too long, or has no newline. Only the first piece counts.
    fn piece(&mut self, begin: usize, end: usize) -> LineGroup {
        let kind = if self.is_in_line || begin == end { GroupKind::Empty } else { GroupKind::Unrecognized };
        self.is_in_line = true;
        self.marked.clear();
        let time = self.time;
        LineGroup { begin, end, time, kind }
    }

    /// The line from `begin` to `end`, with the lines of output after it.
    fn group(&mut self, bytes: &[u8], begin: usize, mut end: usize) -> LineGroup {
        let line = &bytes[begin..end];
        let kind = if let Some(record) = self.parser.parse(line) {
            self.time = record.time;
            let prefix = &line[..line.len() - record.text.len()];
            self.kind(&record, prefix, bytes, &mut end)
        } else {
            self.marked.clear();
            if line.is_empty() { GroupKind::Empty } else { GroupKind::Unrecognized }
        };
        let time = self.time;
        LineGroup { begin, end, time, kind }
    }

    /// The kind of a record after `prefix`. Moves `end` to the end of the lines of output after it.
    ///
    /// A mark and its line are one write, so they are adjacent and have the same prefix. A mark without its line comes
    /// from a write that a full disk has cut.
    fn kind(&mut self, record: &Record, prefix: &[u8], bytes: &[u8], end: &mut usize) -> GroupKind {
        let first = record.text.first().copied();
        let mut count = 1;
        let is_output = if first.is_none_or(can_only_be_output) {
            count += outputs_after(bytes, prefix, end);
            true
        } else {
            self.marked == prefix
        };
        if !is_output && Kind::parse(record.text) == Kind::Mark {
            prefix.clone_into(&mut self.marked);
            return GroupKind::Empty;
        }
        self.marked.clear();
        let (pid, prefix) = (record.pid, prefix.len());
        GroupKind::Records { pid, prefix, count, is_output }
    }
}

/// Counts the lines after the newline at `end` that can only be output and have the same `prefix`, and so the same
/// process and second. Moves `end` to the newline of the last line.
fn outputs_after(bytes: &[u8], prefix: &[u8], end: &mut usize) -> u64 {
    let mut count = 0;
    while let Some(text) = bytes[*end + 1..].strip_prefix(prefix)
        && text.first().copied().is_some_and(can_only_be_output)
        && let Some(newline) = memchr(b'\n', text)
    {
        *end += 1 + prefix.len() + newline;
        count += 1;
    }
    count
}
