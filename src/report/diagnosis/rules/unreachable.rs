//! Hosts that cannot be reached.
//!
//! In the order of their STARTs the runs on a host tell when it could be reached. A server that drops some of
//! the connections of one second, and takes others, can be reached.

use std::collections::BTreeSet;

use chrono::{NaiveDateTime, TimeDelta};

use super::dropped;
use crate::report::diagnosis::incident::{Incident, Kind, Window};
use crate::report::diagnosis::{Claims, Scope};
use crate::report::history::{Entry, HostId, Ledger, Mark};
use crate::report::runs::outcome::Outcome;
use crate::ssh_error::Cause;

/// If connections are only dropped, the host can be reached, unless that goes on as long as this.
const MIN_DROPPING: TimeDelta = TimeDelta::minutes(1);

/// How many outages are one if they have one reason and begin together.
const MIN_HOSTS: usize = 3;

/// How much later the outage of a host may begin than that of another for the same reason.
const TOGETHER: TimeDelta = TimeDelta::minutes(10);

/// A run on a host: its START and END, its place in the ledger, and why the host was not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Contact {
    start: NaiveDateTime,
    until: NaiveDateTime,
    place: usize,
    failed: Option<Cause>,
}

/// The incidents of hosts that cannot be reached, and of connections that were dropped.
pub fn incidents(ledger: &Ledger, scope: &Scope, claims: &mut Claims) -> Vec<Incident> {
    let mut outages = Vec::new();
    let mut dropped = Vec::new();
    for (host, contacts) in contacts_by_host(ledger) {
        for (streak, next) in streaks(&contacts) {
            if is_dropping_only(&streak) {
                dropped.extend(streak.iter().map(|contact| contact.place));
            } else if is_of_the_host(ledger, &streak, next) {
                outages.push(outage(ledger, host, &streak, next));
            } else {
                continue;
            }
            for contact in streak {
                claims.claim(contact.place);
            }
        }
    }
    let mut incidents = by_cause(outages);
    incidents.extend(dropped::incidents(ledger, dropped, scope));
    incidents
}

/// The runs on each host with a failed connection, in the order of their STARTs.
fn contacts_by_host(ledger: &Ledger) -> Vec<(HostId, Vec<Contact>)> {
    let host = |run: &Entry| ledger.job(run.job).host;
    let is_failed = |run: &&Entry| failed(run).is_some();
    let hosts: BTreeSet<HostId> = ledger.runs.iter().filter(is_failed).map(host).collect();
    let mut contacts = vec![Vec::new(); ledger.hosts.len()];
    for job in ledger.job_ids() {
        let host = ledger.job(job).host;
        if !hosts.contains(&host) {
            continue;
        }
        for (place, run) in ledger.range(job).zip(ledger.of_job(job)) {
            let failed = failed(run);
            if failed.is_some() || run.is(Mark::ReachedHost) && run.outcome != Outcome::Running {
                contacts[host as usize].push(Contact {
                    start: run.start,
                    until: run.until,
                    place,
                    failed,
                });
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

/// Why the connection of a run failed, if that may pass. A login or a key that is refused may be the job's own.
fn failed(run: &Entry) -> Option<Cause> {
    run.outcome
        .connection_failure()
        .filter(|cause| cause.is_transient())
}

/// The failed connections in a row, each with the contact that came after them. If a host is reached in the
/// same second, that second is in no row.
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

/// Whether it is the host that cannot be reached. A job that fails alone, and others reach the host, may have a
/// port or a jump host of its own.
fn is_of_the_host(ledger: &Ledger, streak: &[Contact], next: Option<Contact>) -> bool {
    let job = |contact: &Contact| ledger.runs[contact.place].job;
    let first = streak.first().map(job);
    let is_alone = streak.iter().all(|contact| Some(job(contact)) == first);
    !is_alone || next.is_none_or(|next| Some(job(&next)) == first)
}

fn outage(ledger: &Ledger, host: HostId, streak: &[Contact], next: Option<Contact>) -> Incident {
    let runs: Vec<&Entry> = streak.iter().map(|it| &ledger.runs[it.place]).collect();
    let over = next.map(|contact| ledger.runs[contact.place].until);
    let window = window(&runs, over);
    Incident::of_runs(Kind::Unreachable { hosts: vec![host] }, window, runs)
}

/// The time of these runs.
pub fn window(runs: &[&Entry], over: Option<NaiveDateTime>) -> Window {
    let starts = runs.iter().map(|run| run.start);
    let ends = || runs.iter().map(|run| run.until);
    let known = ends().min().expect("there is a run");
    Window {
        since: starts.min().expect("there is a run"),
        known,
        last: ends().max().expect("there is a run"),
        over: over.map(|over| over.max(known)),
    }
}

/// Joins the outages of several hosts that began together for the same reason: it is on the way to all of them,
/// or on this machine.
fn by_cause(mut outages: Vec<Incident>) -> Vec<Incident> {
    outages.sort_by_key(|outage| {
        (
            outage.main_way(),
            outage.window.is_over(),
            outage.window.since,
        )
    });
    let is_together = |one: &Incident, other: &Incident| {
        one.main_way() == other.main_way()
            && one.window.is_over() == other.window.is_over()
            && other.window.since - one.window.since <= TOGETHER
    };
    let mut joined: Vec<Incident> = Vec::new();
    for group in outages.chunk_by(is_together) {
        let hosts: BTreeSet<HostId> = group.iter().flat_map(Incident::hosts).copied().collect();
        if hosts.len() < MIN_HOSTS {
            joined.extend_from_slice(group);
            continue;
        }
        let mut all = group[0].clone();
        group[1..]
            .iter()
            .for_each(|outage| all.join(outage.clone()));
        all.kind = Kind::Unreachable {
            hosts: hosts.into_iter().collect(),
        };
        joined.push(all);
    }
    joined
}
