//! The runs of one process id: a state machine that each record moves on.
//!
//! A line of output may look like any record. The order of the records tells them apart:
//! - A true START is followed by a command with the same operands, or by remoteexe's own message.
//! - A true END has the operands of its START, and no record of that run follows it.
//!
//! Where the order leaves two answers, the runs are marked as ambiguous. So is a run whose output seems to
//! have another run in it: in two PID namespaces that share a log, two processes have the same id at once,
//! and nothing tells whose record is whose.

use std::mem;
use std::rc::Rc;

use super::trace::Trace;
use crate::log::record::{Kind, Record};

/// How many runs of one process id may be the output of one another. If there are more, the oldest is final.
const MAX_NESTED: usize = 8;

/// The runs of one process id, by the meaning of its last record.
#[derive(Debug, Default)]
pub enum Process {
    /// There was no START yet.
    #[default]
    Idle,
    /// START, or a line of output that looks like it. The next record decides.
    Starting(Box<Runs>, Claim),
    /// A record of a run that goes on.
    Running(Box<Runs>),
    /// A retry record. A command that follows begins the next attempt.
    Retrying(Box<Runs>),
    /// END. If anything but START follows, it was a line of output.
    Ended(Box<Runs>, Exit),
}

/// The run of the last record, and the runs that it may turn out to be the output of.
#[derive(Debug)]
pub struct Runs {
    current: Trace,
    /// The oldest first.
    earlier: Vec<Draft>,
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

/// The effect of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// None: its START is missing.
    Unmatched,
    /// It belongs to a run that goes on.
    Continued,
    /// It is the END of a run.
    Ended,
}

impl Process {
    /// Takes a START. Returns the oldest run if there are too many.
    pub fn start(&mut self, trace: Trace, claim: Claim) -> Option<Draft> {
        let Some((mut runs, exit)) = mem::take(self).into_runs() else {
            *self = Self::Starting(Box::new(Runs::new(trace)), claim);
            return None;
        };
        let trace = mem::replace(&mut runs.current, trace);
        runs.earlier.push(Draft { trace, exit });
        let oldest = (runs.earlier.len() >= MAX_NESTED).then(|| runs.earlier.remove(0));
        *self = Self::Starting(runs, claim);
        oldest
    }

    /// Decides, by the record `next`, whether the last record was START or a line of output. It has to look
    /// like START.
    ///
    /// Returns the runs that are final now, and the claim of the START if it was a line of output.
    pub fn decide_start(&mut self, next: Kind) -> (Vec<Draft>, Option<Claim>) {
        let Self::Starting(mut runs, claim) = mem::take(self) else {
            unreachable!("the last record looks like START");
        };
        let is_start = runs.is_start(next);
        if !is_start {
            runs.refute_start(next);
        }
        let ended = runs.remove_ended();
        *self = Self::Running(runs);
        (ended, (!is_start).then_some(claim))
    }

    /// Takes a record that is not START. A START before it has to be decided.
    ///
    /// `line` is the whole line. `number` is the place in the order of all ENDs that the record has if it is
    /// an END.
    pub fn advance(&mut self, kind: Kind, record: &Record, line: &[u8], number: u64) -> Effect {
        debug_assert!(!matches!(self, Self::Starting(..)), "START is decided");
        let is_retrying = matches!(self, Self::Retrying(_));
        let Some((mut runs, exit)) = mem::take(self).into_runs() else {
            return Effect::Unmatched;
        };
        if let Some(exit) = exit {
            // Nothing of a run follows its END.
            runs.current.add_end(exit.status);
        }
        runs.current.note(record.time, line);
        match kind {
            Kind::End(status, job) if runs.close(job) => {
                *self = Self::Ended(runs, Exit { status, number });
                return Effect::Ended;
            }
            Kind::Retry(_) => {
                *self = Self::Retrying(runs);
                return Effect::Continued;
            }
            Kind::Command(command) if runs.current.take_command(command, is_retrying) => {}
            _ => runs.current.add_output(record.text),
        }
        *self = Self::Running(runs);
        Effect::Continued
    }

    /// The number of the START of its last run, unless END was the last record.
    pub fn unended(&self) -> Option<u64> {
        match self {
            Self::Idle | Self::Ended(..) => None,
            Self::Starting(runs, _) | Self::Running(runs) | Self::Retrying(runs) => {
                Some(runs.current.number)
            }
        }
    }

    /// Whether END with this number was the last record.
    pub fn has_ended_with(&self, number: u64) -> bool {
        matches!(self, Self::Ended(_, exit) if exit.number == number)
    }

    /// The last run for which `is_wanted` is true. It is given the run, and whether END has come.
    pub fn find_last(&mut self, is_wanted: impl Fn(&Trace, bool) -> bool) -> Option<&mut Trace> {
        let (runs, has_end) = match self {
            Self::Idle => return None,
            Self::Ended(runs, _) => (runs, true),
            Self::Starting(runs, _) | Self::Running(runs) | Self::Retrying(runs) => (runs, false),
        };
        if is_wanted(&runs.current, has_end) {
            return Some(&mut runs.current);
        }
        let mut earlier = runs.earlier.iter_mut().rev();
        let draft = earlier.find(|draft| is_wanted(&draft.trace, draft.exit.is_some()));
        draft.map(|draft| &mut draft.trace)
    }

    /// All runs, the oldest first.
    pub fn into_drafts(self) -> impl Iterator<Item = Draft> {
        let runs = self.into_runs().into_iter();
        runs.flat_map(|(runs, exit)| {
            let trace = runs.current;
            runs.earlier.into_iter().chain([Draft { trace, exit }])
        })
    }

    /// Ends the log. Returns the run for which `is_running` is true, if there is one, and all others.
    pub fn finish(self, is_running: impl Fn(&Trace) -> bool) -> (Option<Trace>, Vec<Draft>) {
        let is_undecided = matches!(self, Self::Starting(..));
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

    /// The runs, with END if that was the last record.
    fn into_runs(self) -> Option<(Box<Runs>, Option<Exit>)> {
        match self {
            Self::Idle => None,
            Self::Starting(runs, _) | Self::Running(runs) | Self::Retrying(runs) => {
                Some((runs, None))
            }
            Self::Ended(runs, exit) => Some((runs, Some(exit))),
        }
    }
}

impl Runs {
    fn new(current: Trace) -> Self {
        Self {
            current,
            earlier: Vec::new(),
        }
    }

    /// Removes the oldest runs up to the first that has no END. A run that follows an END is not output of
    /// the run that has ended.
    fn remove_ended(&mut self) -> Vec<Draft> {
        let has_ended = |run: &&Draft| run.exit.is_some();
        let count = self.earlier.iter().take_while(has_ended).count();
        self.earlier.drain(..count).collect()
    }

    /// Whether the last record was START of the current run, if `next` follows it.
    fn is_start(&self, next: Kind) -> bool {
        match next {
            Kind::Command(command) => command.ends_with(&self.current.job),
            // A run that was killed at once, unless it is within the output of another.
            Kind::Start(_) => self.earlier.last().is_none_or(|run| run.exit.is_some()),
            Kind::Notice(_) | Kind::UsageError(_) | Kind::Usage(_) => true,
            Kind::Retry(_) | Kind::End(..) | Kind::Output(_) => false,
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
