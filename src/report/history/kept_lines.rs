//! Keeps lines of output, each once, and only the newest if there are too many.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

/// The most bytes kept of one line.
const MAX_LINE: usize = 1024;
/// The most bytes kept of all lines. A log may have any number of bad runs with different lines.
const MAX_ALL: usize = 16 << 20;

#[derive(Default)]
pub struct KeptLines {
    numbers: HashMap<Rc<[u8]>, u32>,
    kept: VecDeque<Rc<[u8]>>,
    /// The number of the oldest line that is still kept.
    first: u32,
    bytes: usize,
}

impl KeptLines {
    /// Stands for no line.
    pub const NONE: u32 = u32::MAX;

    /// Keeps a line, unless it is kept already. Returns its number.
    pub fn add(&mut self, line: &[u8]) -> u32 {
        let line = &line[..line.len().min(MAX_LINE)];
        if let Some(number) = self.numbers.get(line) {
            return *number;
        }
        let count = u32::try_from(self.kept.len()).expect("the lines' bytes are limited");
        let Some(number) = self.first.checked_add(count).filter(|it| *it < Self::NONE) else { return Self::NONE };
        let line: Rc<[u8]> = line.into();
        self.bytes += MAX_LINE + line.len();
        self.numbers.insert(Rc::clone(&line), number);
        self.kept.push_back(line);
        while self.bytes > MAX_ALL
            && let Some(oldest) = self.kept.pop_front()
        {
            self.numbers.remove(&oldest);
            self.bytes -= MAX_LINE + oldest.len();
            self.first += 1;
        }
        number
    }

    /// The line of this number, if it is still kept.
    pub fn get(&self, number: u32) -> Option<&[u8]> {
        let index = number.checked_sub(self.first)?;
        self.kept.get(index as usize).map(|line| &**line)
    }
}
