//! The bytes that a page and its parts may have, so that a browser shows it at once whatever is in a log.
//!
//! Bytes are counted after escaping: names and output grow, a quote to six bytes.

use maud::Markup;

pub const PAGE: usize = 2_950_000;

/// Each of the two tables of incidents.
pub const INCIDENTS: usize = 100_000;

/// The jobs: their rows in the timeline, and the lists of their runs without output.
pub const JOBS: usize = 2_400_000;

/// The bytes that are left.
#[derive(Debug)]
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

    /// The rest after a text that the page must have.
    pub fn without(self, text: &Markup) -> Self {
        Self(self.0.saturating_sub(text.0.len()))
    }
}
