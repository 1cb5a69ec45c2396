//! The facts about one run, collected record by record.

use std::rc::Rc;

use chrono::NaiveDateTime;

use super::kept::{ErrorLine, KeptOutput, KeptRecords};
use super::outcome::Reason;
use crate::log::record::{Kind, Notice, SignalPlace};
use crate::report::logs::chunk::Records;
use crate::report::logs::owner::Owner;
use crate::ssh_error::is_no_login;

/// The facts about the last attempt.
#[derive(Debug, Default)]
pub struct Attempt {
    /// ssh was killed because it had not connected in time.
    pub is_timeout: bool,
    /// ssh failed after it had requested the script.
    pub is_requested: bool,
    /// Why ssh could not be started, or not be waited for.
    pub start_failure: Option<Reason>,
    pub signal: Option<SignalPlace>,
    pub sequel: Option<Sequel>,
}

/// What follows an attempt, according to the log, if retries were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequel {
    Retry,
    NoRetry,
}

impl Attempt {
    pub fn take_notice(&mut self, notice: Notice) {
        match notice {
            Notice::ConnectTimeout => self.is_timeout = true,
            Notice::Requested => self.is_requested = true,
            Notice::Signalled(place) => self.signal = Some(place),
            Notice::SshNotFound => self.start_failure = Some(Reason::NoSsh),
            Notice::SshCannotRun | Notice::SshKilled => self.start_failure = Some(Reason::SshNotRun),
            Notice::NoRetries | Notice::NoRetry | Notice::LooksRefused | Notice::StillRuns => {
                self.sequel = Some(Sequel::NoRetry);
            }
            _ => {}
        }
    }
}

#[derive(Debug, Default)]
pub struct Trace {
    /// The number of this START among all STARTs, from 1.
    pub number: u64,
    pub owner: Owner,
    /// The process id of remoteexe.
    pub pid: u32,
    pub start: NaiveDateTime,
    /// The local time at which the run began to work: START, or the command after a splay. None during the splay.
    pub begun: Option<NaiveDateTime>,
    /// The local time of the last record.
    pub last: NaiveDateTime,
    /// The local time by which the run was certainly dead, if known. None after END.
    pub dead_by: Option<NaiveDateTime>,
    /// The local time at which the process id started another run. None after END.
    pub pid_reused: Option<NaiveDateTime>,
    /// The operands: `HOST SCRIPT PARAMETERS`.
    pub job: Rc<[u8]>,
    /// The ssh command. None if the command line was refused.
    pub command: Option<Vec<u8>>,
    pub retries: u32,
    /// The number of lines of output, including remoteexe's own messages.
    pub lines: u64,
    /// The number of bytes of output, including newlines.
    pub bytes: u64,
    pub attempt: Attempt,
    /// The output of the last attempt, as far as it is kept.
    pub kept: KeptOutput,
    /// The line of output with the reason of a bad run, as on a terminal.
    pub reason: Option<String>,
    /// The lines of a good run that report a failure.
    pub errors: Vec<ErrorLine>,
    /// A record has an earlier time than the record before it.
    pub is_clock_back: bool,
    /// The same job was started again during the run.
    pub is_overlapped: bool,
    /// A record may belong to another run, or may be a line of output without a mark.
    pub is_ambiguous: bool,
    /// The records, if they are wanted.
    pub records: Option<KeptRecords>,
}

/// The most lines of output of a refused login, with a banner.
const LONGEST_BANNER: u64 = 30;

impl Trace {
    /// A run of `job` from START number `number`, at the local time `start`.
    pub fn new(number: u64, owner: Owner, pid: u32, start: NaiveDateTime, job: Rc<[u8]>) -> Self {
        let begun = Some(start);
        Self { number, owner, pid, start, begun, last: start, job, ..Self::default() }
    }

    /// Whether a record of this kind, other than START, may belong to the run in its present state.
    pub fn fits(&self, kind: Kind) -> bool {
        match kind {
            Kind::End(_, job) => *self.job == *job,
            Kind::Command(command) => match self.command.as_deref() {
                None => command.ends_with(&self.job),
                Some(first) => self.attempt.sequel == Some(Sequel::Retry) && first == command,
            },
            Kind::Wait(_) => self.command.is_none() && self.lines == 0,
            // Before its command a run has no output.
            Kind::Retry(_) | Kind::Output(_) => self.command.is_some(),
            Kind::Notice(..) | Kind::UsageError(_) | Kind::Usage(_) => true,
            Kind::Start(_) | Kind::Mark => false,
        }
    }

    pub fn note(&mut self, records: &Records, are_output: bool) {
        self.is_clock_back |= records.time < self.last;
        self.last = records.time;
        // The run was still alive.
        self.pid_reused = None;
        if let Some(kept) = &mut self.records {
            kept.add(records.lines, are_output);
        }
    }

    pub fn take_command(&mut self, command: &[u8], record: &Records) {
        self.note(record, false);
        if self.command.is_none() {
            self.command = Some(command.to_vec());
            self.begun.get_or_insert(record.time);
        } else {
            self.retries += 1;
            self.attempt = Attempt::default();
            self.kept.clear();
        }
    }

    /// Takes lines of output, or a message of remoteexe.
    pub fn take_output(&mut self, records: &Records) {
        self.note(records, true);
        self.lines += records.count;
        self.bytes += records.bytes();
        self.kept.push(records);
    }

    /// Whether the host refused the login with a message in place of running the script. Cloud images and nologin
    /// shells do that, with an exit status as of a script.
    pub fn is_refused_login(&self) -> bool {
        // Some hosts print a banner before the message, some a blank line after it.
        let last = || self.kept.tail().rfind(|line| !line.trim_ascii().is_empty());
        self.lines <= LONGEST_BANNER && last().is_some_and(|line| is_no_login(&String::from_utf8_lossy(line)))
    }
}
