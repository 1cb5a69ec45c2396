//! The runs of one process id: a state machine that each record moves on.
//!
//! A line of output may look like any record. The order of the records tells them apart:
//! - A true START is followed by a command with the same operands, or by remoteexe's own message.
//! - A true END has the operands of its START, and no record of that run follows it.
//!
//! Where the order leaves two answers, the runs are marked as ambiguous:
//! - A run seems to have another one in its output. In two PID namespaces that share a log, two processes have
//!   the same id at once, and nothing tells whose record is whose.
//! - A run begins after one without END, which may go on and have printed it.
//! - A run begins sooner after another than the kernel gives the same process id again.
//! - The END of a run comes again, later than that of another, as if that one were its output.
//! - A retry that nothing explains: remoteexe tries again only if ssh has said that the connection failed.

use std::mem;
use std::rc::Rc;

use chrono::{NaiveDateTime, TimeDelta};

use super::trace::Trace;
use crate::log::record::{Kind, Record, Retry};
use crate::report::logs::outputs::Outputs;

/// How many runs of one process id may be the output of one another. If there are more, the oldest is final.
const MAX_NESTED: usize = 8;

/// The kernel gives a process id again after all others. That takes it longer than this: it has at least
/// 32,767 of them, and makes some thousand processes a second.
const REUSE: TimeDelta = TimeDelta::seconds(2);

/// A process id that has a run: the run of the last record, and the runs that it may be the output of.
#[derive(Debug)]
pub struct Process {
    state: State,
    current: Trace,
    /// The oldest first.
    earlier: Vec<Draft>,
    /// The last runs that are final: the job and the number of the END of each.
    ended: Vec<(Rc<[u8]>, u64)>,
    /// The number of an END that was output, if the last record is the true one of the same run.
    doubted: Option<u64>,
}

/// The meaning of the last record.
#[derive(Debug)]
enum State {
    /// START, or a line of output that looks like it. The next record decides.
    Starting(Claim),
    /// A record of a run that goes on.
    Running,
    /// A retry record, and its local time. A command that follows begins the next attempt.
    Retrying(Retry, NaiveDateTime),
    /// END. If anything but START follows, it was a line of output.
    Ended(Exit),
}

/// A run that may still turn out to be the output of an earlier run.
#[derive(Debug)]
pub struct Draft {
    /// The facts about it.
    pub trace: Trace,
    /// None if its END has not come yet.
    pub exit: Option<Exit>,
}

/// The END of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// The exit status.
    pub status: u8,
    /// The place in the order of all ENDs, the first being 1.
    pub number: u64,
}

/// The changes that a START has made elsewhere. They are undone if it was a line of output.
#[derive(Debug)]
pub struct Claim {
    /// The job that it starts.
    pub job: Rc<[u8]>,
    /// The process id that had started the job last before.
    pub previous: Option<u32>,
    /// The number of that process's run, if the START marked it as overlapped.
    pub overlapped: Option<u64>,
}

impl Draft {
    /// Notes that it was dead when its process id started the run `next`, unless it has ended.
    fn date_death(&mut self, next: &Trace) {
        if self.exit.is_none() {
            self.trace.pid_reused = Some(next.start);
        }
    }
}

impl Process {
    /// A process id whose first record is START of the run `trace`.
    pub fn new(trace: Trace, claim: Claim) -> Self {
        Self {
            state: State::Starting(claim),
            current: trace,
            earlier: Vec::new(),
            ended: Vec::new(),
            doubted: None,
        }
    }

    /// Takes a later START. Returns the oldest run if there are too many.
    pub fn start(&mut self, trace: Trace, claim: Claim) -> Option<Draft> {
        let exit = self.exit();
        let trace = mem::replace(&mut self.current, trace);
        self.earlier.push(Draft { trace, exit });
        self.state = State::Starting(claim);
        (self.earlier.len() >= MAX_NESTED).then(|| {
            let mut oldest = self.earlier.remove(0);
            let next = self
                .earlier
                .first()
                .map_or(&self.current, |next| &next.trace);
            oldest.date_death(next);
            oldest
        })
    }

    /// Whether the last record looks like START.
    pub fn is_starting(&self) -> bool {
        matches!(self.state, State::Starting(_))
    }

    /// Decides, by the record `next`, whether the last record was START or a line of output. It has to look
    /// like START.
    ///
    /// Returns the runs that are final now, and the claim of the START if it was a line of output.
    pub fn decide_start(&mut self, next: Kind) -> (Vec<Draft>, Option<Claim>) {
        let State::Starting(claim) = mem::replace(&mut self.state, State::Running) else {
            unreachable!("the last record looks like START");
        };
        let is_start = self.is_start(next);
        if is_start {
            self.doubt_start();
        } else {
            self.refute_start(next);
        }
        (self.remove_ended(), (!is_start).then_some(claim))
    }

    /// Takes a record that is not START. A START before it has to be decided.
    ///
    /// `line` is the whole line. `number` is the place in the order of all ENDs that the record has if it is
    /// an END. Returns whether it is one.
    pub fn advance(&mut self, kind: Kind, record: &Record, line: &[u8], number: u64) -> bool {
        self.go_on();
        self.current.note(record.time, line);
        let retry = match self.state {
            State::Retrying(retry, time) => Some((retry, time)),
            State::Starting(_) | State::Running | State::Ended(_) => None,
        };
        self.state = match kind {
            Kind::End(status, job) if self.close(job) => State::Ended(Exit { status, number }),
            Kind::Retry(retry) => State::Retrying(retry, record.time),
            Kind::Wait(_) if self.current.take_wait() => State::Running,
            Kind::Command(command) if self.current.take_command(command, retry) => State::Running,
            _ => {
                if let Kind::End(_, job) = kind {
                    self.doubted = self.last_end_of(job);
                }
                self.current.add_output(record.text);
                State::Running
            }
        };
        self.exit().is_some()
    }

    /// Takes records in a row. A START before them has to be decided.
    pub fn advance_by(&mut self, outputs: &Outputs) {
        self.go_on();
        self.state = State::Running;
        self.current.add_outputs(outputs);
    }

    /// Takes an END before the next record as a line of output: nothing of a run follows its END.
    fn go_on(&mut self) {
        debug_assert!(!self.is_starting(), "START is decided");
        if let Some(exit) = self.exit() {
            self.current.add_end(exit.status);
        }
        self.doubted = None;
    }

    /// If no more records follow, its last run may be the output of one that is final. Marks it then, and
    /// returns the number of the END of the final one.
    pub fn doubt_last(&mut self) -> Option<u64> {
        let doubted = self.doubted.take()?;
        self.current.is_ambiguous = true;
        Some(doubted)
    }

    /// The number of the START of its last run, unless END was the last record.
    pub fn unended(&self) -> Option<u64> {
        self.exit().is_none().then_some(self.current.number)
    }

    /// Notes that the clock was set during its last run.
    pub fn doubt_clock(&mut self) {
        self.current.is_clock_back = true;
    }

    /// Whether END with this number was the last record.
    pub fn has_ended_with(&self, number: u64) -> bool {
        self.exit().is_some_and(|exit| exit.number == number)
    }

    /// The last run for which `is_wanted` is true. It is given the run, and whether END has come.
    pub fn find_last(&mut self, is_wanted: impl Fn(&Trace, bool) -> bool) -> Option<&mut Trace> {
        if is_wanted(&self.current, self.exit().is_some()) {
            return Some(&mut self.current);
        }
        let mut earlier = self.earlier.iter_mut().rev();
        let draft = earlier.find(|draft| is_wanted(&draft.trace, draft.exit.is_some()));
        draft.map(|draft| &mut draft.trace)
    }

    /// All runs, the oldest first.
    pub fn into_drafts(self) -> impl Iterator<Item = Draft> {
        let exit = self.exit();
        let trace = self.current;
        let mut drafts = self.earlier;
        drafts.push(Draft { trace, exit });
        for index in 1..drafts.len() {
            let (earlier, later) = drafts.split_at_mut(index);
            earlier[index - 1].date_death(&later[0].trace);
        }
        drafts.into_iter()
    }

    /// Ends the log. Returns the run for which `is_running` is true, if there is one, and all others.
    pub fn finish(self, is_running: impl Fn(&Trace) -> bool) -> (Option<Trace>, Vec<Draft>) {
        let is_undecided = self.is_starting();
        let mut drafts: Vec<Draft> = self.into_drafts().collect();
        let is_running = |draft: &Draft| draft.exit.is_none() && is_running(&draft.trace);
        if let Some(index) = drafts.iter().rposition(is_running) {
            return (Some(merge(drafts.split_off(index))), drafts);
        }
        if is_undecided
            && let [.., earlier, last] = drafts.as_mut_slice()
            && earlier.exit.is_none()
        {
            earlier.trace.is_ambiguous = true;
            last.trace.is_ambiguous = true;
        }
        (None, drafts)
    }

    /// The END of the current run, if that was the last record.
    fn exit(&self) -> Option<Exit> {
        match self.state {
            State::Ended(exit) => Some(exit),
            State::Starting(_) | State::Running | State::Retrying(..) => None,
        }
    }

    /// Removes the oldest runs up to the first that has no END. A run that follows an END is not output of
    /// the run that has ended.
    fn remove_ended(&mut self) -> Vec<Draft> {
        let has_ended = |run: &&Draft| run.exit.is_some();
        let count = self.earlier.iter().take_while(has_ended).count();
        let removed: Vec<Draft> = self.earlier.drain(..count).collect();
        for draft in &removed {
            let exit = draft.exit.expect("it has ended");
            self.ended.push((Rc::clone(&draft.trace.job), exit.number));
        }
        let too_many = self.ended.len().saturating_sub(MAX_NESTED);
        self.ended.drain(..too_many);
        removed
    }

    /// The number of the END of the last final run of `job`.
    fn last_end_of(&self, job: &[u8]) -> Option<u64> {
        let mut ended = self.ended.iter().rev();
        ended
            .find(|(other, _)| **other == *job)
            .map(|(_, number)| *number)
    }

    /// Marks the current run, whose START is confirmed, if it may be the output of an earlier one.
    fn doubt_start(&mut self) {
        let start = self.current.start;
        for Draft { trace, exit } in &mut self.earlier {
            let since = start - trace.last;
            let is_soon = since >= TimeDelta::zero() && since < REUSE;
            // Before its command a run has no output.
            if trace.command.is_some() && (exit.is_none() || is_soon) {
                trace.is_ambiguous = true;
                self.current.is_ambiguous = true;
            }
        }
    }

    /// Whether the last record was START of the current run, if `next` follows it.
    fn is_start(&self, next: Kind) -> bool {
        match next {
            Kind::Command(command) => command.ends_with(&self.current.job),
            // A run that was killed at once, unless it is within the output of another.
            Kind::Start(_) => self.earlier.last().is_none_or(|run| run.exit.is_some()),
            Kind::Wait(_) | Kind::Notice(_) | Kind::UsageError(_) | Kind::Usage(_) => true,
            Kind::Retry(_) | Kind::End(..) | Kind::Mark | Kind::Output(_) => false,
        }
    }

    /// Takes the START of the current run as a line of output of the run before it, because `next` follows.
    fn refute_start(&mut self, next: Kind) {
        let Some(Draft { trace, exit }) = self.earlier.pop() else {
            // The START of the run that printed the line is missing, or the command is.
            self.current.is_ambiguous = true;
            return;
        };
        let output = mem::replace(&mut self.current, trace);
        if let Some(exit) = exit {
            self.current.add_end(exit.status);
        }
        // Before its command a run has no output.
        let is_command = matches!(next, Kind::Command(text) if text.ends_with(&self.current.job));
        self.current.is_ambiguous |= is_command && self.current.command.is_none();
        self.current.absorb(output, None);
    }

    /// Takes an END of `job`: the last run of that job becomes the current one, and all that came after
    /// its START is its output. Returns false if there is no such run without END.
    fn close(&mut self, job: &[u8]) -> bool {
        let is_open = |run: &Draft| run.exit.is_none() && *run.trace.job == *job;
        if *self.current.job != *job {
            let Some(index) = self.earlier.iter().rposition(is_open) else {
                return false;
            };
            let mut nested = self.earlier.split_off(index);
            let trace = mem::replace(&mut self.current, nested.remove(0).trace);
            nested.push(Draft { trace, exit: None });
            absorb(&mut self.current, nested);
            self.current.is_ambiguous = true;
        }
        // Did this END end both, and one is output of the other, or was the other lost?
        for other in self.earlier.iter_mut().filter(|run| is_open(run)) {
            other.trace.is_ambiguous = true;
            self.current.is_ambiguous = true;
        }
        true
    }
}

/// Takes all but the first run as its output.
fn merge(mut drafts: Vec<Draft>) -> Trace {
    let later = drafts.split_off(1);
    let mut first = drafts.pop().expect("there is a first run").trace;
    absorb(&mut first, later);
    first
}

fn absorb(trace: &mut Trace, later: Vec<Draft>) {
    for draft in later {
        trace.absorb(draft.trace, draft.exit.map(|exit| exit.status));
    }
}
