//! One run of a job, from its START to its END.
//!
//! A run is one attempt, or with `--retries` several: each attempt is one ssh.
//!
//! Every descriptor is opened with `O_CLOEXEC`: ssh gets 0, 1 and 2, and what our caller left open.

mod ask;
mod lines;
mod marker;
mod monitor;
mod openssh;
mod preflight;
mod relay;
mod retry;
mod signals;
mod spawn;
mod splay;
mod ssh;
mod tee;
mod words;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::Local;

use crate::escape;
use crate::exit;
use crate::log::Log;
use crate::log::record::{Kind, Notice, USAGE};
use marker::Marker;
use monitor::{Ending, Monitor, Verdict};
use relay::{Exit, Sinks, relay};
use retry::{Decision, Failures};
use signals::{EndingSignal, Signals};
use ssh::StartError;
use tee::Tee;

pub use retry::Retries;
pub use ssh::Ssh;
pub use words::{Login, Operands, WordError};

/// Why there is no retry where ssh is told to say nothing.
const MUTED: &[u8] = b"; its LogLevel, QUIET or FATAL, hides why: set ERROR or more";

/// A command line that asks for a job.
#[derive(Debug)]
pub struct Job {
    /// What to run.
    pub ssh: Ssh,
    /// How often to try again when ssh cannot have started the remote command.
    pub retries: Retries,
    /// How long each ssh may take to connect, if that is limited.
    pub connect_timeout: Option<Duration>,
    /// The span of time over which the jobs of a crontab are spread.
    pub splay: Duration,
    /// The directory of the log.
    pub log_dir: PathBuf,
    /// Whether to show the output on standard output too.
    pub tee: bool,
}

/// A command line that is refused: a usage error.
#[derive(Debug)]
pub struct UsageErrorRun {
    /// The words in the place of `HOST SCRIPT PARAMETERS`, for START and END.
    pub operands: Vec<u8>,
    /// The reason and the remedy on one line; none where the bash original logs none.
    pub reason: Option<String>,
    /// The directory of the log.
    pub log_dir: PathBuf,
}

/// How a run ended.
#[derive(Debug)]
pub enum Outcome {
    /// The command line was refused.
    UsageError,
    /// A signal came while no ssh was running.
    Interrupted(EndingSignal),
    /// ssh has not run.
    NotStarted(StartError),
    /// ssh could not be waited for, and was killed.
    WaitFailed(anyhow::Error),
    /// ssh has run.
    Exited(Exit),
}

impl Outcome {
    /// The exit status of the job: RC in its END record and our own exit status.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::UsageError => exit::USAGE_ERROR,
            Self::NotStarted(StartError::NotFound) => exit::NOT_FOUND,
            Self::NotStarted(StartError::CannotRun(_)) | Self::WaitFailed(_) => exit::CANNOT_RUN,
            Self::Interrupted(signal) => exit::of_signal(signal.number()),
            Self::Exited(exit) => match exit.forwarded {
                None if exit.is_timeout => exit::SSH_FAILED,
                Some(signal) if was_ended_by_signal(*exit) => exit::of_signal(signal.number()),
                _ => exit::of_child(exit.status),
            },
        }
    }

    /// The record that says why, where ssh itself cannot say it.
    fn record(&self, log: &mut Log) {
        match self {
            Self::NotStarted(StartError::NotFound) => {
                let remedy = openssh::remedy_for_path();
                log.record(Kind::Notice(Notice::SshNotFound(remedy.as_bytes())));
            }
            Self::NotStarted(StartError::CannotRun(error)) => {
                let reason = error.to_string();
                log.record(Kind::Notice(Notice::SshCannotRun(reason.as_bytes())));
            }
            Self::WaitFailed(error) => {
                let reason = format!("{error:#}");
                log.record(Kind::Notice(Notice::SshKilled(reason.as_bytes())));
            }
            Self::UsageError | Self::Interrupted(_) | Self::Exited(_) => {}
        }
    }
}

/// Whether it was the forwarded signal that ended ssh.
///
/// ssh catches TERM, INT and HUP, and exits with 255, or with 0 if it has no session. So 0 counts as ended
/// by the signal if the job has printed nothing. With any other status the remote command has ended by
/// itself, signal or no signal.
fn was_ended_by_signal(exit: Exit) -> bool {
    match exit::of_child(exit.status) {
        exit::SUCCESS => exit.is_silent,
        exit::SSH_FAILED => true,
        _ => exit.status.code().is_none(),
    }
}

impl Job {
    /// Runs the job and logs it.
    pub fn run(&self) -> Outcome {
        // Before START: once that is written, no signal may prevent END.
        let signals = Signals::install();
        let operands = self.ssh.operands.display();
        let log = start(&self.log_dir, &operands);
        let mut signals = match signals {
            Ok(signals) => signals,
            Err(error) => return end(log, Outcome::NotStarted(error.into()), &operands),
        };
        let tee = Tee::new(self.tee);
        let mut sinks = Sinks { log, tee };
        let outcome = self.attempts(&mut signals, &mut sinks);
        let outcome = end(sinks.log, outcome, &operands);
        // After END: whoever reads the copy may take hours.
        sinks.tee.finish(&mut signals);
        outcome
    }

    /// Runs ssh, and runs it again as long as the retries allow it.
    fn attempts(&self, signals: &mut Signals, sinks: &mut Sinks) -> Outcome {
        if let Some(signal) = self.wait_for_turn(signals, &mut sinks.log) {
            return Outcome::Interrupted(signal);
        }
        let marker = self.marker(signals, &mut sinks.log);
        let mut failures = Failures::new(self.retries);
        loop {
            let (outcome, verdict) = self.attempt(marker.as_ref(), signals, sinks);
            let verdict = match &marker {
                Some(marker) if failures.leave_a_retry() => {
                    verdict.settle(|| self.ssh.log_level(marker, signals))
                }
                _ => verdict,
            };
            let decision = failures.decide(verdict);
            record_decision(decision, &mut sinks.log);
            let Decision::Retry(retry) = decision else {
                return outcome;
            };
            if let Some(signal) = signals.sleep(retry.wait) {
                return Outcome::Interrupted(signal);
            }
        }
    }

    /// How long this job waits on this machine for its turn.
    pub fn splay_wait(&self) -> Duration {
        splay::wait(&self.ssh.operands.display(), self.splay)
    }

    /// Waits as long as the splay wants it, or for a signal to end, which is returned.
    fn wait_for_turn(&self, signals: &mut Signals, log: &mut Log) -> Option<EndingSignal> {
        if self.splay.is_zero() {
            return None;
        }
        let wait = self.splay_wait();
        log.record(Kind::Wait(wait));
        signals.sleep(wait)
    }

    /// The marker that makes retries safe and limits the time of a connection, if either is wanted and this
    /// machine's programs support it.
    fn marker(&self, signals: &mut Signals, log: &mut Log) -> Option<Marker> {
        let has_retries = self.retries.count > 0;
        if !has_retries && self.connect_timeout.is_none() {
            return None;
        }
        Marker::prepare(openssh::find()?, signals)
            .inspect_err(|error| {
                let reason = escape::printable(error.to_string().as_bytes());
                if has_retries {
                    log.record(Kind::Notice(Notice::NoRetries(reason.as_bytes())));
                }
                if self.connect_timeout.is_some() {
                    log.record(Kind::Notice(Notice::NoConnectTimeout(reason.as_bytes())));
                }
            })
            .ok()
    }

    /// Runs ssh once, and returns whether another attempt would be safe and useful.
    fn attempt(
        &self,
        marker: Option<&Marker>,
        signals: &mut Signals,
        sinks: &mut Sinks,
    ) -> (Outcome, Verdict) {
        sinks.log.record(Kind::Command(&self.ssh.display()));
        if let Some(signal) = signals.ending() {
            return (Outcome::Interrupted(signal), Verdict::Permanent);
        }
        let running = match self.ssh.start(marker) {
            Ok(running) => running,
            Err(error) => return (Outcome::NotStarted(error), Verdict::Permanent),
        };
        let timeout = self.connect_timeout.filter(|_| marker.is_some());
        let connect_by = timeout.map(|timeout| Instant::now() + timeout);
        let mut monitor = Monitor::new(marker);
        match relay(running, connect_by, &mut monitor, signals, sinks) {
            Ok(exit) if exit.is_failure_of_ssh() => {
                if let Some(timeout) = timeout.filter(|_| exit.is_timeout) {
                    sinks
                        .log
                        .record(Kind::Notice(Notice::ConnectTimeout(timeout)));
                }
                if monitor.is_requested() {
                    sinks.log.record(Kind::Notice(Notice::Requested));
                }
                let ending = Ending { sent: exit.sent };
                (Outcome::Exited(exit), monitor.verdict(ending))
            }
            Ok(exit) => (Outcome::Exited(exit), Verdict::Permanent),
            Err(error) => (Outcome::WaitFailed(error), Verdict::Permanent),
        }
    }
}

fn record_decision(decision: Decision, log: &mut Log) {
    match decision {
        Decision::Retry(retry) => log.record(Kind::Retry(retry)),
        Decision::Unexplained => log.record(Kind::Notice(Notice::NoRetry(b""))),
        Decision::Muted => log.record(Kind::Notice(Notice::NoRetry(MUTED))),
        Decision::LooksRefused => log.record(Kind::Notice(Notice::LooksRefused)),
        Decision::Final => {}
    }
}

impl UsageErrorRun {
    /// Logs that nothing was run, and why.
    pub fn record(&self) -> Outcome {
        // As for a job: no signal may end us between START and END.
        let _signals = Signals::install();
        let mut log = start(&self.log_dir, &self.operands);
        if let Some(reason) = &self.reason {
            log.record(Kind::UsageError(reason.as_bytes()));
        }
        for line in USAGE {
            log.record(Kind::Usage(line.as_bytes()));
        }
        end(log, Outcome::UsageError, &self.operands)
    }
}

fn start(log_dir: &Path, operands: &[u8]) -> Log {
    let mut log = Log::new(log_dir, Local::now());
    log.record(Kind::Start(operands));
    log
}

fn end(mut log: Log, outcome: Outcome, operands: &[u8]) -> Outcome {
    outcome.record(&mut log);
    log.finish(Kind::End(outcome.exit_status(), operands));
    outcome
}
