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

    /// Grows the partial line. A full piece is passed on only when more follows: a line of exactly `MAX_TEXT` bytes is
    /// one line.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of `stream`, found in the simplest way.
    fn model(stream: &[u8]) -> Vec<Vec<u8>> {
        let mut text = stream.to_vec();
        text.retain(|&byte| byte != 0);
        if text.last() == Some(&b'\n') {
            text.pop();
        } else if text.is_empty() {
            return Vec::new();
        }
        let whole = text.split(|&byte| byte == b'\n');
        whole
            .flat_map(|line| match line.len() {
                0 => vec![Vec::new()],
                _ => line.chunks(MAX_TEXT).map(<[u8]>::to_vec).collect(),
            })
            .collect()
    }

    #[test]
    fn any_stream_in_any_pieces_gives_the_lines_of_the_model() {
        // More with CASES=N; SEED=N repeats a case that failed.
        let number = |name| std::env::var(name).ok().and_then(|value| value.parse().ok());
        let first = number("SEED").unwrap_or_else(|| fastrand::u64(..1 << 32));
        for seed in first..first + number("CASES").unwrap_or(200) {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut stream = Vec::new();
            for _ in 0..random.usize(..20) {
                let longest = random.choice([1, 10, 1000]).unwrap_or(0);
                let length = random.usize(..=longest);
                match random.u32(..40) {
                    0 => stream.resize(stream.len() + MAX_TEXT - random.usize(..3), b'x'),
                    1..12 => stream.extend(vec![random.choice(*b"\0\n").unwrap_or(0); length % 4]),
                    _ => stream.extend(std::iter::repeat_with(|| random.u8(..)).take(length)),
                }
            }
            let mut found = Vec::new();
            let mut lines = Lines::default();
            let mut rest = stream.as_slice();
            while !rest.is_empty() {
                let longest = random.choice([1, 7, 5000, 1 << 16, 4 << 20]).unwrap_or(1);
                let (piece, later) = rest.split_at(random.usize(1..=longest.min(rest.len())));
                lines.feed(piece, |line| found.push(line.to_vec()));
                assert!(lines.partial.len() <= MAX_TEXT, "memory is bounded; SEED={seed}");
                rest = later;
            }
            lines.finish(|line| found.push(line.to_vec()));
            assert!(found == model(&stream), "SEED={seed}");
        }
    }

    #[test]
    fn nul_bytes_do_not_count_where_a_line_reaches_its_greatest_length() {
        let full = vec![b'x'; MAX_TEXT];
        let pieces: [&[u8]; 6] = [&full, b"\0", b"\0\n", &full, b"\0y", b"\n\0"];
        let mut found = Vec::new();
        let mut lines = Lines::default();
        for piece in pieces {
            lines.feed(piece, |line| found.push(line.len()));
        }
        lines.finish(|line| found.push(line.len()));
        assert_eq!(found, [MAX_TEXT, MAX_TEXT, 1]);
    }
}
