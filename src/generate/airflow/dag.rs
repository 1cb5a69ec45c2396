//! What becomes DAGs: lines, and the crontabs that they come from.

use std::path::PathBuf;

use super::schedule::Schedule;
use crate::cron::{Finding, PortableLine};

/// A line that becomes a DAG.
#[derive(Debug)]
pub struct DagLine {
    /// The line.
    pub line: PortableLine,
    /// When Airflow starts it.
    pub schedule: Schedule,
    /// The crontab, by its place in the request.
    pub crontab: usize,
}

/// A crontab whose lines become DAGs.
#[derive(Debug)]
pub struct DagSource {
    /// Where it is.
    pub path: PathBuf,
    /// The last change, in seconds from 1970.
    pub changed: i64,
    /// cron reads it too.
    pub is_installed: bool,
    /// The lines that are left out.
    pub refused: Vec<Finding>,
    /// What is strange in it.
    pub remarks: Vec<Finding>,
}
