//! Random numbers from the operating system, because all jobs of a crontab start in the same second.

use std::fs::File;
use std::io::{self, Read};

use rustix::io::{Errno, retry_on_intr};
use rustix::rand::{GetRandomFlags, getrandom};

/// A uniform random number. Fails where a sandbox forbids getrandom(2), and has no /dev/urandom.
pub fn number() -> io::Result<u64> {
    let mut bytes = [0; 8];
    match retry_on_intr(|| getrandom(&mut bytes, GetRandomFlags::empty())) {
        // Before Linux 3.17, as in RHEL 7.
        Err(Errno::NOSYS) => File::open("/dev/urandom")?.read_exact(&mut bytes)?,
        other => _ = other?,
    }
    Ok(u64::from_ne_bytes(bytes))
}
