//! The last lines of an output, cut to a length.

use memchr::memrchr_iter;

/// How many of the last lines of a run's output are kept.
const TAIL_LINES: usize = 5;

/// How many bytes of each of them.
const TAIL_BYTES: usize = 1024;

/// The last lines of an output, cut to a length.
#[derive(Debug, Default)]
pub struct Tail {
    /// Each with its newline; some more than are wanted, so that few need to be thrown away at a time.
    lines: Vec<u8>,
    count: usize,
}

impl Tail {
    /// Adds a line.
    pub fn push(&mut self, line: &[u8]) {
        if self.count == 4 * TAIL_LINES {
            self.lines.drain(..self.begin());
            self.count = TAIL_LINES;
        }
        self.count += 1;
        self.lines
            .extend_from_slice(&line[..line.len().min(TAIL_BYTES)]);
        self.lines.push(b'\n');
    }

    /// Forgets all lines.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The lines, the last one last.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.lines[self.begin()..]
            .split_inclusive(|&byte| byte == b'\n')
            .map(|line| &line[..line.len() - 1])
    }

    /// Where the last lines begin.
    fn begin(&self) -> usize {
        let mut newlines = memrchr_iter(b'\n', &self.lines);
        newlines.nth(TAIL_LINES).map_or(0, |newline| newline + 1)
    }
}
