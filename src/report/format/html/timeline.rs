//! The timeline: a row for each job, by host.

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

#[derive(Debug)]
pub struct Timeline<'a> {
    pub scale: Scale,
    pub hosts: Vec<HostRows<'a>>,
    bands: Bands,
    /// The number of jobs without a row.
    left_out: usize,
}

#[derive(Debug)]
pub struct HostRows<'a> {
    pub host: HostId,
    pub rows: Vec<JobRow<'a>>,
}

impl<'a> Timeline<'a> {
    /// None if there is no job to show.
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

    pub fn has(&self, job: JobId) -> bool {
        let mut rows = self.hosts.iter().flat_map(|host| &host.rows);
        rows.any(|row| row.job == job)
    }
}

/// The period, from the first run if it has no beginning.
fn scale(report: &Report) -> Option<Scale> {
    let (first, _) = report.tally.first_to_last?;
    let Scope { since, now, .. } = report.scope;
    let begin = if since == NaiveDateTime::MIN { first } else { since };
    Some(Scale { begin, end: now })
}
