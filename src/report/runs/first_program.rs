//! What the flock(1) or timeout(1) that a job's script begins with says about the exit status.

use crate::cron::{Lock, limit_of_script};
use crate::exit;

/// The exit status by which the `flock -n` that a job's script begins with says that the lock is held.
pub fn status_of_lock(job: &[u8]) -> Option<u8> {
    let mut words = script(job);
    let program = words.next()?.rsplit(|&byte| byte == b'/').next();
    let lock = (program == Some(b"flock")).then(|| Lock::of(words))?;
    lock.status.filter(|status| lock.does_not_wait && *status != exit::SUCCESS)
}

/// The limit in seconds of the timeout(1) with which a job's script begins.
pub fn limit(job: &[u8]) -> Option<u32> {
    limit_of_script(script(job)).and_then(|limit| u32::try_from(limit).ok())
}

/// The words of a job without its host.
fn script(job: &[u8]) -> impl Iterator<Item = &[u8]> {
    job.split(|&byte| byte == b' ').skip(1)
}
