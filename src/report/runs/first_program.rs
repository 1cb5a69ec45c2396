//! The meaning of an exit status if the script begins with flock(1) or timeout(1).

use crate::cron::{Lock, first_gives_status, limit_of_script};
use crate::exit;

/// The exit status of a held lock, if the script begins with `flock -n`.
pub fn status_of_lock(job: &[u8]) -> Option<u8> {
    let mut words = script(job);
    let program = words.next()?.rsplit(|&byte| byte == b'/').next();
    let lock = (program == Some(b"flock")).then(|| Lock::of(words))?;
    let status = lock.status.filter(|status| lock.does_not_wait && *status != exit::SUCCESS);
    status.filter(|_| first_gives_status(job))
}

/// The limit in seconds, if the script begins with timeout(1).
pub fn limit(job: &[u8]) -> Option<u32> {
    limit_of_script(script(job)).and_then(|limit| u32::try_from(limit).ok()).filter(|_| first_gives_status(job))
}

/// The words of a job without its host.
fn script(job: &[u8]) -> impl Iterator<Item = &[u8]> {
    job.split(|&byte| byte == b' ').skip(1)
}
