//! Reads signals as events from a descriptor, for which poll(2) can wait.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};
use std::{fs::File, sync::Arc};

use nix::sys::signal::{SigSet, Signal as NixSignal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags};
use rustix::process::Signal;

use crate::poll::wait;

/// The signals that are not blocked: those that stop and continue a process, those that are ignored by default, and
/// SIGPIPE, because a failed write(2) reports the same.
const LEFT_ALONE: [NixSignal; 7] = [
    NixSignal::SIGTSTP,
    NixSignal::SIGTTIN,
    NixSignal::SIGTTOU,
    NixSignal::SIGCONT,
    NixSignal::SIGWINCH,
    NixSignal::SIGURG,
    NixSignal::SIGPIPE,
];

/// A signal that asks us to end the job, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndingSignal(u8);

impl EndingSignal {
    /// As in signal(7).
    pub fn number(self) -> u8 {
        self.0
    }

    /// The signal that asks ssh to end: the same one if ssh understands it so, otherwise TERM.
    pub fn for_ssh(self) -> Signal {
        [Signal::INT, Signal::HUP, Signal::QUIT]
            .into_iter()
            .find(|signal| signal.as_raw() == i32::from(self.0))
            .unwrap_or(Signal::TERM)
    }
}

pub struct Signals {
    descriptor: SignalFd,
    /// Bit N-1 is signal N.
    ignored: u64,
    /// A signal that was read while nobody could act on it.
    held: Option<EndingSignal>,
}

impl Signals {
    /// Blocks nearly all signals, and opens the descriptor to read them from (signalfd(2)). Fails if none is left.
    ///
    /// A signal that was ignored when we started (nohup) stays ignored, for us and for ssh. The caller's mask is not
    /// kept: with SIGTERM blocked we could not be ended. A signal that was pending under that mask comes through the
    /// descriptor.
    ///
    /// SIGXFSZ is blocked too, so that a log over `RLIMIT_FSIZE` causes a failed write and does not kill us. A tracer
    /// cannot swallow a blocked signal.
    pub fn install() -> io::Result<Self> {
        let ignored = ignored_at_start();
        let mut mask = SigSet::all();
        for signal in LEFT_ALONE {
            mask.remove(signal);
        }
        mask.thread_set_mask()?;
        if has(ignored, Signal::CHILD.as_raw()) {
            // While SIGCHLD is ignored, the kernel discards the exit status of children (wait(2)). A handler is the
            // safe way to end that.
            signal_hook::flag::register(Signal::CHILD.as_raw(), Arc::default())?;
        }
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        Ok(Self { descriptor: SignalFd::with_flags(&mask, flags)?, ignored, held: None })
    }

    /// The next signal to end that has come, if any. Does not block.
    pub fn ending(&mut self) -> Option<EndingSignal> {
        if let Some(signal) = self.held.take() {
            return Some(signal);
        }
        while let Ok(Some(signal)) = self.descriptor.read_signal() {
            let number = i32::try_from(signal.ssi_signo).unwrap_or_default();
            let asks_to_end = [Signal::CHILD, Signal::XFSZ].iter().all(|signal| signal.as_raw() != number);
            // The kernel queues a blocked signal even if it is ignored.
            if asks_to_end && !has(self.ignored, number) {
                return u8::try_from(number).ok().map(EndingSignal);
            }
        }
        None
    }

    /// Whether a signal to end has come, which [`Signals::ending`] will return.
    pub fn is_ending(&mut self) -> bool {
        self.held = self.ending();
        self.held.is_some()
    }

    /// Waits for `time`, or for a signal to end, which is returned.
    pub fn sleep(&mut self, time: Duration) -> Option<EndingSignal> {
        let deadline = Instant::now() + time;
        loop {
            if let Some(signal) = self.ending() {
                return Some(signal);
            }
            if Instant::now() >= deadline {
                return None;
            }
            // Fails only if the system is out of memory: then there is no wait.
            wait(&mut [PollFd::new(self, PollFlags::IN)], Some(deadline)).ok()?;
        }
    }
}

impl AsFd for Signals {
    /// Readable when a signal has come, whether it ends the job or not.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

fn has(signals: u64, signal: i32) -> bool {
    (1..=64).contains(&signal) && signals >> (signal - 1) & 1 == 1
}

/// The signals that our caller ignored, from proc(5): sigaction(2) has no safe form in Rust. None without /proc.
fn ignored_at_start() -> u64 {
    // In one read(2): the file has no size from which std could know its length.
    let mut status = String::with_capacity(4 << 10);
    let _ = File::open("/proc/self/status").and_then(|mut file| file.read_to_string(&mut status));
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
