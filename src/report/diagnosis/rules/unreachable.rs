//! Finds hosts that cannot be reached.

use chrono::TimeDelta;

use super::contacts::{FailedContacts, failed_contacts};
use crate::report::diagnosis::evidence::{Claims, Evidence, History, JobId, Outcome, RunSummary};
use crate::report::diagnosis::incident::{Incident, IncidentKind, IncidentWindow, unique};
use crate::ssh_error::Cause;

/// Outages with one reason that begin together on this many hosts are one incident.
const MIN_HOSTS: usize = 3;
/// The same for names that are not resolved: this machine resolves all of them.
const MIN_NAMES: usize = 2;
/// How much later the outage of a host may begin than another for the same reason.
const TOGETHER: TimeDelta = TimeDelta::minutes(10);

pub fn rule(evidence: &Evidence, claims: &mut Claims) -> Vec<Incident> {
    let history = evidence.history;
    let mut outages = Vec::new();
    let mut alone = None;
    for row in failed_contacts(history) {
        if row.is_dropping_only(history) {
            continue;
        }
        let before = alone.take();
        let job = only_job(history, &row);
        let next = row.next.map(|next| history.run(next).job);
        // The failures may come from a port or jump host of this job, as other jobs reach the host.
        if job.is_some() && (before == job || next.is_some_and(|next| Some(next) != job)) {
            alone = job;
            continue;
        }
        outages.push(outage(history, &row));
        claims.extend(row.failed);
    }
    by_cause(outages)
}

/// The job whose connections failed, if there is only one.
fn only_job(history: &History, row: &FailedContacts) -> Option<JobId> {
    let mut jobs = row.failed.iter().map(|place| history.run(*place).job);
    let first = jobs.next()?;
    jobs.all(|job| job == first).then_some(first)
}

fn outage(history: &History, row: &FailedContacts) -> Incident {
    let runs: Vec<RunSummary> = row.failed.iter().map(|place| history.run(*place)).collect();
    let over = row.next.map(|next| history.run(next).until);
    let window = IncidentWindow::of_bad_runs(&runs, over);
    let hosts = vec![row.host];
    Incident::of_runs(IncidentKind::Unreachable { hosts }, window, runs)
}

/// Joins outages of hosts that began together for one reason: it is on the way to all of them, or on this machine.
fn by_cause(mut outages: Vec<Incident>) -> Vec<Incident> {
    outages.sort_by_key(|outage| (outage.main_way(), outage.window.is_over(), outage.window.since));
    let is_together = |one: &Incident, other: &Incident| {
        one.main_way() == other.main_way()
            && one.window.is_over() == other.window.is_over()
            && other.window.since - one.window.since <= TOGETHER
    };
    let mut joined: Vec<Incident> = Vec::new();
    for group in outages.chunk_by(is_together) {
        let hosts = unique(group.iter().flat_map(Incident::hosts).copied());
        let is_name = group[0].main_way().and_then(Outcome::connection_failure);
        let is_name = is_name == Some(Cause::NotResolved);
        if hosts.len() < if is_name { MIN_NAMES } else { MIN_HOSTS } {
            joined.extend_from_slice(group);
            continue;
        }
        let mut all = group[0].clone();
        group[1..].iter().for_each(|outage| all.join(outage.clone()));
        all.kind = IncidentKind::Unreachable { hosts };
        joined.push(all);
    }
    joined
}
