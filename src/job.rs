//! One job, from its START to its END.
//!
//! Every descriptor is opened with `O_CLOEXEC`: ssh gets 0, 1 and 2, and those that our caller left open.
//! An append to the log is one write(2) of whole records.

mod lines;
mod marker;
mod preflight;
mod relay;
mod retry;
mod signals;
mod ssh;
mod tee;

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::Local;
use rustix::event::{PollFd, PollFlags};
use rustix::process::Signal;

use crate::log::Log;
use crate::poll::wait;
use marker::{Proof, Verdict, Witness};
use relay::{Exit, relay};
use signals::{Event, Signals};
use ssh::StartError;
use tee::Tee;

pub use retry::Retries;
pub use ssh::{Operands, Ssh, WordError};

/// The exit status of ssh(1) when ssh itself failed, whatever the reason.
const SSH_FAILED: i32 = 255;

/// A command line that asks for a job.
#[derive(Debug)]
pub struct Job {
    /// What to run.
    pub ssh: Ssh,
    /// How often to try again when ssh cannot have started the remote command.
    pub retries: Retries,
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
    /// A signal came while no ssh was running.
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

    /// Runs ssh, and again as long as it is certain that the remote command has not been started.
    fn supervise(&self, signals: &mut Signals, log: &mut Log, tee: &mut Tee) -> Outcome {
        let proof = self.proof(log);
        let mut retry = 1;
        loop {
            let mut witness = proof.as_ref().map(Proof::witness);
            let outcome = self.attempt(proof.as_ref(), witness.as_mut(), signals, log, tee);
            let Some(pause) = self.pause_before(retry, &outcome, witness.as_ref(), log) else {
                return outcome;
            };
            if let Some(signal) = sleep(pause, signals) {
                return Outcome::Interrupted(signal);
            }
            retry += 1;
        }
    }

    /// What it takes to try again, if that is wanted and can be had.
    fn proof(&self, log: &mut Log) -> Option<Proof> {
        if self.retries.most == 0 {
            return None;
        }
        Proof::with(ssh::program()?)
            .inspect_err(|why| log.record(format!("remoteexe: no retries: {why}").as_bytes()))
            .ok()
    }

    /// Runs ssh once.
    fn attempt(
        &self,
        proof: Option<&Proof>,
        witness: Option<&mut Witness>,
        signals: &mut Signals,
        log: &mut Log,
        tee: &mut Tee,
    ) -> Outcome {
        log.record(&[b"command,", self.ssh.display().as_slice()].concat());
        if let Some(signal) = ending(signals) {
            return Outcome::Interrupted(signal);
        }
        let (child, pipe) = match self.ssh.start(proof) {
            Ok(started) => started,
            Err(error) => return Outcome::NotStarted(error),
        };
        relay(child, pipe, signals, log, tee, witness).map_or_else(Outcome::Lost, Outcome::Exited)
    }

    /// How long to wait before retry number `retry`, if there may be one after `outcome`.
    fn pause_before(
        &self,
        retry: u32,
        outcome: &Outcome,
        witness: Option<&Witness>,
        log: &mut Log,
    ) -> Option<Duration> {
        let Outcome::Exited(Exit {
            status,
            forwarded: None,
        }) = outcome
        else {
            return None;
        };
        let most = self.retries.most;
        if status.code() != Some(SSH_FAILED) || retry > most {
            return None;
        }
        match witness?.verdict() {
            Verdict::Final => None,
            Verdict::Unexplained => {
                log.record(b"remoteexe: no retry: ssh has not said that the connection failed");
                None
            }
            Verdict::Retry => {
                let pause = self.retries.wait(retry);
                let seconds = pause.as_secs_f64();
                log.record(format!("retry,{retry}/{most},255,wait {seconds:.3} s").as_bytes());
                Some(pause)
            }
        }
    }
}

/// The signal to end that has come, if one has.
fn ending(signals: &mut Signals) -> Option<Signal> {
    signals.pending().find_map(|event| match event {
        Event::Ending(signal) => Some(signal),
        Event::Child => None,
    })
}

/// Waits for `pause`, or for a signal to end, which is returned.
fn sleep(pause: Duration, signals: &mut Signals) -> Option<Signal> {
    let deadline = Instant::now() + pause;
    while Instant::now() < deadline {
        // Out of memory: then there is no wait.
        wait(&mut [PollFd::new(signals, PollFlags::IN)], Some(deadline)).ok()?;
        if let Some(signal) = ending(signals) {
            return Some(signal);
        }
    }
    None
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
