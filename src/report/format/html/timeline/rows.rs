//! The rows of a timeline: which jobs have one, in which order, and how many runs have marks of their own.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;

use super::marks::Marks;
use super::scale::Scale;
use crate::report::diagnosis::incident::Incident;
use crate::report::format::html::run_state::RunState;
use crate::report::format::report::Report;
use crate::report::history::scope::Scope;
use crate::report::history::{HostId, JobId, RunSummary};

/// A log may have any number of jobs, and a person has to read the page.
const MAX_ROWS: usize = 1000;

/// The most links, except those of good runs.
const MAX_BAD: usize = 4000;

/// The most links of good runs.
const MAX_GOOD: usize = 1500;

/// The most links of good runs in a row.
const MAX_GOOD_OF_ROW: usize = 100;

#[derive(Debug)]
pub struct JobRow<'a> {
    pub job: JobId,
    pub host: HostId,
    /// The runs in the period, by START, each with its number in the history.
    pub runs: Vec<(usize, &'a RunSummary)>,
    /// The local times of the missed slots of the period, sorted.
    pub missed: Vec<NaiveDateTime>,
    pub marks: Marks<'a>,
}

impl JobRow<'_> {
    /// The states of its runs, a letter each.
    pub fn letters(&self) -> String {
        let missed = self.missed.iter().map(|_| RunState::NotStarted);
        let states = self.runs.iter().map(|(_, run)| RunState::of(run));
        let states: BTreeSet<RunState> = states.chain(missed).collect();
        states.into_iter().map(RunState::letter).collect()
    }

    /// The numbers of the runs with links.
    pub fn targets(&self) -> impl Iterator<Item = usize> {
        let runs = self.marks.linked.iter().filter_map(|mark| mark.last);
        runs.map(|(place, _)| place)
    }

    /// The number of runs in a state, or of missed slots.
    pub fn count(&self, state: RunState) -> u64 {
        if state == RunState::NotStarted {
            return self.missed.len() as u64;
        }
        let runs = self.runs.iter().filter(|(_, run)| RunState::of(run) == state);
        runs.count() as u64
    }
}

/// The rows of the timeline, and the number of other jobs. Hosts of the incidents come first; then by name.
pub fn of<'a>(
    report: &'a Report,
    incidents: &[Incident],
    scale: &Scale,
) -> (Vec<JobRow<'a>>, usize) {
    let mut rows = without_marks(report, incidents);
    let left_out = rows.len().saturating_sub(MAX_ROWS);
    rows.truncate(MAX_ROWS);
    fill(&mut rows, scale, &report.scope);
    (rows, left_out)
}

fn without_marks<'a>(report: &'a Report, incidents: &[Incident]) -> Vec<JobRow<'a>> {
    let history = &report.history;
    let jobs = incidents.iter().flat_map(|incident| &incident.jobs);
    let troubled: BTreeSet<HostId> = jobs.map(|job| history.job(*job).host).collect();
    let missed = report.missed_by_job();
    let jobs: BTreeSet<JobId> = report.jobs().chain(missed.keys().copied()).collect();
    let row = |job: JobId| {
        let runs = history.range(job).zip(history.of_job(job));
        JobRow {
            job,
            host: history.job(job).host,
            runs: runs.filter(|(_, run)| report.scope.has(run)).collect(),
            missed: missed.get(&job).into_iter().flatten().map(|slot| slot.at).collect(),
            marks: Marks::default(),
        }
    };
    let is_shown = |row: &JobRow| {
        let is_bad = |(_, run): &(usize, &RunSummary)| run.outcome.is_bad();
        !report.filter.failed || !row.missed.is_empty() || row.runs.iter().any(is_bad)
    };
    let mut rows: Vec<JobRow> = jobs.into_iter().map(row).filter(is_shown).collect();
    rows.sort_by_cached_key(|row| {
        let is_well = !troubled.contains(&row.host);
        (is_well, history.host(row.host).to_vec(), report.job_name(row.job))
    });
    rows
}

/// Fills the rows with marks, as many of them with links as a page can have.
fn fill(rows: &mut [JobRow], scale: &Scale, scope: &Scope) {
    let mut by_size: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        let good = row.runs.iter().filter(|(_, run)| RunState::of(run) == RunState::Good);
        by_size.entry(good.count()).or_default().push(index);
    }
    // Of rare jobs each run matters, and there is room for it.
    let mut links_good = vec![false; rows.len()];
    let mut linked = 0;
    for (size, indexes) in by_size {
        for index in indexes {
            linked += size;
            links_good[index] = linked <= MAX_GOOD && size <= MAX_GOOD_OF_ROW;
        }
    }
    for (row, links_good) in rows.iter_mut().zip(&links_good) {
        row.marks = Marks::of(&row.runs, &row.missed, scale, scope.now, *links_good);
    }
    let bad: usize = rows.iter().map(|row| row.marks.bad()).sum();
    if bad > MAX_BAD {
        let share = MAX_BAD / rows.len();
        for row in rows {
            row.marks.thin(share, scale);
        }
    }
}
