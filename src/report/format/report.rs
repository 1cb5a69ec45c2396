//! The result of a query. Formats read it, and nothing else.

use chrono::NaiveDateTime;

use super::words::{Clock, shown_name};
use crate::cron::Starter;
use crate::escape::printable;
use crate::machine::Machine;
use crate::report::diagnosis::evidence::Evidence;
use crate::report::history::counts::Tally;
use crate::report::history::scope::Scope;
use crate::report::history::{History, JobId};
use crate::report::logs::find::Logs;
use crate::report::logs::owner::Account;
use crate::report::query::filter::Filter;
use crate::report::query::{Form, LogSource, Query, Shown};
use crate::report::runs::first_program::status_of_lock;
use crate::report::runs::reading::Reading;
use crate::report::slots::checked::CheckedCrontabs;
use crate::report::slots::missed::MissedStarts;

/// What was found. Parts that the format does not need are empty.
#[derive(Debug)]
pub struct Report<'a> {
    pub query: &'a Query,
    pub machine: &'a Machine,
    /// The filter, with the default period if none was given.
    pub filter: &'a Filter,
    pub logs: &'a Logs,
    /// What was read besides the runs.
    pub read: Reading,
    /// Names in the logs that are similar to one that was asked for in vain.
    pub suggestions: Vec<String>,
    pub scope: Scope,
    pub history: History,
    pub tally: Tally,
    /// The slots without a START in time, of the jobs that pass the filter.
    pub missed: MissedStarts,
    pub crontabs: Option<CheckedCrontabs>,
}

impl Report<'_> {
    /// Whether healthy jobs and hosts, and all running jobs, are listed.
    pub fn lists_all(&self) -> bool {
        matches!(self.query.form, Form::Text(Shown { all: true, .. }))
    }

    /// What starts a job: cron, or a scheduler whose crontab no cron of this machine reads.
    pub fn starter(&self, job: JobId) -> &'static str {
        let Some(crontabs) = &self.crontabs else { return "cron" };
        let mut expected = crontabs.jobs.iter().zip(&crontabs.expected.jobs);
        let lines = expected.find(|(found, _)| **found == Some(job)).map(|(_, job)| &job.lines);
        let is_of_cron = |line: &usize| crontabs.expected.line(*line).starter == Starter::Cron;
        let is_of_cron = lines.is_none_or(|lines| lines.iter().any(is_of_cron));
        if is_of_cron { "cron" } else { "the scheduler" }
    }

    /// What the diagnosis uses.
    pub fn evidence(&self) -> Evidence<'_> {
        Evidence { history: &self.history, missed: &self.missed, scope: &self.scope }
    }

    pub fn clock(&self) -> Clock {
        let last = self.tally.first_to_last.map_or(self.scope.now, |(_, last)| last);
        let last = if self.scope.is_live { self.scope.now } else { last };
        Clock::of(last.date())
    }

    /// How many ENDs have no START, though the whole log of their day was read.
    pub fn lost_starts(&self) -> u64 {
        match self.query.source {
            LogSource::LogDirs(_) => self.read.unmatched_ends,
            LogSource::Inputs(_) => 0,
        }
    }

    /// The period: what was asked for, and else the time of the runs. A run that hangs may have begun before it.
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

    /// The jobs that ran in the period.
    pub fn jobs(&self) -> impl Iterator<Item = JobId> + use<'_> {
        let has_run = |job: &JobId| {
            let mut runs = self.history.of_job(*job).iter();
            runs.any(|run| self.scope.has(run))
        };
        self.history.job_ids().filter(has_run)
    }

    /// Whether a job runs behind a lock, or may, as far as its operands and its lines show.
    pub fn has_lock(&self, id: JobId) -> bool {
        let crontabs = self.crontabs.iter();
        let mut lines = crontabs.flat_map(|it| it.expected.jobs.iter().zip(&it.jobs));
        status_of_lock(&self.history.job(id).name).is_some()
            || lines.any(|(job, of)| *of == Some(id) && job.is_conditional)
    }

    /// A job, with its user if needed, and whether its parameters change.
    pub fn job_name(&self, id: JobId) -> String {
        let job = self.history.job(id);
        let variants = if job.has_variants { " …" } else { "" };
        let name = match &*job.name {
            b"" => "(no operands)".to_owned(),
            name => shown_name(name),
        };
        name + variants + &self.of_account(self.history.account(id))
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
