//! The crontabs of a report, with all that was found about them.

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

/// The crontabs after the check.
#[derive(Debug)]
pub struct CheckedCrontabs {
    /// The jobs on their lines.
    pub expected: Expected,
    /// The slots without a START in time. Their jobs are numbered as the expected ones.
    pub missing: MissedStarts,
    /// For each expected job that is asked for, the same job in the history.
    pub jobs: Vec<Option<JobId>>,
    /// The numbers. None if there is nothing to be said of the crontabs.
    pub summary: Option<CrontabSummary>,
}

impl Expected {
    /// Compares the slots with the STARTs. Nothing is missing where not all logs could be read.
    pub fn check(&mut self, timeframe: &Timeframe, reading: &Reading, logs: &Logs) -> Judgement {
        let unread = reading.unread.iter().chain(&logs.refused);
        // Where a stranger has the name of a log, the records are in another one, which is read.
        let unread = unread.filter(|(_, error)| !matches!(error, InputError::Stranger(_)));
        if is_incomplete(unread) { Judgement::default() } else { self.judge(timeframe) }
    }

    /// The expected jobs that are asked for, by their places in the history.
    pub fn in_history(&self, history: &History, filter: &Filter) -> Vec<Option<JobId>> {
        let places = history.places();
        let jobs = self.jobs.iter().map(|job| {
            let place = places.get(&(job.scheduler, Rc::clone(&job.name))).copied();
            place.filter(|_| job.is_wanted(filter))
        });
        jobs.collect()
    }
}

/// Lets the usual log directory be empty if no job of the crontabs logs there. The crontabs have led to other ones.
pub fn forget_usual_dir(planned: &Planned, logs: &mut Logs, usual: &std::path::Path) {
    let mut entries = planned.plan.entries.iter();
    if !entries.any(|entry| entry.log_dir.as_deref() == Some(usual)) {
        logs.empty_dirs.retain(|(dir, _)| dir != usual);
    }
}

impl CheckedCrontabs {
    /// The slots without a START in time, of the jobs that are asked for. Their jobs are numbered as in the history.
    pub fn in_history(&self) -> MissedStarts {
        let missing = self.missing.clone();
        missing.renumbered(|number| self.jobs.get(number as usize).copied().flatten())
    }

    /// The crontabs alone, without a look at their slots.
    pub fn unchecked(expected: Expected) -> Self {
        Self { expected, missing: MissedStarts::default(), jobs: Vec::new(), summary: None }
    }
}
