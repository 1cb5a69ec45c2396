//! Shows the output on standard output too. A slow reader never keeps a signal from the job.

use std::io;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags};

use super::signals::Signals;
use crate::poll::{wait, write_all_by};

/// The most bytes that are kept for a reader who is behind.
const MAX_BACKLOG: usize = 1 << 20;

/// The copy of the output for whoever reads our standard output.
///
/// A stopped terminal or a full pipe slows the job down, as it would without us. A signal still ends the
/// job.
#[derive(Debug)]
pub struct Tee {
    is_open: bool,
    /// What standard output has not taken yet.
    backlog: Vec<u8>,
}

impl Tee {
    /// A tee that shows the output, or nothing.
    pub fn new(is_open: bool) -> Self {
        Self {
            is_open,
            backlog: Vec::new(),
        }
    }

    /// Shows `bytes`, now or later.
    pub fn show(&mut self, bytes: &[u8]) {
        // While ssh runs, nothing more is read until the backlog is gone. Once it has exited, a helper
        // of its own may still flood the pipe: that is where the limit counts.
        if self.is_open && self.backlog.len() < MAX_BACKLOG {
            self.backlog.extend_from_slice(bytes);
            self.write();
        }
    }

    /// Whether there is something that standard output has not taken yet.
    pub fn is_behind(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Writes as much as standard output takes without waiting.
    pub fn write(&mut self) {
        if write_all_by(Instant::now(), &io::stdout(), &mut self.backlog).is_err() {
            // Nobody reads it any more. The log is what matters.
            self.close();
        }
    }

    /// Shows nothing more, not even what is left.
    pub fn close(&mut self) {
        self.is_open = false;
        self.backlog.clear();
    }

    /// Waits until all is shown, or a signal asks us to end.
    pub fn finish(mut self, signals: &mut Signals) {
        while self.is_behind() {
            let stdout = io::stdout();
            let mut fds = [
                PollFd::new(signals, PollFlags::IN),
                PollFd::new(&stdout, PollFlags::OUT),
            ];
            let waited = wait(&mut fds, None);
            if waited.is_err() || signals.ending().is_some() {
                return;
            }
            self.write();
        }
    }
}
