//! The lines that a job's good runs print, with masked numbers.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use super::text::after_the_last_return;

/// The most lines of a job.
const MAX_LINES: usize = 300;

#[derive(Debug, Default)]
pub struct UsualLines {
    lines: HashSet<u32, FixedState>,
    runs: u32,
    /// The job prints more lines than are kept.
    pub is_partial: bool,
}

impl UsualLines {
    /// Whether to learn from another good run: from each of the first four, then ever more rarely.
    pub fn wants_more(&self) -> bool {
        self.lines.len() < MAX_LINES && (self.runs < 4 || self.runs.is_power_of_two())
    }

    pub fn note_run(&mut self) {
        self.runs = self.runs.saturating_add(1);
    }

    /// Learns a line of a good run, by its hash.
    pub fn learn(&mut self, masked: u32) {
        if self.lines.len() < MAX_LINES {
            self.lines.insert(masked);
        } else {
            self.is_partial = true;
        }
    }

    pub fn is_known(&self) -> bool {
        self.runs > 0
    }

    /// Whether all lines of the good runs that were read are known.
    pub fn is_complete(&self) -> bool {
        self.runs > 0 && !self.is_partial
    }

    /// Whether a good run printed the line of this hash.
    pub fn includes(&self, masked: u32) -> bool {
        self.lines.contains(&masked)
    }
}

/// A hash that ignores the values of numbers, except a single 0: `0 errors` is not `3 errors`.
pub fn masked(line: &[u8]) -> u32 {
    let line = after_the_last_return(line);
    let mut hasher = FixedState::default().build_hasher();
    let mut rest = line;
    while let Some((first, _)) = rest.split_first() {
        let is_digit = first.is_ascii_digit();
        let end = rest.iter().position(|byte| byte.is_ascii_digit() != is_digit);
        let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
        match (is_digit, part) {
            (false, part) | (_, part @ b"0") => hasher.write(part),
            (true, _) => hasher.write_u8(b'#'),
        }
        rest = after;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a hash of 32 bits is enough for some hundred lines")]
    let hash = hasher.finish() as u32;
    hash
}
