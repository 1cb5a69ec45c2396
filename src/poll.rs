//! Waits for descriptors, and writes to those that may never be ready for it.

use std::io;
use std::os::fd::AsFd;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr, write};
use rustix::pipe::PIPE_BUF;

/// Waits until one of `fds` is ready, until `deadline`, or until a signal handler has run.
///
/// # Errors
///
/// The kernel is out of memory (poll(2)).
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

/// Whether the last [`wait`] has found `fd` ready.
pub fn is_ready(fd: &PollFd<'_>) -> bool {
    !fd.revents().is_empty()
}

/// Writes as many of `bytes` to `fd` as it takes by `deadline`, and removes them.
///
/// # Errors
///
/// Nobody will ever read it, or write(2) fails in another way; `bytes` then holds the rest.
pub fn write_all_by(deadline: Instant, fd: &impl AsFd, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut written = 0;
    let result = loop {
        if written == bytes.len() {
            break Ok(());
        }
        match write_by(deadline, fd, &bytes[written..]) {
            Ok(0) if deadline <= Instant::now() => break Ok(()),
            Ok(length) => written += length,
            Err(error) => break Err(error),
        }
    };
    bytes.drain(..written);
    result
}

/// Writes some of `bytes` to `fd` if it takes any by `deadline`, and returns how many it took.
///
/// Never waits longer: a pipe that poll(2) calls ready takes `PIPE_BUF` bytes at once (pipe(7)), and no
/// more are written.
///
/// # Errors
///
/// Nobody will ever read it, or write(2) fails in another way.
pub fn write_by(deadline: Instant, fd: &impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    let mut fds = [PollFd::new(fd, PollFlags::OUT)];
    wait(&mut fds, Some(deadline))?;
    if !is_ready(&fds[0]) {
        return Ok(0);
    }
    match retry_on_intr(|| write(fd, &bytes[..bytes.len().min(PIPE_BUF)])) {
        // Non-blocking, and another process was faster.
        Err(Errno::AGAIN) => Ok(0),
        other => Ok(other?),
    }
}
