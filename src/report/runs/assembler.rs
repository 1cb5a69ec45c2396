//! Assembles runs from the interleaved records of many processes, and returns them in the order of their ENDs.
//!
//! A run is open from its START to the END with the same process id, account and operands. A job cannot forge a START
//! or an END: [`Records`] after a mark are output.

use std::hash::{Hash, Hasher};
use std::{mem, rc::Rc};

use chrono::{NaiveDateTime, TimeDelta};
use foldhash::{HashMap, HashSet};

use super::run::{End, Run};
use super::trace::{Sequel, Trace};
use super::{kept::KeptRecords, process::ProcessRuns, reasons::Reasons};
use crate::clock::went_back;
use crate::log::record::{Kind, Notice};
use crate::report::logs::chunk::Records;
use crate::report::logs::merge::MergeResult;
use crate::report::logs::owner::{Account, Owner};
use crate::report::logs::scheduler::Scheduler;

/// The most runs without END, and the most known jobs of an owner. A hostile log must not take unlimited memory.
const MAX_UNENDED: usize = 100_000;
/// The most bytes of the names of known jobs. A name may have a megabyte.
const MAX_KNOWN_BYTES: usize = 16 << 20;

/// A time in which a log was full, as the writer of its lines noted later.
#[derive(Debug, Clone, Copy)]
pub struct FullLog {
    pub scheduler: Scheduler,
    /// The local time of the writer's last line before, if there is one.
    pub since: Option<NaiveDateTime>,
    /// The local time of the note.
    pub until: NaiveDateTime,
}

/// A scheduler's clock that went back: a START has an earlier time than the START of the same job before it.
#[derive(Debug, Clone, Copy)]
pub struct ClockBack {
    pub scheduler: Scheduler,
    /// The owner of the log.
    pub uid: Option<u32>,
    /// The latest local time before.
    pub from: NaiveDateTime,
    /// The local time of the first such START.
    pub to: NaiveDateTime,
}

/// How far two STARTs of a job may be out of order although nobody set the clock.
const OUT_OF_ORDER: TimeDelta = TimeDelta::seconds(60);
/// The most entries of [`Reading::back`].
const MAX_BACK: usize = 100;

/// What was read besides the runs.
#[derive(Debug, Default)]
pub struct Reading {
    pub merged: MergeResult,
    /// The number of records without a START, and the number of ENDs among them.
    pub unmatched: u64,
    pub unmatched_ends: u64,
    /// The last times in which a log was full, the newest first.
    pub full: Vec<FullLog>,
    pub back: Vec<ClockBack>,
    /// The number of runs without END that were too many to keep.
    pub forgotten: u64,
    /// The local time of the latest START or END.
    pub latest: Option<NaiveDateTime>,
    /// A remark about records of the future.
    pub early: Option<String>,
}

/// The most entries of [`Reading::full`].
const MAX_FULL: usize = 100;

/// A process: the account of its records, and its id. The same id in logs of two accounts means different processes,
/// unless one of the owners lies.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct ProcessKey {
    account: Account,
    pid: u32,
}

impl ProcessKey {
    fn of(owner: Owner, pid: u32) -> Self {
        Self { account: owner.account(), pid }
    }
}

impl Hash for ProcessKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // One number is hashed faster than its parts, once for each group of records.
        let Account { scheduler, uid } = self.account;
        let uid = uid.map_or(0, |uid| u64::from(uid) + 1);
        state.write_u64((u64::from(scheduler.number()) << 48) ^ (uid << 32) ^ u64::from(self.pid));
    }
}

/// The process id and the local time of each job's last START.
type LastStarts = HashMap<Rc<[u8]>, (u32, NaiveDateTime)>;

/// The state of all runs after some records.
#[derive(Debug, Default)]
pub struct Assembler {
    /// Processes with open runs, without the current one.
    processes: HashMap<ProcessKey, ProcessRuns>,
    /// The process of the last record: the next record is often of the same process.
    current: ProcessRuns,
    current_key: ProcessKey,
    start_count: u64,
    open_count: usize,
    /// Runs whose END is no longer expected.
    lost: Vec<Trace>,
    last_started: HashMap<Account, LastStarts>,
    /// The latest START of each scheduler.
    latest: HashMap<Scheduler, NaiveDateTime>,
    /// The total length of the names in `last_started`.
    known_bytes: usize,
    /// The usual output of good runs, to find the reason of a bad run.
    reasons: Reasons,
    /// The process id whose records are kept.
    recorded: Option<u32>,
    /// The local time of this machine's last boot, if known.
    boot: Option<NaiveDateTime>,
    read: Reading,
    /// The processes whose last START is in the future, and ignored.
    early: HashSet<ProcessKey>,
}

impl Assembler {
    /// Keeps the records of the process id `recorded`. No run of this machine outlives its `boot`.
    pub fn new(recorded: Option<u32>, boot: Option<NaiveDateTime>) -> Self {
        Self { recorded, boot, ..Self::default() }
    }

    /// Takes the next records of a log of `owner`. Passes a run that has ended to `finished`.
    pub fn take(&mut self, owner: Owner, records: &Records, finished: &mut impl FnMut(Run)) {
        self.switch_to(ProcessKey::of(owner, records.pid));
        let kind = records.kind();
        if let Kind::Notice(Notice::LinesDropped, _) = kind {
            let since = self.current.open.last().map(|run| run.last);
            let scheduler = owner.scheduler;
            self.read.full.truncate(MAX_FULL - 1);
            self.read.full.insert(0, FullLog { scheduler, since, until: records.time });
        }
        if let Kind::Start(job) = kind {
            self.start(owner, records, job);
        } else if self.current.open.is_empty() {
            self.read.unmatched += records.count;
            self.read.unmatched_ends += u64::from(matches!(kind, Kind::End(..)));
        } else if let Some((mut trace, status)) = self.current.take(kind, records) {
            self.open_count -= 1;
            self.read.latest = self.read.latest.max(Some(records.time));
            let end = End::Exit(status);
            self.reasons.conclude(&mut trace, end);
            finished(Run::new(trace, end));
        }
    }

    /// Whether a future record belongs to a run that began before. If so, the run continues, with unknown duration.
    pub fn goes_on_early(&mut self, owner: Owner, record: &Records) -> bool {
        let key = ProcessKey::of(owner, record.pid);
        self.switch_to(key);
        if let Kind::Start(job) = record.kind() {
            self.note_started(job, record);
            if self.early.len() > MAX_UNENDED {
                self.early.clear();
            }
            self.early.insert(key);
        }
        !self.early.contains(&key) && self.current.note_clock_set()
    }

    fn switch_to(&mut self, key: ProcessKey) {
        if self.current_key == key {
            return;
        }
        let next = self.processes.remove(&key).unwrap_or_default();
        let previous = mem::replace(&mut self.current, next);
        let previous_key = mem::replace(&mut self.current_key, key);
        if !previous.open.is_empty() {
            self.processes.insert(previous_key, previous);
        }
    }

    fn start(&mut self, owner: Owner, record: &Records, job: &[u8]) {
        let job = self.note_started(job, record);
        self.early.remove(&self.current_key);
        self.start_count += 1;
        self.read.latest = self.read.latest.max(Some(record.time));
        let mut trace = Trace::new(self.start_count, owner, record.pid, record.time, job);
        if self.recorded == Some(record.pid) {
            trace.records = Some(KeptRecords::default());
            trace.note(record, false);
        }
        self.close_before_boot(&trace);
        self.open_count += 1;
        if let Some(oldest) = self.current.start(trace) {
            self.open_count -= 1;
            self.lost.push(oldest);
        }
        if self.open_count + self.lost.len() > MAX_UNENDED {
            self.forget();
        }
    }

    /// Closes runs of the current process that a boot before the START of `next` has ended.
    fn close_before_boot(&mut self, next: &Trace) {
        let boot = self.boot.filter(|boot| *boot <= next.start);
        let Some(boot) = boot.filter(|_| !next.owner.scheduler.is_remote()) else { return };
        let dead = self.current.open.extract_if(.., |run| run.last < boot);
        let before = self.lost.len();
        self.lost.extend(dead.map(|mut run| {
            run.pid_reused.get_or_insert(next.start);
            run
        }));
        self.open_count -= self.lost.len() - before;
    }

    /// Notes that the current process starts `job`, and that it overlaps the job's open run. Returns the job.
    fn note_started(&mut self, job: &[u8], record: &Records) -> Rc<[u8]> {
        let account = self.current_key.account;
        let last_started = self.last_started.entry(account).or_default();
        let job = if let Some((known, _)) = last_started.get_key_value(job) {
            Rc::clone(known)
        } else {
            self.known_bytes += job.len();
            job.into()
        };
        if last_started.len() > MAX_UNENDED || self.known_bytes > MAX_KNOWN_BYTES {
            last_started.clear();
            self.known_bytes = 0;
        }
        let previous = last_started.insert(Rc::clone(&job), (record.pid, record.time));
        self.note_clock(previous.map(|(_, start)| start), record.time);
        let beside = previous.and_then(|(pid, _)| self.processes.get_mut(&ProcessKey { account, pid }));
        let runs = beside.into_iter().flat_map(|process| &mut process.open);
        let goes_on = |run: &&mut Trace| run.job == job && run.attempt.sequel != Some(Sequel::Retry);
        runs.filter(goes_on).for_each(|run| run.is_overlapped = true);
        job
    }

    /// Notes whether the clock went back between two STARTs of a job. Two jobs prove nothing: a line may set TZ.
    fn note_clock(&mut self, previous: Option<NaiveDateTime>, start: NaiveDateTime) {
        let Account { scheduler, uid } = self.current_key.account;
        let scheduler = scheduler.whole();
        let latest = self.latest.entry(scheduler).or_insert(start);
        *latest = start.max(*latest);
        if previous.is_none_or(|previous| went_back(previous, start) <= OUT_OF_ORDER) {
            return;
        }
        let known = &mut self.read.back;
        let is_same = |it: &ClockBack| (it.scheduler, it.uid) == (scheduler, uid) && start <= it.from;
        if let Some(place) = known.iter().rposition(is_same) {
            known[place].to = start.min(known[place].to);
        } else if known.len() < MAX_BACK {
            known.push(ClockBack { scheduler, uid, from: *latest, to: start });
        }
    }

    /// Forgets the older half of the runs without END, of the owner with the most of them.
    fn forget(&mut self) {
        let open = self.processes.values().flat_map(|process| &process.open);
        let mut numbers: HashMap<Account, Vec<u64>> = HashMap::default();
        for run in open.chain(&self.lost) {
            numbers.entry(run.owner.account()).or_default().push(run.number);
        }
        let most = numbers.into_iter().max_by_key(|(_, numbers)| numbers.len());
        let (account, mut numbers) = most.expect("there are too many");
        let middle = numbers.len() / 2;
        let last_of_half = *numbers.select_nth_unstable(middle).1;
        let is_kept = |run: &Trace| run.owner.account() != account || run.number > last_of_half;
        let before = self.open_count + self.lost.len();
        for process in self.processes.values_mut() {
            process.open.retain(is_kept);
        }
        self.processes.retain(|_, process| !process.open.is_empty());
        self.lost.retain(is_kept);
        let open = self.processes.values().map(|process| process.open.len());
        self.open_count = open.sum::<usize>() + self.current.open.len();
        self.read.forgotten += (before - self.open_count - self.lost.len()) as u64;
    }

    /// Ends the log: passes all remaining runs to `finished`. A run without END is running if `is_running`, otherwise
    /// lost. If nothing else shows when a lost run died, it was dead at the boot after its last record, or at the end
    /// of the log.
    ///
    /// Returns what was read besides the runs.
    pub fn finish(self, is_running: impl Fn(&Trace) -> bool, finished: &mut impl FnMut(Run)) -> Reading {
        let mut reasons = self.reasons;
        let mut concluded = |mut trace: Trace, end| {
            reasons.conclude(&mut trace, end);
            Run::new(trace, end)
        };
        let mut unended: Vec<Run> = self.lost.into_iter().map(|trace| concluded(trace, End::Lost)).collect();
        for process in self.processes.into_values().chain([self.current]) {
            process.finish(&is_running, |trace, goes_on| {
                let end = if goes_on { End::Running } else { End::Lost };
                unended.push(concluded(trace, end));
            });
        }
        unended.sort_by_key(|run| (run.trace.start, run.trace.pid, run.trace.number));
        let lasts = unended.iter().map(|run| run.trace.last);
        let end_of_log = lasts.chain(self.read.latest).max().unwrap_or_default();
        for mut run in unended {
            let last = run.trace.last;
            let known = run.trace.pid_reused.unwrap_or(end_of_log);
            let is_here = !run.trace.owner.scheduler.is_remote();
            let boot = self.boot.filter(|boot| *boot > last && is_here);
            let dead_by = boot.map_or(known, |boot| boot.min(known)).max(last);
            run.trace.dead_by = (run.end == End::Lost).then_some(dead_by);
            finished(run);
        }
        self.read
    }
}
