//! The options of flock(1).

use super::wait::seconds;

/// The exit status of flock(1) where the lock is held.
pub const LOCKED: u8 = 1;

/// The behaviour of flock(1) where another process holds the lock.
pub struct Lock {
    pub does_not_wait: bool,
    pub has_limit: bool,
    /// The longest wait, in seconds, if there is a limit.
    pub longest: Option<u64>,
    /// The exit status without the lock, if known.
    pub status: Option<u8>,
}

impl Lock {
    /// Parses the words behind `flock`, up to the first that is no option.
    pub fn of<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut lock = Self { does_not_wait: false, has_limit: false, longest: None, status: Some(LOCKED) };
        while let Some(option) = words.next().filter(|word| word.starts_with(b"-")) {
            let (letters, name, attached) = split(option);
            lock.does_not_wait |= matches!(option, b"--nonblock" | b"--nb") || letters.contains(&b'n');
            let is_status = matches!(name, b"E" | b"--conflict-exit-code");
            let is_limit = matches!(name, b"w" | b"--wait" | b"--timeout");
            if is_status || is_limit {
                let value = attached.or_else(|| words.next());
                if is_status {
                    lock.status = value.and_then(|value| str::from_utf8(value).ok()?.parse().ok());
                } else {
                    (lock.has_limit, lock.longest) = (true, value.and_then(seconds));
                }
            }
        }
        lock
    }
}

/// Splits an option into its letters without a value, the name of the option with a value, and the value in this word.
fn split(option: &[u8]) -> (&[u8], &[u8], Option<&[u8]>) {
    if option.starts_with(b"--") {
        let end = option.iter().position(|byte| *byte == b'=');
        return (b"", &option[..end.unwrap_or(option.len())], end.map(|end| &option[end + 1..]));
    }
    let letters = &option[1..];
    let Some(place) = letters.iter().position(|letter| b"Ew".contains(letter)) else { return (letters, b"", None) };
    let (letters, rest) = letters.split_at(place);
    (letters, &rest[..1], Some(&rest[1..]).filter(|value| !value.is_empty()))
}
