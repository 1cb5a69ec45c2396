//! The result of a query. Formats read this and nothing else.

use std::{cell::OnceCell, collections::BTreeMap};

use chrono::NaiveDateTime;

use super::words::{Clock, shown_name};
use crate::cron::upcoming::{self, Periods};
use crate::report::diagnosis::evidence::Evidence;
use crate::report::diagnosis::watch::Watch;
use crate::report::diagnosis::watch::finding::WatchFinding;
use crate::report::history::counts::Tally;
use crate::report::history::scope::Scope;
use crate::report::history::{History, JobId, RunSummary};
use crate::report::logs::find::Logs;
use crate::report::logs::owner::Account;
use crate::report::query::filter::Filter;
use crate::report::query::{Form, Query, Question, TextQuery};
use crate::report::runs::assembler::Reading;
use crate::report::runs::first_program::status_of_lock;
use crate::report::runs::outcome::Outcome;
use crate::report::slots::Expected;
use crate::report::slots::missed::{MissedStarts, Slot};
use crate::{escape::printable, machine::Machine};

/// What was found. Parts that the format does not need are empty.
pub struct Report<'a> {
    pub query: &'a Query,
    pub machine: &'a Machine,
    /// The filter, with the default period if none was given.
    pub filter: &'a Filter,
    pub logs: &'a Logs,
    /// What was read besides the runs.
    pub read: Reading,
    /// Messages with names similar to a host or job that was not found.
    pub suggestions: Vec<String>,
    pub scope: Scope,
    pub history: History,
    pub tally: Tally,
    /// The slots without a START in time, of the jobs that pass the filter.
    pub missed: MissedStarts,
    pub crontabs: Option<Expected>,
    pub watch: Watch,
    /// See [`Report::periods`].
    pub periods: OnceCell<Periods>,
}

impl Report<'_> {
    /// Whether healthy jobs and hosts, and all running jobs, are listed.
    pub fn lists_all(&self) -> bool {
        matches!(self.query.form, Form::Text(TextQuery { all: true, .. }))
    }

    /// The most rows of a list, unless all are listed.
    pub fn most(&self, most: usize) -> usize {
        if self.lists_all() { usize::MAX } else { most }
    }

    /// The periods in which to search for the next start of a job: found once for all jobs, and only if needed.
    pub fn periods(&self) -> &Periods {
        self.periods.get_or_init(|| upcoming::periods(self.machine.zoned_now))
    }

    /// What starts a job: cron, or a scheduler whose crontab no cron of this machine reads.
    pub fn starter(&self, job: JobId) -> &'static str {
        let Some(expected) = &self.crontabs else { return "cron" };
        let job = expected.wanted().get(job as usize);
        let is_of_cron = job.is_none_or(|job| job.lines.iter().any(|line| line.is_of_cron));
        if is_of_cron { "cron" } else { "the scheduler" }
    }

    pub fn evidence(&self) -> Evidence<'_> {
        Evidence {
            history: &self.history,
            missed: &self.missed,
            scope: &self.scope,
            expected: self.crontabs.as_ref(),
            filter: self.filter,
            users: &self.machine.users,
        }
    }

    pub fn clock(&self) -> Clock {
        let last = self.tally.first_to_last.map_or(self.scope.now, |(_, last)| last);
        let last = if self.scope.is_live { self.scope.now } else { last };
        Clock { day: last.date() }
    }

    /// The number of ENDs without a START, although whole days were read.
    pub fn lost_starts(&self) -> u64 {
        self.query.source.dirs().map_or(0, |_| self.read.unmatched_ends)
    }

    /// The period in words, by default from the first run to the last. A hung run may have begun before the period.
    pub fn period(&self) -> Option<String> {
        let (first, last) = self.tally.first_to_last?;
        let Scope { since, now, is_live, .. } = self.scope;
        let begin = if since == NaiveDateTime::MIN { first } else { since };
        Some(match self.filter.period.until {
            _ if is_live => format!("{begin} to {now} (now)"),
            Some(_) => format!("{begin} to {now}"),
            None => format!("{begin} to {last}"),
        })
    }

    /// The findings of Watch. With `--changed`, only findings that were detected in the period.
    pub fn watched(&self) -> impl Iterator<Item = &WatchFinding> {
        let is_news = matches!(self.query.form, Form::Text(TextQuery { question: Question::Changes, .. }));
        let is_shown =
            move |it: &&WatchFinding| self.filter.names(&it.job) && (!is_news || self.scope.includes(it.detected_at));
        self.watch.findings.iter().filter(is_shown)
    }

    /// The runs of the period.
    pub fn runs(&self) -> impl Iterator<Item = RunSummary> {
        self.history.runs().filter(|run| self.scope.has(run))
    }

    pub fn runs_of(&self, job: JobId) -> impl DoubleEndedIterator<Item = RunSummary> + Clone {
        self.history.of_job(job).filter(|run| self.scope.has(run))
    }

    /// The jobs that ran in the period.
    pub fn jobs(&self) -> impl Iterator<Item = JobId> + use<'_> {
        self.history.job_ids().filter(|job| self.runs_of(*job).next().is_some())
    }

    /// The END of the last good run of a job.
    pub fn last_good(&self, job: JobId) -> Option<NaiveDateTime> {
        self.history.of_job(job).filter(|run| run.outcome == Outcome::Good).map(|run| run.until).max()
    }

    /// The slots of the period without a START, by time.
    pub fn missed_slots(&self) -> impl Iterator<Item = &Slot> {
        self.missed.slots().into_iter().filter(|slot| self.scope.includes(slot.at))
    }

    /// The slots of a period without a START, by job.
    pub fn missed_by_job(&self, scope: &Scope) -> BTreeMap<JobId, Vec<&Slot>> {
        let mut missed: BTreeMap<JobId, Vec<&Slot>> = BTreeMap::new();
        for slot in self.missed.slots().into_iter().filter(|slot| scope.includes(slot.at)) {
            missed.entry(slot.job).or_default().push(slot);
        }
        missed
    }

    /// Whether a job runs behind a lock, or may, by its operands and its lines.
    pub fn has_lock(&self, id: JobId) -> bool {
        let expected = self.crontabs.as_ref().and_then(|it| it.wanted().get(id as usize));
        status_of_lock(&self.history.job(id).name).is_some() || expected.is_some_and(|job| job.is_conditional)
    }

    /// A job, with its user if needed, and whether its parameters change.
    pub fn job_name(&self, id: JobId) -> String {
        let job = self.history.job(id);
        let variants = if job.has_variants { " …" } else { "" };
        shown_job(&job.name) + variants + &self.of_account(job.account)
    }

    /// The job of a finding, with its user if needed.
    pub fn job_of(&self, finding: &WatchFinding) -> String {
        shown_job(&finding.job) + &self.of_account(finding.account)
    }

    /// ` of USER on SCHEDULER`, as far as needed.
    pub fn of_account(&self, account: Account) -> String {
        let users = &self.machine.users;
        let user = match account.uid {
            Some(uid) if users.is_other_user(uid) => {
                let name = users.name(uid).map(|name| printable(name.as_bytes()));
                format!(" of {}", name.unwrap_or_else(|| format!("uid {uid}")))
            }
            _ => String::new(),
        };
        match account.scheduler.name() {
            Some(name) => format!("{user} on {}", printable(name.as_bytes())),
            None => user,
        }
    }
}

fn shown_job(name: &[u8]) -> String {
    if name.is_empty() { "(no operands)".to_owned() } else { shown_name(name) }
}
