//! `--generate airflow`: the lines of crontabs as a file of DAGs for Apache Airflow.
//!
//! `cron` reads the crontabs, and refuses what no other scheduler can do. `schedule` writes a line's time so that
//! Airflow reads the same times as cron, `ids` names the DAGs, and `file` fills `dags.py`. `differences` and `dst` find
//! what will not be as under cron.

mod differences;
mod dst;
mod file;
mod ids;
mod python;
mod schedule;
#[cfg(test)]
mod vectors;

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::cron::{Columns, CrontabSelection, Crontabs, ParseCall, PortableLine, PortableLines, Trust, TrustIn, Zone};
use crate::{escape::printable, exit, machine::Users};
use schedule::{AirflowSchedule, DagLine};

pub struct DagRequest {
    pub crontabs: Vec<(PathBuf, Columns)>,
    pub parse: ParseCall,
}

pub struct DagFile {
    /// In Python. Empty if a crontab could not be read.
    pub text: String,
    /// For standard error, a line each.
    pub messages: String,
    /// [`exit::FOUND_FAILURES`] if a line was left out, [`exit::IO_ERROR`] if a crontab could not be read.
    pub status: u8,
}

impl DagRequest {
    pub fn file(&self, now: DateTime<Utc>) -> DagFile {
        // The crontabs were named, so they are trusted. Nothing looks for the programs in them.
        let selection = CrontabSelection::Files(self.crontabs.clone());
        let trust = TrustIn { users: &Users::read(), of: &|_| Trust::Full };
        let crontabs = Crontabs::read(&selection, trust);
        if !crontabs.left_out.is_empty() {
            let messages = crontabs.left_out.iter();
            let messages = messages.map(|left_out| message(&format!("left out: {}", left_out.shown(""))));
            return DagFile { text: String::new(), messages: messages.collect(), status: exit::IO_ERROR };
        }
        let (mut sources, mut lines) = (Vec::new(), Vec::new());
        for (number, crontab) in crontabs.read.iter().enumerate() {
            let mut source = PortableLines::of(crontab, crontabs.cron.rules, self.parse);
            // Standard input has no age.
            let changed = *source.changed.get_or_insert(now.timestamp());
            lines.extend(source.lines.drain(..).map(|line| DagLine {
                schedule: AirflowSchedule::of(&line.timing, clock_changes(&line, changed)),
                line,
                crontab: number,
            }));
            sources.push(source);
        }
        DagFile {
            text: file::text(&sources, &lines, crontabs.cron.rules),
            messages: messages(&sources, &lines, now),
            status: if sources.iter().all(|source| source.refused.is_empty()) {
                exit::SUCCESS
            } else {
                exit::FOUND_FAILURES
            },
        }
    }
}

/// Whether the clock changes in the year after the crontab's last change: the same crontab always makes the same file.
fn clock_changes(line: &PortableLine, changed: i64) -> bool {
    let zone = Zone::named(&line.zone);
    zone.is_some_and(|zone| !dst::changes(&zone, changed.div_euclid(60)).is_empty())
}

fn messages(sources: &[PortableLines], lines: &[DagLine], now: DateTime<Utc>) -> String {
    let refused = sources.iter().flat_map(|source| &source.refused);
    let refused = refused.map(|finding| message(&finding.shown("left out: ")));
    let differences = differences::of(sources, lines, now);
    let warnings = sources.iter().flat_map(|source| &source.remarks).chain(&differences);
    let warnings = warnings.map(|finding| message(&finding.shown("warning: ")));
    let cost = differences::cost(lines).map(|cost| message(&cost));
    refused.chain(warnings).chain(cost).collect()
}

fn message(text: &str) -> String {
    format!("remoteexe: {}\n", printable(text.as_bytes()))
}
