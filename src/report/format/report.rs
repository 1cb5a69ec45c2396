//! The result of a query. Formats read it, and nothing else.

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
use crate::report::query::{Form, Query, Shown};
use crate::report::runs::reading::Reading;
use crate::report::slots::checked::CheckedCrontabs;
use crate::report::slots::missed::MissedStarts;

/// What was found. Parts that the format does not need are empty.
#[derive(Debug)]
pub struct Report<'a> {
    /// The query.
    pub query: &'a Query,
    /// The machine that it was asked on.
    pub machine: &'a Machine,
    /// Which runs are shown, with the period that is meant if none was given.
    pub filter: &'a Filter,
    /// The logs.
    pub logs: &'a Logs,
    /// What was read besides the runs.
    pub read: Reading,
    /// The names that are nearest to one that was asked for in vain.
    pub suggestions: Vec<String>,
    /// The time that is diagnosed.
    pub scope: Scope,
    /// The runs.
    pub history: History,
    /// The counts of the period.
    pub tally: Tally,
    /// The slots without a START in time, of the jobs that are asked for.
    pub missed: MissedStarts,
    /// The crontabs, if there are any.
    pub crontabs: Option<CheckedCrontabs>,
}

impl Report<'_> {
    /// Healthy jobs and hosts are listed, and all that runs.
    pub fn lists_all(&self) -> bool {
        matches!(self.query.form, Form::Text(Shown { all: true, .. }))
    }

    /// What starts a job: cron, or a scheduler whose crontab no cron of this machine reads.
    pub fn starter(&self, job: JobId) -> &'static str {
        let crontabs = self.crontabs.iter();
        let expected = crontabs.flat_map(|it| it.jobs.iter().zip(&it.expected.jobs));
        let mut expected = expected.filter(|(found, _)| **found == Some(job));
        let lines = expected.next().map(|(_, expected)| &expected.lines);
        let is_of_cron = lines.zip(self.crontabs.as_ref()).is_none_or(|(lines, crontabs)| {
            lines.iter().any(|line| crontabs.expected.line(*line).starter == Starter::Cron)
        });
        if is_of_cron { "cron" } else { "the scheduler" }
    }

    /// What a diagnosis goes by.
    pub fn evidence(&self) -> Evidence<'_> {
        Evidence { history: &self.history, missed: &self.missed, scope: &self.scope }
    }

    /// The format of the local times.
    pub fn clock(&self) -> Clock {
        let last = self.tally.first_to_last.map_or(self.scope.now, |(_, last)| last);
        let last = if self.scope.is_live { self.scope.now } else { last };
        Clock::of(last.date())
    }

    /// The jobs that ran in the period.
    pub fn jobs(&self) -> impl Iterator<Item = JobId> + use<'_> {
        let has_run = |job: &JobId| {
            let mut runs = self.history.of_job(*job).iter();
            runs.any(|run| self.scope.has(run))
        };
        self.history.job_ids().filter(has_run)
    }

    /// A job, its user if that is to be named, and whether its parameters change.
    pub fn job_name(&self, id: JobId) -> String {
        let job = self.history.job(id);
        let variants = if job.has_variants { " …" } else { "" };
        let name = match &*job.name {
            b"" => "(no operands)".to_owned(),
            name => shown_name(name),
        };
        name + variants + &self.of_account(self.history.account(id))
    }

    /// ` of USER on SCHEDULER`, where they are to be named.
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
