//! Reads one input line by line, and parses the records among the lines.

use std::io::{self, Read};

use chrono::NaiveDateTime;
use memchr::memchr;

use super::decompress::{Source, decompress};
use crate::log::record::{MAX_APPEND, Parser, Record};

/// The number of bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// One line of the logs.
#[derive(Debug)]
pub enum Line<'a> {
    /// A record, and the whole line without its newline.
    Record(Record<'a>, &'a [u8]),
    /// No record: the rest of a torn one, or a line from another program.
    Unrecognized,
    /// Nothing. Two processes that end a torn line at the same time leave an empty line. A line that is too
    /// long is read in pieces, and only the first piece counts.
    Empty,
}

/// Reads one input line by line.
pub struct Reader {
    input: Source,
    /// The current line is from `begin` to `end`. What has been read ends at `filled`.
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
            time: NaiveDateTime::MIN,
        })
    }

    /// Moves to the next line, or to the next piece of a line that is too long. Returns false at the end.
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
        if self.is_first_piece && self.is_ended {
            let line = &self.buffer[self.begin..self.end];
            if let Some(record) = self.parser.parse(line) {
                if self.time != record.time {
                    self.time = record.time;
                }
                self.record = Some((record.pid, line.len() - record.text.len()));
            }
        }
        Ok(self.is_ended || self.begin < self.end)
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
            Some((pid, text)) => {
                let (time, text) = (self.time, &line[text..]);
                Line::Record(Record { time, pid, text }, line)
            }
            None if line.is_empty() || !self.is_first_piece => Line::Empty,
            None => Line::Unrecognized,
        }
    }
}
