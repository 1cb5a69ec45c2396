//! Writes to a descriptor that may block for ever, without blocking the caller.
//!
//! poll(2) alone is not enough: a terminal that is ready still blocks a write(2) of more than it has room for, and
//! another process may fill a pipe between the two calls. `O_NONBLOCK` would change the descriptor for everybody who
//! shares it. So a thread does the writes that may block. It gets the bytes through a pipe of ours, and ends with the
//! process.

use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::{thread, time::Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::{Errno, ioctl_fionbio, retry_on_intr, write};
use rustix::pipe::{PIPE_BUF, fcntl_setpipe_size};

use crate::poll::{is_ready, wait};

/// The thread only copies.
const STACK_SIZE: usize = 64 << 10;
/// The capacity of the pipe to the thread. Its bytes are lost if nobody ever reads them.
const PIPE_SIZE: usize = 16 << 10;
/// The most bytes that the thread takes at a time.
const CHUNK: usize = 4 << 10;

/// A descriptor that others share, such as standard output.
pub enum Writer {
    Thread {
        /// To the thread. Does not block.
        pipe: PipeWriter,
        /// At end of file when the thread has written all, or has given up.
        done: PipeReader,
    },
    /// No thread or no descriptor was available, so poll(2) has to do.
    Direct(BorrowedFd<'static>),
}

impl Writer {
    pub fn new(target: BorrowedFd<'static>) -> Self {
        match start_thread(target) {
            Ok((pipe, done)) => Self::Thread { pipe, done },
            Err(_) => Self::Direct(target),
        }
    }

    /// Writes as many of `bytes` as there is room for, and removes them. Fails if nobody will ever read them.
    pub fn write(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let mut written = 0;
        let result = loop {
            match self.write_some(&bytes[written..]) {
                Ok(0) => break Ok(()),
                Ok(length) => written += length,
                Err(error) => break Err(error),
            }
        };
        bytes.drain(..written);
        result
    }

    /// The same as [`Writer::write`], but waits for room until `deadline`.
    pub fn write_by(&mut self, deadline: Instant, bytes: &mut Vec<u8>) -> io::Result<()> {
        self.write(bytes)?;
        while !bytes.is_empty() && Instant::now() < deadline {
            wait(&mut [PollFd::new(self, PollFlags::OUT)], Some(deadline))?;
            self.write(bytes)?;
        }
        Ok(())
    }

    /// Ends the writing. The returned descriptor, if any, is ready when the target has taken all.
    pub fn finish(self) -> Option<PipeReader> {
        match self {
            Self::Thread { done, .. } => Some(done),
            Self::Direct(_) => None,
        }
    }

    /// Waits until the target has taken all, or until `deadline`.
    pub fn finish_by(self, deadline: Instant) {
        if let Some(done) = self.finish() {
            // Fails only if the system is out of memory: then there is no wait.
            let _ = wait(&mut [PollFd::new(&done, PollFlags::IN)], Some(deadline));
        }
    }

    /// Writes as much as one write(2) takes without waiting, and returns the number of bytes.
    fn write_some(&self, bytes: &[u8]) -> io::Result<usize> {
        let written = match self {
            _ if bytes.is_empty() => Ok(0),
            Self::Thread { pipe, .. } => retry_on_intr(|| write(pipe, bytes)),
            Self::Direct(target) => {
                let mut fds = [PollFd::new(target, PollFlags::OUT)];
                wait(&mut fds, Some(Instant::now()))?;
                if !is_ready(&fds[0]) {
                    return Ok(0);
                }
                // A pipe that is ready takes this many bytes at once (pipe(7)).
                retry_on_intr(|| write(target, &bytes[..bytes.len().min(PIPE_BUF)]))
            }
        };
        match written {
            Err(Errno::AGAIN) => Ok(0),
            other => Ok(other?),
        }
    }
}

impl AsFd for Writer {
    /// Ready for writing when there is room.
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Thread { pipe, .. } => pipe.as_fd(),
            Self::Direct(target) => target.as_fd(),
        }
    }
}

/// Starts the thread that writes to `target`. Returns the pipe to the thread, and one that ends with it.
fn start_thread(target: BorrowedFd<'static>) -> io::Result<(PipeWriter, PipeReader)> {
    let (mut bytes, pipe) = io::pipe()?;
    fcntl_setpipe_size(&pipe, PIPE_SIZE)?;
    ioctl_fionbio(&pipe, true)?;
    let (done, at_end) = io::pipe()?;
    let copy = move || {
        let mut buffer = vec![0; CHUNK];
        while let Ok(length @ 1..) = bytes.read(&mut buffer) {
            if write_all(target, &buffer[..length]).is_err() {
                break;
            }
        }
        drop(at_end);
    };
    thread::Builder::new().stack_size(STACK_SIZE).spawn(copy)?;
    Ok((pipe, done))
}

/// Writes all `bytes`, however long that takes.
fn write_all(target: BorrowedFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match retry_on_intr(|| write(target, bytes)) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) => bytes = &bytes[length..],
            // Somebody else has made the descriptor non-blocking.
            Err(Errno::AGAIN) => wait(&mut [PollFd::new(&target, PollFlags::OUT)], None)?,
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}
