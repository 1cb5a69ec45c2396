//! Makes runs out of the interleaved records of many processes, and gives them in the order of their ends.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;

use super::process::{Process, Start};
use super::run::{End, Run};
use super::tail::Tail;
use crate::log::record::{Kind, Record};

/// How many ended runs are kept in case that their END was a line of output.
const RECENT: usize = 4096;

/// How many runs of one process id are kept while an END may still tell which of them are output.
const DEEPEST: usize = 8;

/// The runs that are going on at one point of the log.
#[derive(Debug, Default)]
pub struct Pairing {
    /// All but the present one.
    processes: HashMap<u32, Process>,
    /// The process of the last record, because the next is often of the same.
    present: (u32, Process),
    /// The ends of runs, the oldest first, as process id and number.
    recent: VecDeque<(u32, u64)>,
    ends: u64,
    /// The runs that are over while one that ended before them is among the recent, by the number of
    /// their end.
    over: BTreeMap<u64, Run>,
    /// The runs whose END cannot come any more; they go last.
    lost: Vec<Run>,
    /// The process that has last started each job.
    latest: HashMap<Rc<[u8]>, u32>,
    /// Of which process the records are kept.
    kept: Option<u32>,
    /// How many records have no START.
    pub orphans: u64,
}

impl Pairing {
    /// A pairing that keeps the records of one process, if that is given.
    pub fn keeping(kept: Option<u32>) -> Self {
        Self {
            kept,
            ..Self::default()
        }
    }

    /// Takes the next record, whose line is `line`, and gives the runs that are over to `finished`.
    pub fn take(&mut self, record: &Record, line: &[u8], finished: &mut impl FnMut(Run)) {
        self.turn_to(record.pid);
        let kind = Kind::parse(record.text);
        self.decide_start(kind);
        let process = &mut self.present.1;
        let is_retrying = std::mem::take(&mut process.is_retrying);
        match kind {
            Kind::Start(job) => return self.start(record, line, job),
            _ if process.runs.is_empty() => self.orphans += 1,
            Kind::End(code, job) if process.end(job, code, self.ends + 1, record.time) => {
                self.ends += 1;
                self.recent.push_back((record.pid, self.ends));
                process.keep(line);
                return self.settle(finished);
            }
            Kind::Command(command) if process.command(command, is_retrying) => {}
            // It does not count as output, whatever comes next.
            Kind::Retry(_) => {
                process.reopen();
                process.is_retrying = true;
            }
            _ => process.output(record.text),
        }
        if let Some(run) = process.runs.last_mut() {
            run.goes_on(record.time);
        }
        process.keep(line);
    }

    /// Makes the process `pid` the present one.
    fn turn_to(&mut self, pid: u32) {
        if self.present.0 != pid {
            let next = self.processes.remove(&pid).unwrap_or_default();
            let (before, process) = std::mem::replace(&mut self.present, (pid, next));
            if !process.runs.is_empty() {
                self.processes.insert(before, process);
            }
        }
    }

    /// Ends the log: gives all runs that are left to `finished`, after `is_alive` has said of those
    /// without END whether the process is there.
    pub fn finish(mut self, is_alive: impl Fn(&Run) -> bool, finished: &mut impl FnMut(Run)) {
        let processes = std::mem::take(&mut self.processes).into_values();
        let processes: Vec<_> = processes
            .chain([std::mem::take(&mut self.present.1)])
            .collect();
        for mut process in processes {
            process.finish(&is_alive);
            process.runs.into_iter().for_each(|run| self.set_aside(run));
        }
        self.over.into_values().for_each(&mut *finished);
        self.lost.sort_by_key(|run| (run.start, run.pid));
        self.lost.into_iter().for_each(finished);
    }

    fn start(&mut self, record: &Record, line: &[u8], job: &[u8]) {
        if self.present.1.runs.len() >= DEEPEST {
            let oldest = self.present.1.runs.remove(0);
            self.set_aside(oldest);
        }
        let job = match self.latest.get_key_value(job) {
            Some((known, _)) => Rc::clone(known),
            None => job.into(),
        };
        let is_kept = self.kept == Some(record.pid);
        let before = self.latest.insert(Rc::clone(&job), record.pid);
        let is_overlap = before
            .and_then(|before| {
                let mut runs = self.processes.get_mut(&before)?.runs.iter_mut();
                runs.rfind(|run| run.job == job && !run.has_end())
            })
            .is_some_and(|run| !std::mem::replace(&mut run.is_overlapped, true));
        let process = &mut self.present.1;
        process.runs.push(Run {
            pid: record.pid,
            start: record.time,
            last: record.time,
            end: End::Lost,
            number: 0,
            job,
            command: None,
            retries: 0,
            lines: 0,
            bytes: 0,
            tail: Tail::default(),
            is_clock_back: false,
            is_overlapped: false,
            is_ambiguous: false,
            records: is_kept.then(Vec::new),
        });
        process.start = Some(Start { before, is_overlap });
        process.keep(line);
    }

    /// Decides, now that the next record is there, whether a START was one.
    fn decide_start(&mut self, kind: Kind) {
        let process = &mut self.present.1;
        let Some(start) = process.start.take() else {
            return;
        };
        let job = process.runs.last().map(|run| Rc::clone(&run.job));
        let is_start = process.confirm_start(kind);
        // What has ended with nothing open below it is over.
        while process.runs.len() > 1 && process.runs[0].has_end() {
            let run = process.runs.remove(0);
            self.over.insert(run.number, run);
        }
        if let Some(job) = job
            && !is_start
        {
            self.take_back(&start, job);
        }
    }

    /// Takes back what a START of `job` by the present process has changed.
    fn take_back(&mut self, start: &Start, job: Rc<[u8]>) {
        if start.is_overlap
            && let Some(before) = start.before
            && let Some(before) = self.processes.get_mut(&before)
            && let Some(run) = before.runs.iter_mut().rfind(|run| run.job == job)
        {
            run.is_overlapped = false;
        }
        if self.latest.get(&job) == Some(&self.present.0) {
            match start.before {
                Some(before) => self.latest.insert(job, before),
                None => self.latest.remove(&job),
            };
        }
    }

    /// Gives out the oldest ended runs where there are more than need be kept.
    fn settle(&mut self, finished: &mut impl FnMut(Run)) {
        if self.recent.len() <= RECENT {
            return;
        }
        let Some((pid, number)) = self.recent.pop_front() else {
            return;
        };
        if let Some(process) = self.processes.get(&pid)
            && let Some(run) = process.runs.last()
            && run.has_end()
            && run.number == number
            && let Some(process) = self.processes.remove(&pid)
        {
            process.runs.into_iter().for_each(|run| self.set_aside(run));
        }
        while let Some(first) = self.over.first_entry()
            && *first.key() <= number
        {
            finished(first.remove());
        }
    }

    /// Keeps a run that nothing can be added to until it is its turn.
    fn set_aside(&mut self, run: Run) {
        if run.has_end() {
            self.over.insert(run.number, run);
        } else {
            self.lost.push(run);
        }
    }
}
