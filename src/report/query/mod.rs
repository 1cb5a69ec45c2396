//! What is asked: which logs and crontabs to read, which runs to show, and how.

pub mod filter;
pub mod period;
pub mod run_id;
pub mod success_statuses;
pub mod suggestions;
pub mod window;

use std::path::PathBuf;

use super::logs::open::Input;
use super::logs::scheduler::LogDir;
use super::output::style::ColorChoice;
use crate::cron::{CrontabSelection, ParseCall};
use filter::Filter;
use run_id::RunId;
use success_statuses::SuccessStatuses;

/// A question to the logs and the crontabs, as the command line asks it.
#[derive(Debug)]
pub struct Query {
    /// The logs to read.
    pub source: LogSource,
    /// The crontabs that say what should have run.
    pub crontabs: Option<CrontabSource>,
    /// The log directories of the crontabs' jobs are read too: none was given.
    pub follows_crontabs: bool,
    /// The runs to show.
    pub filter: Filter,
    /// The exit statuses of scripts that count as no failure.
    pub accepted: SuccessStatuses,
    /// How to show them.
    pub form: Form,
    /// When text has colours.
    pub color: ColorChoice,
    /// Whether a pager is wanted, if standard output is a terminal.
    pub is_paged: bool,
    /// The file to replace. Without one the report goes to standard output.
    pub file: Option<PathBuf>,
}

/// The logs to read.
#[derive(Debug)]
pub enum LogSource {
    /// These inputs.
    Inputs(Vec<Input>),
    /// The logs in these directories that may have records of the period.
    LogDirs(Vec<LogDir>),
}

/// The crontabs to read.
#[derive(Debug)]
pub struct CrontabSource {
    /// Which crontabs.
    pub selection: CrontabSelection,
    /// Reads the calls of remoteexe in them.
    pub grammar: ParseCall,
}

/// The form of a report.
#[derive(Debug)]
pub enum Form {
    /// The answer to a question, for a person.
    Text(Shown),
    /// A page for a browser.
    Html,
    /// One JSON document on a line for each run.
    Json,
    /// One line for each run, in the columns of GNU parallel's joblog.
    Tsv,
    /// The records of one run.
    Run(RunId),
    /// One JSON document of one run, with all its output.
    RunJson(RunId),
    /// Gauges for Prometheus.
    Prometheus,
    /// The faults of the crontabs.
    Check,
    /// The coming starts.
    Next,
}

/// What a person is shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// The question.
    pub question: Question,
    /// Healthy jobs and hosts are listed too.
    pub all: bool,
}

/// A question that text answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// What is wrong?
    Wrong,
    /// What ran?
    Runs,
    /// What is different from the period before?
    Comparison,
    /// What began or ended in the period?
    Changes,
}

impl Query {
    /// The name of the place that the report goes to, for messages.
    pub fn output_name(&self) -> String {
        let file = self.file.as_ref().map(|file| file.display().to_string());
        file.unwrap_or_else(|| "standard output".to_owned())
    }

    /// Whether all that a crontab has matters, whatever directory the jobs of its file log to.
    pub fn is_about_all_crontabs(&self) -> bool {
        let source = self.crontabs.as_ref();
        self.follows_crontabs
            || source.is_some_and(|source| matches!(source.selection, CrontabSelection::Files(_)))
            || matches!(self.source, LogSource::Inputs(_))
    }
}
