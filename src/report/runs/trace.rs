//! The facts about one run, gathered record by record.

use std::mem;
use std::rc::Rc;

use chrono::{NaiveDateTime, TimeDelta};

use super::kept::KeptOutput;
use crate::log::record::{Kind, Notice, Parser, Retry};
use crate::report::logs::outputs::Outputs;
use crate::report::logs::owner::Owner;
use crate::ssh_error::{Diagnosis, is_no_login};

/// Whether `command` begins an attempt of a run of `job`, and is no line of output: the first one, or one that
/// follows a retry record and is the same as the `first`.
fn is_attempt(command: &[u8], job: &[u8], first: Option<&[u8]>, is_retrying: bool) -> bool {
    match first {
        None => command.ends_with(job),
        Some(first) => is_retrying && first == command,
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
    /// What is kept of the output of the last attempt.
    pub kept: KeptOutput,
    /// The line of output that says why the run was bad, as a person would see it.
    pub reason: Option<String>,
    /// A record has an earlier time than the record before it.
    pub is_clock_back: bool,
    /// The same job was started again during this run.
    pub is_overlapped: bool,
    /// The order of the records does not tell whether a line is START or END of a run, or output.
    pub is_ambiguous: bool,
    /// The lines of the log, each with its newline, if they are wanted.
    pub records: Option<Vec<u8>>,
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
            kept: KeptOutput::default(),
            reason: None,
            is_clock_back: false,
            is_overlapped: false,
            is_ambiguous: false,
            records: None,
        }
    }

    /// Notes a record of the local time `time`, which is `line` of the log.
    pub fn note(&mut self, time: NaiveDateTime, line: &[u8]) {
        self.note_time(time);
        if let Some(records) = &mut self.records {
            records.extend_from_slice(line);
            records.push(b'\n');
        }
    }

    fn note_time(&mut self, time: NaiveDateTime) {
        self.is_clock_back |= time < self.last;
        self.last = time;
    }

    /// Takes the wait of a splay. It comes before the command, and is no part of the duration.
    ///
    /// Returns false if it is a line of output.
    pub fn take_wait(&mut self) -> bool {
        let is_wait = self.command.is_none() && self.lines == 0;
        if is_wait {
            self.begun = None;
        }
        is_wait
    }

    /// Takes the ssh command of the first attempt, or of a later one that follows the record `retry` of this local
    /// time.
    ///
    /// Returns false if `command` is a line of output.
    pub fn take_command(&mut self, command: &[u8], retry: Option<(Retry, NaiveDateTime)>) -> bool {
        let first = self.command.as_deref();
        if !is_attempt(command, &self.job, first, retry.is_some()) {
            return false;
        }
        if first.is_some() {
            let is_explained = retry.is_some_and(|(retry, time)| self.explains(retry, time));
            self.is_ambiguous |= !is_explained;
            self.retries += 1;
            self.kept.clear();
        } else {
            self.command = Some(command.to_vec());
            self.begun.get_or_insert(self.last);
        }
        true
    }

    /// Whether remoteexe has written this record, as far as one can see, and no script has printed it: it is the next
    /// retry, the wait is over, and ssh has said that the connection failed.
    fn explains(&self, retry: Retry, time: NaiveDateTime) -> bool {
        let is_next = retry.number == self.retries + 1 && retry.number <= retry.count;
        // Both times are cut to seconds.
        let waited = self.last - time + TimeDelta::seconds(1);
        let has_waited = TimeDelta::from_std(retry.wait).is_ok_and(|wait| wait <= waited);
        let mut diagnosis = Diagnosis::default();
        self.kept.tail().for_each(|line| diagnosis.observe(line));
        let is_timeout =
            |line| matches!(Kind::parse(line), Kind::Notice(Notice::ConnectTimeout(_)));
        let has_failed = diagnosis
            .failure()
            .is_some_and(|failure| failure.cause.is_transient())
            || self.kept.tail().any(is_timeout);
        is_next && has_failed && (has_waited || self.is_clock_back)
    }

    /// The lines of output of all attempts, among the records of the run. They are wanted, and so kept.
    pub fn output(&self, has_ended: bool) -> Vec<&[u8]> {
        let records = self.records.as_deref().unwrap_or_default();
        let records = records.strip_suffix(b"\n").unwrap_or(records);
        let mut parser = Parser::default();
        let lines = records.split(|&byte| byte == b'\n');
        let texts = lines.filter_map(|line| Some(parser.parse(line)?.text));
        // The first one is START.
        let mut texts: Vec<&[u8]> = texts.skip(1).collect();
        if has_ended {
            texts.pop();
        }
        let (mut first, mut is_retrying) = (None, false);
        texts.retain(|text| {
            let was_retrying = mem::take(&mut is_retrying);
            match Kind::parse(text) {
                Kind::Retry(_) => is_retrying = true,
                Kind::Command(command) if is_attempt(command, &self.job, first, was_retrying) => {
                    first = Some(command);
                }
                _ => return true,
            }
            false
        });
        texts
    }

    /// Whether the host let nobody in, and said so in place of running the script. Cloud images and the shell of an account that
    /// is no login do that, with a status that a script could have.
    pub fn is_refused_login(&self) -> bool {
        // Some have a banner.
        let is_short = self.lines <= 3;
        let mut lines = self.kept.tail().map(String::from_utf8_lossy);
        is_short && lines.any(|line| is_no_login(&line))
    }

    /// Adds a line of output.
    pub fn add_output(&mut self, line: &[u8]) {
        self.lines += 1;
        self.bytes += line.len() as u64 + 1;
        self.kept.push(line);
    }

    /// Notes records in a row, and adds their lines of output.
    pub fn add_outputs(&mut self, outputs: &Outputs) {
        self.note_time(outputs.time);
        if let Some(records) = &mut self.records {
            records.extend_from_slice(outputs.lines);
            records.push(b'\n');
        }
        self.lines += outputs.count;
        self.bytes += outputs.bytes();
        self.kept.push_row(outputs);
    }

    /// Adds what looked like the END of this run as a line of output.
    pub fn add_end(&mut self, status: u8) {
        let text = Kind::End(status, &self.job).text();
        self.add_output(&text);
    }

    /// Adds what looked like a later run as output. `status` is that of its END, if it has one.
    pub fn absorb(&mut self, mut later: Self, status: Option<u8>) {
        self.add_output(&Kind::Start(&later.job).text());
        if let Some(command) = &later.command {
            for _ in 0..=later.retries {
                self.add_output(&Kind::Command(command).text());
            }
        }
        if let Some(status) = status {
            later.add_end(status);
        }
        self.lines += later.lines;
        self.bytes += later.bytes;
        later.kept.tail().for_each(|line| self.kept.push(line));
        self.is_clock_back |= later.is_clock_back;
        self.note_time(later.start);
        self.last = later.last;
        if let Some(records) = &mut self.records {
            let more = later.records;
            records.extend(more.expect("all records of a process id are wanted, or none"));
        }
    }
}
