//! What is asked: which logs and crontabs to read, which runs to show, and how.

pub mod filter;
pub mod suggestions;
pub mod window;

use std::path::PathBuf;

use chrono::{NaiveDate, NaiveDateTime};

use super::{logs::open::Input, logs::scheduler::LogDir};
use crate::cron::{CrontabSelection, ParseCall};
use crate::exit::SuccessStatuses;
use filter::Filter;

pub struct Query {
    pub source: LogSource,
    /// The crontabs to compare the logs with.
    pub crontabs: Option<CrontabSource>,
    /// Whether to read the log directories of the crontabs' jobs too, because the user gave none.
    pub follows_crontabs: bool,
    pub filter: Filter,
    pub accepted: SuccessStatuses,
    pub form: Form,
    /// Whether unusual good runs make the exit status 1.
    pub watch_counts: bool,
    /// None if the terminal decides.
    pub color: Option<bool>,
    /// Whether to start a pager if standard output is a terminal.
    pub is_paged: bool,
    /// The file to replace. None for standard output.
    pub file: Option<PathBuf>,
}

pub enum LogSource {
    Inputs(Vec<Input>),
    /// The logs in these directories that may have records of the period.
    LogDirs(Vec<LogDir>),
}

impl LogSource {
    /// None if the logs were given one by one.
    pub fn dirs(&self) -> Option<&[LogDir]> {
        match self {
            Self::Inputs(_) => None,
            Self::LogDirs(dirs) => Some(dirs),
        }
    }
}

pub struct CrontabSource {
    pub selection: CrontabSelection,
    pub grammar: ParseCall,
}

pub enum Form {
    Text(TextQuery),
    Html,
    Json,
    /// A line for each run, in the columns of GNU parallel's joblog.
    Tsv,
    /// The records of one run, or a JSON document with all its output.
    Run(RunId, bool),
    Prometheus,
    Check,
    Next,
    /// Shell lines that make up for bad and missed runs.
    Rerun,
}

#[derive(Debug, Clone, Copy)]
pub struct TextQuery {
    pub question: Question,
    /// Whether to list healthy jobs and hosts too.
    pub all: bool,
}

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

/// Names one run. If several match, the last one is meant.
#[derive(Debug, Clone)]
pub struct RunId {
    /// The process id of remoteexe.
    pub pid: u32,
    /// The local day of START. None for any day.
    pub day: Option<NaiveDate>,
    /// The beginning of START's time of day, `HH:MM:SS`.
    pub clock: String,
}

impl RunId {
    pub fn matches(&self, pid: u32, start: NaiveDateTime) -> bool {
        let is_on = |day| start.date() == day;
        self.pid == pid && self.day.is_none_or(is_on) && start.time().to_string().starts_with(&self.clock)
    }
}

impl Query {
    /// The destination of the report, for messages.
    pub fn output_name(&self) -> String {
        let file = self.file.as_ref().map(|file| file.display().to_string());
        file.unwrap_or_else(|| "standard output".to_owned())
    }

    /// Whether all jobs of the crontabs count, whichever directories they log to.
    pub fn is_about_all_crontabs(&self) -> bool {
        let source = self.crontabs.as_ref();
        self.follows_crontabs
            || source.is_some_and(|source| matches!(source.selection, CrontabSelection::Files(_)))
            || self.source.dirs().is_none()
    }
}
