//! Lines of output in a row. Most of a log is output, so blocks are counted, not lines.

use chrono::NaiveDateTime;
use memchr::memrchr;

/// Records in a row of one process and one second that can only be lines of output.
#[derive(Debug, Clone, Copy)]
pub struct OutputBlock<'a> {
    pub time: NaiveDateTime,
    pub pid: u32,
    /// The lines of the log, joined by newlines. At least one.
    pub lines: &'a [u8],
    /// The number of lines.
    pub count: u64,
    /// The number of bytes before the text of each line.
    pub prefix: usize,
}

impl<'a> OutputBlock<'a> {
    /// The number of bytes of all texts, including their newlines.
    pub fn bytes(&self) -> u64 {
        let prefixes = self.count * self.prefix as u64;
        self.lines.len() as u64 + 1 - prefixes
    }

    pub fn texts(&self) -> impl Iterator<Item = &'a [u8]> {
        let lines = self.lines.split(|&byte| byte == b'\n');
        lines.map(|line| &line[self.prefix..])
    }

    /// The texts of the last `count` lines.
    pub fn last(&self, count: usize) -> impl Iterator<Item = &'a [u8]> {
        let mut begin = self.lines.len();
        for _ in 0..count {
            match memrchr(b'\n', &self.lines[..begin.saturating_sub(1)]) {
                Some(newline) => begin = newline + 1,
                None => begin = 0,
            }
        }
        let lines = self.lines[begin..].split(|&byte| byte == b'\n');
        lines.map(|line| &line[self.prefix..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> OutputBlock<'static> {
        OutputBlock {
            time: NaiveDateTime::MIN,
            pid: 7,
            lines: b"> one\n> \n> three",
            count: 3,
            prefix: 2,
        }
    }

    #[test]
    fn a_row_of_lines_has_as_many_bytes_as_its_texts_with_their_newlines() {
        assert_eq!(block().bytes(), "one\n\nthree\n".len() as u64);
    }

    #[test]
    fn the_last_lines_of_a_row_are_found_from_its_end() {
        let last = |count| -> Vec<_> { block().last(count).collect() };
        let all: [&[u8]; 3] = [b"one", b"", b"three"];
        assert_eq!(last(1), all[2..]);
        assert_eq!(last(2), all[1..]);
        assert_eq!(last(3), all);
        assert_eq!(last(9), all);
    }
}
