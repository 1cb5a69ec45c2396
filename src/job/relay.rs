//! Passes the output of a running ssh on to the log as it comes, and signals on to ssh.

use std::io::{self, PipeReader};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags};
use rustix::io::{ioctl_fionread, read, retry_on_intr};
use rustix::pipe::fcntl_getpipe_size;
use rustix::process::Signal;

use super::signals::{EndingSignal, Signals};
use super::{family::Family, lines::Lines, monitor::Monitor, proof::Proved, spawn::Child, ssh::Running, tee::Tee};
use crate::poll::{is_ready, wait};
use crate::{exit, log::Log};

/// The time for ssh to end after the first signal that was forwarded to it.
const KILL_AFTER: Duration = Duration::from_secs(10);
/// In this time the same signal counts as one request: timeout(1) sends it to us, and then to our process group.
const SAME_SIGNAL: Duration = Duration::from_secs(1);
/// The time for the pipe's end of file after ssh has exited. Usually it has already come; but a local helper (a
/// `ProxyCommand`, a `ControlPersist` master) can hold the pipe for hours.
const EOF_GRACE: Duration = Duration::from_millis(100);
/// The time for which an exit of ssh may stay unseen if the kernel has no pidfd and SIGCHLD is lost.
const LOOK_AFTER: Duration = Duration::from_secs(1);
const STOP_PATIENCE: Duration = Duration::from_secs(1);
/// The size of a pipe that nobody has changed (pipe(7)).
const DEFAULT_PIPE_SIZE: usize = 64 << 10;

#[derive(Debug, Clone, Copy)]
pub struct Exit {
    pub status: ExitStatus,
    /// The first signal that was forwarded to ssh.
    pub forwarded: Option<EndingSignal>,
    /// ssh wrote nothing to the pipe.
    pub is_silent: bool,
    /// ssh was killed because it had not connected in time.
    pub is_timeout: bool,
    /// Another program ran than the one that was proved to be ssh.
    pub is_other_program: bool,
    /// The bytes that ssh wrote elsewhere than to the pipe, if it had not connected and the kernel counts them.
    pub sent: Option<u64>,
}

impl Exit {
    /// Whether ssh failed by itself, or failed to connect in time: nobody wanted the job to end.
    pub fn is_failure_of_ssh(self) -> bool {
        let has_failed = self.status.code() == Some(exit::SSH_FAILED.into());
        self.forwarded.is_none() && (has_failed || self.is_timeout)
    }
}

pub struct Sinks {
    /// A record for each line.
    pub log: Log,
    /// The bytes as they come.
    pub tee: Tee,
}

/// Decides whether an attempt is ended, and whether another one follows.
pub struct AttemptWatch<'a> {
    /// Sees the output first.
    pub monitor: Monitor,
    /// The program that must run for the monitor to be trusted.
    pub proved: Option<&'a Proved>,
    /// The processes that ssh has started, if they matter.
    pub family: Option<Family>,
    /// The time at which an ssh that is not connected is killed. None once ssh is connected.
    pub connect_by: Option<Instant>,
}

/// Waits for ssh to exit, and passes its output to `sinks`. Fails only without memory; ssh has then been killed.
pub fn relay(ssh: Running, watch: &mut AttemptWatch, signals: &mut Signals, sinks: &mut Sinks) -> anyhow::Result<Exit> {
    let Running { child, output } = ssh;
    let pipe_size = fcntl_getpipe_size(&output).unwrap_or(DEFAULT_PIPE_SIZE);
    let mut relay = Relay {
        child,
        pipe: Some(output),
        // One read empties a full pipe.
        buffer: Vec::with_capacity(pipe_size),
        lines: Lines::default(),
        length: 0,
        is_silent: true,
        forwarded: None,
        kill_at: None,
        is_timeout: false,
        is_other_program: false,
        written: None,
        watch,
        sinks,
    };
    let status = relay.until_exit(signals);
    if status.is_err() {
        relay.kill();
        let _ = relay.child.wait();
    }
    relay.drain();
    if relay.is_timeout {
        relay.watch.monitor.end_connecting();
    }
    Ok(Exit {
        is_silent: relay.is_silent,
        is_timeout: relay.is_timeout,
        is_other_program: relay.is_other_program,
        sent: relay.written.map(|all| all.saturating_sub(relay.length)),
        status: status?,
        forwarded: relay.forwarded.map(|(signal, _)| signal),
    })
}

struct Relay<'a, 'p> {
    child: Child,
    /// None after end of file: poll(2) would call it ready for ever.
    pipe: Option<PipeReader>,
    buffer: Vec<u8>,
    lines: Lines,
    /// The bytes that have come.
    length: u64,
    is_silent: bool,
    /// The first signal that was forwarded to ssh, and when.
    forwarded: Option<(EndingSignal, Instant)>,
    kill_at: Option<Instant>,
    is_timeout: bool,
    is_other_program: bool,
    /// The bytes that ssh had written when it exited, if they matter.
    written: Option<u64>,
    watch: &'a mut AttemptWatch<'p>,
    sinks: &'a mut Sinks,
}

impl Relay<'_, '_> {
    /// Relays output and signals until ssh has exited. The exit decides, not the end of file: see [`EOF_GRACE`].
    fn until_exit(&mut self, signals: &mut Signals) -> anyhow::Result<ExitStatus> {
        loop {
            self.verify();
            self.pump(signals, self.deadline()).context("cannot wait for it")?;
            // Before the exit is checked: Ctrl-C reaches ssh as well, which then exits with 255.
            while let Some(signal) = signals.ending() {
                self.forward(signal);
            }
            if self.watch.monitor.is_connecting() && self.child.has_exited() {
                self.written = self.child.written();
            }
            // After each wake-up, so that a lost SIGCHLD cannot hold us up.
            if let Some(status) = self.child.try_wait().context("cannot reap it")? {
                return Ok(status);
            }
            if self.kill_at.is_some_and(has_come) {
                self.kill();
            }
            if self.watch.connect_by.is_some_and(has_come) {
                self.end_connecting(signals);
            }
        }
    }

    /// Checks whether ssh itself runs. Nothing is known about another program, so that is not ended.
    fn verify(&mut self) {
        if self.watch.monitor.is_connecting()
            && let Some(proved) = self.watch.proved
            && !proved.is_run_by(&self.child)
        {
            self.is_other_program = true;
            self.watch.connect_by = None;
            self.watch.monitor.distrust();
        }
    }

    /// The time to wake up even if nothing has happened.
    fn deadline(&self) -> Option<Instant> {
        let look = self.child.exit_fd().is_none().then(|| Instant::now() + LOOK_AFTER);
        let connect_by = self.watch.connect_by.filter(|_| self.watch.monitor.is_connecting());
        [self.kill_at, connect_by, look].into_iter().flatten().min()
    }

    /// Kills ssh if it has not connected in time.
    ///
    /// ssh is stopped before the last look for the marker. So a job that is just being requested continues, and a
    /// killed one has certainly not been requested.
    fn end_connecting(&mut self, signals: &mut Signals) {
        self.watch.connect_by = None;
        if self.forwarded.is_some() || !self.watch.monitor.is_connecting() {
            return;
        }
        self.stop(signals);
        if self.child.has_exited() {
            // ssh ended by itself at this moment. Its own messages show why, and whether another attempt is useful.
            return;
        }
        // To look for the family takes long, so that comes before the last look: anybody may continue ssh in the meantime.
        if let Some(family) = &mut self.watch.family {
            family.take_in();
        }
        self.verify();
        self.read_all();
        if !self.watch.monitor.is_connecting() {
            self.child.send(Signal::CONT);
            return;
        }
        if self.child.is_stopped() {
            self.watch.monitor.end_connecting();
        }
        self.is_timeout = true;
        self.kill();
        // A ProxyCommand or the ssh of a ProxyJump, and their children, would wait on. (ssh ends it with HUP, which is
        // ignored under nohup.) Only now: if the shell that prints the marker were ended first, an ssh that is not
        // stopped would request the script without a marker. What does not end is killed later.
        if let Some(family) = &self.watch.family {
            family.send(Signal::TERM);
        }
    }

    /// Stops ssh, and waits until it does nothing more. In a system call that cannot be interrupted, it may continue.
    fn stop(&mut self, signals: &mut Signals) {
        self.child.send(Signal::STOP);
        let deadline = Instant::now() + STOP_PATIENCE;
        while !self.child.is_stopped() && !self.child.has_exited() {
            // SIGCHLD reports the stop. It is read here, so that it does not wake the next wait.
            if has_come(deadline) || wait(&mut [PollFd::new(signals, PollFlags::IN)], Some(deadline)).is_err() {
                return;
            }
            signals.is_ending();
        }
    }

    /// Forwards the first signal to ssh; another one means that the first did not help.
    fn forward(&mut self, signal: EndingSignal) {
        match self.forwarded {
            Some((first, at)) if first == signal && at.elapsed() < SAME_SIGNAL => {}
            Some(_) => self.kill(),
            None => {
                self.forwarded = Some((signal, Instant::now()));
                self.kill_at = Some(Instant::now() + KILL_AFTER);
                self.sinks.tee.close();
                self.child.send(signal.for_ssh());
            }
        }
    }

    fn kill(&mut self) {
        self.kill_at = None;
        self.child.send(Signal::KILL);
    }

    /// Waits for output, a signal, the exit of ssh or `deadline`, and relays the output.
    fn pump(&mut self, signals: &Signals, deadline: Option<Instant>) -> io::Result<()> {
        let stdout = self.sinks.tee.blocked_on();
        let is_behind = stdout.is_some();
        let mut fds = Vec::with_capacity(3);
        if let Some(stdout) = stdout {
            fds.push(PollFd::new(stdout, PollFlags::OUT));
        } else if let Some(pipe) = &self.pipe {
            fds.push(PollFd::new(pipe, PollFlags::IN));
        }
        let has_output = !fds.is_empty();
        fds.push(PollFd::new(signals, PollFlags::IN));
        if let Some(exit) = &self.child.exit_fd() {
            fds.push(PollFd::from_borrowed_fd(*exit, PollFlags::IN));
        }
        wait(&mut fds, deadline)?;
        match has_output && is_ready(&fds[0]) {
            true if is_behind => self.sinks.tee.write(),
            true => _ = self.read(),
            false => {}
        }
        Ok(())
    }

    /// Reads once, and appends all lines that are now complete to the log at once. Returns the number of bytes read, 0
    /// at end of file. The caller has seen that the pipe is ready.
    fn read(&mut self) -> usize {
        let Some(pipe) = &self.pipe else { return 0 };
        self.buffer.clear();
        // The read goes into untouched memory, so that a job with little output costs few pages. A pipe has no error
        // but EINTR. After any other error nothing more could be read.
        let _ = retry_on_intr(|| read(pipe, spare_capacity(&mut self.buffer)));
        let length = self.buffer.len();
        if length == 0 {
            self.finish();
            return 0;
        }
        self.length += length as u64;
        self.watch.monitor.take_own(&mut self.buffer);
        self.is_silent &= self.buffer.is_empty();
        self.sinks.log.begin();
        self.lines.feed(&self.buffer, |line| {
            self.watch.monitor.observe(line);
            self.sinks.log.push(line);
        });
        self.sinks.log.flush();
        self.sinks.tee.show(&self.buffer);
        length
    }

    /// Reads all bytes in the pipe, whether or not the reader of standard output is ready.
    fn read_all(&mut self) {
        let mut owed = self.pipe.as_ref().map_or(0, unread);
        while owed > 0 {
            owed = owed.saturating_sub(self.read().max(1));
        }
    }

    /// Reads the rest after ssh has exited.
    ///
    /// All output of ssh is in the pipe by now, and is read in any case. A helper that still holds the pipe may write
    /// more, which is read until the grace is over.
    fn drain(&mut self) {
        let deadline = Instant::now() + EOF_GRACE;
        let mut owed = self.pipe.as_ref().map_or(0, unread);
        while let Some(pipe) = &self.pipe
            && (owed > 0 || Instant::now() < deadline)
        {
            let mut fds = [PollFd::new(pipe, PollFlags::IN)];
            if wait(&mut fds, Some(deadline)).is_ok() && is_ready(&fds[0]) {
                owed = owed.saturating_sub(self.read());
            }
        }
        self.finish();
    }

    /// Ends the output: a last line without a newline is a line.
    fn finish(&mut self) {
        self.pipe = None;
        self.sinks.log.begin();
        self.lines.finish(|line| {
            self.watch.monitor.observe(line);
            self.sinks.log.push(line);
        });
        self.sinks.log.flush();
    }
}

fn has_come(time: Instant) -> bool {
    time <= Instant::now()
}

fn unread(pipe: &PipeReader) -> usize {
    // FIONREAD does not fail for a pipe. If it did, the grace would have to do.
    ioctl_fionread(pipe).map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
}
