//! A finding of Watch.

use std::rc::Rc;

use chrono::NaiveDateTime;

use super::beat::{Beat, Counts};
use super::limits::Limit;
use super::samples::{Sample, WatchedJob};
use crate::report::logs::owner::Account;

/// A job whose last runs are unusual, and in which way.
#[derive(Debug, Clone)]
pub struct WatchFinding {
    pub account: Account,
    /// The operands, as in START.
    pub job: Rc<[u8]>,
    pub oddity: Oddity,
    /// The START of the first unusual run.
    pub since: NaiveDateTime,
    /// The END of the run that made the finding certain.
    pub detected_at: NaiveDateTime,
    /// The process id and START of the last unusual run.
    pub last: (u32, NaiveDateTime),
    /// The number of unusual runs, and of the earlier runs that they are compared with.
    pub runs: usize,
    pub compared: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Oddity {
    /// Good runs take far less time, or print far less: what they do now, and the usual median.
    NothingDone { seconds: Option<(u32, u32)>, lines: Option<(u32, u32)> },
    /// Good runs print a line that reports a failure, as no earlier run did.
    SaysError { line: String },
    /// Good runs take longer by `percent` a day, `from` and `now` in seconds, and reach the limit about `at`.
    Creeping { percent: f64, from: u32, now: u32, limit: Limit, at: NaiveDateTime },
    /// Runs fail at certain times.
    Rhythm { beat: Beat, counts: Counts },
    /// Good runs nearly reach the limit: the longest of them, and the usual median, in seconds.
    TooClose { longest: u32, usual: u32, limit: Limit },
}

impl Oddity {
    pub const WORDS: [&str; 6] = ["FASTER", "EMPTY", "SAYS ERROR", "CREEPING", "RHYTHM", "TOO CLOSE"];

    pub fn word(&self) -> &'static str {
        match self {
            Self::NothingDone { seconds: Some(_), .. } => "FASTER",
            Self::NothingDone { .. } => "EMPTY",
            Self::SaysError { .. } => "SAYS ERROR",
            Self::Creeping { .. } => "CREEPING",
            Self::Rhythm { .. } => "RHYTHM",
            Self::TooClose { .. } => "TOO CLOSE",
        }
    }
}

impl WatchedJob {
    /// The finding about the `odd` runs, which the run at the index `known` made certain.
    pub fn finding(&self, oddity: Oddity, odd: &[&Sample], known: usize, compared: usize) -> Option<WatchFinding> {
        let (first, last) = (odd.first()?, odd.last()?);
        Some(WatchFinding {
            account: self.account,
            job: Rc::clone(&self.name),
            oddity,
            since: first.start,
            detected_at: odd.get(known)?.end(),
            last: (last.pid, last.start),
            runs: odd.len(),
            compared,
        })
    }
}
