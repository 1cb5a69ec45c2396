//! What a page may hold, so that a browser shows it at once and a person can read it, whatever is in a log.
//!
//! Bytes are counted after escaping: names and output grow, a quote to six bytes.

use maud::Markup;

/// The bytes of the problems now, and of those that are over.
pub const PROBLEM_BYTES: [usize; 2] = [400_000, 100_000];
/// How many of them are seen without a click.
pub const SEEN_PROBLEMS: [usize; 2] = [36, 6];
/// Problems of both kinds.
pub const PROBLEMS: usize = 200;
/// Jobs of a problem: that the filter knows, that are listed, and whose next start is looked for.
pub const KNOWN_JOBS: usize = 1000;
pub const LISTED_JOBS: usize = 50;
pub const JOBS_WITH_NEXT: usize = 20;
/// The last runs of a problem as cells, those of several jobs that are listed, and the durations of a chart.
pub const CELLS_OF_PROBLEM: usize = 30;
pub const RUNS_OF_SEVERAL: usize = 12;
pub const DURATIONS: usize = 60;

/// The bytes of the lines of the timeline and the lists of their runs, and of the output of these runs.
pub const LINE_BYTES: usize = 1_150_000;
pub const OUTPUT_BYTES: usize = 250_000;
/// Jobs with a line, and hosts that are seen without a click.
pub const LINES: usize = 1000;
pub const SEEN_HOSTS: usize = 64;
/// Jobs of problems whose lines come first: all, and those of one problem.
pub const FIRST_JOBS: usize = 40;
pub const FIRST_JOBS_OF_PROBLEM: usize = 6;
/// Bad cells with links.
pub const LINKED_CELLS: usize = 4000;
/// Bad runs that cells lead to: of all jobs, and of one. The last runs of a job are listed too.
pub const TARGETS: usize = 2000;
pub const TARGETS_OF_JOB: usize = 60;
pub const LAST_RUNS: usize = 6;
/// Columns of the timeline, times on its axis, and marks across its lines.
pub const COLUMNS: i64 = 168;
pub const TICKS: i64 = 12;
pub const MARKS: usize = 30;

/// Jobs to watch.
pub const WATCHED: usize = 30;

/// The bytes that are left.
pub struct Budget(usize);

impl Budget {
    pub fn of(bytes: usize) -> Self {
        Self(bytes)
    }

    /// Takes the bytes of a text, if there are enough.
    pub fn take(&mut self, text: &Markup) -> bool {
        let left = self.0.checked_sub(text.0.len());
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}
