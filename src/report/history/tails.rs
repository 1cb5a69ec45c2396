//! Keeps the last lines of the newest runs of each job.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::jobs::JobId;
use crate::report::runs::kept::KeptOutput;

/// The number of good runs of a job whose lines are kept.
const MAX_GOOD: usize = 10;

/// The same for other runs.
const MAX_OTHERS: usize = 40;

/// The most bytes kept of one line.
const MAX_LINE: usize = 300;

/// The most bytes kept of all lines. A log may have any number of jobs.
const MAX_ALL: usize = 16 << 20;

/// The last lines of runs, by number.
#[derive(Default)]
pub struct Tails {
    kept: BTreeMap<u32, Box<[u8]>>,
    /// The numbers of each job's kept lines: of good runs, and of others.
    of_jobs: HashMap<JobId, [VecDeque<u32>; 2]>,
    next: u32,
    bytes: usize,
}

impl Tails {
    /// Stands for no lines.
    pub const NONE: u32 = u32::MAX;

    /// Keeps the last lines of a run, after an ellipsis if there were more. Returns the number to find them by.
    pub fn add(&mut self, job: JobId, is_good: bool, output: &KeptOutput) -> u32 {
        let number = self.next;
        if number == Self::NONE {
            return Self::NONE;
        }
        self.next += 1;
        let cut = output.has_more.then_some("…".as_bytes());
        let lines = output.tail().map(|line| &line[..line.len().min(MAX_LINE)]);
        let text = cut.into_iter().chain(lines).collect::<Vec<_>>().join(&b'\n').into_boxed_slice();
        self.bytes += text.len();
        self.kept.insert(number, text);
        let [good, others] = self.of_jobs.entry(job).or_default();
        let (runs, most) = if is_good { (good, MAX_GOOD) } else { (others, MAX_OTHERS) };
        runs.push_back(number);
        let oldest = (runs.len() > most).then(|| runs.pop_front()).flatten();
        let oldest = oldest.and_then(|oldest| self.kept.remove(&oldest));
        self.bytes -= oldest.map_or(0, |text| text.len());
        while self.bytes > MAX_ALL
            && let Some((_, text)) = self.kept.pop_first()
        {
            self.bytes -= text.len();
        }
        number
    }

    /// The lines of this number, joined by newlines, if they are still kept.
    pub fn get(&self, number: u32) -> Option<&[u8]> {
        self.kept.get(&number).map(|text| &**text)
    }
}
