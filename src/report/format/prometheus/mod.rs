//! The form of `--prometheus`: gauges for the textfile collector of Prometheus's `node_exporter`.
//!
//! All are gauges of the logs that were read. A counter would go back when a log is deleted.

pub mod gauges;
pub mod labels;
pub mod latest;

use chrono::{DateTime, Local};

use super::report::Report;
use super::{Format, Needs};
use crate::cron::upcoming::{next_start, periods};
use crate::report::diagnosis;
use crate::report::output::ReportOutput;
use crate::report::query::window::Reach;
use crate::report::runs::run::Run;
use crate::report::slots::Expected;
use latest::Latest;

#[derive(Debug)]
pub struct Prometheus {
    latest: Latest,
    now: DateTime<Local>,
}

impl Prometheus {
    pub fn new(now: DateTime<Local>) -> Self {
        Self { latest: Latest::default(), now }
    }
}

impl Format for Prometheus {
    fn needs(&self) -> Needs {
        Needs {
            slots: true,
            history: true,
            baseline: true,
            reach: Reach::LastRuns,
            warns_of_left_out: true,
            is_paged: true,
            // node_exporter reads the file as another user.
            is_public: true,
            ..Needs::default()
        }
    }

    fn begin(&mut self, expected: Option<&Expected>, _: &mut ReportOutput) {
        let Some(expected) = expected else { return };
        let periods = periods(self.now);
        for job in expected.wanted() {
            let lines = job.lines.iter().map(|line| expected.line(*line));
            let lines = lines.filter(|line| !line.is_ignored);
            let next = lines.filter_map(|line| next_start(line, &periods)).min();
            self.latest.plan(&job.name, next);
        }
    }

    fn run(&mut self, run: Run, _: &mut ReportOutput) {
        self.latest.add(&run);
    }

    fn finish(mut self: Box<Self>, report: &Report, out: &mut ReportOutput) -> bool {
        let planned = report.crontabs.iter().flat_map(Expected::wanted);
        for job in planned.filter(|job| !job.is_checked()) {
            self.latest.forget_unless_run(&job.name);
        }
        for slot in report.missed.slots() {
            let job = report.history.job(slot.job);
            self.latest.miss(&job.name, slot.at);
        }
        let incidents = diagnosis::of_period(&report.evidence());
        let gauges = gauges::render(self.latest.finish(), &incidents);
        out.write(gauges.as_bytes());
        // The metrics themselves show the problems.
        false
    }
}
