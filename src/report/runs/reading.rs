//! Reads the logs, and assembles the runs in them.

use chrono::NaiveDateTime;

use super::assembler::Assembler;
use super::run::Run;
use super::trace::Trace;
use crate::log::record::{Kind, Record};
use crate::report::logs::batch::Line;
use crate::report::logs::merge;
use crate::report::logs::open::{Input, InputError};
use crate::report::logs::outputs::Outputs;
use crate::report::logs::owner::Owner;
use crate::report::query::basis::Basis;
use crate::report::query::nearest::Names;
use crate::report::query::{Report, Source};
use crate::report::slots::coverage::Coverage;
use crate::report::warn;

/// What is known of the logs besides their runs.
#[derive(Debug)]
pub struct Reading {
    /// How many different files.
    pub files: usize,
    /// The inputs that could not be read, and why.
    pub unread: Vec<(Input, InputError)>,
    /// Lines that are no records.
    pub unrecognized: u64,
    /// Records whose START is missing.
    pub unmatched: u64,
    /// The local time of the latest START or END.
    pub latest: Option<NaiveDateTime>,
    /// The time that was read.
    pub coverage: Coverage,
    /// What to tell about names that are in no log.
    pub remarks: Vec<String>,
    /// What to tell about records of a time that has not come.
    pub early: Option<String>,
}

/// Records of a time that has not come: the clock was ahead when they were written.
struct Early {
    /// The local time of the report.
    now: NaiveDateTime,
    /// The first local time that has not come.
    from: NaiveDateTime,
    count: u64,
    last: NaiveDateTime,
}

impl Early {
    /// None yet. Logs that were named one by one may be of any time, and a form that lists runs has those of any time.
    fn new(report: &Report, basis: &Basis) -> Self {
        let is_here = matches!(report.source, Source::LogDirs(_));
        let from = if is_here && report.form.has_rules() {
            basis.end_of_time()
        } else {
            NaiveDateTime::MAX
        };
        Self {
            now: basis.now,
            from,
            count: 0,
            last: NaiveDateTime::MIN,
        }
    }

    fn includes(&self, time: NaiveDateTime) -> bool {
        time >= self.from
    }

    /// Takes a line of such records. Those of a run that began before are given to it, as if they were of now.
    fn take(
        &mut self,
        owner: Owner,
        line: &Line,
        assembler: &mut Assembler,
        finished: &mut impl FnMut(Run),
    ) {
        let now = self.now;
        match line {
            Line::Record(record, line) => {
                self.note(1, record.time);
                let is_start = matches!(Kind::parse(record.text), Kind::Start(_));
                if assembler.goes_on_early(owner, record.pid, is_start) {
                    let record = Record {
                        time: now,
                        ..*record
                    };
                    assembler.take(owner, &record, line, finished);
                }
            }
            Line::Outputs(outputs) => {
                self.note(outputs.count, outputs.time);
                if assembler.goes_on_early(owner, outputs.pid, false) {
                    assembler.take_row(
                        owner,
                        &Outputs {
                            time: now,
                            ..*outputs
                        },
                    );
                }
            }
            Line::Unrecognized | Line::Empty => {}
        }
    }

    fn note(&mut self, count: u64, time: NaiveDateTime) {
        self.count += count;
        self.last = self.last.max(time);
    }

    fn remark(&self) -> Option<String> {
        let Self { count, last, .. } = self;
        (*count > 0).then(|| {
            let records = if *count == 1 { "record" } else { "records" };
            format!(
                "left out: {count} {records} of a time that has not come, the last of {last}: the clock was ahead \
                 when they were written, or is behind now; a log that is given as a FILE is shown whole"
            )
        })
    }
}

impl Report {
    /// Gives each run for which `matches` is true to `take`: those with END in the order of their ENDs, then
    /// the others. Those of the process id `recorded` have their records.
    pub fn each_run(
        &self,
        basis: &Basis,
        recorded: Option<u32>,
        matches: impl Fn(&Run) -> bool,
        mut take: impl FnMut(Run),
    ) -> Reading {
        let running = basis.running;
        let mut assembler = Assembler::new(recorded);
        let mut unrecognized = 0;
        let mut hosts = self.filter.host.as_deref().map(Names::near);
        let mut jobs = self.filter.job.as_deref().map(Names::near);
        let mut coverage = Coverage::default();
        let mut finished = |mut run: Run| {
            coverage.add(run.trace.owner.scheduler, run.trace.start);
            if let Some(hosts) = &mut hosts {
                hosts.add_host(run.host());
            }
            if let Some(jobs) = &mut jobs {
                jobs.add_job(&run.trace.job);
            }
            run.accept(&self.accepted);
            if matches(&run) {
                take(run);
            }
        };
        let mut early = Early::new(self, basis);
        let outcome = merge::read(&basis.logs.inputs, &mut |owner, line| match line {
            Line::Record(Record { time, .. }, _) | Line::Outputs(Outputs { time, .. })
                if early.includes(time) =>
            {
                early.take(owner, &line, &mut assembler, &mut finished);
            }
            Line::Record(record, line) => assembler.take(owner, &record, line, &mut finished),
            Line::Outputs(outputs) => assembler.take_row(owner, &outputs),
            Line::Unrecognized => unrecognized += 1,
            Line::Empty => {}
        });
        let (unmatched, latest) = (assembler.unmatched, assembler.latest);
        let is_running = |run: &Trace| running.includes(run);
        let forgotten = assembler.finish(is_running, running.boot, &mut finished);
        if forgotten > 0 {
            warn(&format!(
                "left out: the {forgotten} oldest runs without END; there are too many to keep"
            ));
        }
        let host = hosts.and_then(|hosts| hosts.remark("host"));
        let job = jobs.and_then(|jobs| jobs.remark("job with"));
        Reading {
            files: outcome.files,
            unread: outcome.unread,
            unrecognized,
            unmatched,
            latest,
            coverage,
            remarks: host.into_iter().chain(job).collect(),
            early: early.remark(),
        }
    }
}
