//! What the page has of each job: the runs of the period, their cells, and the runs that are listed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;

use super::{cells::Cells, grid::Grid, limits};
use crate::report::format::{HostId, JobId, Report};

pub struct JobRow {
    pub job: JobId,
    pub host: HostId,
    /// The numbers of its runs in the history, by START.
    pub runs: Vec<usize>,
    /// The local times of the missed slots of the period, sorted.
    pub missed: Vec<NaiveDateTime>,
    pub cells: Cells,
    /// The numbers of the runs that are listed.
    pub listed: BTreeSet<usize>,
}

/// A report with the columns and the rows of its page.
pub struct View<'a> {
    pub report: &'a Report<'a>,
    pub grid: Grid,
    pub rows: BTreeMap<JobId, JobRow>,
    /// The number of jobs without a row.
    pub left_out: usize,
}

impl<'a> View<'a> {
    /// Jobs in `first` have a row before others. None without runs.
    pub fn of(report: &'a Report, first: &[JobId]) -> Option<Self> {
        let grid = Grid::of(report)?;
        let missed = report.missed_by_job(&report.scope);
        let jobs: BTreeSet<JobId> = report.jobs().chain(missed.keys().copied()).collect();
        let mut jobs: Vec<JobId> = jobs.into_iter().collect();
        let row = |job: JobId| {
            let runs = report.history.range(job).zip(report.history.of_job(job));
            let runs: Vec<_> = runs.filter(|(_, run)| report.scope.has(run)).map(|(place, _)| place).collect();
            let missed = missed.get(&job).into_iter().flatten().map(|slot| slot.at);
            let missed: Vec<NaiveDateTime> = missed.collect();
            let cells = Cells::of(&grid, &report.history, &runs, &missed);
            let host = report.history.job(job).host;
            JobRow { job, host, runs, missed, cells, listed: BTreeSet::new() }
        };
        let first: BTreeSet<JobId> = first.iter().copied().collect();
        jobs.sort_by_key(|job| !first.contains(job));
        let rows = jobs.iter().map(|job| row(*job));
        let mut rows: Vec<JobRow> = rows.filter(|row| !report.filter.failed || row.cells.bad() > 0).collect();
        let left_out = rows.len().saturating_sub(limits::LINES);
        rows.truncate(limits::LINES);
        let bad = rows.iter().filter(|row| row.cells.bad() > 0).count().max(1);
        let most = (limits::TARGETS / bad).min(limits::TARGETS_OF_JOB);
        for row in &mut rows {
            let last = row.runs.iter().rev().take(limits::LAST_RUNS).copied();
            row.listed = row.cells.last_bad().take(most).chain(last).collect();
        }
        let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.job, row)).collect();
        (!rows.is_empty()).then_some(Self { report, grid, rows, left_out })
    }
}
