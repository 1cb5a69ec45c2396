//! Watch: what is good and yet not as usual. Each rule compares a job's last runs with its earlier ones, and finds at
//! most one thing. A finding needs two runs: a single odd run is none.

mod error_in_success;
mod nothing_done;
pub mod older;
pub mod samples;

use std::rc::Rc;

use chrono::NaiveDateTime;

use super::logs::owner::Account;
use samples::{Sample, Samples, WatchedJob};

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
}

impl Oddity {
    /// The words of all states.
    pub const WORDS: [&str; 3] = ["FASTER", "EMPTY", "SAYS ERROR"];

    pub fn word(&self) -> &'static str {
        match self {
            Self::NothingDone { seconds: Some(_), .. } => "FASTER",
            Self::NothingDone { .. } => "EMPTY",
            Self::SaysError { .. } => "SAYS ERROR",
        }
    }
}

/// The findings of a report, the newest first.
#[derive(Debug, Default)]
pub struct Watch {
    pub findings: Vec<WatchFinding>,
    pub samples: Samples,
    /// The local time of the first run that was compared.
    pub from: Option<NaiveDateTime>,
}

impl Watch {
    pub fn of(mut samples: Samples) -> Self {
        samples.sort();
        let mut findings: Vec<WatchFinding> = samples.jobs.iter().flat_map(findings).collect();
        findings.sort_by(|one, two| (two.since, &one.job).cmp(&(one.since, &two.job)));
        let starts = samples.jobs.iter().filter_map(|job| job.samples.first());
        let from = starts.map(|sample| sample.start).min();
        Self { findings, samples, from }
    }

    /// The good runs that did nothing: the account, the job, and the time of the first of them.
    pub fn idle(&self) -> impl Iterator<Item = &WatchFinding> {
        let is_idle = |it: &&WatchFinding| matches!(it.oddity, Oddity::NothingDone { .. });
        self.findings.iter().filter(is_idle)
    }
}

fn findings(job: &WatchedJob) -> Vec<WatchFinding> {
    let rules: [fn(&WatchedJob) -> Option<WatchFinding>; 2] =
        [nothing_done::find, error_in_success::find];
    rules.iter().filter_map(|rule| rule(job)).collect()
}

/// The finding of `odd` runs, which was known with the one at `known`.
fn finding(
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

/// The median by the nearest rank, or 0 for none.
fn median(mut values: Vec<u32>) -> u32 {
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}
