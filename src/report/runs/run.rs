//! One run of a job, and the meaning of its end.

use chrono::NaiveDateTime;

use super::first_program::{limit, status_of_lock};
use super::outcome::{Outcome, Reason};
use super::trace::Trace;
use crate::clock::{seconds_between, to_utc};
use crate::exit;
use crate::log::record::{Kind, SignalPlace};
use crate::ssh_error::{Cause, Diagnosis, Failure};

/// The status of a job whose terminal went away: 128 and the number of HUP.
const HUNG_UP: u8 = exit::SIGNALLED + 1;
/// The status of timeout(1) when the time is over.
const TIMED_OUT: u8 = 124;
/// The status of a command whose process was killed.
const KILLED: u8 = exit::SIGNALLED + 9;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// END with this exit status.
    Exit(u8),
    /// No END yet, and the process exists.
    Running,
    /// No END, and the process is gone: it was killed, or the machine went down.
    Lost,
}

impl End {
    pub fn status(self) -> Option<u8> {
        match self {
            Self::Exit(status) => Some(status),
            Self::Running | Self::Lost => None,
        }
    }
}

pub struct Run {
    pub trace: Trace,
    pub end: End,
    /// The exit status is not 0, but accepted.
    pub is_accepted: bool,
}

/// The host of a job: its first operand.
pub fn first_word(job: &[u8]) -> &[u8] {
    let mut words = job.split(|&byte| byte == b' ');
    words.next().unwrap_or_default()
}

impl Run {
    /// A run that no later record can change.
    pub fn new(trace: Trace, end: End) -> Self {
        Self { trace, end, is_accepted: false }
    }

    /// Accepts a status for which `is_accepted` is true, if it comes from the script.
    pub fn accept(&mut self, is_accepted: impl Fn(u8) -> bool) {
        self.is_accepted = self.end.status().is_some_and(is_accepted)
            && !self.is_usage_error()
            && self.trace.attempt.start_failure.is_none();
    }

    pub fn ended(&self) -> Option<NaiveDateTime> {
        self.end.status().map(|_| self.trace.last)
    }

    /// The seconds from START to END, without the wait of a splay. Unknown if the clock was set back during the run, or
    /// if either time is in the hour that is repeated when summer time ends.
    pub fn seconds(&self) -> Option<u64> {
        if self.trace.is_clock_back {
            return None;
        }
        let end = self.ended()?;
        // A signal may have ended the splay.
        let begun = self.trace.begun.unwrap_or(end);
        u64::try_from(seconds_between(to_utc(begun)?, to_utc(end)?)).ok()
    }

    pub fn has_failed(&self) -> bool {
        !self.is_good() && !self.is_skipped() && self.end != End::Running
    }

    /// Whether the script did nothing because its lock was held.
    pub fn is_skipped(&self) -> bool {
        let status = self.end.status().filter(|status| *status != exit::SUCCESS);
        status.is_some_and(|status| status_of_lock(&self.trace.job) == Some(status))
            && self.trace.kept.is_silent()
            && self.trace.command.is_some()
            && self.trace.attempt.start_failure.is_none()
    }

    /// Whether the run failed or was lost, or may have.
    pub fn is_alarming(&self) -> bool {
        self.has_failed() || self.trace.is_ambiguous
    }

    pub fn is_good(&self) -> bool {
        (self.end == End::Exit(exit::SUCCESS) || self.is_accepted) && !self.trace.is_refused_login()
    }

    /// Whether the job was started again before the run ended. A lost run may have been dead by then, and without a
    /// connection the script did not run.
    pub fn is_overlapped(&self) -> bool {
        self.trace.is_overlapped && self.end != End::Lost && self.connection_failure().is_none()
    }

    /// The latest local time at which the run can have been going on: END, or the time by which a lost run was
    /// certainly dead. None for a running run.
    pub fn until(&self) -> Option<NaiveDateTime> {
        match self.end {
            End::Exit(_) => Some(self.trace.last),
            End::Running => None,
            End::Lost => Some(self.dead_by()),
        }
    }

    /// The local time by which a run without END was certainly dead, or that of the last record.
    pub fn dead_by(&self) -> NaiveDateTime {
        self.trace.dead_by.unwrap_or(self.trace.last)
    }

    /// Whether the command line was refused. After a command, 10 is the remote command's own status.
    pub fn is_usage_error(&self) -> bool {
        self.end == End::Exit(exit::USAGE_ERROR) && self.trace.command.is_none()
    }

    /// Whether the remote command certainly ended by itself, so that the host was reached.
    pub fn has_reached_host(&self) -> bool {
        self.trace.command.is_some()
            && match self.end {
                End::Exit(exit::CANNOT_RUN | exit::NOT_FOUND) => self.trace.attempt.start_failure.is_none(),
                End::Exit(exit::SSH_FAILED) => self.is_requested(),
                // A higher status may come from a signal that ended ssh.
                End::Exit(status) => status < exit::SIGNALLED || self.trace.attempt.signal == Some(SignalPlace::Host),
                End::Running | End::Lost => false,
            }
    }

    /// Why ssh failed before the remote command ran, if the last lines of output show it.
    pub fn connection_failure(&self) -> Option<Cause> {
        self.outcome().connection_failure()
    }

    /// Whether the log shows that the remote command was requested before ssh failed: only with retries or a timeout.
    fn is_requested(&self) -> bool {
        self.trace.attempt.is_requested
    }

    fn ssh_failure(&self) -> Option<Failure> {
        if self.is_hung_up_at_login() {
            return Some(Failure { cause: Cause::Authentication, is_at_jump_host: false });
        }
        if self.end != End::Exit(exit::SSH_FAILED) {
            return None;
        }
        if self.trace.attempt.is_timeout && !self.is_requested() {
            return Some(Failure { cause: Cause::TimedOut, is_at_jump_host: false });
        }
        let mut diagnosis = Diagnosis::default();
        self.trace.kept.tail().for_each(|line| diagnosis.observe(line));
        let is_possible = |failure: &Failure| {
            // Other messages come from the script.
            let is_after = matches!(failure.cause, Cause::Disconnected | Cause::NoSession | Cause::PortTaken);
            is_after || !self.is_requested()
        };
        diagnosis.failure().filter(is_possible)
    }

    /// Whether ssh lost its terminal just after it reported a refused login, as with sshpass.
    fn is_hung_up_at_login(&self) -> bool {
        let last = self.trace.kept.tail().last().and_then(Cause::from_message);
        self.end == End::Exit(HUNG_UP) && last == Some(Cause::Authentication)
    }

    /// The limit of the script's timeout(1), unless the run was shorter: then the script itself returned 124.
    fn reached_limit(&self) -> Option<u32> {
        limit(&self.trace.job).filter(|limit| self.seconds().is_none_or(|seconds| seconds + 1 >= u64::from(*limit)))
    }

    /// Whether the reason is a message of a shell or the kernel that a process was killed.
    fn says_killed(&self) -> bool {
        let reason = self.trace.reason.as_deref().unwrap_or_default().to_lowercase();
        reason.contains("killed") || reason.contains("out of memory")
    }

    /// The reason of a usage error. The bash original did not log reasons.
    fn usage_reason(&self) -> Option<&[u8]> {
        let mut records = self.trace.kept.tail().map(Kind::parse);
        records.find_map(|record| match record {
            Kind::UsageError(reason) => Some(reason),
            _ => None,
        })
    }

    /// The line of output with the reason of a bad run, or the reason of a usage error.
    pub fn reason(&self) -> Option<&[u8]> {
        match &self.trace.reason {
            _ if self.is_usage_error() => self.usage_reason(),
            reason => reason.as_deref().map(str::as_bytes),
        }
    }

    pub fn outcome(&self) -> Outcome {
        let status = match self.end {
            End::Running => return Outcome::Running,
            End::Lost => return Outcome::Lost,
            End::Exit(_) if self.is_good() => return Outcome::Good,
            End::Exit(status) if self.is_skipped() => return Outcome::Skipped(status),
            End::Exit(status) => status,
        };
        let signal = self.trace.attempt.signal;
        let refused = Failure { cause: Cause::Account, is_at_jump_host: false };
        let reason = match status {
            _ if self.trace.is_refused_login() => Reason::Ssh(refused),
            TIMED_OUT => self.reached_limit().map_or(Reason::Script, Reason::Limit),
            exit::USAGE_ERROR if self.is_usage_error() => Reason::Usage,
            exit::CANNOT_RUN if self.trace.attempt.start_failure.is_some() => Reason::SshNotRun,
            exit::CANNOT_RUN => Reason::NotExecutable,
            exit::NOT_FOUND if self.trace.attempt.start_failure == Some(Reason::NoSsh) => Reason::NoSsh,
            exit::NOT_FOUND => Reason::NotFound,
            exit::SSH_FAILED => match (self.ssh_failure(), self.is_requested()) {
                (Some(failure), false) => Reason::Ssh(failure),
                (Some(failure), true) => Reason::SshLater(failure),
                (None, true) => Reason::RequestedThen255,
                (None, false) => Reason::Unexplained,
            },
            HUNG_UP => self.ssh_failure().map_or(Reason::Signal(signal), Reason::Ssh),
            KILLED if signal != Some(SignalPlace::Ssh) && self.says_killed() => Reason::Killed,
            status if signal.is_some() || exit::signal(status).is_some() => Reason::Signal(signal),
            _ => Reason::Script,
        };
        Outcome::Failed(status, reason)
    }

    /// The meaning of the end, in words. The quoted reason of a usage error is any text, cut like a line of the tail.
    pub fn cause(&self) -> String {
        match self.outcome() {
            _ if self.is_accepted => "ok by --ok".to_owned(),
            Outcome::Failed(_, Reason::Usage) => {
                let reason = self.usage_reason().map(String::from_utf8_lossy);
                format!("usage error: {}", reason.unwrap_or("nothing was run".into()))
            }
            outcome => outcome.to_string(),
        }
    }
}
