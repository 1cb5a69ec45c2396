//! The timeline: a row a job, by host, and what is drawn in it.

pub mod bands;
pub mod draw;
pub mod marks;
pub mod rows;
pub mod scale;
pub mod section;

use chrono::NaiveDateTime;
use maud::{Markup, PreEscaped, html};

use crate::report::diagnosis::incident::Incident;
use crate::report::format::report::Report;
use crate::report::history::scope::Scope;
use crate::report::history::{HostId, JobId};
use bands::Bands;
use rows::Row;
use scale::Scale;

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

impl<'a> Timeline<'a> {
    /// The timeline of the period. There is none without a job to show.
    pub fn of(report: &'a Report, incidents: &[Incident]) -> Option<Self> {
        let scale = scale(report)?;
        let (rows, left_out) = rows::of(report, incidents, &scale);
        if rows.is_empty() {
            return None;
        }
        let mut hosts: Vec<Host> = Vec::new();
        for row in rows {
            let host = report.ledger.job(row.job).host;
            match hosts.last_mut().filter(|last| last.host == host) {
                Some(last) => last.rows.push(row),
                None => hosts.push(Host {
                    host,
                    rows: vec![row],
                }),
            }
        }
        let bands = Bands::of(report, &scale);
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

    /// Keeps the rows up to the first one that is not wanted, as it is drawn. The row of a host is drawn with its first
    /// job.
    pub fn keep(&mut self, report: &Report, mut is_wanted: impl FnMut(&Row, &Markup) -> bool) {
        let mut is_full = false;
        let mut hosts = std::mem::take(&mut self.hosts);
        for Host { host, rows } in &mut hosts {
            let mut head = html! { (section::option(report, *host)) (self.head(report, *host)) };
            let all = rows.len();
            rows.retain(|row| {
                let of_host = std::mem::replace(&mut head, PreEscaped(String::new()));
                let drawn = html! { (of_host) (self.row(report, *host, row)) };
                is_full = is_full || !is_wanted(row, &drawn);
                !is_full
            });
            self.left_out += all - rows.len();
        }
        hosts.retain(|host| !host.rows.is_empty());
        self.hosts = hosts;
    }
}

/// The period: from its beginning, or from the first run if it has none.
fn scale(report: &Report) -> Option<Scale> {
    let (first, _) = report.tally.span?;
    let Scope { since, now, .. } = report.scope;
    let begin = if since == NaiveDateTime::MIN {
        first
    } else {
        since
    };
    Some(Scale { begin, end: now })
}
