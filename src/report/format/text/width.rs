//! The columns that a text takes, and as much of a text as fits.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Whether `text` takes at most so many columns.
pub fn fits(text: &str, columns: usize) -> bool {
    // A text of more bytes may be very long.
    text.len() <= columns * 4 && text.width() <= columns
}

/// The end of `text` that takes at most so many columns.
pub fn suffix(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let is_over = |character: char| {
        used += character.width().unwrap_or_default();
        used > columns
    };
    text.rsplit(is_over).next().unwrap_or_default()
}

/// `text` in at most so many columns, with an ellipsis where its end is left out.
pub fn cut(text: &str, columns: usize) -> String {
    if fits(text, columns) {
        text.to_owned()
    } else {
        prefix(text, columns.saturating_sub(1)).to_owned() + "…"
    }
}

/// The beginning of `text` that takes at most so many columns.
pub fn prefix(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let is_over = |character: char| {
        used += character.width().unwrap_or_default();
        used > columns
    };
    text.split(is_over).next().unwrap_or_default()
}
