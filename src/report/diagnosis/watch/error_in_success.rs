//! Finds jobs whose last good runs print an error, but no earlier good run did.

use std::collections::HashSet;

use super::finding::{Oddity, WatchFinding};
use super::samples::{Sample, WatchedJob};

/// The number of runs in a row that must print the line. A job with more than `OFTEN` runs a day needs one more. Nearly
/// as many runs before them must not print the line.
const IN_A_ROW: usize = 2;
const OFTEN: usize = 3;
/// The least number of runs before without any error, if its line differs from run to run.
const MIN_CLEAN: usize = 5;

pub fn find(job: &WatchedJob) -> Option<WatchFinding> {
    let good = job.good();
    let last = good.last()?;
    for error in &job.errors {
        let has_it = |sample: &Sample| sample.errors.contains(&error.masked);
        let first = good.iter().rposition(|sample| !has_it(sample)).map_or(0, |last| last + 1);
        let (before, odd) = good.split_at(first);
        if before.iter().any(|sample| has_it(sample)) {
            continue;
        }
        let runs_of_day = good.iter().filter(|sample| sample.day() == last.day()).count();
        let needed = IN_A_ROW + usize::from(runs_of_day > OFTEN);
        if odd.len() >= needed && before.len() + 1 >= needed {
            let oddity = Oddity::SaysError { line: error.text.clone() };
            return job.finding(oddity, odd, needed - 1, before.len());
        }
    }
    of_changing_lines(job, &good)
}

/// The finding about errors whose lines differ from run to run, if no earlier run printed any error.
fn of_changing_lines(job: &WatchedJob, good: &[&Sample]) -> Option<WatchFinding> {
    let first = good.iter().rposition(|it| it.errors.is_empty()).map_or(0, |last| last + 1);
    let (before, odd) = good.split_at(first);
    let is_clean = before.iter().all(|sample| sample.errors.is_empty());
    let lines: HashSet<u32> = odd.iter().flat_map(|sample| sample.errors.iter().copied()).collect();
    let needed = IN_A_ROW + 1;
    let changes = lines.len() > 1;
    if !changes || !is_clean || odd.len() < needed || before.len() < MIN_CLEAN {
        return None;
    }
    let line = job.errors.first()?.text.clone();
    job.finding(Oddity::SaysError { line }, odd, needed - 1, before.len())
}
