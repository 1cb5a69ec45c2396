//! Watch: unusual runs of jobs that do not look bad. Each rule compares a job's last runs with earlier runs, and has at
//! most one finding for a job. A finding needs two unusual runs.

pub mod beat;
mod creep;
mod error_in_success;
pub mod finding;
pub mod limits;
mod nothing_done;
mod numbers;
pub mod older;
mod rhythm;
pub mod samples;
#[cfg(test)]
mod tests;
mod too_close;

use chrono::NaiveDateTime;

use finding::{Oddity, WatchFinding};
use rhythm::OtherJob;
use samples::{Samples, WatchedJob};

/// The findings of a report, the newest first.
#[derive(Default)]
pub struct Watch {
    pub findings: Vec<WatchFinding>,
    pub samples: Samples,
    /// The local time of the first run that was compared.
    pub from: Option<NaiveDateTime>,
}

impl Watch {
    pub fn of(mut samples: Samples) -> Self {
        samples.sort();
        let from = samples.jobs.iter().filter_map(|job| job.samples.first()).map(|sample| sample.start).min();
        let all: Vec<OtherJob> = samples.jobs.iter().map(OtherJob::of).collect();
        let jobs = from.iter().flat_map(|from| samples.jobs.iter().map(|job| (job, *from)));
        let mut findings: Vec<WatchFinding> = jobs.flat_map(|(job, from)| findings(job, &all, from)).collect();
        findings.sort_by(|one, two| (two.since, &one.job).cmp(&(one.since, &two.job)));
        Self { findings, samples, from }
    }

    /// The findings about good runs that did nothing.
    pub fn idle(&self) -> impl Iterator<Item = &WatchFinding> {
        self.findings.iter().filter(|it| matches!(it.oddity, Oddity::NothingDone { .. }))
    }
}

/// The findings about one of `all` jobs. `from` is the first START of all jobs.
fn findings(job: &WatchedJob, all: &[OtherJob], from: NaiveDateTime) -> Vec<WatchFinding> {
    let found = [
        nothing_done::find(job, from),
        error_in_success::find(job),
        creep::find(job),
        too_close::find(job),
        rhythm::find(job, all),
    ];
    found.into_iter().flatten().collect()
}
