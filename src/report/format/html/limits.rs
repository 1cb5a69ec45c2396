//! The most of each thing on a page: whatever is in a log, a browser shows the page at once, and a person can read it.
//!
//! Bytes are counted after escaping, which turns a quote into six bytes.

use maud::Markup;

/// The bytes of the problems now, and of past problems.
pub const PROBLEM_BYTES: [usize; 2] = [400_000, 100_000];
/// The problems now and over that are seen without a click.
pub const SEEN_PROBLEMS: [usize; 2] = [36, 6];
/// The problems of each kind.
pub const PROBLEMS: usize = 200;
/// The jobs of a problem: known to Find, listed, and with a next start.
pub const KNOWN_JOBS: usize = 1000;
pub const LISTED_JOBS: usize = 50;
pub const JOBS_WITH_NEXT: usize = 20;
/// The last runs of a problem: as cells, as a list if there are several jobs, and in a chart of durations.
pub const CELLS_OF_PROBLEM: usize = 30;
pub const RUNS_OF_SEVERAL: usize = 12;
pub const DURATIONS: usize = 60;
/// The bytes of the timeline with its lists of runs, and the bytes of the output in these lists.
pub const LINE_BYTES: usize = 1_150_000;
pub const OUTPUT_BYTES: usize = 250_000;
/// The jobs with a line, and the hosts that are seen without a click.
pub const LINES: usize = 1000;
pub const SEEN_HOSTS: usize = 64;
/// The jobs of problems whose lines come first: of all problems, and of each.
pub const FIRST_JOBS: usize = 40;
pub const FIRST_JOBS_OF_PROBLEM: usize = 6;
/// The bad cells that have a link each.
pub const LINKED_CELLS: usize = 4000;
/// The bad runs that cells lead to: of all jobs, and of one. Then the last runs of a job that are listed too.
pub const TARGETS: usize = 2000;
pub const TARGETS_OF_JOB: usize = 60;
pub const LAST_RUNS: usize = 6;
/// The columns of the timeline, the times on its axis, and the marks across its lines.
pub const COLUMNS: i64 = 168;
pub const TICKS: i64 = 12;
pub const MARKS: usize = 30;
pub const WATCHED: usize = 30;

/// The bytes that may still be written.
pub struct Budget(usize);

impl Budget {
    pub fn of(bytes: usize) -> Self {
        Self(bytes)
    }

    /// Takes the bytes of a text. Returns false if not enough are left.
    pub fn take(&mut self, text: &Markup) -> bool {
        let left = self.0.checked_sub(text.0.len());
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}
