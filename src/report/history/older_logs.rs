//! Adds successful runs from older logs as a baseline: how long a rare job takes shows only there.
//!
//! Only runs without END ask for it, or that have taken long, and only until there are enough good runs.

use std::collections::HashMap;
use std::rc::Rc;

use chrono::{Days, NaiveDate, NaiveDateTime};

use super::durations::{DurationStats, LAST_DAYS, MAX_DAYS, MIN_GOOD, before_each, is_long};
use super::{Good, History, JobId, RunFlag, RunSummary};
use crate::machine::Machine;
use crate::report::history::scope::Scope;
use crate::report::logs::find::{self, Choice};
use crate::report::logs::owner::Account;
use crate::report::logs::scheduler::{LogDir, Scheduler};
use crate::report::runs::outcome::Outcome;
use crate::report::runs::reading::{self, ReadClock};

/// Jobs by whose they are and their names.
type Jobs = HashMap<(Account, Rc<[u8]>), JobId>;

/// The logs that are older than those of the report.
#[derive(Debug)]
pub struct OlderLogs<'a> {
    /// The log directories.
    pub dirs: &'a [LogDir],
    /// The logs that were written to since this local time have been read.
    pub from: NaiveDateTime,
    /// The user whose logs are read.
    pub user: Option<u32>,
    /// This machine.
    pub machine: &'a Machine,
    /// The first day of which there is a log of each scheduler.
    pub first_days: &'a [(Scheduler, NaiveDate)],
}

impl OlderLogs<'_> {
    /// Adds good runs from older logs to the history, to judge the runs of the period by. Returns the number of logs that
    /// were read.
    pub fn add_good_runs(
        &self,
        history: &mut History,
        scope: &Scope,
        is_accepted: impl Fn(u8) -> bool,
    ) -> usize {
        let asking: Vec<JobId> = history
            .job_ids()
            .filter(|job| history.of_job(*job).iter().any(|run| is_asking(run, scope)))
            .collect();
        if asking.is_empty() {
            return 0;
        }
        let mut files = 0;
        for day in self.earlier_days() {
            let jobs = wanting(history, &asking, scope, day);
            if !jobs.is_empty() {
                files += self.add_day(history, &jobs, day, &is_accepted);
            }
        }
        files
    }

    /// Adds the good runs of these jobs that were started on this day.
    fn add_day(
        &self,
        history: &mut History,
        jobs: &Jobs,
        day: NaiveDate,
        is_accepted: &impl Fn(u8) -> bool,
    ) -> usize {
        let choice = Choice {
            // No log has been written to since then: its day decides.
            since: Some(NaiveDateTime::MAX),
            until: None,
            user: self.user,
            days: &[day],
        };
        let logs = find::logs(self.dirs, &choice, &self.machine.users);
        let clock = ReadClock { now: self.machine.now, end: NaiveDateTime::MAX };
        let reading = reading::read(&logs.inputs, &self.machine.running, clock, None, |mut run| {
            run.accept(is_accepted);
            let account = run.trace.owner.job_account();
            let job = jobs.get(&(account, Rc::clone(&run.trace.job)));
            if let (Some(job), Some(good)) = (job, Good::of(&run)) {
                history.add_earlier(*job, good);
            }
        });
        reading.files
    }

    /// The days before the logs that were read, the last one first, as far back as there are logs.
    fn earlier_days(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let day = self.from.date();
        let days = self.first_days.iter().map(|(_, day)| *day);
        let first = days.min().unwrap_or(day);
        let before = |day: &NaiveDate| day.pred_opt();
        std::iter::successors(before(&day), before).take_while(move |day| *day >= first)
    }
}

/// The jobs of which a run is judged by the good ones of this day too.
fn wanting(history: &History, asking: &[JobId], scope: &Scope, day: NaiveDate) -> Jobs {
    let is_wanting = |(_, run, usual): (usize, &RunSummary, DurationStats)| {
        let is_within = |days| run.start.date() <= day + Days::new(days);
        let may_be_hung = usual.overdue(run).is_none_or(|at| at < run.until);
        day <= run.start.date()
            && (is_within(LAST_DAYS) || is_within(MAX_DAYS) && usual.good < MIN_GOOD)
            && (may_be_hung || matches!(run.outcome, Outcome::Running | Outcome::Lost))
    };
    let jobs = asking.iter().copied().filter(|job| {
        let asked = before_each(history, *job, |run| is_asking(run, scope));
        asked.into_iter().any(is_wanting)
    });
    let named = jobs.map(|job| ((history.account(job), Rc::clone(&history.job(job).name)), job));
    named.collect()
}

/// Whether it matters in the period how long a run should take: it goes on, was lost and nothing says so before, or has
/// taken long.
fn is_asking(run: &RunSummary, scope: &Scope) -> bool {
    match run.outcome {
        Outcome::Lost => !run.is(RunFlag::Dated) || run.until >= scope.since,
        Outcome::Running => is_long(run, scope.now),
        Outcome::Good | Outcome::Failed(..) => is_long(run, scope.now) && scope.includes(run.until),
    }
}
