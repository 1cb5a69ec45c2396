//! The limits of a run: the timeout(1) in its script or on its line of the crontab, and the next start of its job.

use super::numbers::{middle, rounded};
use super::samples::WatchedJob;
use crate::report::runs::first_program;

/// A limit in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    Timeout(u32),
    NextStart(u32),
}

impl Limit {
    pub fn seconds(self) -> u32 {
        match self {
            Self::Timeout(seconds) | Self::NextStart(seconds) => seconds,
        }
    }
}

/// The limits of a job, as far as its operands, its lines and its runs show.
pub fn limits(job: &WatchedJob) -> Vec<Limit> {
    let timeout = first_program::limit(&job.name).into_iter().chain(job.limit).min().map(Limit::Timeout);
    let gaps = job.samples.windows(2).map(|pair| (pair[1].start - pair[0].start).as_seconds_f64());
    let next = (job.samples.len() > 2).then(|| Limit::NextStart(rounded(middle(gaps.collect()))));
    timeout.into_iter().chain(next).filter(|limit| limit.seconds() > 0).collect()
}
