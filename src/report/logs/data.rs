//! The bytes that a file holds when it is opened.

use std::fs::File;
use std::io::{self, Read};

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

/// Reads a file up to the end that it had, and no holes. Its owner can make a hole of a petabyte (truncate(2)), and can
/// go on writing for as long as somebody reads.
pub struct Data {
    file: File,
    /// Where the next byte is. What follows up to `known` is no hole.
    at: u64,
    known: u64,
    /// The end of the file. A pipe has none.
    end: Option<u64>,
}

impl Data {
    /// The bytes of `file` up to `end`. Those of a pipe, and of a file without an end, are read as they come.
    pub fn new(file: File, end: Option<u64>) -> Self {
        // A file of the kernel has no size.
        Self { file, at: 0, known: 0, end: end.filter(|end| *end > 0) }
    }

    /// The end of the file. None for a pipe.
    pub fn end(&self) -> Option<u64> {
        self.end
    }

    /// Goes on with the byte `at`.
    pub fn go_to(&mut self, at: u64) -> io::Result<()> {
        (self.at, self.known) = (seek(&self.file, SeekFrom::Start(at))?, 0);
        Ok(())
    }

    /// Moves to the next byte that is in no hole. Returns false if there is none.
    fn find(&mut self, end: u64) -> io::Result<bool> {
        match seek(&self.file, SeekFrom::Data(self.at)) {
            Ok(at) => {
                self.known = seek(&self.file, SeekFrom::Hole(at))?.min(end);
                self.at = seek(&self.file, SeekFrom::Start(at))?;
            }
            Err(Errno::NXIO) => return Ok(false),
            // The file system does not say where holes are.
            Err(_) => self.known = end,
        }
        Ok(self.at < self.known)
    }
}

impl Read for Data {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(end) = self.end else { return self.file.read(buffer) };
        if self.at >= self.known && !self.find(end)? {
            return Ok(0);
        }
        let left = usize::try_from(self.known - self.at).unwrap_or(usize::MAX);
        let room = buffer.len().min(left);
        let length = self.file.read(&mut buffer[..room])?;
        self.at += length as u64;
        Ok(length)
    }
}
