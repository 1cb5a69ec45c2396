//! Numbers of decimal digits and nothing else: neither a sign nor blanks.

use std::str::FromStr;

pub fn number<T: FromStr>(digits: &[u8]) -> Option<T> {
    are_digits(digits).then(|| str::from_utf8(digits).ok()?.parse().ok())?
}

pub fn are_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}
