//! The form of `--prometheus`: metrics for the textfile collector of Prometheus's `node_exporter`.
//!
//! A count over all logs would go down when a log is deleted. So the counters begin anew at midnight, as if a program
//! had been restarted. All other metrics are gauges.

pub mod exposition;
pub mod gauges;
pub mod labels;
pub mod latest;
pub mod problems;

use std::{collections::BTreeMap, time::Instant};

use chrono::{DateTime, Local, NaiveTime};

use super::{Format, Needs, Report};
use crate::cron::upcoming::{next_start, periods};
use crate::report::diagnosis;
use crate::report::format::{DurationStats, Expected, ReportOutput, Run, Scheduler};
use crate::report::query::window::Reach;
use exposition::Exposition;
use labels::Labels;
use latest::{Labelled, Latest};

pub struct Prometheus {
    latest: BTreeMap<Scheduler, Latest>,
    now: DateTime<Local>,
    begun: Instant,
}

impl Prometheus {
    pub fn new(now: DateTime<Local>) -> Self {
        Self { latest: BTreeMap::new(), now, begun: Instant::now() }
    }

    fn of(&mut self, scheduler: Scheduler) -> &mut Latest {
        let midnight = self.now.date_naive().and_time(NaiveTime::MIN);
        self.latest.entry(scheduler).or_insert_with(|| Latest::new(midnight))
    }

    /// All jobs and hosts, with the facts that only the whole report has.
    fn labelled(&mut self, report: &Report) -> Labelled {
        for job in report.crontabs.iter().flat_map(Expected::wanted).filter(|job| !job.is_checked()) {
            self.of(job.scheduler).forget_unless_run(&job.name);
        }
        for slot in report.missed.slots() {
            let job = report.history.job(slot.job);
            self.of(job.account.scheduler).miss(&job.name, slot.at);
        }
        let mut labelled = Labelled::default();
        for (scheduler, latest) in std::mem::take(&mut self.latest) {
            latest.finish(scheduler, &mut labelled);
        }
        for id in report.history.job_ids() {
            let job = report.history.job(id);
            let labels = Labels::of_job(&job.name, job.account.scheduler.whole());
            let usual = DurationStats::of_job(&report.history, id);
            if let Some(job) = labelled.jobs.get_mut(&labels).filter(|_| usual.good > 0) {
                job.usual = job.usual.max(Some(usual.median));
            }
        }
        labelled
    }
}

impl Format for Prometheus {
    fn needs(&self) -> Needs {
        Needs {
            slots: true,
            history: true,
            baseline: true,
            watch: true,
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
            let lines = job.lines.iter().filter(|line| !line.is_ignored);
            let next = lines.filter_map(|line| next_start(line, &periods)).min();
            self.of(job.scheduler).plan(&job.name, next);
        }
    }

    fn run(&mut self, run: Run, _: &mut ReportOutput) {
        self.of(run.trace.owner.scheduler.whole()).add(&run);
    }

    fn finish(mut self: Box<Self>, report: &Report, out: &mut ReportOutput) -> bool {
        let incidents = diagnosis::of_period(&report.evidence());
        let labelled = self.labelled(report);
        let mut text = Exposition::default();
        gauges::add(&mut text, &labelled);
        problems::add(&mut text, report, &incidents);
        gauges::add_report(&mut text, self.now.timestamp(), self.begun.elapsed());
        out.write(text.0.as_bytes());
        // The metrics themselves show the problems.
        false
    }
}
