//! Waits for descriptors.

use std::{io, time::Instant};

use rustix::event::{PollFd, Timespec, poll};
use rustix::io::Errno;

/// Waits until one of `fds` is ready, `deadline` is over, or a signal handler has run. Fails without memory (poll(2)).
pub fn wait(fds: &mut [PollFd<'_>], deadline: Option<Instant>) -> io::Result<()> {
    let timeout = deadline
        .map(|at| Timespec::try_from(at.saturating_duration_since(Instant::now())))
        .transpose()
        .map_err(io::Error::other)?;
    match poll(fds, timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

pub fn is_ready(fd: &PollFd<'_>) -> bool {
    !fd.revents().is_empty()
}
