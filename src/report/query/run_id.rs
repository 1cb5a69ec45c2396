//! The name of one run: its process id, and its START if several runs had that id.

use chrono::{NaiveDate, NaiveDateTime};

/// The run to show: the last one that matches.
#[derive(Debug, Clone)]
pub struct RunId {
    /// The process id of remoteexe.
    pub pid: u32,
    /// The local time of START.
    pub start: Option<StartTime>,
}

/// The local time of a START: its day, its time of day, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartTime {
    /// Any day if there is none.
    pub day: Option<NaiveDate>,
    /// The beginning of `HH:MM:SS`.
    pub clock: String,
}

impl RunId {
    /// Whether this is the run of process `pid` that started at `start`.
    pub fn matches(&self, pid: u32, start: NaiveDateTime) -> bool {
        let has_time = |wanted: &StartTime| wanted.matches(start);
        self.pid == pid && self.start.as_ref().is_none_or(has_time)
    }
}

impl StartTime {
    /// Whether a START has this time.
    pub fn matches(&self, start: NaiveDateTime) -> bool {
        self.day.is_none_or(|day| day == start.date())
            && start.time().to_string().starts_with(&self.clock)
    }
}
