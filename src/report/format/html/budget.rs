//! The room of a page: how many bytes it and its parts may have, so that a browser shows it at once whatever a log
//! has in it.
//!
//! Bytes are counted as they stand on the page: names and output grow when they are escaped, a quote to six bytes.

use maud::Markup;

/// The whole page.
pub const PAGE: usize = 2_950_000;

/// Each of the two tables of incidents.
pub const INCIDENTS: usize = 100_000;

/// The jobs: their rows in the timeline, and the lists of their runs without the lines of output.
pub const JOBS: usize = 2_400_000;

/// What is left of the bytes of a part.
#[derive(Debug)]
pub struct Budget(usize);

impl Budget {
    /// A budget of so many bytes.
    pub fn of(bytes: usize) -> Self {
        Self(bytes)
    }

    /// Takes the room of a text, if there is so much.
    pub fn take(&mut self, text: &Markup) -> bool {
        let left = self.0.checked_sub(text.0.len());
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }

    /// What remains when a text is on the page that it has to have.
    pub fn without(self, text: &Markup) -> Self {
        Self(self.0.saturating_sub(text.0.len()))
    }
}
