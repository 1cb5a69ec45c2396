//! Runs ssh and brings its output to the log while it comes.

use std::env;
use std::ffi::OsStr;
use std::io::{self, PipeReader, Write};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionread, read, retry_on_intr};
use rustix::process::{Pid, Signal, kill_process};

use crate::lines::Lines;
use crate::log::Log;
use crate::signals::{Event, Signals};

/// How long ssh may take to end after the first signal that was forwarded to it.
const KILL_AFTER: Duration = Duration::from_secs(10);

/// How long the pipe's end of file may take after ssh has exited.
///
/// Usually it is there already. It is not where a local helper (a `ProxyCommand`, a
/// `ControlPersist` master) still holds the pipe, maybe for hours.
const EOF_GRACE: Duration = Duration::from_millis(100);

/// One read takes at most what a pipe holds by default (pipe(7)).
const READ_SIZE: usize = 1 << 16;

/// Why a job ended without ssh's exit status.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// There is no ssh in any directory of PATH.
    #[error("ssh: not found in PATH; install the OpenSSH client (apt-get install openssh-client)")]
    NotFound,
    /// It is there but the kernel does not run it: permissions, too long an argument, limits.
    #[error("ssh cannot be run: {0}")]
    CannotRun(#[source] io::Error),
    /// A system call failed that fails only when the system itself is out of memory.
    #[error("{0:#}")]
    Lost(#[from] anyhow::Error),
}

/// How ssh ended.
#[derive(Debug, Clone, Copy)]
pub struct Exit {
    /// ssh's own.
    pub status: ExitStatus,
    /// The first signal that was forwarded to it.
    pub forwarded: Option<Signal>,
}

/// Runs `command` from start to exit, its standard output and standard error as records in `log`, a
/// line each, in the order in which they were written.
///
/// With `tee` the output goes to our standard output too, untouched.
///
/// # Errors
///
/// `command` could not be started or watched.
pub fn relay(
    command: Command,
    signals: &mut Signals,
    log: &mut Log,
    tee: bool,
) -> Result<Exit, RelayError> {
    let (child, pipe) = spawn(command)?;
    let mut relay = Relay {
        output: Output {
            pipe: Some(pipe),
            buffer: Vec::with_capacity(READ_SIZE),
            lines: Lines::default(),
            tee,
        },
        child,
        forwarded: None,
        kill_at: None,
    };
    let status = relay.until_exit(signals, log);
    relay.output.drain(log);
    Ok(Exit {
        status: status?,
        forwarded: relay.forwarded,
    })
}

/// Starts `command` with one pipe as its standard output and standard error.
///
/// The two share one pipe because only that keeps the order of what is written to them. Nothing else
/// shares the write end: ssh sets `O_NONBLOCK` on it. Standard input is inherited.
fn spawn(mut command: Command) -> Result<(Child, PipeReader), RelayError> {
    let (reader, stdout) = io::pipe().map_err(RelayError::CannotRun)?;
    let stderr = stdout.try_clone().map_err(RelayError::CannotRun)?;
    let child = command
        .stdout(stdout)
        .stderr(stderr)
        .spawn()
        .map_err(|error| match error.kind() {
            // The same for an ssh whose `#!` interpreter is missing; and a PATH with a file for a
            // directory gives the other. Neither tells whether there is an ssh.
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                if !is_in_path(command.get_program()) =>
            {
                RelayError::NotFound
            }
            _ => RelayError::CannotRun(error),
        })?;
    // `command` is dropped here, and with it our copies of the write end: while we held one, end of
    // file would never come.
    Ok((child, reader))
}

/// Whether a directory of PATH has `program`, whatever it is.
fn is_in_path(program: &OsStr) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|dir| dir.join(program).exists()))
}

/// A running ssh.
struct Relay {
    child: Child,
    output: Output,
    forwarded: Option<Signal>,
    kill_at: Option<Instant>,
}

impl Relay {
    /// Relays output and forwards signals until ssh has exited.
    ///
    /// The exit decides, not the pipe's end of file: see [`EOF_GRACE`].
    fn until_exit(&mut self, signals: &mut Signals, log: &mut Log) -> anyhow::Result<ExitStatus> {
        loop {
            let mut fds = vec![PollFd::new(signals, PollFlags::IN)];
            let pipe = self.output.pipe.as_ref();
            fds.extend(pipe.map(|pipe| PollFd::new(pipe, PollFlags::IN)));
            wait(&mut fds, self.kill_at).context("cannot wait for ssh")?;
            if fds.get(1).is_some_and(is_ready) {
                self.output.read(log);
            }
            for event in signals.pending() {
                match event {
                    Event::Ending(signal) => self.forward(signal),
                    Event::Child => {
                        if let Some(status) = self.child.try_wait().context("cannot reap ssh")? {
                            return Ok(status);
                        }
                    }
                }
            }
            if self.kill_at.is_some_and(|at| at <= Instant::now()) {
                self.kill();
            }
        }
    }

    /// Passes the first signal on to ssh; a second one means that it did not help.
    fn forward(&mut self, signal: Signal) {
        if self.forwarded.is_some() {
            self.kill();
        } else {
            self.forwarded = Some(signal);
            self.kill_at = Some(Instant::now() + KILL_AFTER);
            // It can only fail if ssh has exited; its SIGCHLD is then on the way. The process id
            // cannot have passed to another process because nobody but us reaps it, later.
            let _ = kill_process(Pid::from_child(&self.child), signal);
        }
    }

    fn kill(&mut self) {
        self.kill_at = None;
        let _ = self.child.kill();
    }
}

/// The reading side of ssh's output.
struct Output {
    /// Nothing after end of file, when poll(2) would report it as ready for ever.
    pipe: Option<PipeReader>,
    buffer: Vec<u8>,
    lines: Lines,
    tee: bool,
}

impl Output {
    /// Reads once and appends the lines that this completes, all in one go, to the log.
    ///
    /// Returns the number of bytes read, 0 at end of file. The caller knows that there is something
    /// to read.
    fn read(&mut self, log: &mut Log) -> usize {
        let Some(pipe) = &self.pipe else { return 0 };
        self.buffer.clear();
        // Into memory that was never touched: a job with little output costs few pages of it.
        // A pipe has no errors but EINTR; if it had one, nothing more could be read from it.
        let _ = retry_on_intr(|| read(pipe, spare_capacity(&mut self.buffer)));
        let bytes = self.buffer.as_slice();
        log.begin();
        if bytes.is_empty() {
            self.pipe = None;
            self.lines.finish(|line| log.push(line));
        } else {
            self.lines.feed(bytes, |line| log.push(line));
        }
        log.flush();
        if self.tee && write_stdout(bytes).is_err() {
            // Nobody reads it any more. The log is what matters.
            self.tee = false;
        }
        bytes.len()
    }

    /// Reads what is left once ssh has exited.
    ///
    /// All that ssh wrote is in the pipe by now and is read in any case. What comes after it, from a
    /// helper that still holds the pipe, is read as long as the grace lasts.
    fn drain(&mut self, log: &mut Log) {
        let deadline = Instant::now() + EOF_GRACE;
        let mut owed = self.pipe.as_ref().map_or(0, unread);
        while let Some(pipe) = &self.pipe
            && (owed > 0 || Instant::now() < deadline)
        {
            let mut fds = [PollFd::new(pipe, PollFlags::IN)];
            if wait(&mut fds, Some(deadline)).is_ok() && is_ready(&fds[0]) {
                owed = owed.saturating_sub(self.read(log));
            }
        }
        self.pipe = None;
        log.begin();
        self.lines.finish(|line| log.push(line));
        log.flush();
    }
}

/// The number of bytes in `pipe`.
fn unread(pipe: &PipeReader) -> usize {
    // FIONREAD fails for no pipe; should it do so, the grace alone has to do.
    ioctl_fionread(pipe).map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
}

fn is_ready(fd: &PollFd<'_>) -> bool {
    !fd.revents().is_empty()
}

/// Waits until one of `fds` is ready, until `deadline`, or until a signal handler has run.
fn wait(fds: &mut [PollFd<'_>], deadline: Option<Instant>) -> io::Result<()> {
    let timeout = deadline
        .map(|at| Timespec::try_from(at.saturating_duration_since(Instant::now())))
        .transpose()
        .map_err(io::Error::other)?;
    match poll(fds, timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Writes all of `bytes` to standard output.
fn write_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}
