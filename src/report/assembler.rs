//! Assembles runs from the interleaved records of many processes, and gives them out in the order of their
//! ENDs.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::mem;
use std::rc::Rc;

use super::process::{Claim, Draft, Process};
use super::run::{End, Run};
use super::trace::Trace;
use crate::log::record::{Kind, Record};

/// How many of the latest ENDs may still turn out to be lines of output.
const MAX_REVOCABLE: usize = 4096;

/// The state of all runs after some records of the log.
#[derive(Debug, Default)]
pub struct Assembler {
    /// The processes by their ids, without the current one. A process id without START has none.
    processes: HashMap<u32, Box<Process>>,
    /// The process of the last record, and its id. The next record is often of the same process.
    current: Option<Box<Process>>,
    current_pid: u32,
    /// The latest ENDs, the oldest first: process id and number.
    revocable: VecDeque<(u32, u64)>,
    /// The number of STARTs so far.
    starts: u64,
    /// The number of ENDs so far.
    ends: u64,
    /// Ended runs by the number of their END. They wait for a run that ended earlier and is revocable.
    ended: BTreeMap<u64, Run>,
    /// Runs without END. They are given out last.
    unended: Vec<Run>,
    /// The process id that started each job last.
    last_started_by: HashMap<Rc<[u8]>, u32>,
    /// The process id whose records are wanted.
    recorded: Option<u32>,
    /// The number of records whose START is missing.
    pub unmatched: u64,
}

impl Assembler {
    /// An assembler that keeps the records of the process id `recorded`.
    pub fn new(recorded: Option<u32>) -> Self {
        Self {
            recorded,
            ..Self::default()
        }
    }

    /// Takes the next record, which is `line` of the log. Gives final runs to `finished`.
    pub fn take(&mut self, record: &Record, line: &[u8], finished: &mut impl FnMut(Run)) {
        self.switch_to(record.pid);
        let kind = Kind::parse(record.text);
        self.decide_start(kind);
        if let Kind::Start(job) = kind {
            return self.start(record, line, job);
        }
        let Some(process) = &mut self.current else {
            self.unmatched += 1;
            return;
        };
        if process.advance(kind, record, line, self.ends + 1) {
            self.ends += 1;
            self.revocable.push_back((record.pid, self.ends));
            self.release(finished);
        }
    }

    /// Makes the process `pid` the current one.
    fn switch_to(&mut self, pid: u32) {
        if self.current_pid == pid {
            return;
        }
        let next = self.processes.remove(&pid);
        let previous = mem::replace(&mut self.current, next);
        let previous_pid = mem::replace(&mut self.current_pid, pid);
        if let Some(process) = previous {
            self.processes.insert(previous_pid, process);
        }
    }

    /// Ends the log: gives all remaining runs to `finished`. A run without END is running if `is_running`
    /// says so, and lost if not.
    pub fn finish(mut self, is_running: impl Fn(&Trace) -> bool, finished: &mut impl FnMut(Run)) {
        let current = self.current.take();
        let processes = mem::take(&mut self.processes);
        for process in processes.into_values().chain(current) {
            let (running, others) = process.finish(&is_running);
            for draft in others {
                self.add(draft);
            }
            let running = running.map(|trace| Run::new(trace, End::Running));
            self.unended.extend(running);
        }
        self.ended.into_values().for_each(&mut *finished);
        self.unended
            .sort_by_key(|run| (run.trace.start, run.trace.pid));
        self.unended.into_iter().for_each(finished);
    }

    fn start(&mut self, record: &Record, line: &[u8], job: &[u8]) {
        let job = match self.last_started_by.get_key_value(job) {
            Some((known, _)) => Rc::clone(known),
            None => job.into(),
        };
        let previous = self.last_started_by.insert(Rc::clone(&job), record.pid);
        let overlapped = previous.and_then(|pid| self.mark_overlapped(pid, &job));
        self.starts += 1;
        let mut trace = Trace::new(self.starts, record.pid, record.time, Rc::clone(&job));
        if self.recorded == Some(record.pid) {
            trace.records = Some(Vec::new());
            trace.note(record.time, line);
        }
        let claim = Claim {
            job,
            previous,
            overlapped,
        };
        let Some(process) = &mut self.current else {
            self.current = Some(Box::new(Process::new(trace, claim)));
            return;
        };
        if let Some(oldest) = process.start(trace, claim) {
            self.add(oldest);
        }
    }

    /// Marks the run of `job` that the process `pid` has not ended, because the job is started again.
    /// Returns its number, unless it is marked already.
    fn mark_overlapped(&mut self, pid: u32, job: &Rc<[u8]>) -> Option<u64> {
        let is_open = |trace: &Trace, has_end: bool| trace.job == *job && !has_end;
        let run = self.processes.get_mut(&pid)?.find_last(is_open)?;
        let was_overlapped = mem::replace(&mut run.is_overlapped, true);
        (!was_overlapped).then_some(run.number)
    }

    /// Decides, by the record `next` of the current process, whether a START before it was one.
    fn decide_start(&mut self, next: Kind) {
        let starting = self
            .current
            .as_mut()
            .filter(|process| process.is_starting());
        let Some(process) = starting else { return };
        let (ended, refuted) = process.decide_start(next);
        for draft in ended {
            self.add(draft);
        }
        if let Some(claim) = refuted {
            self.undo(claim);
        }
    }

    /// Undoes the changes of a START of the current process that was a line of output.
    fn undo(&mut self, claim: Claim) {
        let Claim { job, previous, .. } = claim;
        // The run may have been given out by now, or may have been output itself.
        if let Some(process) = previous.and_then(|pid| self.processes.get_mut(&pid))
            && let Some(run) = process.find_last(|trace, _| Some(trace.number) == claim.overlapped)
        {
            run.is_overlapped = false;
        }
        // Another process may have started the job since.
        if self.last_started_by.get(&job) == Some(&self.current_pid) {
            match previous {
                Some(pid) => self.last_started_by.insert(job, pid),
                None => self.last_started_by.remove(&job),
            };
        }
    }

    /// Makes the oldest revocable END final if there are too many of them, and gives out what had to wait
    /// for it.
    fn release(&mut self, finished: &mut impl FnMut(Run)) {
        if self.revocable.len() <= MAX_REVOCABLE {
            return;
        }
        let oldest = self.revocable.pop_front();
        let (pid, number) = oldest.expect("there are more than the maximum");
        if let Entry::Occupied(process) = self.processes.entry(pid)
            && process.get().has_ended_with(number)
        {
            process
                .remove()
                .into_drafts()
                .for_each(|draft| self.add(draft));
        }
        while let Some(first) = self.ended.first_entry()
            && *first.key() <= number
        {
            finished(first.remove());
        }
    }

    /// Adds a run that no later record can change.
    fn add(&mut self, draft: Draft) {
        match draft.exit {
            Some(exit) => {
                let run = Run::new(draft.trace, End::Exit(exit.status));
                self.ended.insert(exit.number, run);
            }
            None => self.unended.push(Run::new(draft.trace, End::Lost)),
        }
    }
}
