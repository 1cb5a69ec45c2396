//! The timeline: a row a job, by host, and what is drawn in it.

mod bands;
mod draw;
mod marks;
mod scale;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;

use super::look::Look;
use crate::report::diagnosis::Scope;
use crate::report::incident::Incident;
use crate::report::ledger::{Entry, HostId, JobId};
use crate::report::text::View;
use bands::Bands;
use marks::Marks;
pub use scale::Scale;

/// The most rows. A log may have any number of jobs, and a page has to be read.
const MAX_ROWS: usize = 1000;

/// The most marks that have a link of their own and are not of good runs.
const MAX_BAD: usize = 4000;

/// The most good runs that have a link of their own.
const MAX_GOOD: usize = 1500;

/// The most good runs of a row that have a link of their own.
const MAX_GOOD_OF_ROW: usize = 100;

/// The rows of a period.
#[derive(Debug)]
pub struct Timeline<'a> {
    /// The time.
    pub scale: Scale,
    /// The hosts with their jobs.
    pub hosts: Vec<Host<'a>>,
    bands: Bands,
    /// How many jobs have no row.
    left_out: usize,
}

/// A host and the rows of its jobs.
#[derive(Debug)]
pub struct Host<'a> {
    /// The host.
    pub host: HostId,
    /// The jobs.
    pub rows: Vec<Row<'a>>,
}

/// The row of a job.
#[derive(Debug)]
pub struct Row<'a> {
    /// The job.
    pub job: JobId,
    /// Its runs in the period, each with its place in the ledger, in the order of their STARTs.
    pub runs: Vec<(usize, &'a Entry)>,
    /// The local times of the slots of the period at which it was not started, in their order.
    pub missed: Vec<NaiveDateTime>,
    marks: Marks<'a>,
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
    fn count(&self, look: Look) -> u64 {
        if look == Look::NotStarted {
            return self.missed.len() as u64;
        }
        let runs = self.runs.iter().filter(|(_, run)| Look::of(run) == look);
        runs.count() as u64
    }
}

impl<'a> Timeline<'a> {
    /// The timeline of the period. There is none without runs.
    pub fn of(view: &View<'a>, incidents: &[Incident]) -> Option<Self> {
        let scale = scale(view)?;
        let mut rows = rows(view, incidents);
        let left_out = rows.len().saturating_sub(MAX_ROWS);
        rows.truncate(MAX_ROWS);
        fill(&mut rows, &scale, &view.scope);
        let mut hosts: Vec<Host> = Vec::new();
        for row in rows {
            let host = view.ledger.job(row.job).host;
            match hosts.last_mut().filter(|last| last.host == host) {
                Some(last) => last.rows.push(row),
                None => hosts.push(Host {
                    host,
                    rows: vec![row],
                }),
            }
        }
        let bands = Bands::of(view, &scale);
        Some(Self {
            scale,
            hosts,
            bands,
            left_out,
        })
    }

    /// Whether a job has a row.
    pub fn has(&self, job: JobId) -> bool {
        let mut rows = self.hosts.iter().flat_map(|host| &host.rows);
        rows.any(|row| row.job == job)
    }

    /// Keeps the rows up to the first one that is not wanted.
    pub fn keep(&mut self, mut is_wanted: impl FnMut(&Self, HostId, &Row) -> bool) {
        let mut is_full = false;
        let mut hosts = std::mem::take(&mut self.hosts);
        for host in &mut hosts {
            let rows = host.rows.len();
            host.rows.retain(|row| {
                is_full = is_full || !is_wanted(self, host.host, row);
                !is_full
            });
            self.left_out += rows - host.rows.len();
        }
        hosts.retain(|host| !host.rows.is_empty());
        self.hosts = hosts;
    }
}

/// The period: from its beginning, or from the first run if it has none.
fn scale(view: &View) -> Option<Scale> {
    let (first, _) = view.tally.span?;
    let Scope { since, now, .. } = view.scope;
    let begin = if since == NaiveDateTime::MIN {
        first
    } else {
        since
    };
    Some(Scale { begin, end: now })
}

/// The rows without marks: the hosts of the incidents first, and then by name.
fn rows<'a>(view: &View<'a>, incidents: &[Incident]) -> Vec<Row<'a>> {
    let ledger = view.ledger;
    let jobs = incidents.iter().flat_map(|incident| &incident.jobs);
    let troubled: BTreeSet<HostId> = jobs.map(|job| ledger.job(*job).host).collect();
    let mut missed: BTreeMap<JobId, Vec<NaiveDateTime>> = BTreeMap::new();
    for slot in ledger.missing.slots() {
        if view.scope.includes(slot.at) {
            missed.entry(slot.job).or_default().push(slot.at);
        }
    }
    let jobs: BTreeSet<JobId> = view.jobs().chain(missed.keys().copied()).collect();
    let row = |job: JobId| {
        let runs = ledger.range(job).zip(ledger.of_job(job));
        Row {
            job,
            runs: runs.filter(|(_, run)| view.scope.has(run)).collect(),
            missed: missed.get(&job).cloned().unwrap_or_default(),
            marks: Marks::default(),
        }
    };
    let is_shown = |row: &Row| {
        let is_bad = |(_, run): &(usize, &Entry)| run.outcome.is_bad();
        !view.failed_only || !row.missed.is_empty() || row.runs.iter().any(is_bad)
    };
    let mut rows: Vec<Row> = jobs.into_iter().map(row).filter(is_shown).collect();
    rows.sort_by_cached_key(|row| {
        let job = ledger.job(row.job);
        let is_well = !troubled.contains(&job.host);
        (
            is_well,
            ledger.host(job.host).to_vec(),
            view.job_name(row.job),
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
