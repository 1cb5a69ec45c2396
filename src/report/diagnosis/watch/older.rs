//! Reads earlier runs of rare jobs from older logs, to know what is usual for them.
//!
//! A month of logs may have 30 GB, so of each older day only the minutes are read in which these jobs ran lately, from
//! the newest day on and until a budget is spent.

use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::samples::{Samples, WatchedJob};
use crate::log::record::Kind;
use crate::report::history::constant_name::lasting_name;
use crate::report::history::older_logs::OlderLogs;
use crate::report::logs::excerpt::{self, ReadBudget};
use crate::report::logs::find;
use crate::report::logs::open::{Input, LogFile};
use crate::report::logs::owner::Account;
use crate::report::query::filter::Filter;
use crate::report::runs::assembler::Assembler;
use crate::report::runs::run::Run;

/// The most older days that are read.
const MAX_DAYS: usize = 35;
/// The budget, as a part of the bytes that the report reads anyway: a fourth.
const SHARE: u64 = 4;
/// The minutes before and after a START's time of day that are read of older days.
const BEFORE: TimeDelta = TimeDelta::minutes(2);
const AFTER: TimeDelta = TimeDelta::minutes(4);
/// The most times of day that are read for a job.
const MAX_TIMES: usize = 12;

/// Adds runs of earlier days for jobs that pass the filter and need them. The report itself reads `read` bytes.
pub fn add(samples: &mut Samples, older: &OlderLogs, filter: &Filter, read: u64, accept: &impl Fn(&mut Run)) {
    let asking = samples.jobs.iter().filter(|job| filter.names(&job.name) && is_asking(job));
    let jobs: HashSet<(Account, Rc<[u8]>)> = asking.clone().map(|job| (job.account, lasting_name(&job.name))).collect();
    let times: BTreeSet<NaiveTime> = asking.flat_map(times_of).collect();
    let mut budget = ReadBudget::new(read / SHARE);
    for (day, logs) in older.earlier_days().into_iter().rev().take(MAX_DAYS) {
        for input in find::inputs(logs) {
            let Input::Log(log) = input else { continue };
            if times.is_empty() || budget.is_spent() {
                return;
            }
            let mut take = |mut run: Run| {
                accept(&mut run);
                samples.add(&mut run, None);
            };
            read_minutes(&log, day, &times, &jobs, &mut budget, &mut take);
        }
    }
}

/// Whether a job's runs so far do not show what is usual: there are few, or some are odd.
fn is_asking(job: &WatchedJob) -> bool {
    let has_changed = job.samples.last().is_some_and(|last| {
        let mut others = job.samples.iter().filter(|it| it.failure.is_none());
        last.failure.is_none() && others.any(|it| it.lines > 0) && last.lines == 0
    });
    let has_failed = job.samples.iter().any(|it| it.failure.is_some());
    job.is_rare() || has_changed || has_failed || !job.errors.is_empty()
}

/// The times of day at which a job was started: of a rare job the last ones, of others the last and two of bad runs.
fn times_of(job: &WatchedJob) -> Vec<NaiveTime> {
    let bad = job.samples.iter().rev().filter(|it| it.failure.is_some() && !job.is_rare());
    let last = if job.is_rare() { MAX_TIMES } else { 1 };
    let last = job.samples.iter().rev().take(last);
    bad.take(2).chain(last).map(|it| it.start.time()).collect()
}

/// Reads the minutes around these times of day, and goes on until the jobs that were started then have ended. A
/// compressed log is read once, and as a whole.
fn read_minutes(
    log: &LogFile,
    day: NaiveDate,
    times: &BTreeSet<NaiveTime>,
    jobs: &HashSet<(Account, Rc<[u8]>)>,
    budget: &mut ReadBudget,
    take: &mut impl FnMut(Run),
) {
    let mut assembler = Assembler::new(None, None);
    let is_whole = log.name.is_compressed;
    let minutes = times.iter().filter(|_| !is_whole).map(|time| day.and_time(*time) - BEFORE);
    let mut begins = is_whole.then_some(NaiveDateTime::MIN).into_iter().chain(minutes).peekable();
    while let Some(begin) = begins.next() {
        let mut end = if is_whole { NaiveDateTime::MAX } else { begin + BEFORE + AFTER };
        let mut open: HashSet<u32> = HashSet::new();
        // If the log was replaced meanwhile, or is damaged, there are only fewer runs.
        let _ = excerpt::read(log, begin, budget, &mut |owner, records| {
            while let Some(next) = begins.next_if(|next| *next <= records.time.max(end)) {
                end = end.max(next + BEFORE + AFTER);
            }
            if records.time > end && open.is_empty() {
                return false;
            }
            if let Kind::Start(job) = records.kind()
                && records.time <= end
                && jobs.contains(&(owner.job_account(), lasting_name(job)))
            {
                open.insert(records.pid);
            }
            if open.contains(&records.pid) {
                assembler.take(owner, records, &mut |run: Run| {
                    open.remove(&run.trace.pid);
                    take(run);
                });
            }
            true
        });
    }
}
