//! Reads one input line by line, and parses the records among the lines.

use std::io::{self, Read};

use chrono::NaiveDateTime;
use memchr::memchr;

use super::decompress::{Source, decompress};
use super::outputs::Outputs;
use crate::log::record::{MAX_APPEND, Parser, Record, can_only_be_output};

/// The number of bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// One line of the logs, or several.
#[derive(Debug)]
pub enum Line<'a> {
    /// A record, and the whole line without its newline.
    Record(Record<'a>, &'a [u8]),
    /// Several records in a row.
    Outputs(Outputs<'a>),
    /// No record: the rest of a torn one, or a line from another program.
    Unrecognized,
    /// Nothing. Two processes that end a torn line at the same time leave an empty line. A line that is too
    /// long is read in pieces, and only the first piece counts.
    Empty,
}

/// Reads one input line by line.
pub struct Reader {
    input: Source,
    /// The current line, or row of lines, is from `begin` to `end`. What has been read ends at `filled`.
    buffer: Vec<u8>,
    filled: usize,
    begin: usize,
    end: usize,
    /// There is a newline at `end`, so that this is a line or the last piece of one.
    is_ended: bool,
    is_first_piece: bool,
    parser: Parser,
    /// If the current line is a record: its process id, and the index in the line at which its text begins.
    record: Option<(u32, usize)>,
    /// How many lines are in the row.
    count: u64,
    /// The local time of the last record, or before the first one the earliest time there is.
    pub time: NaiveDateTime,
}

impl Reader {
    /// Reads `file`, which may be compressed.
    ///
    /// # Errors
    ///
    /// The first bytes cannot be read, or are those of a compression that is not read here.
    pub fn new(file: impl Read + Send + 'static) -> io::Result<Self> {
        Ok(Self {
            input: decompress(file)?,
            // The kernel gives memory only to the pages that are used.
            buffer: vec![0; MAX_APPEND + CHUNK],
            filled: 0,
            begin: 0,
            end: 0,
            is_ended: true,
            is_first_piece: true,
            parser: Parser::default(),
            record: None,
            count: 1,
            time: NaiveDateTime::MIN,
        })
    }

    /// Moves to the next line, to a row of lines, or to the next piece of a line that is too long. Returns false at the end.
    ///
    /// # Errors
    ///
    /// The input cannot be read or decompressed.
    pub fn advance(&mut self) -> io::Result<bool> {
        self.is_first_piece = self.is_ended;
        self.begin = (self.end + usize::from(self.is_ended)).min(self.filled);
        let mut searched = self.begin;
        self.is_ended = loop {
            if let Some(newline) = memchr(b'\n', &self.buffer[searched..self.filled]) {
                self.end = searched + newline;
                break true;
            }
            searched = self.filled - self.begin;
            // A file that is not a log may have lines of any length.
            if searched > MAX_APPEND || self.fill()? == 0 {
                self.end = self.filled;
                break false;
            }
        };
        self.record = None;
        self.count = 1;
        if self.is_first_piece && self.is_ended {
            let line = &self.buffer[self.begin..self.end];
            if let Some(record) = self.parser.parse(line) {
                if self.time != record.time {
                    self.time = record.time;
                }
                let prefix = line.len() - record.text.len();
                self.record = Some((record.pid, prefix));
                if record.text.first().copied().is_none_or(can_only_be_output) {
                    self.take_row(prefix);
                }
            }
        }
        Ok(self.is_ended || self.begin < self.end)
    }

    /// Takes the lines in the buffer that follow, as far as they are output of the same process and second as the
    /// current line. What is before their text is as long as `prefix`.
    fn take_row(&mut self, prefix: usize) {
        let buffer = &self.buffer[..self.filled];
        let begin = &buffer[self.begin..self.begin + prefix];
        while let Some(text) = buffer[self.end + 1..].strip_prefix(begin)
            && text.first().copied().is_some_and(can_only_be_output)
            && let Some(newline) = memchr(b'\n', text)
        {
            self.end += 1 + prefix + newline;
            self.count += 1;
        }
    }

    /// Reads more of the current line, which is moved to the front of the buffer. Returns the number of bytes.
    fn fill(&mut self) -> io::Result<usize> {
        self.buffer.copy_within(self.begin..self.filled, 0);
        self.filled -= self.begin;
        self.begin = 0;
        let end = self.buffer.len().min(self.filled + CHUNK);
        let room = &mut self.buffer[self.filled..end];
        let length = loop {
            match self.input.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.filled += length;
        Ok(length)
    }

    /// The current line.
    pub fn line(&self) -> Line<'_> {
        let line = &self.buffer[self.begin..self.end];
        match self.record {
            Some((pid, prefix)) if self.count > 1 => Line::Outputs(Outputs {
                time: self.time,
                pid,
                lines: line,
                count: self.count,
                prefix,
            }),
            Some((pid, text)) => {
                let (time, text) = (self.time, &line[text..]);
                Line::Record(Record { time, pid, text }, line)
            }
            None if line.is_empty() || !self.is_first_piece => Line::Empty,
            None => Line::Unrecognized,
        }
    }
}
