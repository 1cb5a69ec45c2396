//! `--splay`: spreads the jobs of a crontab over some seconds.
//!
//! Each job has a place of its own in that time, which depends only on its operands and this machine's name. So its
//! wait is the same in every run, and in every version of remoteexe.

use std::time::Duration;

use rustix::system::uname;

use crate::stable_hash::hash;

/// How long the job with these `operands` waits on this machine, in milliseconds, if all jobs are spread over `span`.
pub fn wait(operands: &[u8], span: Duration) -> Duration {
    let hash = hash(&[uname().nodename().to_bytes(), b"\n", operands].concat());
    let part = u128::from(hash) * span.as_millis();
    Duration::from_millis(u64::try_from(part >> 64).unwrap_or(u64::MAX))
}
