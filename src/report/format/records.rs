//! The form of `--run`: all records of one run.

use crate::cli::time::StartTime;
use crate::report::runs::run::Run;

/// The run whose records are wanted: the last one that matches.
#[derive(Debug)]
pub struct Wanted {
    /// Its process id.
    pub pid: u32,
    /// The local time of its START.
    pub start: Option<StartTime>,
}

impl Wanted {
    fn matches(&self, run: &Run) -> bool {
        let has_time = |start: &StartTime| start.matches(run.trace.start);
        run.trace.pid == self.pid && self.start.as_ref().is_none_or(has_time)
    }
}

/// The search for the wanted run among all runs.
#[derive(Debug)]
pub struct Search<'a> {
    wanted: &'a Wanted,
    last: Option<Run>,
    count: u64,
}

impl<'a> Search<'a> {
    /// A search that has not seen any run yet.
    pub fn new(wanted: &'a Wanted) -> Self {
        Self {
            wanted,
            last: None,
            count: 0,
        }
    }

    /// Looks at a run.
    pub fn add(&mut self, run: Run) {
        if !self.wanted.matches(&run) {
            return;
        }
        self.count += 1;
        let is_later = |last: &Run| last.trace.start <= run.trace.start;
        if self.last.as_ref().is_none_or(is_later) {
            self.last = Some(run);
        }
    }

    /// The wanted run, if it is there.
    pub fn found(&self) -> Option<&Run> {
        self.last.as_ref()
    }

    /// What to tell the user, unless there is exactly one run that matches.
    pub fn remark(&self) -> Option<String> {
        let Self { wanted, count, .. } = self;
        let pid = wanted.pid;
        let Some(run) = &self.last else {
            return Some(format!(
                "no such run of process {pid} in these logs; to read those of other days, add --since"
            ));
        };
        let start = run.trace.start;
        let (place, tip) = match run.trace.owner.scheduler.name() {
            Some(name) => (
                format!(" on {name}"),
                ", or only the --log-dir of its scheduler",
            ),
            None => (String::new(), ""),
        };
        (*count > 1).then(|| {
            format!(
                "process {pid} has {count} such runs; this is the last one, started at {start}{place}; \
                 to see another one, give its start time: {pid}@TIME{tip}"
            )
        })
    }
}

/// The records of the wanted run.
pub fn of(run: &Run) -> &[u8] {
    let records = run.trace.records.as_ref();
    &records
        .expect("the records of the wanted process id are kept")
        .lines
}
