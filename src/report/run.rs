//! One run of a job, as the log tells it.

use std::borrow::Cow;
use std::rc::Rc;

use chrono::NaiveDateTime;

use super::tail::Tail;
use super::time::certain;
use crate::exit;
use crate::log::record::{Kind, Notice};
use crate::ssh_error::{Cause, Diagnosis};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// With this exit status.
    Exit(u8),
    /// Not yet: the process is there.
    Running,
    /// Without an END: killed, or the machine went down.
    Lost,
}

impl End {
    /// The exit status, if END has come.
    pub fn code(self) -> Option<u8> {
        match self {
            Self::Exit(code) => Some(code),
            Self::Running | Self::Lost => None,
        }
    }
}

/// One run of a job.
#[derive(Debug)]
pub struct Run {
    /// The process that logged it.
    pub pid: u32,
    /// The local time of START.
    pub start: NaiveDateTime,
    /// The local time of the last record so far.
    pub last: NaiveDateTime,
    /// How it ended.
    pub end: End,
    /// Which END of all is its own, if it has one.
    pub number: u64,
    /// `HOST SCRIPT PARAMETERS`, as in START and END.
    pub job: Rc<[u8]>,
    /// The ssh command; without one the command line was refused.
    pub command: Option<Vec<u8>>,
    /// How often the connection was tried again.
    pub retries: u32,
    /// The number of lines of output, those of remoteexe itself included.
    pub lines: u64,
    /// The number of bytes of output, newlines included.
    pub bytes: u64,
    /// The last lines of the last try's output.
    pub tail: Tail,
    /// A record is stamped earlier than the one before it.
    pub is_clock_back: bool,
    /// The same job was started again while this run was going on.
    pub is_overlapped: bool,
    /// A line of output may be taken for START or END here, or the other way round.
    pub is_ambiguous: bool,
    /// The records as they stand in the log, if they are wanted.
    pub records: Option<Vec<u8>>,
}

impl Run {
    /// The host, as it was given: the first word of the job.
    pub fn host(&self) -> &[u8] {
        let mut words = self.job.split(|&byte| byte == b' ');
        words.next().unwrap_or_default()
    }

    /// Whether its END has come.
    pub fn has_end(&self) -> bool {
        self.end.code().is_some()
    }

    /// The local time of END.
    pub fn ended(&self) -> Option<NaiveDateTime> {
        self.has_end().then_some(self.last)
    }

    /// Seconds from START to END.
    ///
    /// Nothing where the clock was set back meanwhile, or where the hour that comes twice when summer
    /// time ends leaves two answers.
    pub fn seconds(&self) -> Option<u64> {
        if self.is_clock_back {
            return None;
        }
        let (start, end) = (certain(self.start)?, certain(self.ended()?)?);
        u64::try_from((end - start).num_seconds()).ok()
    }

    /// Whether it has not done what it was started for.
    pub fn has_failed(&self) -> bool {
        !matches!(self.end, End::Exit(0) | End::Running)
    }

    /// Whether the command line was refused. 10 may as well be the remote command's own status.
    pub fn is_usage_error(&self) -> bool {
        self.end == End::Exit(exit::USAGE_ERROR) && self.command.is_none()
    }

    /// Whether the remote command has certainly ended by itself, so that its host was there.
    pub fn has_reached_host(&self) -> bool {
        self.command.is_some()
            && match self.end {
                End::Exit(exit::CANNOT_RUN | exit::NOT_FOUND) => self.start_failure().is_none(),
                // From there on it can be a signal's, also one that ended ssh.
                End::Exit(code) => code < exit::SIGNALLED,
                End::Running | End::Lost => false,
            }
    }

    /// Notes that there is a record stamped `time`.
    pub fn goes_on(&mut self, time: NaiveDateTime) {
        self.is_clock_back |= time < self.last;
        self.last = time;
    }

    /// Why ssh failed before anything ran, as far as its last words tell.
    pub fn connection_failure(&self) -> Option<Cause> {
        self.ssh_failure()
            .filter(|cause| *cause != Cause::Disconnected)
    }

    fn ssh_failure(&self) -> Option<Cause> {
        if self.end != End::Exit(exit::SSH_FAILED) {
            return None;
        }
        let mut diagnosis = Diagnosis::default();
        self.tail.lines().for_each(|line| diagnosis.observe(line));
        diagnosis.cause()
    }

    /// The message with which remoteexe has said that ssh did not run.
    fn start_failure(&self) -> Option<Notice<'_>> {
        self.tail.lines().find_map(|line| match Kind::parse(line) {
            Kind::Notice(notice) if notice.is_start_failure() => Some(notice),
            _ => None,
        })
    }

    /// What the exit status means.
    pub fn cause(&self) -> Cow<'static, str> {
        let code = match self.end {
            End::Running => return "still running".into(),
            End::Lost => return "lost: no END, and the process is gone".into(),
            End::Exit(code) => code,
        };
        match (code, self.start_failure()) {
            (exit::SUCCESS, _) => "ok".into(),
            (exit::USAGE_ERROR, _) if self.is_usage_error() => {
                "usage error: nothing was run".into()
            }
            (exit::CANNOT_RUN, Some(_)) => "ssh could not be run".into(),
            (exit::NOT_FOUND, Some(Notice::SshNotFound)) => "there is no ssh".into(),
            (exit::CANNOT_RUN, None) => "not executable on the host".into(),
            (exit::NOT_FOUND, _) => "not found on the host".into(),
            (exit::SSH_FAILED, _) => match self.ssh_failure() {
                Some(cause) => cause.to_string().into(),
                None => "ssh failed, or the script returned 255".into(),
            },
            _ => match exit::signal(code) {
                Some(name) => format!("ended by signal {name}").into(),
                None => "the script's own status".into(),
            },
        }
    }

    /// Takes a line of output.
    pub fn add_output(&mut self, line: &[u8]) {
        self.lines += 1;
        self.bytes += line.len() as u64 + 1;
        self.tail.push(line);
    }

    /// Takes what looked like `other`, a later run, for output.
    pub fn absorb(&mut self, mut other: Self) {
        self.add_output(&Kind::Start(&other.job).text());
        if let Some(command) = &other.command {
            self.add_output(&Kind::Command(command).text());
        }
        if let Some(text) = other.end_text() {
            other.add_output(&text);
        }
        self.lines += other.lines;
        self.bytes += other.bytes;
        other.tail.lines().for_each(|line| self.tail.push(line));
        self.is_clock_back |= other.is_clock_back;
        self.goes_on(other.start);
        self.last = other.last;
        if let (Some(records), Some(more)) = (&mut self.records, other.records) {
            records.extend(more);
        }
    }

    /// The text of its END, if that has come.
    pub fn end_text(&self) -> Option<Vec<u8>> {
        let code = self.end.code()?;
        Some(Kind::End(code, &self.job).text())
    }
}
