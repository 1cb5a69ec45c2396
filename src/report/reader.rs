//! The lines of one log file, as records where they are such.

use std::io::{self, Read};

use chrono::NaiveDateTime;
use flate2::read::MultiGzDecoder;
use memchr::memchr;

use crate::log::record::{MAX_APPEND, Parser, Record};

/// How much is read at once.
const CHUNK: usize = 256 << 10;

/// One line of the logs.
#[derive(Debug)]
pub enum Line<'a> {
    /// A record, and the line as it stands there.
    Record(Record<'a>, &'a [u8]),
    /// Something else: the rest of a torn record, or not from remoteexe at all.
    Foreign,
    /// What two processes leave that end a torn line at the same time; or one more piece of a line that
    /// is too long.
    Empty,
}

/// Reads the lines of one input.
pub struct Reader {
    input: Box<dyn Read>,
    /// The present line is where it was read to, from `begin` to `end`; behind it, up to `filled`, is what
    /// has been read as well.
    buffer: Vec<u8>,
    filled: usize,
    begin: usize,
    end: usize,
    /// There is a newline at `end`: what is before it is a line, or the last piece of one.
    is_ended: bool,
    is_first_piece: bool,
    parser: Parser,
    /// The process of the record that the present line is, and where in it the text begins.
    record: Option<(u32, usize)>,
    /// The local time of the last record so far; before the first one the earliest there is.
    pub time: NaiveDateTime,
}

impl Reader {
    /// Reads `file` from its beginning, and unpacks it if it is compressed by gzip.
    pub fn new(mut file: impl Read + 'static) -> io::Result<Self> {
        let mut magic = Vec::new();
        (&mut file).take(2).read_to_end(&mut magic)?;
        let is_gzip = magic == b"\x1f\x8b";
        let input = io::Cursor::new(magic).chain(file);
        Ok(Self {
            input: if is_gzip {
                Box::new(MultiGzDecoder::new(input))
            } else {
                Box::new(input)
            },
            // Its pages are touched only as far as it is used.
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

    /// Goes on to the next line, or piece of one that is too long; false at the end.
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
            // A file that is no log at all may have lines of any length.
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

    /// Reads more behind the present line, which then begins at 0.
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

    /// The present line.
    pub fn line(&self) -> Line<'_> {
        let line = &self.buffer[self.begin..self.end];
        match self.record {
            Some((pid, text)) => {
                let (time, text) = (self.time, &line[text..]);
                Line::Record(Record { time, pid, text }, line)
            }
            None if line.is_empty() || !self.is_first_piece => Line::Empty,
            None => Line::Foreign,
        }
    }
}
