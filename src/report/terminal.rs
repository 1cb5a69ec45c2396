//! Standard output, which may be a terminal: its width, its colours, and writes to it.

use std::env;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use rustix::termios::tcgetwinsize;

use crate::escape::printable;

/// The width if there is no terminal, or if the terminal does not tell its own.
const DEFAULT_WIDTH: u16 = 80;

/// A narrower terminal is treated as one that does not tell its width: no table would fit.
const MIN_WIDTH: u16 = 40;

/// The number of columns of standard output.
pub fn width() -> u16 {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col >= MIN_WIDTH => size.ws_col,
        _ => DEFAULT_WIDTH,
    }
}

/// The colours of a text, or none.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    is_coloured: bool,
}

impl Style {
    /// Colours if standard output is a terminal, unless `NO_COLOR` (<https://no-color.org>) is set.
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

    /// A failure.
    pub fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// Something that is well again.
    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Something that may need a look.
    pub fn doubtful(self, text: &str) -> String {
        self.paint("33", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.is_coloured {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Buffered writes to standard output. After the first error nothing more is written.
#[derive(Debug)]
pub struct Output {
    stdout: BufWriter<StdoutLock<'static>>,
    result: io::Result<()>,
}

impl Output {
    /// Locks standard output.
    pub fn lock() -> Self {
        Self {
            stdout: BufWriter::new(io::stdout().lock()),
            result: Ok(()),
        }
    }

    /// Writes bytes as they are.
    pub fn write(&mut self, bytes: &[u8]) {
        if self.result.is_ok() {
            self.result = self.stdout.write_all(bytes);
        }
    }

    /// Writes a line.
    pub fn write_line(&mut self, line: &str) {
        self.write(line.as_bytes());
        self.write(b"\n");
    }

    /// Writes lines of a log: as they are, or printable if this is a terminal.
    pub fn write_records(&mut self, lines: &[u8]) {
        if !io::stdout().is_terminal() {
            return self.write(lines);
        }
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            self.write_line(&printable(line));
        }
    }

    /// Writes what is left in the buffer.
    ///
    /// # Errors
    ///
    /// The first error of any write. It is none if the reader of a pipe has closed it: it has seen enough.
    pub fn finish(mut self) -> io::Result<()> {
        let result = self.result.and_then(|()| self.stdout.flush());
        // The writer must not try again when it is dropped.
        let _ = self.stdout.into_parts();
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}
