//! Connections that failed: a host that cannot be reached, or single connections that were dropped.
//!
//! In the order of their STARTs the runs on a host tell when it could be reached. A server that drops some of
//! the connections of one second, and takes others, can be reached.

use std::collections::BTreeSet;

use chrono::{NaiveDateTime, TimeDelta, Timelike};

use super::{Claims, Scope};
use crate::report::incident::{Herd, Incident, Kind, Window};
use crate::report::ledger::{Entry, HostId, Ledger, Mark};
use crate::report::outcome::Outcome;
use crate::ssh_error::Cause;

/// If connections are only dropped, the host can be reached, unless that goes on as long as this.
const MIN_DROPPING: TimeDelta = TimeDelta::minutes(1);

/// The drops of one crowd. A job that runs seldom is told of each time: nothing makes up for its run.
const SELDOM_APART: TimeDelta = TimeDelta::minutes(10);

/// Drops that are so far apart are not of one incident.
const APART: TimeDelta = TimeDelta::hours(6);

/// A job with more time between two STARTs runs seldom.
const OFTEN: TimeDelta = TimeDelta::hours(1);

/// With fewer dropped connections nothing is said about a herd.
const MIN_HERD: u64 = 3;

/// How many outages are one if they have one reason and begin together.
const MIN_HOSTS: usize = 3;

/// How much later the outage of a host may begin than that of another for the same reason.
const TOGETHER: TimeDelta = TimeDelta::minutes(10);

/// A run on a host: its START, its place in the ledger, and whether the host was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Contact {
    start: NaiveDateTime,
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
    let is_seldom = |place: &usize| runs_seldom(ledger, *place);
    let (seldom, often): (Vec<_>, Vec<_>) = dropped.into_iter().partition(is_seldom);
    incidents.extend(drops(ledger, seldom, SELDOM_APART, scope));
    incidents.extend(drops(ledger, often, APART, scope));
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
                let start = run.start;
                contacts[host as usize].push(Contact {
                    start,
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

fn window(runs: &[&Entry], over: Option<NaiveDateTime>) -> Window {
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

/// Whether the job of a run was not started in the hour before it.
fn runs_seldom(ledger: &Ledger, place: usize) -> bool {
    let run = &ledger.runs[place];
    let runs = ledger.of_job(run.job);
    let index = place - ledger.range(run.job).start;
    let before = index
        .checked_sub(1)
        .map(|index| run.start - runs[index].start);
    let after = runs.get(index + 1).map(|next| next.start - run.start);
    before.or(after).is_none_or(|time| time > OFTEN)
}

/// The connections that were dropped, as incidents that are some time apart.
fn drops(
    ledger: &Ledger,
    mut places: Vec<usize>,
    apart: TimeDelta,
    scope: &Scope,
) -> Vec<Incident> {
    places.sort_unstable_by_key(|place| ledger.runs[*place].start);
    let is_near =
        |one: &usize, other: &usize| ledger.runs[*other].start - ledger.runs[*one].start < apart;
    let incident = |places: &[usize]| {
        let runs: Vec<&Entry> = places.iter().map(|place| &ledger.runs[*place]).collect();
        let good = runs
            .iter()
            .map(|run| good_after(ledger, run))
            .max_by_key(|good| {
                // One that has not come yet is later than any other.
                (good.is_none(), *good)
            });
        let good = good.flatten();
        let mut window = window(&runs, None);
        let is_over = |over: &NaiveDateTime| *over < scope.now;
        window.over = good
            .map(|good| good.max(window.last + apart))
            .filter(is_over);
        let herd = herd(ledger, &runs, &window);
        let is_good = good.is_some();
        Incident::of_runs(Kind::Dropped { herd, is_good }, window, runs)
    };
    places.chunk_by(is_near).map(incident).collect()
}

/// The local time at which a later run of the same job was good.
fn good_after(ledger: &Ledger, run: &Entry) -> Option<NaiveDateTime> {
    let runs = ledger.of_job(run.job);
    let later = &runs[runs.partition_point(|other| other.start < run.start)..];
    let is_good = |other: &&Entry| other.outcome == Outcome::Good && other.until >= run.until;
    later.iter().find(is_good).map(|good| good.until)
}

/// The three seconds of the minute with the most drops, if they have a greater share of the drops than of
/// the starts: then it is the crowd that the servers drop.
fn herd(ledger: &Ledger, dropped: &[&Entry], window: &Window) -> Option<Herd> {
    let in_window = |run: &&Entry| (window.since..=window.last).contains(&run.start);
    let starts = by_second(ledger.runs.iter().filter(in_window));
    let drops = by_second(dropped.iter().copied());
    let sum = |counts: &[u64; 60], first: usize| -> u64 {
        (first..first + 3).map(|second| counts[second % 60]).sum()
    };
    let (all_starts, all_drops) = (starts.iter().sum::<u64>(), drops.iter().sum::<u64>());
    let first = (0..60).max_by_key(|first| (sum(&drops, *first), 60 - first))?;
    let dropped = sum(&drops, first);
    let started = sum(&starts, first);
    let is_denser = dropped * all_starts > all_drops * started;
    // There is nothing to compare with.
    let is_all = started * 10 >= all_starts * 9;
    let herd = Herd {
        first: u32::try_from(first).ok()?,
        last: u32::try_from((first + 2) % 60).ok()?,
        dropped,
    };
    (all_drops >= MIN_HERD && dropped * 2 >= all_drops && (is_denser || is_all)).then_some(herd)
}

fn by_second<'a>(runs: impl Iterator<Item = &'a Entry>) -> [u64; 60] {
    let mut counts = [0; 60];
    for run in runs {
        // A leap second counts as the second before it.
        counts[run.start.second().min(59) as usize] += 1;
    }
    counts
}
