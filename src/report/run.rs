//! One run of a job, and the meaning of its end.

use std::borrow::Cow;

use chrono::NaiveDateTime;

use super::accepted::Accepted;
use super::time::to_utc;
use super::trace::Trace;
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

impl Run {
    /// A run that no later record can change.
    pub fn new(trace: Trace, end: End) -> Self {
        Self {
            trace,
            end,
            is_accepted: false,
        }
    }

    /// Takes a status in `accepted` as no failure, if the script has given it.
    pub fn accept(&mut self, accepted: &Accepted) {
        self.is_accepted = self
            .end
            .status()
            .is_some_and(|status| accepted.includes(status))
            && !self.is_usage_error()
            && self.start_failure().is_none();
    }

    /// The host as it was given: the first word of the job.
    pub fn host(&self) -> &[u8] {
        let mut words = self.trace.job.split(|&byte| byte == b' ');
        words.next().unwrap_or_default()
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

    /// Why ssh failed before the remote command ran, if the last lines of output tell.
    pub fn connection_failure(&self) -> Option<Cause> {
        let cause = self.ssh_failure()?.cause;
        (cause.is_before_the_session() && !self.is_requested()).then_some(cause)
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
        if self.notices().any(is_timeout) {
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

    /// A usage error in words, with the reason in the log. The bash original did not log one.
    fn usage_error(&self) -> String {
        let mut records = self.trace.tail.lines().map(Kind::parse);
        let reason = records.find_map(|record| match record {
            Kind::UsageError(reason) => Some(String::from_utf8_lossy(reason)),
            _ => None,
        });
        format!(
            "usage error: {}",
            reason.unwrap_or("nothing was run".into())
        )
    }

    /// The last lines of output of the last attempt, but not those that only say what the cause says.
    pub fn telling_lines(&self) -> impl Iterator<Item = &[u8]> {
        let is_usage_error = self.is_usage_error();
        self.trace.tail.lines().filter(move |line| {
            !is_usage_error || !matches!(Kind::parse(line), Kind::UsageError(_) | Kind::Usage(_))
        })
    }

    /// The meaning of the end, in words. The reason of a usage error is quoted from the log: it may have
    /// any characters, and is cut as a line of the tail is.
    pub fn cause(&self) -> Cow<'static, str> {
        let status = match self.end {
            End::Running => return "still running".into(),
            End::Lost => return "lost: no END, and the process is gone".into(),
            End::Exit(status) => status,
        };
        match (status, self.start_failure()) {
            (exit::SUCCESS, _) => "ok".into(),
            _ if self.is_accepted => "ok by --ok".into(),
            (exit::USAGE_ERROR, _) if self.is_usage_error() => self.usage_error().into(),
            (exit::CANNOT_RUN, Some(_)) => "ssh could not be run".into(),
            (exit::NOT_FOUND, Some(Notice::SshNotFound)) => "there is no ssh".into(),
            (exit::CANNOT_RUN, None) => "not executable on the host".into(),
            (exit::NOT_FOUND, _) => "not found on the host".into(),
            (exit::SSH_FAILED, _) => match self.ssh_failure() {
                Some(failure) => failure.to_string().into(),
                None if self.is_requested() => {
                    "the script returned 255, or a signal ended it".into()
                }
                None => "ssh failed, or the script returned 255".into(),
            },
            _ => match exit::signal(status) {
                Some(name) => format!("ended by signal {name}").into(),
                None => "the script's own status".into(),
            },
        }
    }
}
