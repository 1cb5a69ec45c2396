//! All records of one run.

use chrono::NaiveDate;

use super::run::Run;

/// The run whose records are wanted: the last one of a process id, or that which started at a time.
#[derive(Debug)]
pub struct Wanted {
    /// The process id.
    pub pid: u32,
    /// The beginning of `YYYY-MM-DD HH:MM:SS`, or of `HH:MM:SS`.
    pub time: Option<String>,
}

impl Wanted {
    /// The day on which it started, if the time says so.
    pub fn day(&self) -> Option<NaiveDate> {
        NaiveDate::parse_from_str(self.time.as_ref()?.get(..10)?, "%Y-%m-%d").ok()
    }

    pub fn is(&self, run: &Run) -> bool {
        let start = run.trace.start.to_string();
        let is_then = |time: &String| start.starts_with(time) || start[11..].starts_with(time);
        run.trace.pid == self.pid && self.time.as_ref().is_none_or(is_then)
    }
}
