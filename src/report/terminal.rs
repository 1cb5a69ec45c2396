//! The terminal on standard output: its width, its colour, and lines of a log on it.

use std::env;
use std::io::{self, IsTerminal, Write};

use rustix::termios::tcgetwinsize;

use crate::escape::printable;

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
