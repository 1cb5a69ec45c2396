//! The bytes that a file holds when it is opened.

use std::fs::File;
use std::io::{self, Read};

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

/// Reads a file up to its size when opened, and skips holes. The owner of a file can make a hole of a petabyte
/// (truncate(2)), and can keep writing for as long as somebody reads.
pub struct Data {
    file: File,
    /// The position of the next byte. There is no hole from here to `next_hole`.
    at: u64,
    next_hole: u64,
    /// The end of the file. A pipe has none.
    pub end: Option<u64>,
}

impl Data {
    /// Reads `file` up to `end`; without an end, as from a pipe, until no more bytes come.
    pub fn new(file: File, end: Option<u64>) -> Self {
        // A file in /proc has the size 0.
        Self { file, at: 0, next_hole: 0, end: end.filter(|end| *end > 0) }
    }

    /// Continues with the byte at this position.
    pub fn go_to(&mut self, at: u64) -> io::Result<()> {
        (self.at, self.next_hole) = (seek(&self.file, SeekFrom::Start(at))?, 0);
        Ok(())
    }

    /// Moves past a hole to the next data. Returns false at the end.
    fn skip_hole(&mut self, end: u64) -> io::Result<bool> {
        match seek(&self.file, SeekFrom::Data(self.at)) {
            Ok(at) => {
                self.next_hole = seek(&self.file, SeekFrom::Hole(at))?.min(end);
                self.at = seek(&self.file, SeekFrom::Start(at))?;
            }
            Err(Errno::NXIO) => return Ok(false),
            // The file system does not say where holes are.
            Err(_) => self.next_hole = end,
        }
        Ok(self.at < self.next_hole)
    }
}

impl Read for Data {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(end) = self.end else { return self.file.read(buffer) };
        if self.at >= self.next_hole && !self.skip_hole(end)? {
            return Ok(0);
        }
        let left = usize::try_from(self.next_hole - self.at).unwrap_or(usize::MAX);
        let room = buffer.len().min(left);
        let length = self.file.read(&mut buffer[..room])?;
        self.at += length as u64;
        Ok(length)
    }
}
