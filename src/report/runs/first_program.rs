//! The meaning of an exit status if the script begins with flock(1) or timeout(1).

use crate::cron::{Lock, limit_of_script};
use crate::exit;

/// The exit status of a held lock, if the script begins with `flock -n`.
pub fn status_of_lock(job: &[u8]) -> Option<u8> {
    if !is_last(job) {
        return None;
    }
    let mut words = script(job);
    let program = words.next()?.rsplit(|&byte| byte == b'/').next();
    let lock = (program == Some(b"flock")).then(|| Lock::of(words))?;
    lock.status.filter(|status| lock.does_not_wait && *status != exit::SUCCESS)
}

/// The limit in seconds, if the script begins with timeout(1).
pub fn limit(job: &[u8]) -> Option<u32> {
    limit_of_script(script(job)).filter(|_| is_last(job)).and_then(|limit| u32::try_from(limit).ok())
}

/// The words of a job without its host.
fn script(job: &[u8]) -> impl Iterator<Item = &[u8]> {
    job.split(|&byte| byte == b' ').skip(1)
}

/// Whether the first program can give the script its status: outside quotes, no `;` or `|` comes after the program.
fn is_last(job: &[u8]) -> bool {
    let mut quote = None;
    !job.iter().any(|&byte| {
        match quote {
            None if matches!(byte, b'\'' | b'"') => quote = Some(byte),
            Some(open) if open == byte => quote = None,
            _ => {}
        }
        quote.is_none() && matches!(byte, b';' | b'|')
    })
}
