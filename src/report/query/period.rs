use chrono::NaiveDateTime;

/// A period of local time, without its end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Period {
    /// The first second: `--since`.
    pub since: Option<NaiveDateTime>,
    /// The first second after the period: `--until`.
    pub until: Option<NaiveDateTime>,
}

impl Period {
    /// Whether something from `start` to `end` overlaps the period. Without an end it is still going on.
    pub fn overlaps(&self, start: NaiveDateTime, end: Option<NaiveDateTime>) -> bool {
        let begins_before = |until| start < until;
        let ends_after = |since| end.is_none_or(|end| end >= since);
        self.until.is_none_or(begins_before) && self.since.is_none_or(ends_after)
    }
}
