//! Runs a program only for its output.

use std::io::{self, PipeReader, Read};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::process::Signal;

use super::signals::Signals;
use super::spawn::{Program, dev_null};
use crate::poll::{is_ready, wait};

const PATIENCE: Duration = Duration::from_secs(5);
const MOST_BYTES: usize = 64 << 10;

/// The standard output of `program`, as soon as it is enough. Then it is killed: a child of it may keep the pipe open.
///
/// Fails if it cannot be run, does not print enough in time, or if a signal asks us to end, on which the caller acts.
pub fn ask(program: &Program, signals: &mut Signals, is_enough: impl Fn(&[u8]) -> bool) -> io::Result<Vec<u8>> {
    let (output, input) = io::pipe()?;
    let null = dev_null()?;
    let stdio = [null.as_fd(), input.as_fd(), null.as_fd()];
    let child = program.spawn(stdio.map(Some))?;
    // While we hold a copy of the write end, end of file does not come.
    drop(input);
    let printed = read(output, signals, is_enough);
    child.send(Signal::KILL);
    let _ = child.wait();
    printed
}

fn read(mut output: PipeReader, signals: &mut Signals, is_enough: impl Fn(&[u8]) -> bool) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + PATIENCE;
    let mut printed = Vec::new();
    while Instant::now() < deadline && !signals.is_ending() {
        let mut fds = [PollFd::new(&output, PollFlags::IN), PollFd::new(signals, PollFlags::IN)];
        wait(&mut fds, Some(deadline))?;
        if is_ready(&fds[0]) {
            let mut bytes = [0; 4096];
            let length = output.read(&mut bytes)?;
            printed.extend_from_slice(&bytes[..length]);
            if length == 0 || printed.len() >= MOST_BYTES || is_enough(&printed) {
                return Ok(printed);
            }
        }
    }
    Err(io::Error::other("it does not answer"))
}
