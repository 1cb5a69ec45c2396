//! The part of a run's log that is kept: the last lines of output, the candidates for the reason of a bad run, and with
//! `--run` all records.

use std::{mem, ops::Range};

use memchr::{memchr, memchr_iter, memrchr};

use super::reason::{Chooser, PlainScores, UsualLines, after_the_last_return, first_sign, masked, says_error, shown};
use crate::log::record::{Kind, Notice, Parser};
use crate::report::logs::chunk::Records;
use crate::ssh_error;

/// The number of last lines that are kept: they show how the run ended, and ssh's messages.
const TAIL_LINES: usize = 5;
/// The most bytes of each line.
const MAX_LINE: usize = 1024;
/// Up to this size, the whole output is kept.
const MAX_BYTES: usize = 8 << 10;
/// The first capacity of the buffer, enough for most outputs. Growing from nothing would move it several times.
const FIRST_BYTES: usize = 1000;
/// The most lines that are read of a long output because of signs of failure. Every line may have a sign.
const MAX_SIGNS: u32 = 2000;
/// The most lines with an error that are kept of a good run.
const MAX_ERRORS: usize = 4;
/// The most lines whose answer is cached: whether they report an error.
const MAX_KNOWN: usize = 1 << 16;

/// A line of a good run that reports a failure.
#[derive(Debug, Clone)]
pub struct ErrorLine {
    /// Equal for lines that differ only in their numbers.
    pub masked: u32,
    /// The line as on a terminal.
    pub text: String,
}

#[derive(Debug, Default)]
pub struct KeptOutput {
    /// All lines, or the last lines of a long output. Each has its newline, and `prefix` bytes before its text: most
    /// outputs are never looked at, so the lines are copied as they are.
    lines: Vec<u8>,
    prefix: usize,
    /// Whether earlier lines were dropped.
    pub has_more: bool,
    /// The lines of a long output with signs of failure.
    signs: Option<Box<Signs>>,
}

#[derive(Debug, Default)]
struct Signs {
    chooser: Chooser,
    /// The number of lines that were read.
    count: u32,
}

impl KeptOutput {
    pub fn push(&mut self, records: &Records) {
        if self.lines.is_empty() {
            self.lines.reserve(FIRST_BYTES);
            self.prefix = records.prefix;
        }
        let is_short = self.signs.is_none() && self.lines.len() + records.lines.len() < MAX_BYTES;
        if is_short && records.prefix == self.prefix {
            self.lines.extend_from_slice(records.lines);
            self.lines.push(b'\n');
            return;
        }
        if is_short || !records.is_output {
            records.texts().for_each(|line| self.push_line(line));
            return;
        }
        if records.count >= TAIL_LINES as u64 {
            self.make_room();
            self.drop_until(self.lines.len());
            self.has_more |= records.count > TAIL_LINES as u64;
        }
        self.signs.get_or_insert_default().scan(records.lines, records.prefix);
        records.last(TAIL_LINES).for_each(|line| self.push_line(line));
    }

    fn push_line(&mut self, line: &[u8]) {
        let line = shortened(line);
        if self.lines.len() + line.len() >= MAX_BYTES {
            self.make_room();
        }
        self.lines.resize(self.lines.len() + self.prefix, b' ');
        self.lines.extend_from_slice(line);
        self.lines.push(b'\n');
    }

    pub fn clear(&mut self) {
        self.lines.clear();
        self.has_more = false;
        self.signs = None;
    }

    /// The last lines, the oldest first, without their newlines.
    pub fn tail(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        let lines = self.lines[self.tail_begin()..].split_inclusive(|&byte| byte == b'\n');
        lines.map(|line| self.text(&line[..line.len() - 1])).filter(is_no_remark)
    }

    /// All lines that are kept.
    fn texts(&self) -> impl Iterator<Item = &[u8]> {
        let lines = memchr_iter(b'\n', &self.lines).scan(0, |begin, end| {
            let line = &self.lines[mem::replace(begin, end + 1)..end];
            Some(self.text(line))
        });
        lines.filter(is_no_remark)
    }

    fn text<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        shortened(line.get(self.prefix..).unwrap_or_default())
    }

    /// Adds the lines to the usual lines of the job's good runs.
    pub fn teach(&self, usual: &mut UsualLines) {
        if let Some(signs) = &self.signs {
            signs.chooser.telling().for_each(|(masked, _)| usual.learn(masked));
            usual.is_partial = true;
        }
        self.texts().for_each(|line| usual.learn(masked(line)));
    }

    /// The first lines that report a failure, each once, with their hashes. `known` has earlier answers by hash.
    pub fn errors(&self, known: &mut foldhash::HashMap<u32, bool>) -> Vec<ErrorLine> {
        let mut errors: Vec<ErrorLine> = Vec::new();
        let mut add = |masked: u32, line: &[u8]| {
            if known.len() > MAX_KNOWN {
                known.clear();
            }
            let is_error = *known.entry(masked).or_insert_with(|| says_error(line));
            let is_new = || errors.iter().all(|error| error.masked != masked);
            if is_error && errors.len() < MAX_ERRORS && is_new() {
                errors.push(ErrorLine { masked, text: shown(line).trim().to_owned() });
            }
        };
        let signs = self.signs.iter().flat_map(|signs| signs.chooser.telling());
        signs.for_each(|(masked, line)| add(masked, line));
        let mut begin = 0;
        while let Some(sign) = first_sign(&self.lines[begin..]).map(|sign| begin + sign) {
            let first = memrchr(b'\n', &self.lines[..sign]).map_or(0, |newline| newline + 1);
            let end = memchr(b'\n', &self.lines[sign..]).map_or(self.lines.len(), |it| sign + it);
            let line = self.text(&self.lines[first..end]);
            if is_no_remark(&line) {
                add(masked(line), line);
            }
            begin = end;
        }
        errors
    }

    /// The line with the reason of a bad run, if there is one.
    pub fn reason(&mut self, usual: &UsualLines, plain: &mut PlainScores) -> Option<String> {
        let mut chooser = self.signs.take().unwrap_or_default().chooser;
        self.texts().filter(is_output).for_each(|line| chooser.push_last(line, usual, plain));
        chooser.finish(usual)
    }

    /// Whether the output has only ssh's remarks and blank lines. The bash script logs a blank line for no output.
    pub fn is_silent(&self) -> bool {
        let mut all = self.texts().filter(is_output);
        self.signs.is_none() && all.all(|line| line.trim_ascii().is_empty())
    }

    /// Keeps only the last lines.
    pub fn shorten(&mut self) {
        self.drop_until(self.tail_begin());
        self.lines.shrink_to_fit();
    }

    /// Keeps only the last lines, and reads the others for signs of failure.
    fn make_room(&mut self) {
        let begin = self.tail_begin();
        let signs = self.signs.get_or_insert_default();
        signs.scan(self.lines[..begin].strip_suffix(b"\n").unwrap_or_default(), self.prefix);
        self.drop_until(begin);
    }

    fn drop_until(&mut self, begin: usize) {
        let mut dropped = self.lines[..begin].split_inclusive(|&byte| byte == b'\n');
        self.has_more = self.has_more || dropped.any(|line| is_no_remark(&self.text(&line[..line.len() - 1])));
        self.lines.drain(..begin);
    }

    fn tail_begin(&self) -> usize {
        let (mut begin, mut count) = (self.lines.len(), 0);
        while begin > 0 && count < TAIL_LINES {
            let end = begin - 1;
            begin = memrchr(b'\n', &self.lines[..end]).map_or(0, |newline| newline + 1);
            count += usize::from(is_no_remark(&self.text(&self.lines[begin..end])));
        }
        begin
    }
}

impl Signs {
    /// Reads lines joined by newlines, after a prefix of `prefix` bytes each.
    fn scan(&mut self, output: &[u8], prefix: usize) {
        let mut rest = output;
        while self.count < MAX_SIGNS
            && let Some(sign) = first_sign(rest)
        {
            let begin = memrchr(b'\n', &rest[..sign]).map_or(0, |newline| newline + 1);
            rest = &rest[begin..];
            loop {
                let end = memchr(b'\n', rest).unwrap_or(rest.len());
                let line = rest[..end].get(prefix..).unwrap_or_default();
                rest = rest.get(end + 1..).unwrap_or_default();
                self.count += 1;
                let goes_on = self.chooser.push(shortened(line));
                if !goes_on || rest.is_empty() || self.count == MAX_SIGNS {
                    break;
                }
            }
        }
    }
}

/// Whether a line is none of the remarks that ssh makes before the output of every run.
fn is_no_remark(line: &&[u8]) -> bool {
    !ssh_error::is_remark(line)
}

/// Whether a line is more than remoteexe's notice that ssh had connected.
fn is_output(line: &&[u8]) -> bool {
    !matches!(Kind::parse(line), Kind::Notice(Notice::Requested, _))
}

/// Cuts a line to [`MAX_LINE`] bytes. Of a long line, only the text after the last carriage return counts.
fn shortened(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() <= MAX_LINE {
        return line;
    }
    let line = after_the_last_return(line);
    &line[..line.len().min(MAX_LINE)]
}

/// The records of one run as in the log, without marks.
#[derive(Debug, Default)]
pub struct KeptRecords {
    /// Each with its newline.
    pub lines: Vec<u8>,
    /// The ranges of the lines of output.
    output: Vec<Range<usize>>,
}

impl KeptRecords {
    /// Adds a line, or several lines joined by newlines.
    pub fn add(&mut self, lines: &[u8], are_output: bool) {
        let begin = self.lines.len();
        self.lines.extend_from_slice(lines);
        self.lines.push(b'\n');
        if are_output {
            self.output.push(begin..self.lines.len());
        }
    }

    /// The texts of all lines of output, including the messages of remoteexe itself.
    pub fn output(&self) -> Vec<&[u8]> {
        let mut parser = Parser::default();
        let places = self.output.iter().cloned();
        let lines = places.flat_map(|place| self.lines[place].split_inclusive(|&byte| byte == b'\n'));
        lines.filter_map(|line| Some(parser.parse(line.strip_suffix(b"\n")?)?.text)).collect()
    }
}
