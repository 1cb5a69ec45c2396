//! A model check: random logs of two days with known incidents.

pub mod expected;
pub mod world;

use std::collections::BTreeMap;

use chrono::{NaiveDateTime, TimeDelta};

use super::evidence::Evidence;
use super::incident::{Incident, IncidentKind, IncidentState};
use crate::report::history::History;
use crate::report::history::scope::Scope;
use crate::report::slots::missed::MissedStarts;
use expected::expected;
use world::World;

/// An incident of the model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known {
    state: IncidentState,
    since: NaiveDateTime,
    detected_at: NaiveDateTime,
    last: NaiveDateTime,
    over: Option<NaiveDateTime>,
    jobs: Vec<String>,
    bad: u64,
    runs: u64,
    ways: Vec<(String, u64)>,
    last_good: Option<NaiveDateTime>,
    detail: String,
}

impl Known {
    fn of(incident: &Incident, history: &History) -> Self {
        let name = |job: &u32| String::from_utf8_lossy(&history.job(*job).name).into_owned();
        let mut jobs: Vec<String> = incident.jobs.iter().map(name).collect();
        jobs.sort();
        let window = incident.window;
        let ways = incident.ways.iter().map(|(way, count)| (way.to_string(), *count));
        Self {
            state: incident.state(),
            since: window.since,
            detected_at: window.detected_at,
            last: window.last,
            over: window.over,
            jobs,
            bad: incident.bad,
            runs: incident.runs,
            ways: ways.collect(),
            last_good: incident.last_good,
            detail: match &incident.kind {
                IncidentKind::Lost { quiet_until, .. } => format!("{quiet_until:?}"),
                IncidentKind::Hung(hung) => format!("{hung:?}"),
                IncidentKind::Dropped { herd, .. } => format!("{herd:?}"),
                IncidentKind::Slower { before, now } => format!("{}", now > before),
                _ => String::new(),
            },
        }
    }
}

fn diagnosed<T>(diagnose: fn(&Evidence) -> T, history: &History, scope: &Scope) -> T {
    let missed = &MissedStarts::default();
    diagnose(&Evidence { history, missed, scope })
}

/// Shown to an operator once.
type Subject = (IncidentState, String);

impl Known {
    /// The host that cannot be reached, or else the jobs. A herd is one subject.
    fn subjects(&self) -> Vec<Subject> {
        let host = self.jobs[0].split(' ').next().unwrap_or_default();
        let of_jobs = |state| self.jobs.iter().map(|job| (state, job.clone())).collect();
        match self.state {
            IncidentState::Unreachable => vec![(self.state, host.to_owned())],
            IncidentState::Dropped => vec![(self.state, String::new())],
            // A job that has recovered was failing, or good and bad in turn.
            IncidentState::Recovered | IncidentState::Flapping => of_jobs(IncidentState::Failing),
            state => of_jobs(state),
        }
    }
}

/// Checks this many worlds. `SEED=N` repeats one.
fn with_seeds(count: u64, check: impl Fn(u64)) {
    let first = fastrand::u64(..1 << 32);
    match std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => check(seed),
        None => (first..first + count).for_each(check),
    }
}

#[test]
fn each_incident_is_found_with_all_its_facts_and_no_other() {
    with_seeds(20, |seed| {
        let world = World::new(seed);
        let (history, scope) = world.at(world.now, world.now.date().into());
        let found = diagnosed(super::incidents, &history, &scope);
        let mut found: Vec<Known> = found.iter().map(|it| Known::of(it, &history)).collect();
        let mut expected = expected(&world);
        found.sort();
        expected.sort();
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "SEED={seed}");
        }
        assert_eq!(found.len(), expected.len(), "{found:#?} SEED={seed}");
    });
}

#[test]
fn what_is_wrong_now_comes_first_and_a_script_that_fails_on_several_hosts_is_one() {
    with_seeds(5, |seed| {
        let world = World::new(seed);
        let (history, scope) = world.at(world.now, world.now.date().into());
        let shown = diagnosed(super::of_period, &history, &scope);
        let states: Vec<IncidentState> = shown.iter().map(Incident::state).collect();
        let now = shown.iter().filter(|incident| !incident.is_over()).count();
        assert!(shown[..now].iter().all(|incident| !incident.is_over()), "{states:?} SEED={seed}");
        assert_eq!(
            states.iter().filter(|state| **state == IncidentState::Failing).count(),
            1,
            "SEED={seed}"
        );
        let failing = shown.iter().find(|incident| incident.state() == IncidentState::Failing);
        assert_eq!(failing.map(|incident| incident.jobs.len()), Some(3), "SEED={seed}");
    });
}

#[test]
fn hour_by_hour_each_incident_is_reported_once_and_its_end_once() {
    with_seeds(4, |seed| {
        let world = World::new(seed);
        let hour = TimeDelta::hours(1);
        let mut began: BTreeMap<Subject, Vec<NaiveDateTime>> = BTreeMap::new();
        let mut ended = began.clone();
        let mut until = NaiveDateTime::from(world.now.date()) + hour;
        while until <= world.now {
            let (history, scope) = world.at(until, until - hour);
            let reported = diagnosed(super::changes, &history, &scope);
            for (reported, all) in [(&reported.0, &mut began), (&reported.1, &mut ended)] {
                for incident in reported {
                    let known = Known::of(incident, &history);
                    for subject in known.subjects() {
                        all.entry(subject).or_default().push(until);
                    }
                }
            }
            until += hour;
        }
        let last = until - hour;
        for known in expected(&world) {
            let midnight = NaiveDateTime::from(world.now.date());
            for subject in known.subjects() {
                let is_reported = |time: NaiveDateTime| midnight <= time && time < last;
                let times = began.remove(&subject).unwrap_or_default();
                let hour_of = |time: NaiveDateTime| world::floor_hour(time) + hour;
                let expected: Vec<_> = [known.detected_at]
                    .into_iter()
                    .filter(|it| is_reported(*it))
                    .map(hour_of)
                    .collect();
                assert_eq!(times, expected, "{known:?} began SEED={seed}");
            }
        }
        assert!(began.is_empty(), "{began:?} SEED={seed}");
        for ((state, job), times) in ended {
            assert_eq!(times.len(), 1, "{state:?} {job:?} ended {times:?} SEED={seed}");
        }
    });
}

#[test]
fn a_reboot_is_reported_once_with_its_time_however_many_runs_it_killed() {
    for (killed, state) in
        [(0, IncidentState::Silent), (1, IncidentState::Lost), (2, IncidentState::Lost)]
    {
        let world = World::booted(killed);
        let boot = world.plan.boot;
        let (history, scope) = world.at(world.now, world.now.date().into());
        let found = diagnosed(super::incidents, &history, &scope);
        let booted = |incident: &Incident| match incident.kind {
            IncidentKind::Lost { boot, .. } | IncidentKind::Silent { boot, .. } => boot,
            _ => None,
        };
        let found: Vec<_> = found.iter().map(|it| (it.state(), booted(it), it.bad)).collect();
        assert_eq!(found, [(state, boot, killed as u64)]);
    }
}

#[test]
fn of_a_dead_host_nothing_is_said_about_a_herd() {
    let world = World::dead_host_at_second_one();
    let (history, scope) = world.at(world.now, world.now.date().into());
    let states: Vec<IncidentState> =
        diagnosed(super::incidents, &history, &scope).iter().map(Incident::state).collect();
    assert_eq!(states, [IncidentState::Unreachable]);
}

#[test]
fn a_scheduler_that_stands_still_is_silent_if_it_never_was_before() {
    let world = World::healthy();
    let (history, scope) = world.at(world.now, world.now.date().into());
    assert!(diagnosed(super::incidents, &history, &scope).is_empty());
    let later = Scope { now: world.now + TimeDelta::hours(2), ..scope };
    let states: Vec<IncidentState> =
        diagnosed(super::incidents, &history, &later).iter().map(Incident::state).collect();
    assert_eq!(states, [IncidentState::Silent]);
    let reported = diagnosed(super::changes, &history, &Scope { since: world.now, ..later });
    assert_eq!((reported.0.len(), reported.1.len()), (1, 0));
    let reported = diagnosed(
        super::changes,
        &history,
        &Scope { since: world.now + TimeDelta::hours(1), ..later },
    );
    assert_eq!((reported.0.len(), reported.1.len()), (0, 0));
}
