//! The last lines of an output, each cut to a length.

use memchr::memrchr_iter;

use crate::report::logs::outputs::Outputs;
use crate::ssh_error;

/// The number of lines.
const TAIL_LINES: usize = 5;

/// The most bytes of each line.
const TAIL_BYTES: usize = 1024;

/// The room that a tail has at first.
const FIRST_BYTES: usize = 1000;

/// The last lines of an output, each cut to a length.
#[derive(Debug, Default)]
pub struct Tail {
    /// Each with its newline. There are some more than wanted, so that they are moved less often.
    lines: Vec<u8>,
    count: usize,
}

impl Tail {
    /// Adds a line, without the carriage return with which ssh ends its messages. A remark that ssh makes before
    /// the output of every run is left out.
    pub fn push(&mut self, line: &[u8]) {
        if ssh_error::is_remark(line) {
            return;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.lines.capacity() == 0 {
            // Enough for most tails: a buffer that grows from nothing is moved several times.
            self.lines.reserve(FIRST_BYTES);
        }
        if self.count == 2 * TAIL_LINES {
            self.lines.drain(..self.begin());
            self.count = TAIL_LINES;
        }
        self.count += 1;
        self.lines
            .extend_from_slice(&line[..line.len().min(TAIL_BYTES)]);
        self.lines.push(b'\n');
    }

    /// Adds lines in a row.
    pub fn push_row(&mut self, row: &Outputs) {
        if row.count >= TAIL_LINES as u64 {
            self.clear();
        }
        row.last(TAIL_LINES).for_each(|line| self.push(line));
    }

    /// Removes all lines.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.count = 0;
    }

    /// The lines, the oldest first, without their newlines.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.lines[self.begin()..]
            .split_inclusive(|&byte| byte == b'\n')
            .map(|line| &line[..line.len() - 1])
    }

    /// The index at which the wanted lines begin.
    fn begin(&self) -> usize {
        let mut newlines = memrchr_iter(b'\n', &self.lines);
        newlines.nth(TAIL_LINES).map_or(0, |newline| newline + 1)
    }
}
