//! The last lines of the newest runs of each job.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::jobs::JobId;
use crate::report::runs::kept_output::KeptOutput;

/// Of how many good runs of a job they are kept.
const MAX_GOOD: usize = 10;

/// Of how many other runs of a job they are kept.
const MAX_OTHERS: usize = 40;

/// The most bytes that are kept of a line.
const MAX_LINE: usize = 300;

/// The most bytes of all lines. A log may have any number of jobs.
const MAX_ALL: usize = 16 << 20;

/// Last lines, by the number of their run.
#[derive(Debug, Default)]
pub struct Tails {
    kept: BTreeMap<u32, Box<[u8]>>,
    /// The runs of each job whose lines are kept, the good ones and the others.
    of_jobs: HashMap<JobId, [VecDeque<u32>; 2]>,
    next: u32,
    bytes: usize,
}

impl Tails {
    /// The number of a run whose lines are not kept.
    pub const NONE: u32 = u32::MAX;

    /// Keeps the lines of a run that has just ended. Returns their number.
    pub fn add(&mut self, job: JobId, is_good: bool, output: &KeptOutput) -> u32 {
        let number = self.next;
        if number == Self::NONE {
            return Self::NONE;
        }
        self.next += 1;
        let lines = output.tail().map(|line| &line[..line.len().min(MAX_LINE)]);
        let text = lines.collect::<Vec<_>>().join(&b'\n').into_boxed_slice();
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

    /// The lines of this number, if they are kept, with newlines between them.
    pub fn get(&self, number: u32) -> Option<&[u8]> {
        self.kept.get(&number).map(|text| &**text)
    }
}
