//! Makes text safe for a record and for a terminal.
//!
//! A control character would end a record or steer a terminal. A character without width, or one that changes the
//! direction of writing, would mislead a reader. They are escaped: `\n`, `\x1b`, `\u{202e}`. A backslash is not: people
//! read the text, and no program parses it.

use std::{ffi::OsStr, fmt::Write, os::unix::ffi::OsStrExt};

/// `words` joined by single spaces, for a record. Bytes that are not UTF-8 stay, whatever encoding the crontab has.
pub fn join<'a>(words: impl IntoIterator<Item = &'a OsStr>) -> Vec<u8> {
    let mut text = Vec::new();
    for (index, word) in words.into_iter().enumerate() {
        if index > 0 {
            text.push(b' ');
        }
        push_for_record(word.as_bytes(), &mut text);
    }
    text
}

fn push_for_record(bytes: &[u8], text: &mut Vec<u8>) {
    for chunk in bytes.utf8_chunks() {
        let mut valid = String::with_capacity(chunk.valid().len());
        push(chunk.valid(), &mut valid);
        text.extend_from_slice(valid.as_bytes());
        text.extend_from_slice(chunk.invalid());
    }
}

/// `bytes` for a terminal. Bytes that are not UTF-8 are escaped too: in another encoding they may be controls.
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        push(chunk.valid(), &mut text);
        for byte in chunk.invalid() {
            let _ = write!(text, "{}", byte.escape_ascii());
        }
    }
    text
}

/// The first `most` bytes of `bytes` for a terminal, with `…` behind them if there are more.
pub fn shortened(bytes: &[u8], most: usize) -> String {
    if bytes.len() <= most {
        return printable(bytes);
    }
    let is_inside = |end: &usize| bytes[*end] & 0xc0 == 0x80;
    let end = (most.saturating_sub(3)..=most).rev().find(|end| !is_inside(end));
    printable(&bytes[..end.unwrap_or(most)]) + "…"
}

fn push(valid: &str, text: &mut String) {
    for character in valid.chars() {
        match u8::try_from(character) {
            _ if is_safe(character) => text.push(character),
            Ok(byte) if byte.is_ascii() => _ = write!(text, "{}", byte.escape_ascii()),
            _ => text.extend(character.escape_unicode()),
        }
    }
}

/// Whether a terminal shows `character` where it stands, and does nothing else.
///
/// The ranges are the format characters (category Cf) and the default-ignorable ones of Unicode 16 that
/// are not part of how a script is written, and its line and paragraph separators.
pub fn is_safe(character: char) -> bool {
    let is_invisible = matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}');
    !character.is_control() && !is_invisible
}
