//! A request for a report, as the command line gives it.

pub mod accepted;
pub mod basis;
pub mod filter;
pub mod nearest;
pub mod period;
pub mod scope;

use std::path::PathBuf;

use super::format::records::Wanted;
use super::format::text::Question;
use super::logs::open::Input;
use super::logs::scheduler::LogDir;
use super::output::Output;
use super::output::atomic_file::Access;
use super::output::style::ColorChoice;
use super::slots::CrontabSource;
use accepted::Accepted;
use filter::Filter;

/// A request for a report.
#[derive(Debug)]
pub struct Report {
    /// The logs to read.
    pub source: Source,
    /// The crontabs that say what should have run.
    pub crontabs: Option<CrontabSource>,
    /// The log directories of the crontabs' jobs are read too: none was given.
    pub follows_crontabs: bool,
    /// The runs to show.
    pub filter: Filter,
    /// The exit statuses of scripts that count as no failure.
    pub accepted: Accepted,
    /// How to show them.
    pub form: Form,
    /// When the form for a person has colours.
    pub color: ColorChoice,
    /// Whether a pager is wanted, if standard output is a terminal.
    pub is_paged: bool,
    /// The file that it replaces, if it does not go to standard output.
    pub file: Option<PathBuf>,
}

/// The logs to read.
#[derive(Debug)]
pub enum Source {
    /// These inputs.
    Inputs(Vec<Input>),
    /// The logs in these directories that may have records of the period.
    LogDirs(Vec<LogDir>),
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
    Run(Wanted),
    /// One JSON document of one run, with all its output.
    RunJson(Wanted),
    /// Gauges for Prometheus.
    Prometheus,
}

/// What a person is shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// The question.
    pub question: Question,
    /// Healthy jobs and hosts are listed too.
    pub all: bool,
}

impl Form {
    /// Whether it has a place for what is to be said of the logs. The other forms are for programs.
    pub(super) fn has_remarks(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Html)
    }

    /// Whether it says what follows from all runs together. The other forms show the runs as they are logged.
    pub(super) fn has_rules(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Html | Self::Prometheus)
    }

    /// Whether it shows incidents, not only runs.
    pub fn has_incidents(&self) -> bool {
        match self {
            Self::Text(shown) => matches!(shown.question, Question::Wrong | Question::Changes),
            Self::Html | Self::Prometheus => true,
            Self::Json | Self::Tsv | Self::Run(_) | Self::RunJson(_) => false,
        }
    }
}

impl Report {
    /// Where the report goes.
    pub fn output(&self) -> Output {
        // A page is no text for a pager.
        let is_paged = self.is_paged && !matches!(self.form, Form::Html);
        // node_exporter reads gauges as a user of its own. A page may show what not all may read.
        let access = match self.form {
            Form::Prometheus => Access::All,
            _ => Access::AsBefore,
        };
        let file = self.file.as_deref().map(|file| (file, access));
        Output::new(is_paged, file)
    }

    /// Its name, for messages.
    pub fn output_name(&self) -> String {
        let file = self.file.as_ref().map(|file| file.display().to_string());
        file.unwrap_or_else(|| "standard output".to_owned())
    }
}
