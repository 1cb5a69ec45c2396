//! The connections to each host: its runs, in the order of their STARTs, show when it could be reached.
//!
//! A server that drops some connections of a second and takes others can be reached.

use std::{collections::BTreeMap, mem};

use chrono::TimeDelta;

use crate::report::diagnosis::evidence::{History, HostId, JobId, Outcome, RunFlag, RunSummary};
use crate::ssh_error::Cause;

/// A host that drops all connections, but for less than this time, can be reached.
const MIN_DROPPING: TimeDelta = TimeDelta::minutes(1);

/// Failed connections to a host in a row, and the contact after them: runs by their numbers in the history.
pub struct FailedContacts {
    pub host: HostId,
    pub failed: Vec<usize>,
    pub next: Option<usize>,
}

pub fn failed_contacts(history: &History) -> Vec<FailedContacts> {
    let mut hosts: BTreeMap<HostId, Vec<JobId>> = BTreeMap::new();
    history.job_ids().for_each(|job| hosts.entry(history.job(job).host).or_default().push(job));
    hosts.into_iter().flat_map(|(host, jobs)| streaks(history, host, &contacts(history, &jobs))).collect()
}

impl FailedContacts {
    pub fn is_dropping_only(&self, history: &History) -> bool {
        let runs = || self.failed.iter().map(|place| history.run(*place));
        let span = runs().next_back().zip(runs().next());
        let span = span.map_or(TimeDelta::zero(), |(last, first)| last.start - first.start);
        span < MIN_DROPPING && runs().all(|run| failed(&run) == Some(Cause::Dropped))
    }
}

/// The runs of the jobs of a host that show whether the host could be reached, by START. Empty if no connection failed.
fn contacts(history: &History, jobs: &[JobId]) -> Vec<usize> {
    let runs = || jobs.iter().flat_map(|job| history.range(*job).zip(history.of_job(*job)));
    if runs().all(|(_, run)| failed(&run).is_none()) {
        return Vec::new();
    }
    let has_reached = |run: &RunSummary| run.is(RunFlag::ReachedHost) && run.outcome != Outcome::Running;
    let contacts = runs().filter(|(_, run)| failed(run).is_some() || has_reached(run));
    let mut contacts: Vec<_> = contacts.map(|(place, run)| (run.start, run.until, place)).collect();
    contacts.sort_unstable();
    contacts.into_iter().map(|(.., place)| place).collect()
}

/// Why the connection of a run failed, if the reason may pass. A refused login or key may concern this job alone.
fn failed(run: &RunSummary) -> Option<Cause> {
    run.outcome.connection_failure().filter(|cause| cause.is_transient())
}

/// Failed connections in a row, with the contact after them. The failures of a second in which the host was also
/// reached are a row of their own.
fn streaks(history: &History, host: HostId, contacts: &[usize]) -> Vec<FailedContacts> {
    let mut streaks = Vec::new();
    let mut current: Vec<usize> = Vec::new();
    for second in contacts.chunk_by(|one, other| history.run(*one).start == history.run(*other).start) {
        let (failed, reached): (Vec<usize>, Vec<usize>) =
            second.iter().partition(|place| failed(&history.run(**place)).is_some());
        let Some(next) = reached.first().copied() else {
            current.extend(failed);
            continue;
        };
        let rows = [mem::take(&mut current), failed].into_iter().filter(|row| !row.is_empty());
        streaks.extend(rows.map(|failed| FailedContacts { host, failed, next: Some(next) }));
    }
    if !current.is_empty() {
        streaks.push(FailedContacts { host, failed: current, next: None });
    }
    streaks
}
