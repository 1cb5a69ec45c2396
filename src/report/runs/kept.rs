use std::ops::Range;

use crate::log::record::Parser;

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
        let lines =
            places.flat_map(|place| self.lines[place].split_inclusive(|&byte| byte == b'\n'));
        let texts = lines.filter_map(|line| Some(parser.parse(line.strip_suffix(b"\n")?)?.text));
        texts.collect()
    }
}
