//! The metrics of jobs, of hosts and of the report: their names, help texts and values.

use std::time::Duration;

use chrono::NaiveDateTime;

use super::exposition::Exposition;
use super::latest::{Labelled, LastRuns};
use crate::clock::with_offset;

/// A metric of each job: the name, the help, and the value, if there is one.
type JobMetric = (&'static str, &'static str, fn(&LastRuns) -> Option<i64>);

const JOB_METRICS: [JobMetric; 13] = [
    ("remoteexe_job_last_start_timestamp_seconds", "Time of the last START.", |job| job.start.map(seconds)),
    ("remoteexe_job_last_success_timestamp_seconds", "Time of the last END of a good run.", |job| {
        job.success.map(seconds)
    }),
    ("remoteexe_job_last_completion_timestamp_seconds", "Time of the last END.", |job| {
        Some(seconds(job.completion?.end))
    }),
    ("remoteexe_job_last_exit_code", "Exit status in the last END.", |job| Some(job.completion?.status.into())),
    ("remoteexe_job_last_duration_seconds", "Time from START to the last END.", |job| {
        i64::try_from(job.completion?.seconds?).ok()
    }),
    ("remoteexe_job_running", "Runs that go on.", |job| Some(job.start.map(|_| job.running)?.into())),
    ("remoteexe_job_next_expected_timestamp_seconds", "Time of the next start that a crontab plans.", |job| job.next),
    ("remoteexe_job_missed", "Slots of its crontab lines since the last START at which nothing was started.", |job| {
        job.missed.map(i64::from)
    }),
    ("remoteexe_job_usual_duration_seconds", "Median time of good runs.", |job| job.usual.map(i64::from)),
    ("remoteexe_job_runs_total", "Runs that ended since midnight.", |job| count(job, job.runs)),
    ("remoteexe_job_failures_total", "Runs that failed or were lost since midnight.", |job| count(job, job.failures)),
    ("remoteexe_job_connection_failures_total", "Runs since midnight whose ssh could not connect.", |job| {
        count(job, job.connection_failures)
    }),
    ("remoteexe_job_retries_total", "Connections tried again since midnight.", |job| count(job, job.retries)),
];

pub fn add(text: &mut Exposition, labelled: &Labelled) {
    for (name, help, value) in JOB_METRICS {
        let mut samples = text.metric(name, help);
        for (labels, value) in labelled.jobs.iter().filter_map(|(labels, job)| Some((labels, value(job)?))) {
            samples.add_labelled(&[], labels, value);
        }
    }
    let name = "remoteexe_host_last_reached_timestamp_seconds";
    let mut samples = text.metric(name, "Time at which a remote command last ended by itself.");
    for (labels, time) in &labelled.hosts {
        let mut labels = labels.pairs();
        labels.retain(|(name, _)| *name != "script");
        samples.add(&labels, seconds(*time));
    }
    let help = "Jobs that have no metrics, because there are too many.";
    text.metric("remoteexe_jobs_left_out", help).add(&[], labelled.left_out);
}

/// Adds when and how the metrics were made: `now` is the time, in seconds from 1970.
pub fn add_report(text: &mut Exposition, now: i64, took: Duration) {
    text.metric("remoteexe_report_timestamp_seconds", "Time at which the report began.").add(&[], now);
    let took = format!("{:.3}", took.as_secs_f64());
    text.metric("remoteexe_report_duration_seconds", "Time that the report took.").add(&[], took);
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    text.metric("remoteexe_build_info", "The version that made the report.").add(&version, 1);
}

/// A count of a job that has run.
fn count(job: &LastRuns, count: u64) -> Option<i64> {
    job.start.and_then(|_| i64::try_from(count).ok())
}

/// A local time in seconds from 1970.
fn seconds(local: NaiveDateTime) -> i64 {
    with_offset(local).timestamp()
}
