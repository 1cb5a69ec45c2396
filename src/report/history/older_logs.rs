//! Reads earlier logs for the sake of jobs that run seldom: their last good runs tell how long they take.
//!
//! Only runs without END ask for it, or that have taken long, and only until there are enough good runs.

use std::collections::HashMap;
use std::rc::Rc;

use chrono::{Days, NaiveDate, NaiveDateTime};

use super::durations::{LAST_DAYS, MAX_DAYS, MIN_GOOD, Usual, before_each, is_long};
use super::{Entry, Good, JobId, Ledger, Mark};
use crate::report::diagnosis::Scope;
use crate::report::logs::find;
use crate::report::logs::find::Choice;
use crate::report::logs::owner::Account;
use crate::report::query::basis::Basis;
use crate::report::query::{Report, Source};
use crate::report::runs::outcome::Outcome;
use crate::report::runs::run::Run;

/// Jobs by whose they are and their names.
type Jobs = HashMap<(Account, Rc<[u8]>), JobId>;

impl Report {
    /// Adds those good runs of earlier days to the ledger by which runs of the period are judged. Returns the number of
    /// logs that it has read.
    pub fn look_back(&self, ledger: &mut Ledger, scope: &Scope, basis: &Basis) -> usize {
        let asking: Vec<JobId> = ledger
            .job_ids()
            .filter(|job| ledger.of_job(*job).iter().any(|run| is_asking(run, scope)))
            .collect();
        let Some(reach) = basis.reach.filter(|_| !asking.is_empty()) else {
            return 0;
        };
        let mut files = 0;
        for day in earlier_days(reach.date(), basis) {
            let jobs = wanting(ledger, &asking, scope, day);
            if !jobs.is_empty() {
                files += self.add_good_runs(ledger, &jobs, day, basis);
            }
        }
        files
    }

    /// Adds the good runs of these jobs that were started on this day.
    fn add_good_runs(
        &self,
        ledger: &mut Ledger,
        jobs: &Jobs,
        day: NaiveDate,
        basis: &Basis,
    ) -> usize {
        let Source::LogDirs(dirs) = &self.source else {
            return 0;
        };
        let choice = Choice {
            // No log has been written to since then: its day decides.
            since: Some(NaiveDateTime::MAX),
            until: None,
            user: basis.filter.user,
            days: &[day],
        };
        let logs = find::logs(dirs, &choice, basis.users);
        let basis = Basis {
            logs: &logs,
            filter: basis.filter.clone(),
            ..*basis
        };
        let job = |run: &Run| {
            let account = run.trace.owner.account();
            jobs.get(&(account, Rc::clone(&run.trace.job))).copied()
        };
        let is_wanted = |run: &Run| job(run).is_some();
        let reading = self.each_run(&basis, None, is_wanted, |run| {
            if let (Some(job), Some(good)) = (job(&run), Good::of(&run)) {
                ledger.add_earlier(job, good);
            }
        });
        reading.files
    }
}

/// The days before this one of which there are logs, the last one first, as far as any run asks.
fn earlier_days(day: NaiveDate, basis: &Basis) -> impl Iterator<Item = NaiveDate> + use<> {
    let days = basis.logs.first_days.iter().map(|(_, day)| *day);
    let first = days.min().unwrap_or(day);
    let before = |day: &NaiveDate| day.pred_opt();
    std::iter::successors(before(&day), before).take_while(move |day| *day >= first)
}

/// The jobs of which a run is judged by the good ones of this day too.
fn wanting(ledger: &Ledger, asking: &[JobId], scope: &Scope, day: NaiveDate) -> Jobs {
    let is_wanting = |(_, run, usual): (usize, &Entry, Usual)| {
        let is_within = |days| run.start.date() <= day + Days::new(days);
        let may_be_hung = usual.overdue(run).is_none_or(|at| at < run.until);
        day <= run.start.date()
            && (is_within(LAST_DAYS) || is_within(MAX_DAYS) && usual.good < MIN_GOOD)
            && (may_be_hung || matches!(run.outcome, Outcome::Running | Outcome::Lost))
    };
    let jobs = asking.iter().copied().filter(|job| {
        let asked = before_each(ledger, *job, |run| is_asking(run, scope));
        asked.into_iter().any(is_wanting)
    });
    let named = jobs.map(|job| ((ledger.account(job), Rc::clone(&ledger.job(job).name)), job));
    named.collect()
}

/// Whether it matters in the period how long a run should take: it goes on, was lost and nothing says so before, or has
/// taken long.
fn is_asking(run: &Entry, scope: &Scope) -> bool {
    match run.outcome {
        Outcome::Lost => !run.is(Mark::Dated) || run.until >= scope.since,
        Outcome::Running => is_long(run, scope.now),
        Outcome::Good | Outcome::Failed(..) => is_long(run, scope.now) && scope.includes(run.until),
    }
}
