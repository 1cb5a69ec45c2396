//! Keeps the last lines of the newest runs of each job.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};

use chrono::NaiveDateTime;

use super::{jobs::JobId, summary::RunSummary};
use crate::report::runs::kept::KeptOutput;
use crate::report::runs::outcome::Outcome;

/// The number of good runs of a job whose lines are kept.
const MAX_GOOD: usize = 10;
/// The same for other runs.
const MAX_OTHERS: usize = 40;
/// The most bytes kept of one line.
const MAX_LINE: usize = 300;
/// The most bytes kept of all lines. A log may have any number of jobs.
const MAX_ALL: usize = 16 << 20;

/// A run by its job, process id, START and END. The lines are not found by a number in the run: few runs would have
/// equal fields then, which [`PackedRuns`](super::packed::PackedRuns) keeps once.
type RunKey = (JobId, u32, NaiveDateTime, NaiveDateTime);

fn key(run: &RunSummary) -> RunKey {
    (run.job, run.pid, run.start, run.until)
}

/// The last lines of runs, joined by newlines. None if they differ for one key, so that no run is shown with the output
/// of another one.
#[derive(Default)]
pub struct Tails(HashMap<RunKey, Option<Box<[u8]>>>);

impl Tails {
    pub fn get(&self, run: &RunSummary) -> Option<&[u8]> {
        self.0.get(&key(run))?.as_deref()
    }
}

/// Collects the last lines of runs as they end.
#[derive(Default)]
pub struct NewestTails {
    /// In the order of the runs.
    kept: BTreeMap<u64, (RunKey, Box<[u8]>)>,
    /// The numbers of each job's kept lines: of good runs, and of others.
    of_jobs: HashMap<JobId, [VecDeque<u64>; 2]>,
    next: u64,
    bytes: usize,
}

impl NewestTails {
    /// Keeps the last lines of a run, after an ellipsis if there were more.
    pub fn add(&mut self, run: &RunSummary, output: &KeptOutput) {
        let number = self.next;
        self.next += 1;
        let cut = output.has_more.then_some("…".as_bytes());
        let lines = output.tail().map(|line| &line[..line.len().min(MAX_LINE)]);
        let text = cut.into_iter().chain(lines).collect::<Vec<_>>().join(&b'\n').into_boxed_slice();
        self.bytes += text.len();
        self.kept.insert(number, (key(run), text));
        let [good, others] = self.of_jobs.entry(run.job).or_default();
        let (runs, most) = if run.outcome == Outcome::Good { (good, MAX_GOOD) } else { (others, MAX_OTHERS) };
        runs.push_back(number);
        let oldest = (runs.len() > most).then(|| runs.pop_front()).flatten();
        let oldest = oldest.and_then(|oldest| self.kept.remove(&oldest));
        self.bytes -= oldest.map_or(0, |(_, text)| text.len());
        while self.bytes > MAX_ALL
            && let Some((_, (_, text))) = self.kept.pop_first()
        {
            self.bytes -= text.len();
        }
    }

    /// The kept lines. `new_ids` has the present number of each job.
    pub fn finish(self, new_ids: impl Fn(JobId) -> JobId) -> Tails {
        let mut tails = HashMap::with_capacity(self.kept.len());
        for ((job, pid, start, until), text) in self.kept.into_values() {
            match tails.entry((new_ids(job), pid, start, until)) {
                Entry::Vacant(place) => _ = place.insert(Some(text)),
                Entry::Occupied(known) if known.get().as_ref() == Some(&text) => {}
                Entry::Occupied(mut known) => *known.get_mut() = None,
            }
        }
        Tails(tails)
    }
}
