//! Measures and cuts texts by the columns that they take.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub fn fits(text: &str, columns: usize) -> bool {
    // Measuring a longer text could take long.
    text.len() <= columns * 4 && text.width() <= columns
}

/// The longest end of `text` that fits.
pub fn suffix(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let is_over = |character: char| {
        used += character.width().unwrap_or_default();
        used > columns
    };
    text.rsplit(is_over).next().unwrap_or_default()
}

/// The longest beginning of `text` that fits.
pub fn prefix(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let is_over = |character: char| {
        used += character.width().unwrap_or_default();
        used > columns
    };
    text.split(is_over).next().unwrap_or_default()
}
