//! One job, from its START to its END.
//!
//! What a run does, in system calls, as `strace -f remoteexe h s` shows it with an ssh that prints one
//! line (2026-11-23, Linux 6.18, glibc 2.36, release build), after
//! the runtime's own start-up:
//!
//! | calls | why |
//! | --- | --- |
//! | `ioctl(1, TCGETS)` | `--tee auto`: is standard output a terminal? |
//! | `open`, `read`, `close` of `/proc/self/status` | which signals the caller ignores |
//! | `socketpair`, 12 `rt_sigaction`, `rt_sigprocmask` | handlers that write to a socket; the mask emptied |
//! | `open`, `read`, `close` of `/etc/localtime` | the local time |
//! | `open` (ENOENT: again with `O_CREAT\|O_EXCL`), `fstat`, `pread` of the last byte, `write`, `close` | an append to the log, for START; the same for `command,` |
//! | `recvfrom` (EAGAIN) | has a signal come before ssh is started? |
//! | `pipe2`, `fcntl(F_SETPIPE_SZ)`, `fcntl(F_DUPFD_CLOEXEC)` | one pipe, larger, its write end twice |
//! | `clone3(CLONE_VM\|CLONE_VFORK)`, two `close` | ssh; our copies of the write end go |
//! | `ppoll`, `read`, an append, `recvfrom` | a wake-up for output; one write(2) a read(2) |
//! | `ppoll`, `read` = 0, `close` | end of file |
//! | `ppoll` (EINTR), `recvfrom`, `wait4` | SIGCHLD: ssh has exited |
//! | `ioctl(FIONREAD)`, `ppoll`, `read`, `close` | if that comes before end of file: what ssh left in the pipe |
//! | an append | END |
//!
//! Every descriptor is opened with `O_CLOEXEC`: ssh gets 0, 1 and 2, and what our caller left open.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use chrono::Local;
use rustix::process::Signal;

use crate::log::Log;
use crate::relay::{Exit, relay};
use crate::signals::{Event, Signals};
use crate::ssh::{Ssh, StartError};
use crate::tee::Tee;

/// The exit status of ssh(1) when ssh itself failed, whatever the reason.
const SSH_FAILED: i32 = 255;

/// A command line that asks for a job.
#[derive(Debug)]
pub struct Job {
    /// What to run.
    pub ssh: Ssh,
    /// The directory of the log.
    pub log_dir: PathBuf,
    /// Whether to show the output on standard output too.
    pub tee: bool,
}

/// A command line that asks for nothing that can be run.
#[derive(Debug)]
pub struct Refusal {
    /// The words in the place of `HOST SCRIPT PARAMETERS`, for START and END.
    pub operands: Vec<u8>,
    /// What the log says between them, a record each.
    pub explanation: Vec<Vec<u8>>,
    /// The directory of the log.
    pub log_dir: PathBuf,
}

/// How a job ended.
#[derive(Debug)]
pub enum Outcome {
    /// Refused: a usage error.
    Refused,
    /// A signal came before ssh was started.
    Interrupted(Signal),
    /// ssh has not run.
    NotStarted(StartError),
    /// ssh could not be watched and has been killed.
    Lost(anyhow::Error),
    /// ssh has run.
    Exited(Exit),
}

impl Outcome {
    /// The exit status of the job: RC in its END record and our own exit status.
    ///
    /// 128+N for signal N, 126 and 127 are as in a POSIX shell (XCU 2.8.2), 10 is the bash original's.
    pub fn code(&self) -> u8 {
        let code = match self {
            Self::Refused => 10,
            Self::NotStarted(StartError::NotFound) => 127,
            Self::NotStarted(StartError::CannotRun(_)) | Self::Lost(_) => 126,
            Self::Interrupted(signal) => 128 + signal.as_raw(),
            Self::Exited(Exit { status, forwarded }) => match (status.code(), forwarded) {
                // The remote command's own status: it has ended by itself, signal or no signal.
                (Some(code), _) if code != SSH_FAILED => code,
                // ssh catches TERM, INT and HUP, and exits with 255.
                (_, Some(signal)) => 128 + signal.as_raw(),
                (Some(code), None) => code,
                (None, None) => 128 + status.signal().unwrap_or_default(),
            },
        };
        // Exit statuses and signal numbers keep within it.
        u8::try_from(code).unwrap_or(u8::MAX)
    }
}

impl Job {
    /// Runs the job and logs it.
    pub fn run(&self) -> Outcome {
        // Before START: from that record on a signal must not keep END from being written.
        let signals = Signals::install();
        let operands = self.ssh.operands.display();
        let mut log = start(&self.log_dir, &operands);
        let mut signals = match signals {
            Ok(signals) => signals,
            Err(error) => return end(log, Outcome::NotStarted(error.into()), &operands),
        };
        let mut tee = Tee::new(self.tee);
        let outcome = self.supervise(&mut signals, &mut log, &mut tee);
        let outcome = end(log, outcome, &operands);
        // After END: who reads the copy may take hours.
        tee.finish(&mut signals);
        outcome
    }

    fn supervise(&self, signals: &mut Signals, log: &mut Log, tee: &mut Tee) -> Outcome {
        log.record(&[b"command,", self.ssh.display().as_slice()].concat());
        for event in signals.pending() {
            if let Event::Ending(signal) = event {
                return Outcome::Interrupted(signal);
            }
        }
        let (child, pipe) = match self.ssh.start() {
            Ok(started) => started,
            Err(error) => return Outcome::NotStarted(error),
        };
        relay(child, pipe, signals, log, tee).map_or_else(Outcome::Lost, Outcome::Exited)
    }
}

impl Refusal {
    /// Logs that nothing was run, and why.
    pub fn record(&self) -> Outcome {
        // As for a job: no signal may come between START and END.
        let _signals = Signals::install();
        let mut log = start(&self.log_dir, &self.operands);
        for line in &self.explanation {
            log.record(line);
        }
        end(log, Outcome::Refused, &self.operands)
    }
}

fn start(log_dir: &Path, operands: &[u8]) -> Log {
    let mut log = Log::new(log_dir, Local::now());
    log.record(&[b"START,-,", operands].concat());
    log
}

/// Logs what went wrong here, if anything did, and END.
fn end(mut log: Log, outcome: Outcome, operands: &[u8]) -> Outcome {
    match &outcome {
        Outcome::NotStarted(error) => log.record(format!("remoteexe: {error}").as_bytes()),
        Outcome::Lost(error) => log.record(format!("remoteexe: {error:#}").as_bytes()),
        Outcome::Refused | Outcome::Interrupted(_) | Outcome::Exited(_) => {}
    }
    let end = format!("END,{},", outcome.code());
    log.finish(&[end.as_bytes(), operands].concat());
    outcome
}
