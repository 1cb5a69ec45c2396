//! The bytes that a page and its parts may have, so that a browser shows it at once whatever is in a log.
//!
//! Bytes are counted after escaping: names and output grow, a quote to six bytes.

use maud::Markup;

/// The problems now, and those that are over.
pub const PROBLEMS: [usize; 2] = [400_000, 100_000];

/// The lines of the timeline, and the lists of their runs.
pub const LINES: usize = 1_150_000;

/// The output of the runs in these lists.
pub const OUTPUT: usize = 250_000;

/// The bytes that are left.
pub struct Budget(usize);

impl Budget {
    pub fn of(bytes: usize) -> Self {
        Self(bytes)
    }

    /// Takes the bytes of a text, if there are enough.
    pub fn take(&mut self, text: &Markup) -> bool {
        let left = self.0.checked_sub(text.0.len());
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}
