//! The time that a part of a command takes: `sleep 20`, `sleep $((RANDOM % 30))`.

use super::lexer::Word;

/// A time, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    pub least: u64,
    /// None if there is no limit.
    pub most: Option<u64>,
}

impl Wait {
    pub const NONE: Self = Self { least: 0, most: Some(0) };

    pub const UNKNOWN: Self = Self { least: 0, most: None };

    pub fn then(self, next: Self) -> Self {
        let most = self.most.zip(next.most);
        Self {
            least: self.least.saturating_add(next.least),
            most: most.map(|(first, second)| first.saturating_add(second)),
        }
    }
}

impl Default for Wait {
    fn default() -> Self {
        Self::NONE
    }
}

pub fn sleep(arguments: &[Word]) -> Wait {
    let mut sum = Wait::NONE;
    for word in arguments {
        let time = match (&word.expansion, seconds(&word.text)) {
            (Some(expansion), _) if word.text.is_empty() => random(expansion),
            (None, Some(seconds)) => Some((seconds, seconds)),
            _ => None,
        };
        let Some((least, most)) = time else { return Wait::UNKNOWN };
        sum = sum.then(Wait { least, most: Some(most) });
    }
    sum
}

/// The bounds of `$((RANDOM % N))` and of `$((RANDOM % N + M))`.
fn random(expansion: &[u8]) -> Option<(u64, u64)> {
    let text: String = str::from_utf8(expansion).ok()?.split_whitespace().collect();
    let inner = text.strip_prefix("$((").and_then(|text| text.strip_suffix("))"));
    let inner = inner.or_else(|| text.strip_prefix("$[").and_then(|text| text.strip_suffix(']')));
    let limits = inner?.trim_start_matches('$').strip_prefix("RANDOM%")?;
    let (count, more) = limits.split_once('+').unwrap_or((limits, "0"));
    let (count, more): (u64, u64) = (count.parse().ok()?, more.parse().ok()?);
    Some((more, more.checked_add(count.checked_sub(1)?)?))
}

/// A duration in the form of `sleep`, rounded up to seconds.
pub fn seconds(text: &[u8]) -> Option<u64> {
    let text = str::from_utf8(text).ok()?;
    let (number, unit) = match text.char_indices().next_back()? {
        (end, 's') => (&text[..end], 1_u32),
        (end, 'm') => (&text[..end], 60),
        (end, 'h') => (&text[..end], 3600),
        (end, 'd') => (&text[..end], 86400),
        _ => (text, 1),
    };
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds = number.parse::<f64>().ok().filter(|_| is_number)? * f64::from(unit);
    let seconds = std::time::Duration::try_from_secs_f64(seconds).ok()?;
    Some(seconds.as_secs() + u64::from(seconds.subsec_nanos() > 0))
}
