//! Literals of Python.

use std::fmt::Write;

use crate::escape::is_safe;

/// `text` as a string literal on one line, in the quotes of which `text` has fewer, as ruff formats it.
pub fn string(text: &str) -> String {
    let count = |quote| text.matches(quote).count();
    let quote = if count('"') > count('\'') { '\'' } else { '"' };
    let mut literal = String::from(quote);
    for character in text.chars() {
        let _ = match (character, u32::from(character)) {
            ('\n', _) => write!(literal, "\\n"),
            ('\r', _) => write!(literal, "\\r"),
            ('\t', _) => write!(literal, "\\t"),
            ('\\', _) => write!(literal, "\\\\"),
            (_, _) if character == quote => write!(literal, "\\{quote}"),
            (_, _) if is_safe(character) => write!(literal, "{character}"),
            (_, code @ 0..=0xff) => write!(literal, "\\x{code:02x}"),
            (_, code @ 0x100..=0xffff) => write!(literal, "\\u{code:04x}"),
            (_, code) => write!(literal, "\\U{code:08x}"),
        };
    }
    literal.push(quote);
    literal
}

pub fn dictionary(entries: &[(String, String)]) -> String {
    let entries = entries.iter().map(|(name, value)| format!("{}: {}", string(name), string(value)));
    format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
}

pub fn tuple(items: impl Iterator<Item = impl ToString>) -> String {
    let items: Vec<String> = items.map(|item| item.to_string()).collect();
    match &*items {
        [item] => format!("({item},)"),
        items => format!("({})", items.join(", ")),
    }
}
