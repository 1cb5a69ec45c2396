//! The timeline: a row a job, by host, and what is drawn in it.

pub mod bands;
pub mod draw;
pub mod marks;
pub mod rows;
pub mod scale;
pub mod section;

use chrono::NaiveDateTime;

use crate::report::diagnosis::incident::Incident;
use crate::report::format::report::Report;
use crate::report::history::scope::Scope;
use crate::report::history::{HostId, JobId};
use bands::Bands;
use rows::JobRow;
use scale::Scale;

/// The rows of a period.
#[derive(Debug)]
pub struct Timeline<'a> {
    /// The time.
    pub scale: Scale,
    /// The hosts with their jobs.
    pub hosts: Vec<HostRows<'a>>,
    bands: Bands,
    /// How many jobs have no row.
    left_out: usize,
}

/// A host and the rows of its jobs.
#[derive(Debug)]
pub struct HostRows<'a> {
    /// The host.
    pub host: HostId,
    /// The jobs.
    pub rows: Vec<JobRow<'a>>,
}

impl<'a> Timeline<'a> {
    /// The timeline of the period. There is none without a job to show.
    pub fn of(report: &'a Report, incidents: &[Incident]) -> Option<Self> {
        let scale = scale(report)?;
        let (rows, left_out) = rows::of(report, incidents, &scale);
        if rows.is_empty() {
            return None;
        }
        let mut hosts: Vec<HostRows> = Vec::new();
        for row in rows {
            let host = report.history.job(row.job).host;
            match hosts.last_mut().filter(|last| last.host == host) {
                Some(last) => last.rows.push(row),
                None => hosts.push(HostRows { host, rows: vec![row] }),
            }
        }
        let bands = Bands::of(report, &scale);
        Some(Self { scale, hosts, bands, left_out })
    }

    /// Whether a job has a row.
    pub fn has(&self, job: JobId) -> bool {
        let mut rows = self.hosts.iter().flat_map(|host| &host.rows);
        rows.any(|row| row.job == job)
    }
}

/// The period: from its beginning, or from the first run if it has none.
fn scale(report: &Report) -> Option<Scale> {
    let (first, _) = report.tally.first_to_last?;
    let Scope { since, now, .. } = report.scope;
    let begin = if since == NaiveDateTime::MIN { first } else { since };
    Some(Scale { begin, end: now })
}
