//! The incidents of a world, by its plan.

use chrono::{NaiveDateTime, TimeDelta};

use super::Known;
use super::world::{Fate, Made, World};
use crate::report::diagnosis::incident::IncidentState;

/// From the runs alone: nothing here knows a rule.
pub fn expected(world: &World) -> Vec<Known> {
    let plan = &world.plan;
    let all = [
        plan.dead.map(|_| dead(world)),
        plan.hung.map(|_| hung(world)),
        plan.flapping.as_ref().map(|_| flapping(world)),
        plan.slower.map(|time| slower(world, time)),
        plan.failed.map(|_| failed(world)),
        plan.killed.map(|_| killed(world)),
        plan.herd.map(|_| herd(world)),
        plan.reboot.map(|time| reboot(world, time)),
    ];
    let mut all: Vec<Known> = all.into_iter().flatten().collect();
    if plan.seldom {
        all.extend(seldom(world));
    }
    if plan.deploy.is_some() {
        all.extend((1..=3).map(|host| deploy(world, host)));
    }
    all
}

fn bad(state: IncidentState, runs: &[&Made], way: &str, last_good: Option<NaiveDateTime>) -> Known {
    let mut jobs: Vec<String> = runs.iter().map(|run| run.job.to_string()).collect();
    jobs.sort();
    jobs.dedup();
    let count = runs.len() as u64;
    Known {
        state,
        since: runs.iter().map(|run| run.start).min().expect("a run"),
        detected_at: runs.iter().map(|run| run.end).min().expect("a run"),
        last: runs.iter().map(|run| run.end).max().expect("a run"),
        over: None,
        jobs,
        bad: count,
        runs: count,
        ways: vec![(way.to_owned(), count)],
        last_good,
        detail: String::new(),
    }
}

fn all(world: &World, is_wanted: impl Fn(&&Made) -> bool) -> Vec<&Made> {
    world.runs.iter().filter(is_wanted).collect()
}

fn is_good(run: &Made) -> bool {
    matches!(run.fate, Fate::Ends(0, _))
}

fn last_good_before(world: &World, first: &Made) -> Option<NaiveDateTime> {
    let good = all(world, |run| run.job == first.job && is_good(run) && run.end < first.end);
    good.iter().map(|run| run.end).max()
}

/// The END of good run number `count` after the last bad run, counted from 0. In the same second, a run that started
/// after the first bad one comes after it.
fn good_after(
    world: &World,
    job: &str,
    Known { since, last, .. }: &Known,
    count: usize,
) -> Option<NaiveDateTime> {
    let good = all(world, |run| {
        let is_after = run.end > *last || run.end == *last && run.start > *since;
        &*run.job == job && is_good(run) && is_after
    });
    good.get(count).map(|run| run.end)
}

fn dead(world: &World) -> Known {
    let runs =
        all(world, |run| matches!(run.fate, Fate::Ends(255, line) if line.contains("timed")));
    let mut known = bad(IncidentState::Unreachable, &runs, "connection timed out", None);
    let last = runs.iter().map(|run| run.start).max().expect("a run");
    // Of two runs that started in the same second, the one that ended first shows it.
    let after = all(world, |run| run.host == 0 && run.start > last);
    let next = after.iter().min_by_key(|run| (run.start, run.end));
    known.over = next.map(|run| run.end);
    known
}

fn deploy(world: &World, host: u32) -> Known {
    let runs = all(world, |run| run.host == host && matches!(run.fate, Fate::Ends(2, _)));
    let last_good = last_good_before(world, runs[0]);
    bad(IncidentState::Failing, &runs, "the script failed", last_good)
}

fn failed(world: &World) -> Known {
    let runs = all(world, |run| matches!(run.fate, Fate::Ends(4, _)));
    let mut known =
        bad(IncidentState::Recovered, &runs, "the script failed", last_good_before(world, runs[0]));
    known.over = good_after(world, &runs[0].job, &known, 0);
    known
}

fn flapping(world: &World) -> Known {
    let runs = all(world, |run| matches!(run.fate, Fate::Ends(3, _)));
    let mut known =
        bad(IncidentState::Recovered, &runs, "the script failed", last_good_before(world, runs[0]));
    // Each bad run is a streak; with the third one it was known.
    known.detected_at = runs[2].end;
    known.over = good_after(world, &runs[0].job, &known, 5);
    let between =
        |run: &&Made| run.job == runs[0].job && run.start >= known.since && run.end <= known.last;
    known.runs = all(world, between).len() as u64;
    known
}

fn killed(world: &World) -> Known {
    let run = all(world, |run| {
        run.host == 8 && run.fate == Fate::Killed && Some(run.end) != world.plan.reboot
    });
    let mut known = bad(
        IncidentState::Lost,
        &run,
        "lost: no END, and the process is gone",
        last_good_before(world, run[0]),
    );
    known.detected_at = run[0].start + limit(world, run[0]);
    known.last = known.detected_at;
    // The next runs were good before it was known that this one was dead.
    known.over = good_after(world, &run[0].job, &known, 0);
    known.last_good = all(world, |other| {
        other.job == run[0].job && is_good(other) && other.end < known.detected_at
    })
    .iter()
    .map(|run| run.end)
    .max();
    known.detail = "None".to_owned();
    known
}

fn seldom(world: &World) -> Vec<Known> {
    let runs = all(world, |run| {
        let is_seldom = run.job.ends_with("night.sh") || run.job.ends_with("new.sh");
        run.host == 9 && run.fate == Fate::Killed && is_seldom
    });
    let lost = |run: &&Made| {
        let way = "lost: no END, and the process is gone";
        let mut known = bad(IncidentState::Lost, &[run], way, last_good_before(world, run));
        known.detected_at = match known.last_good {
            Some(_) => run.start + limit(world, run),
            None => run.start + TimeDelta::hours(1),
        };
        known.last = known.detected_at;
        known.detail = "None".to_owned();
        known
    };
    assert_eq!(runs.len(), 2);
    runs.iter().map(lost).collect()
}

/// The longest time that a run may take, by the good runs that had ended when it started.
fn limit(world: &World, run: &Made) -> TimeDelta {
    let good = all(world, |it| it.job == run.job && is_good(it) && it.end <= run.start);
    let longest = good.iter().map(|run| run.end - run.start).max().expect("a good run");
    (longest * 3).max(longest + TimeDelta::minutes(10))
}

fn hung(world: &World) -> Known {
    let run = all(world, |run| run.fate == Fate::Hangs);
    let job = &run[0].job;
    let good = all(world, |it| it.job == *job && is_good(it) && it.end <= run[0].start);
    let longest = good.iter().map(|run| run.end - run.start).max().expect("a good run");
    let again = all(world, |it| it.job == *job && it.start > run[0].start).len();
    let mut known = bad(IncidentState::Hung, &run, "", None);
    known.detected_at = run[0].start + limit(world, run[0]);
    known.last = world.now;
    known.bad = 0;
    known.ways.clear();
    let (pid, longest) = (run[0].pid, longest.num_seconds());
    known.detail = format!("Hung {{ pid: {pid}, longest: {longest}, again: {again} }}");
    known
}

fn slower(world: &World, time: NaiveDateTime) -> Known {
    let slow = |run: &&Made| run.host == 6 && run.job.ends_with("often.sh") && run.start >= time;
    let runs = all(world, |run| slow(run) && is_good(run));
    let mut known = bad(IncidentState::Slower, &runs, "", None);
    known.detected_at = runs[..5].iter().map(|run| run.end).max().expect("a run");
    known.bad = 0;
    known.ways.clear();
    known.detail = "true".to_owned();
    known
}

fn herd(world: &World) -> Known {
    let runs =
        all(world, |run| matches!(run.fate, Fate::Ends(255, line) if line.contains("closed")));
    let mut known = bad(IncidentState::Dropped, &runs, "connection dropped by the server", None);
    let count = runs.len();
    known.over = Some(known.last + TimeDelta::hours(6)).filter(|over| *over < world.now);
    known.detail = format!("Some(Herd {{ first: 0, last: 2, dropped: {count} }})");
    known
}

fn reboot(world: &World, time: NaiveDateTime) -> Known {
    let runs = all(world, |run| run.fate == Fate::Killed && run.end == time);
    let mut known = bad(IncidentState::Lost, &runs, "lost: no END, and the process is gone", None);
    let ended = all(world, |run| run.start < time && run.fate != Fate::Killed && run.end < time);
    let last_start = runs.iter().map(|run| run.start).max().expect("a run");
    // The last sign of life.
    let at = ended.iter().map(|run| run.end).fold(last_start, NaiveDateTime::max);
    let next = world.runs.iter().map(|run| run.start).find(|start| *start > time);
    known.since = at;
    known.last = at;
    let alone = runs.iter().map(|run| run.start + limit(world, run));
    known.detected_at = world.plan.boot.or(alone.max()).expect("a run");
    known.over = next;
    known.detail = format!("{next:?}");
    known
}
