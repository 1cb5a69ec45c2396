//! The form of `--prometheus`: gauges for the textfile collector of Prometheus's `node_exporter`.
//!
//! All are gauges of the logs that were read. A counter would go back when a log is deleted.

mod exposition;
mod labels;
mod latest;

use std::collections::BTreeMap;
use std::io;

use chrono::{DateTime, Local, NaiveDateTime, TimeDelta};

use super::crontab::next::{next_start, periods};
use super::incident::{Incident, State};
use super::input::{Input, InputError};
use super::time::with_offset;
use super::warn;
use crate::schedule::{self, Entry, Grammar, LeftOut, Plan, Selection};
use exposition::Text;
use labels::Labels;
use latest::{Job, Labelled};

pub use latest::Latest;

/// How far the logs are read back for what a job did last. A job that is due once a month has run in this time.
pub const LOOK_BACK: TimeDelta = TimeDelta::days(35);

/// The crontabs that tell when jobs are due next.
#[derive(Debug)]
pub struct Crontabs {
    /// Which crontabs.
    pub selection: Selection,
    /// Reads the calls of remoteexe in them.
    pub grammar: Grammar,
}

/// A gauge of each job: its name, its help, and its value if there is one.
type JobGauge = (&'static str, &'static str, fn(&Job) -> Option<i64>);

const JOB_GAUGES: [JobGauge; 7] = [
    (
        "remoteexe_job_last_start_timestamp_seconds",
        "Time of the last START.",
        |job| job.start.map(seconds),
    ),
    (
        "remoteexe_job_last_success_timestamp_seconds",
        "Time of the last END of a good run.",
        |job| job.success.map(seconds),
    ),
    (
        "remoteexe_job_last_completion_timestamp_seconds",
        "Time of the last END.",
        |job| Some(seconds(job.completion?.end)),
    ),
    (
        "remoteexe_job_last_exit_code",
        "Exit status in the last END.",
        |job| Some(job.completion?.status.into()),
    ),
    (
        "remoteexe_job_last_duration_seconds",
        "Time from START to the last END.",
        |job| i64::try_from(job.completion?.seconds?).ok(),
    ),
    ("remoteexe_job_running", "Runs that go on.", |job| {
        Some(job.start.map(|_| job.running)?.into())
    }),
    (
        "remoteexe_job_next_expected_timestamp_seconds",
        "Time of the next start that a crontab plans.",
        |job| job.next,
    ),
];

impl Crontabs {
    /// Reads them. Those that were named on the command line and could not be read come with the reasons; of others
    /// standard error tells.
    pub fn read(&self) -> (Plan, Vec<(Input, InputError)>) {
        let crontabs = schedule::Crontabs::read(&self.selection);
        let plan = Plan::of(&crontabs, self.grammar);
        let is_named = matches!(self.selection, Selection::Files(_));
        let mut unread = Vec::new();
        for LeftOut { path, reason } in crontabs.left_out {
            if is_named {
                unread.push((Input::File(path), io::Error::other(reason).into()));
            } else {
                warn(&format!("left out: {}: {reason}", path.display()));
            }
        }
        (plan, unread)
    }
}

impl Latest {
    /// Notes when the jobs of these lines are due next.
    pub fn plan_all<'a>(&mut self, entries: impl Iterator<Item = &'a Entry>, now: DateTime<Local>) {
        let periods = periods(now);
        for entry in entries {
            if let Some(next) = next_start(entry, &periods) {
                self.plan(&entry.job, next);
            }
        }
    }
}

/// The text of the metrics. `incidents` are those of the period.
pub fn render(latest: Latest, incidents: &[Incident]) -> String {
    let Labelled { jobs, hosts } = latest.finish();
    let mut text = Text::default();
    for (name, help, value) in JOB_GAUGES {
        text.gauge(name, help);
        for (Labels { host, script }, job) in &jobs {
            if let Some(value) = value(job) {
                text.sample(name, &[("host", host), ("script", script)], value);
            }
        }
    }
    let name = "remoteexe_host_last_reached_timestamp_seconds";
    text.gauge(name, "Time at which a remote command last ended by itself.");
    for (host, time) in &hosts {
        text.sample(name, &[("host", host)], seconds(*time));
    }
    add_problems(&mut text, incidents);
    text.finish()
}

/// The number of problems now. A state without a problem has a 0, so that an alert sees it end.
fn add_problems(text: &mut Text, incidents: &[Incident]) {
    let name = "remoteexe_problems";
    text.gauge(
        name,
        "Problems now, as the first screen of the report has them.",
    );
    let mut counts: BTreeMap<State, i64> = State::NOW.map(|state| (state, 0)).into();
    for incident in incidents.iter().filter(|incident| !incident.is_over()) {
        *counts.entry(incident.state()).or_default() += 1;
    }
    for (state, count) in counts {
        let state = state.word().to_lowercase().replace(' ', "_");
        text.sample(name, &[("state", &state)], count);
    }
}

/// A local time in seconds from 1970.
fn seconds(local: NaiveDateTime) -> i64 {
    with_offset(local).timestamp()
}
