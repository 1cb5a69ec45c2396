//! The connections to each host. In the order of their STARTs, the runs on a host show when it could be reached.
//!
//! A server can be reached if it drops some connections of a second and takes others.

use std::collections::BTreeSet;

use chrono::{NaiveDateTime, TimeDelta};

use crate::report::history::{History, HostId, RunFlag, RunSummary};
use crate::report::runs::outcome::Outcome;
use crate::ssh_error::Cause;

/// If connections are only dropped for less than this, the host can be reached.
const MIN_DROPPING: TimeDelta = TimeDelta::minutes(1);

/// A run on a host: its START and END, its number in the history, and why the host was not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contact {
    pub start: NaiveDateTime,
    pub until: NaiveDateTime,
    pub place: usize,
    pub failed: Option<Cause>,
}

/// Failed connections to a host in a row, and the contact after them.
pub struct FailedContacts {
    pub host: HostId,
    pub failed: Vec<Contact>,
    pub next: Option<Contact>,
}

pub fn rows(history: &History) -> Vec<FailedContacts> {
    let mut rows = Vec::new();
    for (host, contacts) in contacts_by_host(history) {
        for (failed, next) in streaks(&contacts) {
            rows.push(FailedContacts { host, failed, next });
        }
    }
    rows
}

impl FailedContacts {
    pub fn is_dropping_only(&self) -> bool {
        is_dropping_only(&self.failed)
    }
}

/// The runs on each host with a failed connection, by START.
fn contacts_by_host(history: &History) -> Vec<(HostId, Vec<Contact>)> {
    let host = |run: &RunSummary| history.job(run.job).host;
    let is_failed = |run: &&RunSummary| failed(run).is_some();
    let hosts: BTreeSet<HostId> = history.runs.iter().filter(is_failed).map(host).collect();
    let mut contacts = vec![Vec::new(); history.hosts.len()];
    for job in history.job_ids() {
        let host = history.job(job).host;
        if !hosts.contains(&host) {
            continue;
        }
        for (place, run) in history.range(job).zip(history.of_job(job)) {
            let failed = failed(run);
            if failed.is_some() || run.is(RunFlag::ReachedHost) && run.outcome != Outcome::Running {
                contacts[host as usize].push(Contact { start: run.start, until: run.until, place, failed });
            }
        }
    }
    let of_host = |host| {
        let mut contacts = std::mem::take(&mut contacts[host as usize]);
        contacts.sort_unstable();
        (host, contacts)
    };
    hosts.into_iter().map(of_host).collect()
}

/// Why the connection of a run failed, if the reason may pass. A refused login or key may be the job's own.
fn failed(run: &RunSummary) -> Option<Cause> {
    run.outcome.connection_failure().filter(|cause| cause.is_transient())
}

/// Failed connections in a row, with the contact after them. A second in which the host was also reached is in no row.
fn streaks(contacts: &[Contact]) -> Vec<(Vec<Contact>, Option<Contact>)> {
    let mut streaks = Vec::new();
    let mut current: Vec<Contact> = Vec::new();
    for second in contacts.chunk_by(|one, other| one.start == other.start) {
        let reached = second.iter().find(|contact| contact.failed.is_none());
        let failed = second.iter().filter(|contact| contact.failed.is_some());
        if let Some(reached) = reached {
            if !current.is_empty() {
                streaks.push((std::mem::take(&mut current), Some(*reached)));
            }
            let single: Vec<Contact> = failed.copied().collect();
            if !single.is_empty() {
                streaks.push((single, Some(*reached)));
            }
        } else {
            current.extend(failed);
        }
    }
    if !current.is_empty() {
        streaks.push((current, None));
    }
    streaks
}

fn is_dropping_only(streak: &[Contact]) -> bool {
    let span = streak.last().zip(streak.first());
    let span = span.map_or(TimeDelta::zero(), |(last, first)| last.start - first.start);
    let is_drop = |contact: &Contact| contact.failed == Some(Cause::Dropped);
    span < MIN_DROPPING && streak.iter().all(is_drop)
}
