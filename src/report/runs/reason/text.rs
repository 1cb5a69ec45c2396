//! A line of output as a person would see it on a terminal.

use std::borrow::Cow;

use encoding_rs::{EUC_JP, Encoding, SHIFT_JIS, WINDOWS_1252};
use memchr::{memchr, memrchr};

/// The text that a terminal shows in the end: after the last carriage return, decoded, without control characters.
pub fn shown(line: &[u8]) -> Cow<'_, str> {
    let text = decoded(after_the_last_return(line));
    if text.as_bytes().iter().all(|byte| *byte >= b' ' && *byte != b'\x7f') {
        return text;
    }
    Cow::Owned(without_controls(&text))
}

/// The part of a line after the last carriage return. A progress bar overwrites the part before.
pub fn after_the_last_return(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii_end();
    let begin = memrchr(b'\r', line).map_or(0, |index| index + 1);
    &line[begin..]
}

/// The text of `bytes`: UTF-8 if valid, otherwise in the encoding in which they are plausible Japanese, or Western.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => return Cow::Borrowed(text),
        Err(error) if error.error_len().is_none() => {
            // A line that was cut within a character.
            return String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        }
        Err(_) => [SHIFT_JIS, EUC_JP]
            .into_iter()
            .filter_map(|encoding| decoded_as(encoding, bytes))
            .max_by_key(|text| japanese(text))
            .filter(|text| japanese(text) > 0),
    };
    text.or_else(|| decoded_as(WINDOWS_1252, bytes).filter(|_| is_mostly_ascii(bytes)))
        .unwrap_or_else(|| String::from_utf8_lossy(bytes))
}

fn decoded_as<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
    encoding.decode_without_bom_handling_and_without_replacement(bytes)
}

/// Western text in a single-byte encoding has few bytes outside ASCII.
fn is_mostly_ascii(bytes: &[u8]) -> bool {
    bytes.iter().filter(|byte| byte.is_ascii()).count() * 4 >= bytes.len() * 3
}

/// How much of `text` is plausible Japanese. A wrong encoding makes rare characters, characters for private use,
/// half-width katakana, and single ideographs out of two western letters.
fn japanese(text: &str) -> i64 {
    let worth = |character| match character {
        '\u{3040}'..='\u{30ff}' => 3,
        '\u{4e00}'..='\u{9fff}' | '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ff5e}' => 1,
        '\u{ff61}'..='\u{ff9f}' => -1,
        '\u{e000}'..='\u{f8ff}' => -9,
        character if character.is_ascii() => 0,
        _ => -2,
    };
    let total: i64 = text.chars().map(worth).sum();
    total - 1
}

fn without_controls(text: &str) -> String {
    // The control sequence introducer in one character.
    let text = text.replace('\u{9b}', "\x1b[");
    let mut shown = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(index) = memchr(b'\x1b', rest.as_bytes()) {
        push_printable(&mut shown, &rest[..index]);
        rest = after_escape(&rest[index + 1..]);
    }
    push_printable(&mut shown, rest);
    shown
}

fn push_printable(shown: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '\t' => shown.push(' '),
            // A spinner moves back over what it has shown.
            '\u{8}' => drop(shown.pop()),
            character if character.is_control() => {}
            character => shown.push(character),
        }
    }
}

/// The text after an escape sequence (ECMA-48): `[` and parameters up to a letter, `]` up to BEL, or 1 or 2 characters.
fn after_escape(text: &str) -> &str {
    let is_final = |character: char| matches!(character, '@'..='~');
    if let Some(sequence) = text.strip_prefix('[') {
        let end = sequence.find(is_final);
        return end.map_or("", |end| &sequence[end + 1..]);
    }
    if let Some(command) = text.strip_prefix(']') {
        return command.split_once(['\u{7}', '\u{1b}']).map_or("", |(_, rest)| rest.strip_prefix('\\').unwrap_or(rest));
    }
    let mut characters = text.trim_start_matches(['(', ')', '#']).chars();
    characters.next();
    characters.as_str()
}
