//! What becomes DAGs: lines, and their crontabs.

use std::path::PathBuf;

use super::schedule::AirflowSchedule;
use crate::cron::{Finding, PortableLine};

#[derive(Debug)]
pub struct DagLine {
    pub line: PortableLine,
    pub schedule: AirflowSchedule,
    /// The index of the crontab in the request.
    pub crontab: usize,
}

#[derive(Debug)]
pub struct DagSource {
    pub path: PathBuf,
    /// The last change, in seconds from 1970.
    pub changed: i64,
    pub is_installed: bool,
    pub refused: Vec<Finding>,
    /// Strange, but the same as under cron.
    pub remarks: Vec<Finding>,
}
