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
use crate::report::history::JobId;
use crate::report::history::scope::Scope;
use bands::Bands;
use rows::JobRow;
use scale::Scale;

#[derive(Debug)]
pub struct Timeline<'a> {
    pub scale: Scale,
    /// Those of one host come together.
    pub rows: Vec<JobRow<'a>>,
    bands: Bands,
    /// The number of jobs without a row.
    left_out: usize,
}

impl<'a> Timeline<'a> {
    /// None if there is no job to show.
    pub fn of(report: &'a Report, incidents: &[Incident]) -> Option<Self> {
        let scale = scale(report)?;
        let (rows, left_out) = rows::of(report, incidents, &scale);
        let bands = Bands::of(report, &scale);
        (!rows.is_empty()).then_some(Self { scale, rows, bands, left_out })
    }

    pub fn has(&self, job: JobId) -> bool {
        self.rows.iter().any(|row| row.job == job)
    }

    /// The rows of each host.
    fn by_host(&self) -> impl Iterator<Item = &[JobRow<'a>]> {
        self.rows.chunk_by(|one, other| one.host == other.host)
    }
}

/// The period, from the first run if it has no beginning.
fn scale(report: &Report) -> Option<Scale> {
    let (first, _) = report.tally.first_to_last?;
    let Scope { since, now, .. } = report.scope;
    let begin = if since == NaiveDateTime::MIN { first } else { since };
    Some(Scale { begin, end: now })
}
