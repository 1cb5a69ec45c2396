//! The options of `--report` that are about crontabs.

use std::ffi::OsString;

use clap::FromArgMatches;

use crate::cli::error::UsageError;
use crate::cli::job::read_crontab;
use crate::cli::line::CommandLine;
use crate::cli::value::path;
use crate::cron::{Columns, CrontabSelection};
use crate::report::query::{CrontabSource, Form};

/// Options of the log that have no meaning where only crontabs are read.
const OF_LOGS: [&str; 10] =
    ["since", "until", "user", "failed", "html", "run", "json", "tsv", "prometheus", "files"];

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
    #[arg(conflicts_with_all = ["run", "tsv"])]
    crontab: Vec<OsString>,

    /// A user's crontab, without that column, to read instead of this machine's
    #[arg(long, value_name = "FILE", help_heading = "Crontabs")]
    #[arg(conflicts_with_all = ["run", "tsv"])]
    user_crontab: Vec<OsString>,

    /// Read no crontab: say nothing of what was not started
    #[arg(long, help_heading = "Crontabs")]
    #[arg(conflicts_with_all = ["check", "next", "crontab", "user_crontab"])]
    no_crontab: bool,
}

impl CrontabArgs {
    /// The form that needs the crontabs only, if one is asked for.
    pub fn form(&self) -> Option<Form> {
        match (self.check, self.next) {
            (true, _) => Some(Form::Check),
            (_, true) => Some(Form::Next),
            (false, false) => None,
        }
    }

    /// The crontabs that say what should have run. Logs that are named one by one may be of any machine: to these
    /// belongs no crontab but those that are named too.
    pub fn source<A: FromArgMatches>(
        &self,
        line: &CommandLine<A>,
        has_files: bool,
    ) -> Result<Option<CrontabSource>, UsageError> {
        let selection = self.selection(line)?;
        let has_meaning = match selection {
            CrontabSelection::Nothing => false,
            CrontabSelection::Machine => !has_files,
            CrontabSelection::Files(_) => true,
        };
        Ok(has_meaning.then_some(CrontabSource { selection, grammar: read_crontab }))
    }

    /// The crontabs to read.
    pub fn selection<A: FromArgMatches>(
        &self,
        line: &CommandLine<A>,
    ) -> Result<CrontabSelection, UsageError> {
        if self.no_crontab {
            return Ok(CrontabSelection::Nothing);
        }
        let of_system = self.crontab.iter();
        let of_system = of_system.map(|word| ("crontab", word, Columns::System));
        let of_users = self.user_crontab.iter();
        let of_users = of_users.map(|word| ("user_crontab", word, Columns::User));
        let files = of_system.chain(of_users).map(|(id, word, columns)| {
            let path = line.value(id, word, path)?;
            Ok((path, columns))
        });
        let files = files.collect::<Result<Vec<_>, UsageError>>()?;
        Ok(if files.is_empty() {
            CrontabSelection::Machine
        } else {
            CrontabSelection::Files(files)
        })
    }
}
