//! Finds jobs whose last good runs nearly reached the limit of their timeout(1), or their next start.

use super::finding::{Oddity, WatchFinding};
use super::limits::{Limit, limits};
use super::numbers::median;
use super::samples::{Sample, WatchedJob};

/// How many runs in a row have to be near the limit.
const IN_A_ROW: usize = 2;
/// The least number of earlier good runs that show what is usual.
const MIN_BEFORE: usize = 5;

/// Whether a run took nine tenths of its limit or more.
fn is_near(seconds: u32, limit: Limit) -> bool {
    let (seconds, limit) = (u64::from(seconds), u64::from(limit.seconds()));
    seconds * 10 >= limit * 9 && seconds <= limit
}

pub fn find(job: &WatchedJob) -> Option<WatchFinding> {
    limits(job).into_iter().find_map(|limit| near(job, limit))
}

fn near(job: &WatchedJob, limit: Limit) -> Option<WatchFinding> {
    let good = job.good();
    let is_far = |it: &&Sample| it.seconds.is_none_or(|seconds| !is_near(seconds, limit));
    let first = good.iter().rposition(is_far)? + 1;
    let (before, odd) = good.split_at(first);
    // A job that always runs until shortly before its limit is meant to.
    let far = before.iter().filter(|it| is_far(it)).count();
    if odd.len() < IN_A_ROW || far < MIN_BEFORE || far * 2 < before.len() {
        return None;
    }
    let longest = odd.iter().filter_map(|it| it.seconds).max()?;
    let usual = median(before.iter().filter_map(|it| it.seconds).collect());
    let oddity = Oddity::TooClose { longest, usual, limit };
    job.finding(oddity, odd, IN_A_ROW - 1, before.len())
}
