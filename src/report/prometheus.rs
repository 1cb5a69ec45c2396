//! The form of `--prometheus`: gauges for the textfile collector of Prometheus's `node_exporter`.
//!
//! All are gauges of the logs that were read. A counter would go back when a log is deleted.

mod exposition;
mod gauges;
mod labels;
mod latest;

use std::io;

use chrono::{DateTime, Local, TimeDelta};

use super::crontab::next::{next_start, periods};
use super::input::{Input, InputError};
use super::ledger::Collector;
use super::run::Run;
use super::scheduler::are_same;
use super::terminal::Output;
use super::{Basis, Findings, HISTORY, Report, Source, diagnosis, midnight, warn};
use crate::schedule::{self, Entry, Grammar, LeftOut, Plan, Selection};
use latest::Latest;

/// How far the logs are read back for what a job did last. A job that is due once a month has run in this time.
pub const LOOK_BACK: TimeDelta = TimeDelta::days(35);

/// The crontabs that tell when jobs are due next.
#[derive(Debug)]
pub struct Crontabs {
    /// Which crontabs.
    pub selection: Selection,
    /// Reads the calls of remoteexe in them.
    pub grammar: Grammar,
}

impl Report {
    /// Writes the gauges.
    pub(super) fn metrics(&self, crontabs: &Crontabs, basis: &Basis, out: &mut Output) -> Findings {
        // What is wrong now is found in the time that the first screen is about too.
        let is_here = matches!(self.source, Source::LogDirs(_));
        let today = midnight(basis.now);
        let history = is_here.then_some(today - HISTORY);
        let (plan, unread) = crontabs.read();
        let mut latest = Latest::default();
        let entries = plan.entries.iter().filter(|entry| self.plans(entry));
        latest.plan_all(entries, basis.zoned_now);
        let mut collector = Collector::new(None);
        let is_known = |run: &Run| basis.filter.is_known(run);
        let mut reading = self.each_run(basis, None, is_known, |run| {
            if basis.filter.matches(&run) {
                latest.add(&run);
            }
            if run.until().is_none_or(|until| Some(until) >= history) {
                collector.add(&run);
            }
        });
        reading.unread.extend(unread);
        let ledger = collector.finish();
        let mut scope = self.scope(ledger.latest().max(reading.latest), basis);
        if is_here {
            scope.since = today;
        }
        let incidents = diagnosis::of_period(&ledger, &scope);
        out.write(gauges::render(latest.finish(), &incidents).as_bytes());
        Findings {
            // Whoever reads the metrics is told by them.
            has_failures: false,
            reading,
        }
    }

    /// Whether a line of a crontab starts a job whose log is read.
    fn plans(&self, entry: &Entry) -> bool {
        let logs_here = match (&self.source, &entry.log_dir) {
            (Source::Inputs(_), _) => true,
            (Source::LogDirs(dirs), Some(of_entry)) => {
                dirs.iter().any(|dir| are_same(&dir.path, of_entry))
            }
            (Source::LogDirs(_), None) => false,
        };
        logs_here && !entry.is_ignored && self.filter.has_name(entry.host(), &entry.job)
    }
}

impl Crontabs {
    /// Reads them. Those that were named on the command line and could not be read come with the reasons; of others
    /// standard error tells.
    pub fn read(&self) -> (Plan, Vec<(Input, InputError)>) {
        let crontabs = schedule::Crontabs::read(&self.selection);
        let plan = Plan::of(&crontabs, self.grammar);
        let is_named = matches!(self.selection, Selection::Files(_));
        let mut unread = Vec::new();
        for LeftOut { path, reason } in crontabs.left_out {
            if is_named {
                unread.push((Input::File(path), io::Error::other(reason).into()));
            } else {
                warn(&format!("left out: {}: {reason}", path.display()));
            }
        }
        (plan, unread)
    }
}

impl Latest {
    /// Notes when the jobs of these lines are due next.
    pub fn plan_all<'a>(&mut self, entries: impl Iterator<Item = &'a Entry>, now: DateTime<Local>) {
        let periods = periods(now);
        for entry in entries {
            if let Some(next) = next_start(entry, &periods) {
                self.plan(&entry.job, next);
            }
        }
    }
}
