//! One run of a job, from its START to its END.
//!
//! A run has one attempt, or with `--retries` several: each attempt is one ssh. Every descriptor is opened with
//! `O_CLOEXEC`: ssh gets 0, 1 and 2, and what our caller left open.

mod ask;
mod config;
mod family;
mod lines;
mod marker;
mod monitor;
mod openssh;
mod proof;
mod relay;
mod retry;
mod signals;
mod spawn;
mod ssh;
mod tee;
mod words;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use chrono::Local;

use crate::log::record::{Kind, Notice, SignalPlace, USAGE, seconds};
use crate::{escape, exit, log::Log, splay};
use family::Family;
use marker::Marker;
use monitor::{Monitor, Verdict};
use proof::Proved;
use relay::{AttemptWatch, Exit, Sinks, relay};
use retry::{Decision, Failures};
use signals::{EndingSignal, Signals};
use ssh::StartError;
use tee::Tee;

pub use retry::Retries;
pub use ssh::Ssh;
pub use words::{Host, Login, Operands, Script, WordError};

/// The reason why the last attempt has no marker.
const PORT_TAKEN: &str = "a port to forward is taken, perhaps by a running master, which ssh may now use";

pub struct Job {
    pub ssh: Ssh,
    /// The retries of an ssh that cannot have started the remote command.
    pub retries: Retries,
    pub connect_timeout: Option<Duration>,
    /// The time over which the jobs of a crontab are spread.
    pub splay: Duration,
    pub log_dir: PathBuf,
    pub tee: bool,
}

pub struct UsageErrorRun {
    /// The words in the place of `HOST SCRIPT PARAMETERS`, for START and END.
    pub operands: Vec<u8>,
    /// The reason and the remedy on one line. None if the bash original logs none.
    pub reason: Option<String>,
    pub log_dir: PathBuf,
}

pub enum JobOutcome {
    UsageError,
    /// A signal came while no ssh was running.
    Interrupted(EndingSignal),
    NotStarted(StartError),
    /// ssh could not be waited for, and was killed.
    WaitFailed(anyhow::Error),
    Exited(Exit),
}

impl JobOutcome {
    /// The exit status in END, which is also our own.
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

    /// Whether ssh may have succeeded without the job. The first output of the job may have come by then.
    fn may_be_without_job(&self) -> bool {
        matches!(self, Self::Exited(exit) if exit.forwarded.is_none() && exit.status.success())
    }

    /// Logs the reason, if ssh itself cannot.
    fn record(&self, log: &mut Log) {
        match self {
            Self::NotStarted(StartError::NotFound) => log.notice(Notice::SshNotFound, &openssh::remedy_for_path()),
            Self::NotStarted(StartError::CannotRun(error)) => log.notice(Notice::SshCannotRun, &error.to_string()),
            Self::WaitFailed(error) => log.notice(Notice::SshKilled, &format!("{error:#}")),
            Self::UsageError => {}
            Self::Interrupted(_) | Self::Exited(_) => self.record_signal(log),
        }
    }

    /// Logs where the signal came, if the exit status is 128+N: RC alone does not show it.
    fn record_signal(&self, log: &mut Log) {
        let status = self.exit_status();
        let Some(number) = exit::signal_number(status) else { return };
        let place = match self {
            Self::Exited(exit) if exit.forwarded.map(EndingSignal::number) == Some(number) => SignalPlace::Remoteexe,
            Self::Exited(exit) if exit.status.code().is_none() => SignalPlace::Ssh,
            Self::Exited(_) => SignalPlace::Host,
            _ => SignalPlace::Remoteexe,
        };
        let text = match place {
            // Nobody takes it for a signal.
            SignalPlace::Host if exit::signal(status).is_none() => return,
            SignalPlace::Host => status.to_string(),
            _ => exit::signal_text(status),
        };
        log.notice(Notice::Signalled(place), &text);
    }
}

/// Whether the forwarded signal ended ssh.
///
/// ssh catches TERM, INT and HUP, and exits with 255, or with 0 if it has no session. So 0 counts as ended by the
/// signal if the job printed nothing. With any other status the remote command ended by itself.
fn was_ended_by_signal(exit: Exit) -> bool {
    match exit::of_child(exit.status) {
        exit::SUCCESS => exit.is_silent,
        exit::SSH_FAILED => true,
        _ => exit.status.code().is_none(),
    }
}

impl Job {
    pub fn run(&self) -> JobOutcome {
        // Before START: after that, no signal may prevent END.
        let signals = Signals::install();
        let operands = self.ssh.operands.display();
        let log = start(&self.log_dir, &operands);
        let mut signals = match signals {
            Ok(signals) => signals,
            Err(error) => return end(log, JobOutcome::NotStarted(error.into()), &operands),
        };
        let tee = Tee::new(self.tee);
        let mut sinks = Sinks { log, tee };
        let outcome = self.attempts(&mut signals, &mut sinks);
        let outcome = end(sinks.log, outcome, &operands);
        // After END: the reader of the copy may take hours.
        sinks.tee.finish(&mut signals);
        outcome
    }

    /// Runs ssh, and runs it again as long as the retries allow.
    fn attempts(&self, signals: &mut Signals, sinks: &mut Sinks) -> JobOutcome {
        if let Some(signal) = self.wait_for_turn(signals, &mut sinks.log) {
            return JobOutcome::Interrupted(signal);
        }
        let proof = self.prove(&mut sinks.log);
        let proof = proof.as_ref().map(Result::as_ref);
        let (proved, unproved) = (proof.and_then(Result::ok), proof.and_then(Result::err));
        let mut marker = proved.and_then(|proved| self.marker(proved, signals, &mut sinks.log));
        let mut failures = Failures::new(self.retries);
        loop {
            let mut attempt = self.attempt(proved, marker.as_ref(), signals, sinks);
            if attempt.verdict == Verdict::PortTaken && attempt.end_family(signals).is_ok() {
                // As without retries: if plain ssh runs the job through a master, so must this one.
                marker = None;
                self.record_lack(PORT_TAKEN, &mut sinks.log);
                sinks.log.record(Kind::Retry(failures.without_wait()));
                continue;
            }
            let verdict = match (proved, &marker) {
                (Some(proved), Some(marker)) if failures.leave_a_retry() => {
                    attempt.verdict.settle(|| self.ssh.log_level(proved, marker, signals))
                }
                _ => attempt.verdict,
            };
            let is_in_doubt = || attempt.outcome.may_be_without_job() && config::may_separate(&self.ssh);
            if let Some(reason) = unproved.filter(|_| is_in_doubt()) {
                sinks.log.notice(Notice::NoGuards, reason);
            }
            let retry = match failures.decide(verdict) {
                Decision::Retry(retry) => retry,
                Decision::Final(reason) => {
                    if let Some((notice, more)) = reason {
                        sinks.log.notice(notice, more);
                    }
                    return attempt.outcome;
                }
            };
            if let Err(process) = attempt.end_family(signals) {
                let survivor = format!("{process}, which ssh may have started, still runs");
                sinks.log.notice(Notice::StillRuns, &survivor);
                return attempt.outcome;
            }
            sinks.log.record(Kind::Retry(retry));
            if let Some(signal) = signals.sleep(retry.wait) {
                return JobOutcome::Interrupted(signal);
            }
        }
    }

    pub fn splay_wait(&self) -> Duration {
        splay::wait(&self.ssh.operands.display(), self.splay)
    }

    /// Waits for the splay, or for a signal to end, which is returned.
    fn wait_for_turn(&self, signals: &mut Signals, log: &mut Log) -> Option<EndingSignal> {
        if self.splay.is_zero() {
            return None;
        }
        let wait = self.splay_wait();
        log.record(Kind::Wait(wait));
        signals.sleep(wait)
    }

    /// Finds the ssh in PATH, and proves that it is OpenSSH's. Logs what the job lacks without the proof.
    fn prove(&self, log: &mut Log) -> Option<Result<Proved, String>> {
        let proof = Proved::new(openssh::find()?).map_err(|unproved| printable(&unproved));
        Some(proof.inspect_err(|reason| self.record_lack(reason, log)))
    }

    /// The marker for retries and the connect timeout, if either is wanted and this machine's programs support it.
    fn marker(&self, ssh: &Proved, signals: &mut Signals, log: &mut Log) -> Option<Marker> {
        if self.retries.count == 0 && self.connect_timeout.is_none() {
            return None;
        }
        Marker::prepare(ssh, signals).inspect_err(|error| self.record_lack(&printable(error), log)).ok()
    }

    fn record_lack(&self, reason: &str, log: &mut Log) {
        if self.retries.count > 0 {
            log.notice(Notice::NoRetries, reason);
        }
        if self.connect_timeout.is_some() {
            log.notice(Notice::NoConnectTimeout, reason);
        }
    }

    fn attempt(
        &self,
        proved: Option<&Proved>,
        marker: Option<&Marker>,
        signals: &mut Signals,
        sinks: &mut Sinks,
    ) -> AttemptResult {
        sinks.log.record(Kind::Command(&self.ssh.display()));
        if let Some(signal) = signals.ending() {
            return AttemptResult::last(JobOutcome::Interrupted(signal));
        }
        let running = match self.ssh.start(proved, marker) {
            Ok(running) => running,
            Err(error) => return AttemptResult::last(JobOutcome::NotStarted(error)),
        };
        let family = marker.and_then(|marker| Family::of(&running.child, &marker.others));
        let timeout = self.connect_timeout.filter(|_| family.is_some());
        let mut monitor = Monitor::new(marker.map(Marker::line));
        if marker.is_some() && family.is_none() {
            self.record_lack("/proc does not show what runs", &mut sinks.log);
            monitor.distrust();
        }
        let mut watch =
            AttemptWatch { monitor, proved, family, connect_by: timeout.map(|timeout| Instant::now() + timeout) };
        let exit = match relay(running, &mut watch, signals, sinks) {
            Ok(exit) => exit,
            Err(error) => return AttemptResult::last(JobOutcome::WaitFailed(error)),
        };
        if let Some(proved) = proved.filter(|_| exit.is_other_program) {
            let reason = anyhow!("/proc does not show that {} ran", proved.path.display());
            self.record_lack(&printable(&reason), &mut sinks.log);
        }
        let mut attempt =
            AttemptResult { outcome: JobOutcome::Exited(exit), verdict: Verdict::Permanent, family: watch.family };
        if !exit.is_failure_of_ssh() {
            return attempt;
        }
        attempt.verdict = watch.monitor.verdict(exit.sent);
        if let Some(timeout) = timeout.filter(|_| exit.is_timeout) {
            attempt.record_timeout(timeout, signals, &mut sinks.log);
        }
        if watch.monitor.is_refused
            && !watch.monitor.is_requested()
            && let Some(key) = self.ssh.locked_key()
        {
            sinks.log.record(Kind::Notice(Notice::LockedKey, key.as_bytes()));
        }
        if watch.monitor.is_requested() {
            sinks.log.notice(Notice::Requested, "");
        }
        attempt
    }
}

struct AttemptResult {
    outcome: JobOutcome,
    /// Whether another attempt would be safe and useful, by ssh's output.
    verdict: Verdict,
    /// The processes that ssh has started, if they matter.
    family: Option<Family>,
}

impl AttemptResult {
    fn last(outcome: JobOutcome) -> Self {
        Self { outcome, verdict: Verdict::Permanent, family: None }
    }

    /// Ends the processes that ssh has left. Returns the name of one that does not end.
    fn end_family(&mut self, signals: &mut Signals) -> Result<(), String> {
        match &self.family {
            Some(family) => family.end(signals),
            None => Err("a process".to_owned()),
        }
    }

    /// Logs that ssh was killed after this time, and if no process of ssh is left, that it was not connected.
    fn record_timeout(&mut self, timeout: Duration, signals: &mut Signals, log: &mut Log) {
        match self.end_family(signals) {
            Ok(()) => log.notice(Notice::ConnectTimeout, &seconds(timeout)),
            Err(process) => {
                self.verdict = Verdict::Permanent;
                let reason = format!(
                    "the script was not requested after {} s; {process}, which ssh may have started, still runs",
                    seconds(timeout)
                );
                log.notice(Notice::SshKilled, &reason);
            }
        }
    }
}

/// An error with its sources, safe for a record.
fn printable(error: &anyhow::Error) -> String {
    escape::printable(format!("{error:#}").as_bytes())
}

impl UsageErrorRun {
    /// Logs that nothing was run, and why.
    pub fn record(&self) -> JobOutcome {
        // As for a job: no signal may end us between START and END.
        let _signals = Signals::install();
        let mut log = start(&self.log_dir, &self.operands);
        if let Some(reason) = &self.reason {
            log.record(Kind::UsageError(reason.as_bytes()));
        }
        for line in USAGE {
            log.record(Kind::Usage(line.as_bytes()));
        }
        end(log, JobOutcome::UsageError, &self.operands)
    }
}

fn start(log_dir: &Path, operands: &[u8]) -> Log {
    let mut log = Log::new(log_dir, Local::now());
    log.record(Kind::Start(operands));
    log
}

fn end(mut log: Log, outcome: JobOutcome, operands: &[u8]) -> JobOutcome {
    outcome.record(&mut log);
    log.finish(Kind::End(outcome.exit_status(), operands));
    outcome
}
