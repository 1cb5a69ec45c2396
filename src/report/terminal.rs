//! What a terminal can take: how wide it is, whether it shows colour, and which bytes are safe for it.

use std::env;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use rustix::termios::tcgetwinsize;

/// Where there is no terminal, or one that does not say how wide it is.
const USUAL_WIDTH: u16 = 80;

/// The columns of the terminal on standard output.
pub fn width() -> u16 {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col >= 40 => size.ws_col,
        _ => USUAL_WIDTH,
    }
}

/// How words are made to stand out, if they are.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    is_coloured: bool,
}

impl Style {
    /// Colour on a terminal, unless `NO_COLOR` (<https://no-color.org>) asks for none.
    pub fn of_stdout() -> Self {
        let is_unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            is_coloured: io::stdout().is_terminal() && !is_unwanted,
        }
    }

    /// A heading.
    pub fn heading(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Something that is wrong.
    pub fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.is_coloured {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// `bytes` of a log as text in which no byte steers a terminal: control characters are escaped, those of
/// Unicode and those that change the direction of writing too, and so is what is not UTF-8.
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_safe(character) {
                text.push(character);
            } else if character.is_ascii() {
                text.extend(character.escape_default());
            } else {
                text.extend(character.escape_unicode());
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Whether a terminal only shows `character`.
pub fn is_safe(character: char) -> bool {
    let changes_direction = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !character.is_control() && !changes_direction
}

/// Writes lines of a log to `out`, which is standard output: as they are, but for a terminal printable.
pub fn show(lines: &[u8], out: &mut impl Write) -> io::Result<()> {
    if !io::stdout().is_terminal() {
        return out.write_all(lines);
    }
    for line in lines.split_inclusive(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        writeln!(out, "{}", printable(line))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_log_steers_a_terminal() {
        for (bytes, text) in [
            (b"caf\xc3\xa9 \\ plain".as_slice(), "caf\u{e9} \\ plain"),
            (b"\x1b[2J\x07\r\t\x7f", "\\u{1b}[2J\\u{7}\\r\\t\\u{7f}"),
            (b"\xc2\x9b31m", "\\u{9b}31m"),
            (b"\x9b31m\xff", "\\x9b31m\\xff"),
            ("a\u{202e}b".as_bytes(), "a\\u{202e}b"),
        ] {
            assert_eq!(printable(bytes), text);
        }
    }
}
