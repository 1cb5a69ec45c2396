//! Turns a report into bytes: a file or folder for each format.
//!
//! A format declares its needs, takes the matching runs one by one, and in the end reads the whole report.

pub mod changed;
pub mod crontabs;
pub mod gather;
pub mod html;
pub mod joblog;
pub mod json;
pub mod lint;
pub mod prometheus;
pub mod records;
pub mod report;
pub mod rerun;
pub mod sources;
pub mod text;
pub mod upcoming;
pub mod watch;
pub mod words;

use super::query::window::Reach;

// What most forms read of the rooms below.
pub use super::diagnosis::incident::{Incident, IncidentKind, IncidentState};
pub use super::diagnosis::watch::finding::{Oddity, WatchFinding};
pub use super::history::counts::{Count, Tally};
pub use super::history::durations::DurationStats;
pub use super::history::scope::Scope;
pub use super::history::{HostId, JobId, RunFlag, RunSummary};
pub use super::logs::{owner::Account, scheduler::Scheduler};
pub use super::output::{ReportOutput, style::Severity};
pub use super::runs::outcome::{Outcome, Reason};
pub use super::runs::run::Run;
pub use super::slots::Expected;
pub use super::slots::missed::{MissedStarts, Slot};
pub use report::Report;
pub use words::{Clock, age, at_most, chart, count, duration, grouped, shown_name, usual_duration, way};

pub trait Format {
    /// What to gather for the format.
    fn needs(&self) -> Needs;

    /// Begins before any run is read. `expected` are the jobs of the crontabs, if slots are needed.
    fn begin(&mut self, _expected: Option<&Expected>, _out: &mut ReportOutput) {}

    /// Takes a matching run. Runs with END come first, in the order of their ENDs.
    ///
    /// A format that writes runs at once and keeps none takes the same memory for any number of runs.
    fn run(&mut self, _run: Run, _out: &mut ReportOutput) {}

    /// Writes the rest. Returns whether a run failed, was lost or is missing, or a crontab has a fault.
    fn finish(self: Box<Self>, report: &Report, out: &mut ReportOutput) -> bool;
}

#[derive(Debug, Default, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a need of its own")]
pub struct Needs {
    /// The crontabs, without their slots.
    pub crontabs: bool,
    pub slots: bool,
    /// All runs of the period and of the time before.
    pub history: bool,
    /// The runs as they were at the end of the period: what is wrong then does not depend on what came later.
    pub as_of_end: bool,
    /// The last lines of output of the runs in the history.
    pub tails: bool,
    /// Earlier runs of the only wanted job, if it has few in the period.
    pub looks_back: bool,
    /// Good runs from older logs, to judge long runs by.
    pub baseline: bool,
    pub watch: bool,
    /// Only what was detected in the period: an earlier report has shown the rest.
    pub is_news: bool,
    pub reach: Reach,
    /// The records of the runs with this process id.
    pub records_of: Option<u32>,
    /// Warnings about logs that are left out, because the format does not show them.
    pub warns_of_left_out: bool,
    pub is_paged: bool,
    /// Whether anybody may read the file of the report.
    pub is_public: bool,
}
