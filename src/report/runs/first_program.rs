//! What the flock(1) or timeout(1) that a job's script begins with says about the exit status.

use crate::cron::{Lock, seconds};
use crate::exit;

/// The exit status by which the `flock -n` that a job's script begins with says that the lock is held.
pub fn status_of_lock(job: &[u8]) -> Option<u8> {
    let lock = Lock::of(arguments(job, b"flock")?);
    lock.status.filter(|status| lock.does_not_wait && *status != exit::SUCCESS)
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
