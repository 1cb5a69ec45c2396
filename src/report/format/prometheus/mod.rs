//! The form of `--prometheus`: gauges for the textfile collector of Prometheus's `node_exporter`.
//!
//! All are gauges of the logs that were read. A counter would go back when a log is deleted.

pub mod exposition;
pub mod gauges;
pub mod labels;
pub mod latest;

use std::rc::Rc;

use chrono::TimeDelta;

use crate::cron::upcoming::{next_start, periods};
use crate::report::history::builder::Collector;
use crate::report::output::Output;
use crate::report::query::basis::{Basis, HISTORY, midnight};
use crate::report::query::{Report, Source};
use crate::report::runs::run::Run;
use crate::report::slots::Expected;
use crate::report::slots::expecting::wanted_jobs;
use crate::report::{Findings, diagnosis};
use latest::Latest;

/// How far the logs are read back for what a job did last. A job that is due once a month has run in this time.
pub const LOOK_BACK: TimeDelta = TimeDelta::days(35);

impl Report {
    /// Writes the gauges.
    pub fn metrics(
        &self,
        basis: &Basis,
        mut expected: Option<Expected>,
        out: &mut Output,
    ) -> Findings {
        // The first screen is about this time too, and so both find the same problems.
        let is_here = matches!(self.source, Source::LogDirs(_));
        let today = midnight(basis.now);
        let history = is_here.then_some(today - HISTORY);
        let is_recent = |run: &Run| run.until().is_none_or(|until| Some(until) >= history);
        let mut latest = Latest::default();
        if let Some(expected) = &expected {
            plan(&mut latest, expected, basis);
        }
        let mut collector = Collector::new(None);
        let wanted = wanted_jobs(expected.as_ref(), &basis.filter);
        collector.keep_apart(wanted.iter().map(|(_, name)| Rc::clone(name)));
        let take = |run: Run| {
            if let Some(expected) = &mut expected
                && is_recent(&run)
            {
                expected.add(&run);
            }
            if basis.filter.matches(&run) {
                latest.add(&run);
            }
            if basis.filter.is_known(&run) && is_recent(&run) {
                collector.add(&run);
            }
        };
        let reading = self.each_run(basis, None, |_| true, take);
        let mut scope = self.scope(collector.latest().max(reading.latest), basis);
        if is_here {
            scope.since = today;
        }
        for (account, name) in &wanted {
            collector.expect(*account, name);
        }
        let mut ledger = collector.finish();
        let recent = basis.since(history);
        self.look_back(&mut ledger, &scope, &recent);
        if let Some(expected) = &mut expected {
            self.judge(expected, &mut ledger, &reading, &scope, &recent, false);
        }
        for slot in ledger.missing.slots() {
            latest.miss(&ledger.job(slot.job).name, slot.at);
        }
        let incidents = diagnosis::of_period(&ledger, &scope);
        out.write(gauges::render(latest.finish(), &incidents).as_bytes());
        Findings {
            // Whoever reads the metrics is told by them.
            has_failures: false,
            reading,
        }
    }
}

/// Notes the jobs of the crontabs that are asked for, and when they are due next.
fn plan(latest: &mut Latest, expected: &Expected, basis: &Basis) {
    let periods = periods(basis.zoned_now);
    for job in expected.jobs.iter().filter(|job| basis.filter.expects(job)) {
        let lines = job.lines.iter().map(|line| expected.line(*line));
        let lines = lines.filter(|line| !line.is_ignored);
        let next = lines.filter_map(|line| next_start(line, &periods)).min();
        latest.plan(&job.name, next);
    }
}
