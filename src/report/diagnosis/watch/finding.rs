//! A finding: a job whose last runs are not as usual.

use std::rc::Rc;

use chrono::NaiveDateTime;

use super::beat::{Beat, Counts};
use super::limits::Limit;
use super::samples::{Sample, WatchedJob};
use crate::report::logs::owner::Account;

/// What is not as usual with a job, though its runs are good.
#[derive(Debug, Clone)]
pub struct WatchFinding {
    pub account: Account,
    /// The operands, as in START.
    pub job: Rc<[u8]>,
    pub oddity: Oddity,
    /// The START of the first run that is not as usual.
    pub since: NaiveDateTime,
    /// The END of the run by which it was known.
    pub detected_at: NaiveDateTime,
    /// The process id and START of the last such run.
    pub last: (u32, NaiveDateTime),
    /// The number of such runs, and of the earlier runs that they are compared with.
    pub runs: usize,
    pub compared: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Oddity {
    /// Good runs take far less time, or print far less: what they do now, and the usual median.
    NothingDone { seconds: Option<(u32, u32)>, lines: Option<(u32, u32)> },
    /// Good runs print a line that says that something failed, which earlier ones did not.
    SaysError { line: String },
    /// Good runs take longer by `percent` a day, `from` and `now` in seconds, and reach the limit about then.
    Creeping { percent: f64, from: u32, now: u32, limit: Limit, at: NaiveDateTime },
    /// Runs fail at certain times.
    Rhythm { beat: Beat, counts: Counts },
    /// Good runs nearly reach the limit: the longest of them, and the usual median, in seconds.
    TooClose { longest: u32, usual: u32, limit: Limit },
}

impl Oddity {
    /// The words of all states.
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

/// The finding of `odd` runs, which was known with the one at `known`.
pub fn finding(
    job: &WatchedJob,
    oddity: Oddity,
    odd: &[&Sample],
    known: usize,
    compared: usize,
) -> Option<WatchFinding> {
    let (first, last) = (odd.first()?, odd.last()?);
    Some(WatchFinding {
        account: job.account,
        job: Rc::clone(&job.name),
        oddity,
        since: first.start,
        detected_at: odd.get(known)?.end,
        last: (last.pid, last.start),
        runs: odd.len(),
        compared,
    })
}
