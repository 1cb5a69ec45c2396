//! Incidents that are alike in one line, and the most pressing first.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::mem;
use std::path::PathBuf;

use super::Scope;
use super::incident::{Incident, Kind, State};
use crate::report::history::{HostId, JobId, Ledger};
use crate::report::logs::owner::Account;
use crate::report::runs::outcome::Outcome;

/// What two incidents have in common that are told in one line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    /// The same job, again, and the state.
    Again(Vec<JobId>, Vec<HostId>, State),
    /// The same script of the same user, in the same state, in the same way.
    Script(Account, Box<[u8]>, State, bool, Option<Outcome>),
    /// Jobs on lines of one crontab, which cron ignores.
    Ignored(PathBuf),
    /// Jobs on one host whose login or key is refused.
    Host(HostId, Option<Outcome>),
    /// Like no other one.
    Alone(usize),
}

/// Tells in one line that something happened several times, if it is over.
pub fn repeated_in_one(incidents: Vec<Incident>) -> Vec<Incident> {
    joined(incidents, |number, incident| {
        let is_single = incident.jobs.len() <= 1 || !incident.hosts().is_empty();
        let may_repeat = !matches!(
            incident.kind,
            Kind::Silent { .. }
                | Kind::Dropped { .. }
                | Kind::CronDown { .. }
                | Kind::Late { .. }
                | Kind::Lost { together: true, .. }
        );
        if incident.is_over() && is_single && may_repeat {
            let jobs = if incident.hosts().is_empty() {
                incident.jobs.clone()
            } else {
                Vec::new()
            };
            Likeness::Again(jobs, incident.hosts().to_vec(), incident.state())
        } else {
            Likeness::Alone(number)
        }
    })
}

/// Tells in one line of jobs on one host whose connections fail in one way: it is the host.
pub fn refused_in_one(incidents: Vec<Incident>, ledger: &Ledger) -> Vec<Incident> {
    let joined = joined(incidents, |number, incident| {
        let is_refused = |way: &Outcome| {
            way.connection_failure()
                .is_some_and(|it| !it.is_transient())
        };
        match (&incident.kind, incident.main_way().filter(is_refused)) {
            (Kind::Failing, way @ Some(_)) if !incident.is_over() => {
                Likeness::Host(ledger.job(incident.jobs[0]).host, way)
            }
            _ => Likeness::Alone(number),
        }
    });
    let is_several =
        |incident: &Incident| incident.kind == Kind::Failing && incident.jobs.len() > 1;
    let named = joined.into_iter().map(|mut incident| {
        if is_several(&incident) {
            let hosts = vec![ledger.job(incident.jobs[0]).host];
            incident.kind = Kind::Unreachable { hosts };
            incident.times = 1;
        }
        incident
    });
    named.collect()
}

/// Tells in one line of a script that fails in the same way on several hosts.
pub fn alike_in_one(incidents: Vec<Incident>, ledger: &Ledger) -> Vec<Incident> {
    joined(incidents, |number, incident| {
        match (&incident.kind, incident.jobs.as_slice()) {
            (
                Kind::NotStarted {
                    place,
                    is_ignored: true,
                },
                _,
            ) if !incident.is_over() => Likeness::Ignored(place.file.to_path_buf()),
            (
                Kind::Failing | Kind::Flapping | Kind::Slower { .. } | Kind::NotStarted { .. },
                [job],
            ) => {
                let script = ledger.job(*job).script().into();
                let (state, way) = (incident.state(), incident.main_way());
                Likeness::Script(ledger.account(*job), script, state, incident.is_over(), way)
            }
            _ => Likeness::Alone(number),
        }
    })
}

/// Joins those of the same likeness. `times` is the most that one of them has happened.
fn joined(
    incidents: Vec<Incident>,
    likeness: impl Fn(usize, &Incident) -> Likeness,
) -> Vec<Incident> {
    let mut groups: BTreeMap<Likeness, Vec<Incident>> = BTreeMap::new();
    for (number, incident) in incidents.into_iter().enumerate() {
        let likeness = likeness(number, &incident);
        groups.entry(likeness).or_default().push(incident);
    }
    let one = |(likeness, group): (Likeness, Vec<Incident>)| {
        let count = group.len() as u64;
        let most = group.iter().map(|incident| incident.times).max();
        let mut group = group.into_iter();
        let mut first = group.next()?;
        group.for_each(|other| first.join(other));
        let is_again = matches!(likeness, Likeness::Again(..));
        first.times = if is_again { count } else { most? };
        Some(first)
    };
    groups.into_iter().filter_map(one).collect()
}

/// The most pressing first: those that go on, then those with the greater share of bad runs, then those that
/// affect more jobs.
pub fn sorted(mut incidents: Vec<Incident>, ledger: &Ledger, scope: &Scope) -> Vec<Incident> {
    let mut keyed: Vec<_> = mem::take(&mut incidents)
        .into_iter()
        .map(|incident| (key(&incident, ledger, scope), incident))
        .collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, incident)| incident).collect()
}

/// Shares are in thousandths.
type Key = (
    bool,
    bool,
    Reverse<u64>,
    Reverse<usize>,
    Reverse<u64>,
    chrono::NaiveDateTime,
);

fn key(incident: &Incident, ledger: &Ledger, scope: &Scope) -> Key {
    let runs = incident.jobs.iter().flat_map(|job| ledger.of_job(*job));
    let in_period = runs.filter(|run| run.is_in(scope.since, scope.now)).count() as u64;
    let in_period = share(incident.bad, in_period);
    let is_over = incident.is_over();
    // Dropped connections are single runs of jobs that were good before and after.
    let now = if is_over || matches!(incident.kind, Kind::Dropped { .. }) {
        in_period
    } else {
        share(incident.bad, incident.runs)
    };
    let jobs = match incident.kind {
        Kind::Silent { .. } => usize::MAX,
        _ => incident.jobs.len(),
    };
    (
        is_over,
        // A job that is slower is good.
        matches!(incident.kind, Kind::Slower { .. }),
        Reverse(now),
        Reverse(jobs),
        Reverse(in_period),
        incident.window.since,
    )
}

fn share(bad: u64, all: u64) -> u64 {
    match bad {
        // A hung run or a silence has no bad run.
        0 => 1000,
        _ => (bad * 1000).checked_div(all).unwrap_or(1000).min(1000),
    }
}
