//! Adds good runs from older logs as a baseline, because the logs of a report may have none of a rare job.
//!
//! Older logs are read only for runs without END and for long runs, and only until there are enough good runs.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::{cell::Cell, rc::Rc};

use chrono::{Days, NaiveDate, NaiveDateTime};

use super::durations::{JudgedRun, LAST_DAYS, MAX_DAYS, MIN_GOOD, before_each, is_long};
use super::{GoodRun, History, JobId, RunFlag, RunSummary, constant_name::lasting_name};
use crate::machine::Machine;
use crate::report::history::scope::Scope;
use crate::report::logs::find;
use crate::report::logs::open::{FileId, LogFile};
use crate::report::logs::owner::Account;
use crate::report::runs::outcome::Outcome;
use crate::report::runs::reading::{self, ReadClock};
use crate::report::runs::run::Run;

/// The jobs by account and [`lasting_name`]: the words of a job may hold the date.
type Jobs = HashMap<(Account, Rc<[u8]>), Vec<JobId>>;

/// The most days whose logs are read. A user may have made a log of every day since the year 1.
const MOST_DAYS: usize = 400;

pub struct OlderLogs<'a> {
    /// The logs that were found, of all days.
    pub known: &'a [LogFile],
    /// The logs that were read already. A log of the day before is among them if it was written after midnight.
    pub read: HashSet<FileId>,
    /// The local time since which logs have been read.
    pub from: NaiveDateTime,
    pub machine: &'a Machine,
    /// The number of older logs that were read whole.
    pub files: Cell<usize>,
}

impl OlderLogs<'_> {
    pub fn add_good_runs(&self, history: &mut History, scope: &Scope, accept: &impl Fn(&mut Run)) {
        let asking: Vec<JobId> =
            history.job_ids().filter(|job| history.of_job(*job).any(|run| is_asking(&run, scope))).collect();
        if asking.is_empty() {
            return;
        }
        for (day, logs) in self.earlier_days().into_iter().rev().take(MOST_DAYS) {
            let jobs = wanting(history, &asking, scope, day);
            if jobs.is_empty() {
                continue;
            }
            self.read_day(logs, |mut run| {
                accept(&mut run);
                let account = run.trace.owner.job_account();
                let jobs = jobs.get(&(account, lasting_name(&run.trace.job)));
                if let (Some(jobs), Some(good)) = (jobs, GoodRun::of(&run)) {
                    for job in jobs {
                        history.add_earlier(*job, good);
                    }
                }
            });
        }
    }

    /// Passes each run in a day's `logs` to `take`, if it ended before `from`.
    pub fn read_day(&self, logs: Vec<LogFile>, mut take: impl FnMut(Run)) {
        let logs = find::inputs(logs);
        let clock = ReadClock { now: self.machine.now, end: NaiveDateTime::MAX };
        let take_older = |run: Run| {
            if run.until().is_none_or(|until| until < self.from) {
                take(run);
            }
        };
        let read = reading::read(&logs, &self.machine.running, clock, None, take_older);
        self.files.set(self.files.get() + read.merged.files);
    }

    /// The unread logs of the days before `from`, by day.
    pub fn earlier_days(&self) -> BTreeMap<NaiveDate, Vec<LogFile>> {
        let mut days: BTreeMap<NaiveDate, Vec<LogFile>> = BTreeMap::new();
        let is_unread = |log: &&LogFile| !self.read.contains(&log.id);
        for log in self.known.iter().filter(|log| log.name.log.day < self.from.date()).filter(is_unread) {
            days.entry(log.name.log.day).or_default().push(log.clone());
        }
        days
    }
}

/// The jobs with a run that is compared with the good runs of this day.
fn wanting(history: &History, asking: &[JobId], scope: &Scope, day: NaiveDate) -> Jobs {
    let is_wanting = |(_, run, usual): JudgedRun| {
        let is_within = |days| run.start.date() <= day + Days::new(days);
        let may_be_hung = usual.overdue(&run).is_none_or(|at| at < run.until);
        day <= run.start.date()
            && (is_within(LAST_DAYS) || is_within(MAX_DAYS) && usual.good < MIN_GOOD)
            && (may_be_hung || matches!(run.outcome, Outcome::Running | Outcome::Lost))
    };
    let mut jobs = Jobs::new();
    for job in asking {
        let asked = before_each(history, *job, |run| is_asking(run, scope));
        if asked.into_iter().any(is_wanting) {
            jobs.entry(history.lasting_name(*job)).or_default().push(*job);
        }
    }
    jobs
}

/// Whether the report needs the usual duration of the run: the run has been going on for long, was lost, or took long.
fn is_asking(run: &RunSummary, scope: &Scope) -> bool {
    match run.outcome {
        Outcome::Lost => !run.is(RunFlag::Dated) || run.until >= scope.since,
        Outcome::Running => is_long(run, scope.now),
        Outcome::Good | Outcome::Skipped(_) | Outcome::Failed(..) => {
            is_long(run, scope.now) && scope.includes(run.until)
        }
    }
}
