//! Cuts a stream of bytes into lines of bounded length.

use std::borrow::Cow;

use crate::record::MAX_TEXT;

/// Collects the bytes of a stream, in whatever pieces they arrive, and gives them back as lines.
///
/// NUL bytes are dropped, as the bash original's `$(…)` did: a single one makes grep take the whole
/// log for a binary file. A line longer than [`MAX_TEXT`] comes out in pieces of that length, so that
/// what is held here is bounded whatever the stream does.
#[derive(Debug, Default)]
pub struct Lines {
    /// The line whose end has not come yet; at most `MAX_TEXT` bytes.
    partial: Vec<u8>,
}

impl Lines {
    /// Takes the next `bytes` of the stream and calls `line` for each line that they complete,
    /// without its newline.
    pub fn feed(&mut self, bytes: &[u8], mut line: impl FnMut(&[u8])) {
        for piece in without_nul(bytes).split_inclusive(|&byte| byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                // The usual case, and the only one that copies nothing.
                Some(whole) if self.partial.is_empty() && whole.len() <= MAX_TEXT => line(whole),
                Some(end) => {
                    self.extend(end, &mut line);
                    line(&self.partial);
                    self.partial.clear();
                }
                None => self.extend(piece, &mut line),
            }
        }
    }

    /// Ends the stream: a last line without a newline is a line.
    pub fn finish(&mut self, mut line: impl FnMut(&[u8])) {
        if !self.partial.is_empty() {
            line(&self.partial);
            self.partial.clear();
        }
    }

    /// Grows the partial line, giving out a full piece only once it is known that more follows, so
    /// that a line of exactly `MAX_TEXT` bytes is one line.
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
    if bytes.contains(&0) {
        Cow::Owned(bytes.iter().copied().filter(|&byte| byte != 0).collect())
    } else {
        Cow::Borrowed(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of `stream` when it arrives in pieces of `size` bytes.
    fn lines(stream: &[u8], size: usize) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        let mut lines = Lines::default();
        for piece in stream.chunks(size) {
            lines.feed(piece, |line| found.push(line.to_vec()));
        }
        lines.finish(|line| found.push(line.to_vec()));
        found
    }

    #[test]
    fn lines_are_the_same_however_the_stream_is_cut() {
        let stream = b"one\n\n two\x00\t\r\n\xe3\x81\x82\nno newline";
        let expected: [&[u8]; 5] = [b"one", b"", b" two\t\r", b"\xe3\x81\x82", b"no newline"];
        for size in 1..=stream.len() {
            assert_eq!(lines(stream, size), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_line_is_split_only_when_it_is_longer_than_a_record_may_be() {
        for (length, expected) in [
            (MAX_TEXT - 1, vec![MAX_TEXT - 1, 3]),
            (MAX_TEXT, vec![MAX_TEXT, 3]),
            (MAX_TEXT + 1, vec![MAX_TEXT, 1, 3]),
            (2 * MAX_TEXT, vec![MAX_TEXT, MAX_TEXT, 3]),
        ] {
            let mut stream = vec![b'x'; length];
            stream.extend_from_slice(b"\nend");
            for size in [1 << 12, 1 << 16, 4 << 20] {
                let lengths: Vec<usize> = lines(&stream, size).iter().map(Vec::len).collect();
                assert_eq!(lengths, expected, "{length} bytes in pieces of {size}");
            }
        }
    }

    #[test]
    fn an_end_of_nothing_but_nul_bytes_is_no_line() {
        assert_eq!(lines(b"a\n\0\0", 64), [b"a"]);
        assert!(lines(b"", 64).is_empty());
    }
}
