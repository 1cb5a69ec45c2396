//! One run of a job, and the meaning of its end.

use chrono::NaiveDateTime;

use super::outcome::{Outcome, Reason};
use super::trace::Trace;
use crate::clock::to_utc;
use crate::exit;
use crate::log::record::{Kind, Notice};
use crate::ssh_error::{Cause, Diagnosis, Failure};

/// The end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// END with this exit status.
    Exit(u8),
    /// No END yet: the process is there.
    Running,
    /// No END, and the process is gone: it was killed, or the machine went down.
    Lost,
}

impl End {
    /// The exit status in END, if there is an END.
    pub fn status(self) -> Option<u8> {
        match self {
            Self::Exit(status) => Some(status),
            Self::Running | Self::Lost => None,
        }
    }
}

/// One run of a job.
#[derive(Debug)]
pub struct Run {
    /// The facts about it.
    pub trace: Trace,
    /// Its end.
    pub end: End,
    /// Its exit status is not 0, and no failure.
    pub is_accepted: bool,
}

/// The host among a job's operands: the first one.
pub fn first_word(job: &[u8]) -> &[u8] {
    let mut words = job.split(|&byte| byte == b' ');
    words.next().unwrap_or_default()
}

impl Run {
    /// A run that no later record can change.
    pub fn new(trace: Trace, end: End) -> Self {
        Self {
            trace,
            end,
            is_accepted: false,
        }
    }

    /// Takes a status for which `is_accepted` is true as no failure, if the script has given it.
    pub fn accept(&mut self, is_accepted: impl Fn(u8) -> bool) {
        self.is_accepted = self.end.status().is_some_and(is_accepted)
            && !self.is_usage_error()
            && self.start_failure().is_none();
    }

    /// The host as it was given: the first word of the job.
    pub fn host(&self) -> &[u8] {
        first_word(&self.trace.job)
    }

    /// The local time of END, if there is an END.
    pub fn ended(&self) -> Option<NaiveDateTime> {
        self.end.status().map(|_| self.trace.last)
    }

    /// The seconds from START to END, without the wait of a splay.
    ///
    /// They are unknown if the clock was set back during the run, or if either time is in the hour that
    /// is repeated when summer time ends.
    pub fn seconds(&self) -> Option<u64> {
        if self.trace.is_clock_back {
            return None;
        }
        let end = self.ended()?;
        // A signal may have ended the splay.
        let begun = self.trace.begun.unwrap_or(end);
        let (begun, end) = (to_utc(begun)?, to_utc(end)?);
        u64::try_from((end - begun).num_seconds()).ok()
    }

    /// Whether it failed or was lost.
    pub fn has_failed(&self) -> bool {
        !self.is_good() && self.end != End::Running
    }

    /// Whether it ended, and did not fail.
    pub fn is_good(&self) -> bool {
        self.end == End::Exit(exit::SUCCESS) || self.is_accepted
    }

    /// Whether its job was started again before it ended. A lost run may have been dead by then.
    pub fn is_overlapped(&self) -> bool {
        self.trace.is_overlapped && self.end != End::Lost
    }

    /// The local time until which it can have gone on: that of END, or of a lost run the time at which it is
    /// known to be dead. A run that goes on has none.
    pub fn until(&self) -> Option<NaiveDateTime> {
        match self.end {
            End::Exit(_) => Some(self.trace.last),
            End::Running => None,
            End::Lost => Some(self.dead_by()),
        }
    }

    /// The local time at which a run without END is known to be dead, or that of the last record.
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
                End::Exit(exit::CANNOT_RUN | exit::NOT_FOUND) => self.start_failure().is_none(),
                End::Exit(exit::SSH_FAILED) => self.is_requested(),
                // A higher status may be that of a signal, which may have ended ssh.
                End::Exit(status) => status < exit::SIGNALLED,
                End::Running | End::Lost => false,
            }
    }

    /// Why ssh failed before the remote command ran, if the last lines of output show it.
    pub fn connection_failure(&self) -> Option<Cause> {
        self.outcome().connection_failure()
    }

    /// Whether the log says that the remote command was requested before ssh failed. It says so with retries or a
    /// connect timeout only.
    fn is_requested(&self) -> bool {
        self.notices().any(|notice| notice == Notice::Requested)
    }

    fn ssh_failure(&self) -> Option<Failure> {
        if self.end != End::Exit(exit::SSH_FAILED) {
            return None;
        }
        let is_timeout = |notice| matches!(notice, Notice::ConnectTimeout(_));
        // The script may print the same.
        if self.notices().any(is_timeout) && !self.is_requested() {
            return Some(Failure {
                cause: Cause::TimedOut,
                is_at_jump_host: false,
            });
        }
        let mut diagnosis = Diagnosis::default();
        let lines = self.trace.tail.lines();
        lines.for_each(|line| diagnosis.observe(line));
        let is_possible = |failure: &Failure| {
            // The other messages are the script's own.
            let is_after = matches!(failure.cause, Cause::Disconnected | Cause::NoSession);
            is_after || !self.is_requested()
        };
        diagnosis.failure().filter(is_possible)
    }

    /// The messages of remoteexe among the last lines.
    fn notices(&self) -> impl Iterator<Item = Notice<'_>> {
        let records = self.trace.tail.lines().map(Kind::parse);
        records.filter_map(|record| match record {
            Kind::Notice(notice) => Some(notice),
            _ => None,
        })
    }

    /// The message of remoteexe that ssh did not run, if there is one.
    fn start_failure(&self) -> Option<Notice<'_>> {
        self.notices().find(|notice| notice.is_failure_to_run())
    }

    /// The reason of a usage error, if the log has it. The bash original did not log one.
    fn usage_reason(&self) -> Option<&[u8]> {
        let mut records = self.trace.tail.lines().map(Kind::parse);
        records.find_map(|record| match record {
            Kind::UsageError(reason) => Some(reason),
            _ => None,
        })
    }

    /// The most informative line of a bad run: the last one of the last attempt that is not blank,
    /// or the reason of a usage error.
    pub fn telling_line(&self) -> Option<&[u8]> {
        if self.is_usage_error() {
            return self.usage_reason();
        }
        let lines = self.trace.tail.lines().map(<[u8]>::trim_ascii_end);
        let is_telling =
            |line: &&[u8]| !line.is_empty() && Kind::parse(line) != Kind::Notice(Notice::Requested);
        lines.filter(is_telling).last()
    }

    /// Whether it was bad, and in which way.
    pub fn outcome(&self) -> Outcome {
        let status = match self.end {
            End::Running => return Outcome::Running,
            End::Lost => return Outcome::Lost,
            End::Exit(_) if self.is_good() => return Outcome::Good,
            End::Exit(status) => status,
        };
        let reason = match status {
            exit::USAGE_ERROR if self.is_usage_error() => Reason::Usage,
            exit::CANNOT_RUN if self.start_failure().is_some() => Reason::SshNotRun,
            exit::CANNOT_RUN => Reason::NotExecutable,
            exit::NOT_FOUND if matches!(self.start_failure(), Some(Notice::SshNotFound(_))) => {
                Reason::NoSsh
            }
            exit::NOT_FOUND => Reason::NotFound,
            exit::SSH_FAILED => match (self.ssh_failure(), self.is_requested()) {
                (Some(failure), false) => Reason::Ssh(failure),
                (Some(failure), true) => Reason::SshLater(failure),
                (None, true) => Reason::RequestedThen255,
                (None, false) => Reason::Unexplained,
            },
            status if exit::signal(status).is_some() => Reason::Signal,
            _ => Reason::Script,
        };
        Outcome::Failed(status, reason)
    }

    /// The meaning of the end, in words. The reason of a usage error is quoted from the log: it may have
    /// any characters, and is cut as a line of the tail is.
    pub fn cause(&self) -> String {
        match self.outcome() {
            _ if self.is_accepted => "ok by --ok".to_owned(),
            Outcome::Failed(_, Reason::Usage) => {
                let reason = self.usage_reason().map(String::from_utf8_lossy);
                format!(
                    "usage error: {}",
                    reason.unwrap_or("nothing was run".into())
                )
            }
            outcome => outcome.to_string(),
        }
    }
}
