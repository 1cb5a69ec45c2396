//! The options of `--report` that are about crontabs.

use std::ffi::OsString;

use clap::FromArgMatches;

use crate::cli::error::UsageError;
use crate::cli::job::read_crontab;
use crate::cli::line::CommandLine;
use crate::cron::CrontabSelection;
use crate::report::query::{CrontabSource, Form};

/// Options that have no meaning if only crontabs are read.
const OF_LOGS: [&str; 11] =
    ["since", "until", "user", "failed", "html", "run", "json", "tsv", "prometheus", "rerun", "files"];

#[derive(Debug, clap::Args)]
pub struct CrontabArgs {
    /// What is wrong with the crontabs: one problem on each line, with its remedy
    #[arg(long, help_heading = "Crontabs", conflicts_with = "next", conflicts_with_all = OF_LOGS)]
    #[arg(conflicts_with_all = ["host", "job"])]
    check: bool,

    /// The coming starts, and the seconds in which many jobs connect together
    #[arg(long, help_heading = "Crontabs", conflicts_with_all = OF_LOGS)]
    next: bool,

    /// A crontab with a column of users, such as /etc/crontab, to read instead of this machine's
    #[arg(long, value_name = "FILE", help_heading = "Crontabs")]
    crontab: Vec<OsString>,

    /// A user's crontab, without that column, to read instead of this machine's
    #[arg(long, value_name = "FILE", help_heading = "Crontabs")]
    user_crontab: Vec<OsString>,

    /// Read no crontab: say nothing of what was not started
    #[arg(long, help_heading = "Crontabs")]
    #[arg(conflicts_with_all = ["check", "next", "crontab", "user_crontab"])]
    no_crontab: bool,
}

impl CrontabArgs {
    /// The form, if one is asked for that reads only crontabs.
    pub fn form(&self) -> Option<Form> {
        self.check.then_some(Form::Check).or(self.next.then_some(Form::Next))
    }

    /// The crontabs to compare the logs with. Logs that were named may come from any machine, so only crontabs that
    /// were named too belong to them.
    pub fn source<A: FromArgMatches>(
        &self,
        line: &CommandLine<A>,
        has_files: bool,
    ) -> Result<Option<CrontabSource>, UsageError> {
        let files = line.crontabs(&self.crontab, &self.user_crontab)?;
        let has_meaning = !self.no_crontab && (!has_files || !files.is_empty());
        let selection = if files.is_empty() { CrontabSelection::Machine } else { CrontabSelection::Files(files) };
        Ok(has_meaning.then_some(CrontabSource { selection, grammar: read_crontab }))
    }
}
