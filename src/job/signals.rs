//! Signals as a stream of events beside a descriptor for poll(2).

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::sys::signal::SigSet;
use rustix::event::{PollFd, PollFlags};
use rustix::process::Signal;
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::SignalOnly;

use crate::poll::wait;

/// The signals that ask us to end the job.
const ENDING: [Signal; 4] = [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT];

/// The meaning of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A child has stopped, gone on or exited.
    Child,
    /// Somebody wants the job to end.
    Ending(Signal),
}

/// The signals of this process, from its installation on.
#[derive(Debug)]
pub struct Signals(SignalDelivery<UnixStream, SignalOnly>);

impl Signals {
    /// Installs the handlers and empties the signal mask.
    ///
    /// A signal that was ignored when we started (nohup) stays ignored, for us and for ssh: a handler of
    /// ours would become the default action in the child at exec (execve(2)). SIGCHLD is the
    /// exception: while it is ignored, the kernel discards the exit status of children (wait(2)).
    ///
    /// The caller's mask is not kept: with SIGCHLD or SIGTERM blocked we would wait for ever.
    ///
    /// SIGXFSZ is caught so that a log over `RLIMIT_FSIZE` is a failed write and not our death. SIGPIPE
    /// needs nothing: Rust's start-up code ignores it, and Rust's `Command` resets it in the child.
    ///
    /// # Errors
    ///
    /// No descriptors are left for the pair of sockets that the handlers write to.
    pub fn install() -> io::Result<Self> {
        let ignored = ignored_at_start();
        let signals = ENDING
            .into_iter()
            .chain([Signal::XFSZ])
            .filter(|signal| !ignored.contains(*signal))
            .chain([Signal::CHILD])
            .map(Signal::as_raw);
        let (read, write) = UnixStream::pair()?;
        let delivery = SignalDelivery::with_pipe(read, write, SignalOnly, signals)?;
        // After the handlers: what was waiting behind the mask is delivered right here.
        SigSet::empty().thread_set_mask()?;
        Ok(Self(delivery))
    }

    /// The events since the last call; does not block.
    pub fn pending(&mut self) -> impl Iterator<Item = Event> {
        self.0.pending().filter_map(|raw| {
            let signal = Signal::from_named_raw(raw)?;
            match signal {
                Signal::CHILD => Some(Event::Child),
                signal => ENDING.contains(&signal).then_some(Event::Ending(signal)),
            }
        })
    }

    /// The signal to end that has come, if one has; does not block.
    pub fn ending(&mut self) -> Option<Signal> {
        self.pending().find_map(|event| match event {
            Event::Ending(signal) => Some(signal),
            Event::Child => None,
        })
    }

    /// Waits for `time`, or for a signal to end, which is returned.
    pub fn sleep(&mut self, time: Duration) -> Option<Signal> {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            // It fails only where the system is out of memory: then there is no wait.
            wait(&mut [PollFd::new(self, PollFlags::IN)], Some(deadline)).ok()?;
            if let Some(signal) = self.ending() {
                return Some(signal);
            }
        }
        None
    }
}

impl AsFd for Signals {
    /// Readable when there are events; also once in a while when there are none.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_read().as_fd()
    }
}

/// A set of signals as the kernel prints it: bit N-1 stands for signal N.
struct SignalSet(u64);

impl SignalSet {
    fn contains(&self, signal: Signal) -> bool {
        self.0 >> (signal.as_raw() - 1) & 1 == 1
    }
}

/// The signals that our caller ignored, from proc(5): sigaction(2) has no safe form in Rust.
///
/// Without /proc no signal counts as ignored.
fn ignored_at_start() -> SignalSet {
    let mask = fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let mask = status
                .lines()
                .find_map(|line| line.strip_prefix("SigIgn:"))?;
            u64::from_str_radix(mask.trim(), 16).ok()
        });
    SignalSet(mask.unwrap_or(0))
}
