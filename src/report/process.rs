//! The runs under one process id, one after the other.
//!
//! An output line may look like any record. What is what is decided by the order, where it can be: after a
//! true START comes `command,` with the same operands, or a message of remoteexe's own; after a true END
//! comes nothing of that run; END has the operands of START.

use chrono::NaiveDateTime;

use super::run::{End, Run};
use crate::log::record::Kind;

/// What is known of the runs under one process id: the last one, and below it those that it seems to have
/// come after while they had no END.
#[derive(Debug, Default)]
pub struct Process {
    /// The runs, the last one last.
    pub runs: Vec<Run>,
    /// The last record was START.
    pub start: Option<Start>,
    /// The last record was `retry,`.
    pub is_retrying: bool,
}

/// What a START that is not certain yet has changed.
#[derive(Debug)]
pub struct Start {
    /// The process that had started the job last until then.
    pub before: Option<u32>,
    /// That one was still at it, and not known to be overlapped.
    pub is_overlap: bool,
}

impl Process {
    /// Decides, by the record after it, whether a START was one or a line of output.
    pub fn confirm_start(&mut self, kind: Kind) -> bool {
        let Some((run, below)) = self.runs.split_last_mut() else {
            return false;
        };
        let is_start = match kind {
            Kind::Command(command) => command.ends_with(&run.job),
            // It was killed at once, unless it is in the midst of another run's output.
            Kind::Start(_) => below.last().is_none_or(Run::has_end),
            Kind::Notice(_) | Kind::UsageError(_) | Kind::Usage(_) => true,
            Kind::Retry(_) | Kind::End(..) | Kind::Output(_) => false,
        };
        if is_start {
            return true;
        }
        run.is_ambiguous = true;
        if !below.is_empty()
            && let Some(output) = self.runs.pop()
        {
            self.reopen();
            if let Some(below) = self.runs.last_mut() {
                below.absorb(output);
            }
        }
        false
    }

    /// Takes an END for `job`, the one with this number, if there is a run that it can belong to.
    pub fn end(&mut self, job: &[u8], code: u8, number: u64, time: NaiveDateTime) -> bool {
        self.reopen();
        let is_its_own = |run: &Run| *run.job == *job && !run.has_end();
        let Some(depth) = self.runs.iter().rposition(is_its_own) else {
            return false;
        };
        // What came after that run's START was its output, then.
        self.absorb_above(depth);
        let Some((run, below)) = self.runs.split_last_mut() else {
            return false;
        };
        run.end = End::Exit(code);
        run.number = number;
        run.goes_on(time);
        // Did this one end both, or was the other lost? Either may be.
        let is_open = |other: &&mut Run| other.job == run.job && !other.has_end();
        for other in below.iter_mut().filter(is_open) {
            other.is_ambiguous = true;
            run.is_ambiguous = true;
        }
        true
    }

    /// Ends the log.
    pub fn finish(&mut self, is_alive: impl Fn(&Run) -> bool) {
        let is_running = |run: &Run| !run.has_end() && is_alive(run);
        if let Some(depth) = self.runs.iter().rposition(is_running) {
            self.absorb_above(depth);
            self.runs[depth].end = End::Running;
        } else if self.start.is_some()
            && let [.., below, run] = self.runs.as_mut_slice()
            && !below.has_end()
        {
            // The record that would decide has not come.
            below.is_ambiguous = true;
            run.is_ambiguous = true;
        }
    }

    /// Takes a `command,`, which is one only behind START or `retry,`.
    pub fn command(&mut self, command: &[u8], is_retrying: bool) -> bool {
        self.reopen();
        let Some(run) = self.runs.last_mut() else {
            return false;
        };
        match &run.command {
            None if command.ends_with(&run.job) => run.command = Some(command.to_vec()),
            Some(first) if is_retrying && first == command => {
                run.retries += 1;
                run.tail.clear();
            }
            _ => return false,
        }
        true
    }

    /// Takes a line of output.
    pub fn output(&mut self, text: &[u8]) {
        self.reopen();
        if let Some(run) = self.runs.last_mut() {
            run.add_output(text);
        }
    }

    /// Nothing comes after END: what looked like one was output.
    pub fn reopen(&mut self) {
        if let Some(run) = self.runs.last_mut()
            && let Some(text) = run.end_text()
        {
            run.end = End::Lost;
            run.add_output(&text);
        }
    }

    /// Makes all runs above `depth` part of the output of that one.
    fn absorb_above(&mut self, depth: usize) {
        for run in self.runs.split_off(depth + 1) {
            if let Some(below) = self.runs.last_mut() {
                below.absorb(run);
            }
        }
    }

    /// Keeps the record that `line` is, where records are wanted.
    pub fn keep(&mut self, line: &[u8]) {
        if let Some(records) = self.runs.last_mut().and_then(|run| run.records.as_mut()) {
            records.extend_from_slice(line);
            records.push(b'\n');
        }
    }
}
