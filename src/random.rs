//! Random numbers from the operating system, because all jobs of a crontab start in the same second.

use std::io;

use rustix::io::retry_on_intr;
use rustix::rand::{GetRandomFlags, getrandom};

/// A uniform random number. Fails if getrandom(2) does, as in a sandbox that forbids it.
pub fn number() -> io::Result<u64> {
    let mut bytes = [0; 8];
    retry_on_intr(|| getrandom(&mut bytes, GetRandomFlags::empty()))?;
    Ok(u64::from_ne_bytes(bytes))
}
