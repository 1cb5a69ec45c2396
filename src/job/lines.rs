//! Cuts a stream of bytes into lines of bounded length.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};

use crate::log::record::MAX_TEXT;

/// Takes the bytes of a stream in any pieces, and returns them as lines.
///
/// Drops NUL bytes, as the bash original's `$(…)` does: a single one makes grep treat the whole log as a binary file. A
/// line longer than [`MAX_TEXT`] comes in pieces of that length, so the memory is bounded, whatever the stream.
#[derive(Debug, Default)]
pub struct Lines {
    /// The line whose end has not come yet; at most `MAX_TEXT` bytes.
    partial: Vec<u8>,
}

impl Lines {
    /// Takes the next `bytes` of the stream and calls `line` for each line that they complete, without its newline.
    pub fn feed(&mut self, bytes: &[u8], mut line: impl FnMut(&[u8])) {
        let bytes = without_nul(bytes);
        let mut begin = 0;
        for newline in memchr_iter(b'\n', &bytes) {
            let end = &bytes[begin..newline];
            begin = newline + 1;
            // The usual case, and the only one that copies nothing.
            if self.partial.is_empty() && end.len() <= MAX_TEXT {
                line(end);
            } else {
                self.extend(end, &mut line);
                line(&self.partial);
                self.partial.clear();
            }
        }
        self.extend(&bytes[begin..], &mut line);
    }

    /// Ends the stream: a last line without a newline is a line.
    pub fn finish(&mut self, mut line: impl FnMut(&[u8])) {
        if !self.partial.is_empty() {
            line(&self.partial);
            self.partial.clear();
        }
    }

    /// Grows the partial line. A full piece is passed on when more follows: a line of `MAX_TEXT` bytes is one line.
    fn extend(&mut self, mut bytes: &[u8], line: &mut impl FnMut(&[u8])) {
        while self.partial.len() + bytes.len() > MAX_TEXT {
            let (head, tail) = bytes.split_at(MAX_TEXT - self.partial.len());
            self.partial.extend_from_slice(head);
            line(&self.partial);
            self.partial.clear();
            bytes = tail;
        }
        self.partial.extend_from_slice(bytes);
    }
}

fn without_nul(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr(0, bytes).is_some() {
        Cow::Owned(bytes.iter().copied().filter(|&byte| byte != 0).collect())
    } else {
        Cow::Borrowed(bytes)
    }
}
