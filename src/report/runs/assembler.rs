//! Assembles runs from the interleaved records of many processes, and gives them out in the order of their
//! ENDs.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::mem;
use std::rc::Rc;

use chrono::NaiveDateTime;
use foldhash::{HashMap, HashSet};

use super::process::{Claim, Draft, Process};
use super::run::{End, Run};
use super::trace::Trace;
use crate::log::record::{Kind, Record};
use crate::report::logs::outputs::Outputs;
use crate::report::logs::owner::{Account, Owner};

/// How many of the latest ENDs may still turn out to be lines of output.
const MAX_REVOCABLE: usize = 4096;

/// How many processes may have a run without END, how many runs without END are kept besides, and how many
/// jobs of an owner are known. A log that is longer than honest ones must not take memory without limit.
const MAX_UNENDED: usize = 100_000;

/// A process: the account of its records, and its id.
///
/// In different accounts' logs the same id is of different processes, or one of the owners lies.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Key {
    account: Account,
    pid: u32,
}

impl Key {
    fn of(owner: Owner, pid: u32) -> Self {
        Self {
            account: owner.account(),
            pid,
        }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // One number is hashed faster than its parts, once for each group of records.
        let Account { scheduler, uid } = self.account;
        let uid = uid.map_or(0, |uid| u64::from(uid) + 1);
        state.write_u64((u64::from(scheduler.number()) << 48) ^ (uid << 32) ^ u64::from(self.pid));
    }
}

/// The state of all runs after some records of the log.
#[derive(Debug, Default)]
pub struct Assembler {
    /// The processes without the current one. A process id without START has none.
    processes: HashMap<Key, Box<Process>>,
    /// The process of the last record. The next record is often of the same process.
    current: Option<Box<Process>>,
    current_key: Key,
    /// The latest ENDs, the oldest first: process and number.
    revocable: VecDeque<(Key, u64)>,
    /// The number of STARTs so far.
    starts: u64,
    /// The number of ENDs so far.
    ends: u64,
    /// The local time of the latest START or END.
    pub latest: Option<NaiveDateTime>,
    /// Ended runs by the number of their END. They wait for a run that ended earlier and is revocable.
    ended: BTreeMap<u64, Run>,
    /// Runs without END. They are given out last.
    unended: Vec<Run>,
    /// The process id that started each job last, by owner.
    last_started_by: HashMap<Account, HashMap<Rc<[u8]>, u32>>,
    /// The process id whose records are wanted.
    recorded: Option<u32>,
    /// The number of records whose START is missing.
    pub unmatched: u64,
    /// The number of runs without END that were forgotten because there were too many.
    forgotten: u64,
    /// The processes whose last START is of a time that has not come, and left out.
    early: HashSet<Key>,
}

impl Assembler {
    /// An assembler that keeps the records of the process id `recorded`.
    pub fn new(recorded: Option<u32>) -> Self {
        Self {
            recorded,
            ..Self::default()
        }
    }

    /// Takes the next record, which is `line` of a log of `owner`. Gives final runs to `finished`.
    pub fn take(
        &mut self,
        owner: Owner,
        record: &Record,
        line: &[u8],
        finished: &mut impl FnMut(Run),
    ) {
        self.switch_to(Key::of(owner, record.pid));
        let kind = Kind::parse(record.text);
        self.decide_start(kind);
        if let Kind::Start(job) = kind {
            return self.start(owner, record, line, job);
        }
        let Some(process) = &mut self.current else {
            self.unmatched += 1;
            return;
        };
        if process.advance(kind, record, line, self.ends + 1) {
            self.ends += 1;
            self.latest = self.latest.max(Some(record.time));
            self.revocable.push_back((self.current_key, self.ends));
            self.release(finished);
        }
    }

    /// Takes the next records, which are in a row in a log of `owner`.
    pub fn take_row(&mut self, owner: Owner, outputs: &Outputs) {
        self.switch_to(Key::of(owner, outputs.pid));
        // Whatever its text, no line of output makes a START of the record before it.
        self.decide_start(Kind::Output(b""));
        match &mut self.current {
            Some(process) => process.advance_by(outputs),
            None => self.unmatched += outputs.count,
        }
    }

    /// Whether a record of a time that has not come has to do with a run that began before, and goes on with it. How
    /// long that run takes is not known.
    pub fn goes_on_early(&mut self, owner: Owner, pid: u32, is_start: bool) -> bool {
        let key = Key::of(owner, pid);
        self.switch_to(key);
        if is_start {
            if self.early.len() > MAX_UNENDED {
                self.early.clear();
            }
            self.early.insert(key);
        }
        let run = self.current.as_mut().filter(|process| {
            let is_open = process.unended().is_some();
            is_open && !self.early.contains(&key)
        });
        if let Some(process) = run {
            process.doubt_clock();
            return true;
        }
        false
    }

    /// Makes the process `key` the current one.
    fn switch_to(&mut self, key: Key) {
        if self.current_key == key {
            return;
        }
        let next = self.processes.remove(&key);
        let previous = mem::replace(&mut self.current, next);
        let previous_key = mem::replace(&mut self.current_key, key);
        let Some(process) = previous else { return };
        self.processes.insert(previous_key, process);
        if self.processes.len() > MAX_UNENDED + MAX_REVOCABLE {
            self.forget_processes();
        }
    }

    /// Forgets the older half of the processes without END, of the owner who has the most of them.
    fn forget_processes(&mut self) {
        let unended = self.processes.iter();
        let unended = unended.filter_map(|(key, process)| Some((key.account, process.unended()?)));
        let older = Older::half_of(unended);
        let is_older = |key: &Key, process: &Process| {
            let number = process.unended();
            number.is_some_and(|number| older.includes(key.account, number))
        };
        let forgotten = self
            .processes
            .extract_if(|key, process| is_older(key, process));
        let forgotten: Vec<Draft> = forgotten
            .flat_map(|(_, process)| process.into_drafts())
            .collect();
        for draft in forgotten {
            if draft.exit.is_some() {
                self.add(draft);
            } else {
                self.forgotten += 1;
            }
        }
    }

    /// Ends the log: gives all remaining runs to `finished`. A run without END is running if `is_running`
    /// says so, and lost if not. Where nothing else tells when it died, it was dead at the boot after its
    /// last record, or at the end of the log.
    ///
    /// Returns the number of runs without END that were forgotten.
    pub fn finish(
        mut self,
        is_running: impl Fn(&Trace) -> bool,
        boot: Option<NaiveDateTime>,
        finished: &mut impl FnMut(Run),
    ) -> u64 {
        let current = self.current.take();
        let processes = mem::take(&mut self.processes);
        for mut process in processes.into_values().chain(current) {
            self.doubt(process.doubt_last());
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
        let lasts = self.unended.iter().map(|run| run.trace.last);
        let end_of_log = lasts.chain(self.latest).max().unwrap_or_default();
        for mut run in self.unended {
            let last = run.trace.last;
            let known = run.trace.pid_reused.unwrap_or(end_of_log);
            let is_here = !run.trace.owner.scheduler.is_remote();
            let boot = boot.filter(|boot| *boot > last && is_here);
            let dead_by = boot.map_or(known, |boot| boot.min(known)).max(last);
            run.trace.dead_by = (run.end == End::Lost).then_some(dead_by);
            finished(run);
        }
        self.forgotten
    }

    fn start(&mut self, owner: Owner, record: &Record, line: &[u8], job: &[u8]) {
        let last_started_by = self.last_started_by.entry(owner.account()).or_default();
        let job = match last_started_by.get_key_value(job) {
            Some((known, _)) => Rc::clone(known),
            None => job.into(),
        };
        if last_started_by.len() > MAX_UNENDED {
            last_started_by.clear();
        }
        let previous = last_started_by.insert(Rc::clone(&job), record.pid);
        let overlapped = previous.and_then(|pid| self.mark_overlapped(pid, &job));
        self.early.remove(&self.current_key);
        self.starts += 1;
        self.latest = self.latest.max(Some(record.time));
        let mut trace = Trace::new(self.starts, owner, record.pid, record.time, Rc::clone(&job));
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
        let doubted = process.doubt_last();
        if let Some(oldest) = process.start(trace, claim) {
            self.add(oldest);
        }
        self.doubt(doubted);
    }

    /// Marks the run whose END has this number, if there is one and it has not been given out.
    fn doubt(&mut self, end: Option<u64>) {
        if let Some(run) = end.and_then(|number| self.ended.get_mut(&number)) {
            run.trace.is_ambiguous = true;
        }
    }

    /// Another process `pid` of the current process's owner.
    fn process_beside(&mut self, pid: u32) -> Option<&mut Process> {
        let account = self.current_key.account;
        self.processes
            .get_mut(&Key { account, pid })
            .map(|process| &mut **process)
    }

    /// Marks the run of `job` that the process `pid` has not ended, because the job is started again.
    /// Returns its number, unless it is marked already.
    fn mark_overlapped(&mut self, pid: u32, job: &Rc<[u8]>) -> Option<u64> {
        let is_open = |trace: &Trace, has_end: bool| trace.job == *job && !has_end;
        let run = self.process_beside(pid)?.find_last(is_open)?;
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
        if let Some(process) = previous.and_then(|pid| self.process_beside(pid))
            && let Some(run) = process.find_last(|trace, _| Some(trace.number) == claim.overlapped)
        {
            run.is_overlapped = false;
        }
        // Another process may have started the job since.
        let Key { account, pid } = self.current_key;
        let last_started_by = self.last_started_by.entry(account).or_default();
        if last_started_by.get(&job) == Some(&pid) {
            match previous {
                Some(pid) => last_started_by.insert(job, pid),
                None => last_started_by.remove(&job),
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
        let (key, number) = oldest.expect("there are more than the maximum");
        if let Entry::Occupied(process) = self.processes.entry(key)
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
        if self.unended.len() > MAX_UNENDED {
            self.forget_unended();
        }
    }

    /// Forgets the older half of the runs without END, of the owner who has the most of them.
    fn forget_unended(&mut self) {
        let runs = self.unended.iter();
        let older = Older::half_of(runs.map(|run| (run.trace.owner.account(), run.trace.number)));
        let all = self.unended.len();
        self.unended
            .retain(|run| !older.includes(run.trace.owner.account(), run.trace.number));
        self.forgotten += (all - self.unended.len()) as u64;
    }
}

/// The older half of what the owner has who has the most.
struct Older {
    account: Account,
    /// The number of the last START in it.
    last: u64,
}

impl Older {
    /// The older half of these, each with its owner and the number of its START.
    fn half_of(all: impl Iterator<Item = (Account, u64)>) -> Self {
        let mut numbers: HashMap<Account, Vec<u64>> = HashMap::default();
        for (account, number) in all {
            numbers.entry(account).or_default().push(number);
        }
        let most = numbers.into_iter().max_by_key(|(_, numbers)| numbers.len());
        let (account, mut numbers) = most.expect("there are too many");
        let middle = numbers.len() / 2;
        let (_, last, _) = numbers.select_nth_unstable(middle);
        Self {
            account,
            last: *last,
        }
    }

    fn includes(&self, account: Account, number: u64) -> bool {
        self.account == account && number <= self.last
    }
}
