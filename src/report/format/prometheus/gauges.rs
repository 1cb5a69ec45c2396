//! The gauges: their names, help texts and values.

use std::collections::BTreeMap;
use std::fmt::Write;

use chrono::NaiveDateTime;

use super::labels::Labels;
use super::latest::{Labelled, LastRuns};
use crate::clock::with_offset;
use crate::report::diagnosis::incident::{Incident, IncidentState};

/// A gauge of each job: the name, the help, and the value, if there is one.
type JobGauge = (&'static str, &'static str, fn(&LastRuns) -> Option<i64>);

const JOB_GAUGES: [JobGauge; 8] = [
    ("remoteexe_job_last_start_timestamp_seconds", "Time of the last START.", |job| {
        job.start.map(seconds)
    }),
    (
        "remoteexe_job_last_success_timestamp_seconds",
        "Time of the last END of a good run.",
        |job| job.success.map(seconds),
    ),
    ("remoteexe_job_last_completion_timestamp_seconds", "Time of the last END.", |job| {
        Some(seconds(job.completion?.end))
    }),
    ("remoteexe_job_last_exit_code", "Exit status in the last END.", |job| {
        Some(job.completion?.status.into())
    }),
    ("remoteexe_job_last_duration_seconds", "Time from START to the last END.", |job| {
        i64::try_from(job.completion?.seconds?).ok()
    }),
    ("remoteexe_job_running", "Runs that go on.", |job| {
        Some(job.start.map(|_| job.running)?.into())
    }),
    (
        "remoteexe_job_next_expected_timestamp_seconds",
        "Time of the next start that a crontab plans.",
        |job| job.next,
    ),
    (
        "remoteexe_job_missed",
        "Slots of its crontab lines since the last START at which nothing was started.",
        |job| job.missed.map(i64::from),
    ),
];

/// `incidents` are those of the period.
pub fn render(labelled: Labelled, incidents: &[Incident]) -> String {
    let Labelled { jobs, hosts, left_out } = labelled;
    let mut text = Exposition::default();
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
    let name = "remoteexe_jobs_left_out";
    text.gauge(name, "Jobs that have no gauges, because there are too many.");
    text.sample(name, &[], i64::try_from(left_out).unwrap_or(i64::MAX));
    add_problems(&mut text, incidents);
    text.finish()
}

/// The number of problems now. A state without a problem has a 0, so an alert sees the problem end.
fn add_problems(text: &mut Exposition, incidents: &[Incident]) {
    let name = "remoteexe_problems";
    text.gauge(name, "Problems now, as the first screen of the report has them.");
    let mut counts: BTreeMap<IncidentState, i64> =
        IncidentState::NOW.map(|state| (state, 0)).into();
    for incident in incidents.iter().filter(|incident| !incident.is_over()) {
        *counts.entry(incident.state()).or_default() += 1;
    }
    for (state, count) in counts {
        let state = state.word().to_lowercase().replace(' ', "_");
        text.sample(name, &[("state", &state)], count);
    }
}

/// From 1970, for a local time.
fn seconds(local: NaiveDateTime) -> i64 {
    with_offset(local).timestamp()
}

/// The text exposition format, version 0.0.4, for gauges with whole numbers.
#[derive(Debug, Default)]
struct Exposition(String);

impl Exposition {
    /// Begins the samples of a gauge, which must follow at once.
    fn gauge(&mut self, name: &str, help: &str) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge\n");
    }

    /// Adds a sample. Each set of labels may occur once.
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: i64) {
        self.0.push_str(name);
        for (index, (label, value)) in labels.iter().enumerate() {
            self.0.push(if index == 0 { '{' } else { ',' });
            let _ = write!(self.0, "{label}=\"{}\"", escape(value));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{end} {value}");
    }

    fn finish(self) -> String {
        self.0
    }
}

/// The value of a label, for double quotes.
fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
