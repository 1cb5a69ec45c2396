//! A line that becomes a DAG.

use super::schedule::AirflowSchedule;
use crate::cron::PortableLine;

#[derive(Debug)]
pub struct DagLine {
    pub line: PortableLine,
    pub schedule: AirflowSchedule,
    /// The index of the crontab in the request.
    pub crontab: usize,
}
