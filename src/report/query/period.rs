//! The period of a report.

use chrono::NaiveDateTime;

/// A period of local time, without its end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Period {
    /// Its first second: `--since`.
    pub since: Option<NaiveDateTime>,
    /// The first second after it: `--until`.
    pub until: Option<NaiveDateTime>,
}

impl Period {
    /// Whether something that went on from `start` to `end` overlaps it. Without an end it still goes on.
    pub fn overlaps(&self, start: NaiveDateTime, end: Option<NaiveDateTime>) -> bool {
        let begins_before = |until| start < until;
        let ends_after = |since| end.is_none_or(|end| end >= since);
        self.until.is_none_or(begins_before) && self.since.is_none_or(ends_after)
    }
}
