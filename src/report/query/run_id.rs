//! Names one run by its process id, and by its START if several runs had that id.

use chrono::{NaiveDate, NaiveDateTime};

/// The run to show. If several match, the last one.
#[derive(Debug, Clone)]
pub struct RunId {
    /// The process id of remoteexe.
    pub pid: u32,
    pub start: Option<StartTime>,
}

/// The local time of a START: the day, the time of day, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartTime {
    /// None for any day.
    pub day: Option<NaiveDate>,
    /// The beginning of `HH:MM:SS`.
    pub clock: String,
}

impl RunId {
    pub fn matches(&self, pid: u32, start: NaiveDateTime) -> bool {
        let has_time = |wanted: &StartTime| wanted.matches(start);
        self.pid == pid && self.start.as_ref().is_none_or(has_time)
    }
}

impl StartTime {
    pub fn matches(&self, start: NaiveDateTime) -> bool {
        self.day.is_none_or(|day| day == start.date()) && start.time().to_string().starts_with(&self.clock)
    }
}
