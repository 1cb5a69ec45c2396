//! Where a report goes: standard output, which may be a terminal with a pager, or a file.

pub mod atomic_file;
mod directory;
pub mod pager;
pub mod style;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::{fs::File, os::fd::AsFd, path::PathBuf};

use crate::escape::printable;
use atomic_file::AtomicFile;
use pager::Pager;
use style::is_dumb;

/// Buffers writes. Ignores everything after the first error.
pub struct ReportOutput {
    may_page: bool,
    /// The file to replace, and whether anybody may read it.
    file: Option<(PathBuf, bool)>,
    target: Option<BufWriter<Target>>,
    result: io::Result<()>,
}

enum Target {
    /// Not `std::io::Stdout`, which hides the error of a descriptor that is not open for writing.
    Stdout(File),
    Pager(Pager),
    File(AtomicFile),
}

impl Target {
    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Stdout(file) => file,
            Self::Pager(pager) => pager,
            Self::File(new) => &mut new.file,
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer().flush()
    }
}

impl ReportOutput {
    /// Writes to the file, or else to standard output, through a pager if a person may want one.
    pub fn new(is_pager_wanted: bool, file: Option<(PathBuf, bool)>) -> Self {
        Self {
            file,
            may_page: is_pager_wanted && io::stdout().is_terminal() && !is_dumb(),
            target: None,
            result: Ok(()),
        }
    }

    pub fn write(&mut self, bytes: &[u8]) {
        if self.result.is_ok() {
            self.result = self.try_write(bytes);
        }
    }

    /// Starts the pager with the first bytes, after all earlier messages on standard error.
    fn try_write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(target) = &mut self.target {
            return target.write_all(bytes);
        }
        let target = match &self.file {
            Some((path, is_public)) => Target::File(AtomicFile::of(path, *is_public)?),
            None => match self.may_page.then(Pager::start).flatten() {
                Some(pager) => Target::Pager(pager),
                None => Target::Stdout(stdout()?),
            },
        };
        self.target.insert(BufWriter::new(target)).write_all(bytes)
    }

    /// Writes a line for a person: not to a pipe or a file, where each byte counts.
    pub fn write_remark(&mut self, line: &str) {
        if io::stdout().is_terminal() {
            self.write_line(line);
        }
    }

    pub fn write_line(&mut self, line: &str) {
        self.write(line.as_bytes());
        self.write(b"\n");
    }

    /// Writes lines of a log: as they are, or printable on a terminal.
    pub fn write_records(&mut self, lines: &[u8]) {
        if !io::stdout().is_terminal() {
            return self.write(lines);
        }
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            self.write_line(&printable(line));
        }
    }

    /// Flushes the buffer, and waits for the pager or replaces the file. Returns the first error of any write, but none
    /// for a closed pipe: its reader has seen enough.
    pub fn finish(self) -> io::Result<()> {
        let Some(mut target) = self.target else { return self.result };
        let result = self.result.and_then(|()| target.flush());
        // The writer must not try again when it is dropped.
        let (target, _) = target.into_parts();
        let paged = match target {
            Target::Pager(pager) => pager.finish(),
            Target::File(file) if result.is_ok() => file.finish().map(|()| None),
            // The old file is better than a part of the new one.
            Target::File(_) | Target::Stdout(_) => Ok(None),
        };
        let result = result.and(paged).and_then(|unread| match unread {
            Some(text) => stdout()?.write_all(&text),
            None => Ok(()),
        });
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

fn stdout() -> io::Result<File> {
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

pub fn warn(message: &str) {
    // If standard error is closed, nobody can read the message.
    let _ = writeln!(io::stderr(), "remoteexe: {}", printable(message.as_bytes()));
}
