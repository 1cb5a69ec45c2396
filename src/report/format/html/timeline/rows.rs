//! The rows of a timeline: which jobs have one, in which order, and how many of their runs a mark of their own.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;

use super::marks::Marks;
use super::scale::Scale;
use crate::report::diagnosis::incident::Incident;
use crate::report::format::html::look::Look;
use crate::report::format::report::Report;
use crate::report::history::scope::Scope;
use crate::report::history::{Entry, HostId, JobId};

/// The most rows. A log may have any number of jobs, and a page has to be read.
const MAX_ROWS: usize = 1000;

/// The most marks that have a link of their own and are not of good runs.
const MAX_BAD: usize = 4000;

/// The most good runs that have a link of their own.
const MAX_GOOD: usize = 1500;

/// The most good runs of a row that have a link of their own.
const MAX_GOOD_OF_ROW: usize = 100;

/// The row of a job.
#[derive(Debug)]
pub struct Row<'a> {
    /// The job.
    pub job: JobId,
    /// Its runs in the period, each with its place in the ledger, in the order of their STARTs.
    pub runs: Vec<(usize, &'a Entry)>,
    /// The local times of the slots of the period at which it was not started, in their order.
    pub missed: Vec<NaiveDateTime>,
    /// Its marks.
    pub marks: Marks<'a>,
}

impl Row<'_> {
    /// The states of its runs, a letter each.
    pub fn letters(&self) -> String {
        let missed = self.missed.iter().map(|_| Look::NotStarted);
        let looks = self.runs.iter().map(|(_, run)| Look::of(run));
        let looks: BTreeSet<Look> = looks.chain(missed).collect();
        looks.into_iter().map(Look::letter).collect()
    }

    /// The places of the runs that marks lead to.
    pub fn targets(&self) -> impl Iterator<Item = usize> {
        let runs = self.marks.linked.iter().filter_map(|mark| mark.last);
        runs.map(|(place, _)| place)
    }

    /// How many of its runs have a state, or how many slots have none.
    pub fn count(&self, look: Look) -> u64 {
        if look == Look::NotStarted {
            return self.missed.len() as u64;
        }
        let runs = self.runs.iter().filter(|(_, run)| Look::of(run) == look);
        runs.count() as u64
    }
}

/// The rows of the timeline, and how many more jobs there are: the hosts of the incidents first, and then by name.
pub fn of<'a>(report: &'a Report, incidents: &[Incident], scale: &Scale) -> (Vec<Row<'a>>, usize) {
    let mut rows = without_marks(report, incidents);
    let left_out = rows.len().saturating_sub(MAX_ROWS);
    rows.truncate(MAX_ROWS);
    fill(&mut rows, scale, &report.scope);
    (rows, left_out)
}

fn without_marks<'a>(report: &'a Report, incidents: &[Incident]) -> Vec<Row<'a>> {
    let ledger = &report.ledger;
    let jobs = incidents.iter().flat_map(|incident| &incident.jobs);
    let troubled: BTreeSet<HostId> = jobs.map(|job| ledger.job(*job).host).collect();
    let mut missed: BTreeMap<JobId, Vec<NaiveDateTime>> = BTreeMap::new();
    for slot in report.missed.slots() {
        if report.scope.includes(slot.at) {
            missed.entry(slot.job).or_default().push(slot.at);
        }
    }
    let jobs: BTreeSet<JobId> = report.jobs().chain(missed.keys().copied()).collect();
    let row = |job: JobId| {
        let runs = ledger.range(job).zip(ledger.of_job(job));
        Row {
            job,
            runs: runs.filter(|(_, run)| report.scope.has(run)).collect(),
            missed: missed.get(&job).cloned().unwrap_or_default(),
            marks: Marks::default(),
        }
    };
    let is_shown = |row: &Row| {
        let is_bad = |(_, run): &(usize, &Entry)| run.outcome.is_bad();
        !report.filter.failed || !row.missed.is_empty() || row.runs.iter().any(is_bad)
    };
    let mut rows: Vec<Row> = jobs.into_iter().map(row).filter(is_shown).collect();
    rows.sort_by_cached_key(|row| {
        let job = ledger.job(row.job);
        let is_well = !troubled.contains(&job.host);
        (
            is_well,
            ledger.host(job.host).to_vec(),
            report.job_name(row.job),
        )
    });
    rows
}

/// Puts the marks into the rows: as many of them with links as a page can have.
fn fill(rows: &mut [Row], scale: &Scale, scope: &Scope) {
    let mut by_size: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        let good = row
            .runs
            .iter()
            .filter(|(_, run)| Look::of(run) == Look::Good);
        by_size.entry(good.count()).or_default().push(index);
    }
    // Those that run seldom: each of their runs matters, and has room.
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
