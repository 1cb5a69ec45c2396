//! Shows the output on standard output too. A slow reader never keeps a signal from ending the job.

use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags};
use rustix::stdio::stdout;

use super::signals::Signals;
use crate::poll::{is_ready, wait};
use crate::writer::Writer;

/// The most bytes that are kept for a slow reader.
const MAX_BACKLOG: usize = 1 << 20;

/// Copies the output to standard output. A stopped terminal or a full pipe slows the job down, as it would without us.
/// A signal still ends the job.
pub struct Tee {
    /// The output is wanted, and somebody reads standard output.
    is_open: bool,
    /// Standard output, from the first output on. Earlier, its thread could take the last process, or its pipes the
    /// last descriptors, that ssh needs to start.
    stdout: Option<Writer>,
    /// The bytes that standard output has not taken yet.
    backlog: Vec<u8>,
}

impl Tee {
    pub fn new(is_wanted: bool) -> Self {
        Self { is_open: is_wanted, stdout: None, backlog: Vec::new() }
    }

    pub fn show(&mut self, bytes: &[u8]) {
        // While ssh runs, nothing more is read until the backlog is gone. After its exit, one of its helpers may still
        // flood the pipe: the limit is for that case.
        if self.is_open && self.backlog.len() < MAX_BACKLOG {
            self.backlog.extend_from_slice(bytes);
            self.write();
        }
    }

    /// Standard output, if it has not taken everything yet: wait for it before more is shown.
    pub fn blocked_on(&self) -> Option<&Writer> {
        self.stdout.as_ref().filter(|_| !self.backlog.is_empty())
    }

    /// Writes as much as standard output takes without waiting.
    pub fn write(&mut self) {
        if !self.is_open {
            return;
        }
        let stdout = self.stdout.get_or_insert_with(|| Writer::new(stdout()));
        if stdout.write(&mut self.backlog).is_err() {
            // Nobody reads standard output any more. The log is what matters.
            self.close();
        }
    }

    /// Shows nothing more, not even the backlog.
    pub fn close(&mut self) {
        self.is_open = false;
        self.stdout = None;
        self.backlog.clear();
    }

    /// Waits until everything is shown, or a signal asks us to end.
    pub fn finish(mut self, signals: &mut Signals) {
        while let Some(stdout) = self.blocked_on() {
            if wait_or_signal(stdout, PollFlags::OUT, signals) {
                return;
            }
            self.write();
        }
        let Some(done) = self.stdout.and_then(Writer::finish) else { return };
        wait_or_signal(&done, PollFlags::IN, signals);
    }
}

/// Waits until `fd` is ready or a signal asks us to end, and returns whether a signal did.
fn wait_or_signal(fd: &impl AsFd, ready: PollFlags, signals: &mut Signals) -> bool {
    loop {
        let mut fds = [PollFd::new(fd, ready), PollFd::new(signals, PollFlags::IN)];
        // Fails only if the system is out of memory.
        if wait(&mut fds, None).is_err() {
            return true;
        }
        let is_fd_ready = is_ready(&fds[0]);
        if signals.ending().is_some() {
            return true;
        }
        if is_fd_ready {
            return false;
        }
    }
}
