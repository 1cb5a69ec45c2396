//! The crontabs of a report with everything found about them.

use std::rc::Rc;

use super::check::{Judgement, Timeframe};
use super::missed::MissedStarts;
use super::summary::CrontabSummary;
use super::{Expected, Planned};
use crate::report::history::{History, JobId};
use crate::report::logs::find::Logs;
use crate::report::logs::open::{InputError, is_incomplete};
use crate::report::query::filter::Filter;
use crate::report::runs::reading::Reading;

#[derive(Debug)]
pub struct CheckedCrontabs {
    pub expected: Expected,
    /// Slots without a START in time. Jobs are numbered as the expected ones.
    pub missing: MissedStarts,
    /// For each expected job that passes the filter, its number in the history.
    pub jobs: Vec<Option<JobId>>,
    /// None if there is nothing to say about the crontabs.
    pub summary: Option<CrontabSummary>,
}

impl Expected {
    /// Compares the slots with the STARTs. Nothing is missing if some logs could not be read.
    pub fn check(&mut self, timeframe: &Timeframe, reading: &Reading, logs: &Logs) -> Judgement {
        let unread = reading.unread.iter().chain(&logs.refused);
        // If another user's file has the name of a log, the records are in another file, which is read.
        let unread = unread.filter(|(_, error)| !matches!(error, InputError::Stranger(_)));
        if is_incomplete(unread) { Judgement::default() } else { self.judge(timeframe) }
    }

    /// For each expected job that passes the filter, its number in the history.
    pub fn in_history(&self, history: &History, filter: &Filter) -> Vec<Option<JobId>> {
        let places = history.places();
        let jobs = self.jobs.iter().map(|job| {
            let place = places.get(&(job.scheduler, Rc::clone(&job.name))).copied();
            place.filter(|_| job.is_wanted(filter))
        });
        jobs.collect()
    }
}

/// Allows the usual log directory to be empty if the crontabs lead to other directories.
pub fn forget_usual_dir(planned: &Planned, logs: &mut Logs, usual: &std::path::Path) {
    let mut entries = planned.plan.entries.iter();
    if !entries.any(|entry| entry.log_dir.as_deref() == Some(usual)) {
        logs.empty_dirs.retain(|(dir, _)| dir != usual);
    }
}

impl CheckedCrontabs {
    /// The slots without a START in time, of the jobs that pass the filter. Jobs are numbered as in the history.
    pub fn in_history(&self) -> MissedStarts {
        let missing = self.missing.clone();
        missing.renumbered(|number| self.jobs.get(number as usize).copied().flatten())
    }

    /// The crontabs without a check of their slots.
    pub fn unchecked(expected: Expected) -> Self {
        Self { expected, missing: MissedStarts::default(), jobs: Vec::new(), summary: None }
    }
}
