//! The facts about one run, gathered record by record.

use std::rc::Rc;

use chrono::NaiveDateTime;

use super::kept::KeptRecords;
use super::kept_output::KeptOutput;
use crate::log::record::{Kind, Notice, Record};
use crate::report::logs::outputs::Outputs;
use crate::report::logs::owner::Owner;
use crate::ssh_error::is_no_login;

/// Why an attempt could not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartFailure {
    /// There is no ssh.
    NoSsh,
    /// ssh could not be started, or not be waited for.
    SshNotRun,
}

/// What remoteexe has logged about the last attempt.
#[derive(Debug, Default)]
pub struct Attempt {
    /// ssh was killed because it had not connected in time.
    pub is_timeout: bool,
    /// ssh failed after it had requested the script.
    pub is_requested: bool,
    /// Why it could not run, if that is so.
    pub start_failure: Option<StartFailure>,
    /// What follows.
    pub sequel: Option<Sequel>,
}

/// What the log says of the time after an attempt, where retries were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sequel {
    /// Another attempt.
    Retry,
    /// None, and why.
    NoRetry,
}

impl Attempt {
    /// Takes a message.
    pub fn hear(&mut self, notice: Notice) {
        match notice {
            Notice::ConnectTimeout(_) => self.is_timeout = true,
            Notice::Requested => self.is_requested = true,
            Notice::SshNotFound(_) => self.start_failure = Some(StartFailure::NoSsh),
            Notice::SshCannotRun(_) | Notice::SshKilled(_) => {
                self.start_failure = Some(StartFailure::SshNotRun);
            }
            Notice::NoRetries(_)
            | Notice::NoRetry(_)
            | Notice::LooksRefused
            | Notice::StillRuns(_) => self.sequel = Some(Sequel::NoRetry),
            _ => {}
        }
    }
}

/// The facts about one run that its records have told so far.
#[derive(Debug)]
pub struct Trace {
    /// The place in the order of all STARTs, the first being 1.
    pub number: u64,
    /// The owner of the records.
    pub owner: Owner,
    /// The process id of remoteexe.
    pub pid: u32,
    /// The local time of START.
    pub start: NaiveDateTime,
    /// The local time at which the run began to work: that of START, or after a splay that of the command. None
    /// while the splay lasts.
    pub begun: Option<NaiveDateTime>,
    /// The local time of the last record.
    pub last: NaiveDateTime,
    /// The local time at which it is known to be dead, if it has no END and that is known.
    pub dead_by: Option<NaiveDateTime>,
    /// The local time at which its process id started another run, if it has no END.
    pub pid_reused: Option<NaiveDateTime>,
    /// The operands in START: `HOST SCRIPT PARAMETERS`.
    pub job: Rc<[u8]>,
    /// The ssh command. There is none if the command line was refused.
    pub command: Option<Vec<u8>>,
    /// The number of retries.
    pub retries: u32,
    /// The number of lines of output, including remoteexe's own messages.
    pub lines: u64,
    /// The number of bytes of output, including newlines.
    pub bytes: u64,
    /// What remoteexe has logged about the last attempt.
    pub attempt: Attempt,
    /// What is kept of the output of the last attempt.
    pub kept: KeptOutput,
    /// The line of output that says why the run was bad, as a person would see it.
    pub reason: Option<String>,
    /// A record has an earlier time than the record before it.
    pub is_clock_back: bool,
    /// The same job was started again during this run.
    pub is_overlapped: bool,
    /// A record may belong to another run as well, or may be a line of output that has no mark.
    pub is_ambiguous: bool,
    /// The records, if they are wanted.
    pub records: Option<KeptRecords>,
}

impl Trace {
    /// A run of `job` whose START is the one with this `number`, in the log of `owner`, and has the local
    /// time `start`.
    pub fn new(number: u64, owner: Owner, pid: u32, start: NaiveDateTime, job: Rc<[u8]>) -> Self {
        Self {
            number,
            owner,
            pid,
            start,
            begun: Some(start),
            last: start,
            dead_by: None,
            pid_reused: None,
            job,
            command: None,
            retries: 0,
            lines: 0,
            bytes: 0,
            attempt: Attempt::default(),
            kept: KeptOutput::default(),
            reason: None,
            is_clock_back: false,
            is_overlapped: false,
            is_ambiguous: false,
            records: None,
        }
    }

    /// Whether a record of this kind, which is not START, may belong to this run as far as it has come.
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
            Kind::Notice(_) | Kind::UsageError(_) | Kind::Usage(_) => true,
            Kind::Start(_) | Kind::Mark => false,
        }
    }

    /// Notes a record of the local time `time`, which is `line` of the log and no output.
    pub fn note(&mut self, time: NaiveDateTime, line: &[u8]) {
        self.note_time(time);
        if let Some(records) = &mut self.records {
            records.add(line, false);
        }
    }

    fn note_time(&mut self, time: NaiveDateTime) {
        self.is_clock_back |= time < self.last;
        self.last = time;
        // It has not died by then.
        self.pid_reused = None;
    }

    /// Takes the wait of a splay. It comes before the command, and is no part of the duration.
    pub fn take_wait(&mut self, time: NaiveDateTime, line: &[u8]) {
        self.note(time, line);
        self.begun = None;
    }

    /// Takes the ssh command of an attempt.
    pub fn take_command(&mut self, command: &[u8], time: NaiveDateTime, line: &[u8]) {
        self.note(time, line);
        if self.command.is_none() {
            self.command = Some(command.to_vec());
            self.begun.get_or_insert(time);
        } else {
            self.retries += 1;
            self.attempt = Attempt::default();
            self.kept.clear();
        }
    }

    /// Takes the record that another attempt follows.
    pub fn take_retry(&mut self, time: NaiveDateTime, line: &[u8]) {
        self.note(time, line);
        self.attempt.sequel = Some(Sequel::Retry);
    }

    /// Takes a line of output, or a message of remoteexe.
    pub fn take_output(&mut self, record: &Record, line: &[u8]) {
        self.note_time(record.time);
        if let Some(records) = &mut self.records {
            records.add(line, true);
        }
        self.lines += 1;
        self.bytes += record.text.len() as u64 + 1;
        self.kept.push(record.text);
    }

    /// Whether the host let nobody in, and said so in place of running the script. Cloud images and the shell of an account that
    /// is no login do that, with a status that a script could have.
    pub fn is_refused_login(&self) -> bool {
        // Some have a banner.
        let is_short = self.lines <= 3;
        let mut lines = self.kept.tail().map(String::from_utf8_lossy);
        is_short && lines.any(|line| is_no_login(&line))
    }

    /// Takes lines of output in a row.
    pub fn take_outputs(&mut self, outputs: &Outputs) {
        self.note_time(outputs.time);
        if let Some(records) = &mut self.records {
            records.add(outputs.lines, true);
        }
        self.lines += outputs.count;
        self.bytes += outputs.bytes();
        self.kept.push_row(outputs);
    }
}
