//! What the flock(1) or timeout(1) that a job's script begins with says about the exit status.

use crate::cron::seconds;
use crate::exit;

/// The exit status of flock(1) where the lock is held.
const LOCKED: u8 = 1;

/// The exit status by which the `flock -n` that a job's script begins with says that the lock is held.
pub fn status_of_lock(job: &[u8]) -> Option<u8> {
    let mut words = arguments(job, b"flock")?;
    let (mut does_not_wait, mut status) = (false, Some(LOCKED));
    while let Some(option) = words.next().filter(|word| word.starts_with(b"-")) {
        let text = str::from_utf8(option).ok()?;
        // A cluster of letters, the last of which may have a value behind it.
        let letters = if text.starts_with("--") { "" } else { &text[1..] };
        let (letters, attached) =
            letters.split_at(letters.find(['E', 'w']).unwrap_or(letters.len()));
        does_not_wait |= matches!(text, "--nonblock" | "--nb") || letters.contains('n');
        let (name, value) = match (attached.get(..1), text.split_once('=')) {
            (Some(letter), _) => (letter, &attached[1..]),
            (None, Some((name, value))) => (name, value),
            (None, None) => (text, ""),
        };
        let is_status = matches!(name, "E" | "--conflict-exit-code");
        if is_status || matches!(name, "w" | "--wait" | "--timeout") {
            let value = Some(value.as_bytes()).filter(|value| !value.is_empty());
            let value = value.or_else(|| words.next());
            if is_status {
                status = value.and_then(|value| str::from_utf8(value).ok()?.parse().ok());
            }
        }
    }
    status.filter(|status| does_not_wait && *status != exit::SUCCESS)
}

/// The limit in seconds of the timeout(1) with which a job's script begins.
pub fn limit(job: &[u8]) -> Option<u32> {
    let words = arguments(job, b"timeout")?;
    let limits = words.filter_map(|word| u32::try_from(seconds(word)?).ok());
    // `-k 10 300`: the limit is the last number before the command.
    let mut limits = limits.take(2);
    let first = limits.next()?;
    let has_kill = job.windows(4).any(|part| part == b" -k ");
    limits.next().filter(|_| has_kill).or(Some(first))
}

/// The words behind `program`, if a job's script begins with that.
fn arguments<'a>(job: &'a [u8], program: &[u8]) -> Option<impl Iterator<Item = &'a [u8]>> {
    let mut words = job.split(|&byte| byte == b' ').skip(1);
    let name = words.next()?.rsplit(|&byte| byte == b'/').next();
    (name == Some(program)).then_some(words)
}
