//! The facts about an incident, in words.

use std::cmp::Reverse;

use chrono::NaiveDateTime;

use crate::report::diagnosis::incident::{Herd, Hung, Incident, IncidentKind};
use crate::report::format::crontabs;
use crate::report::format::report::Report;
use crate::report::format::words::{Clock, age, count, duration, grouped};
use crate::report::history::JobId;
use crate::report::runs::outcome::Outcome;

/// The number of bad runs, the last good run, and the facts that matter for the kind of incident.
pub fn facts(incident: &Incident, report: &Report) -> String {
    let facts = facts_of_kind(incident, report);
    let not_recovered = match incident.not_recovered.as_slice() {
        [] => return facts,
        // The subject names it.
        [_] if incident.jobs.len() == 1 && incident.hosts().is_empty() => {
            format!("not good since{}", next(report, incident.jobs[0]))
        }
        [job] => {
            let name = report.job_name(*job);
            format!("not good since: {name}{}", next(report, *job))
        }
        jobs => format!("{} not good since", count(jobs.len() as u64, "job")),
    };
    if facts.is_empty() { not_recovered } else { format!("{facts}, {not_recovered}") }
}

fn facts_of_kind(incident: &Incident, report: &Report) -> String {
    let clock = report.clock();
    match &incident.kind {
        IncidentKind::Failing | IncidentKind::Flapping => failing(incident, report),
        IncidentKind::Lost { together, boot, quiet_until } => {
            let mut facts = Vec::new();
            if !together {
                facts.push(failing(incident, report));
            } else if let (Some(run), 1) = (incident.last, incident.bad) {
                facts.push(format!("run {}", clock.run_name(&run)));
            }
            facts.extend(boot.map(|boot| format!("this machine booted {}", clock.time(boot))));
            facts.extend(quiet_until.map(|until| format!("nothing started until {}", clock.time(until))));
            facts.join(", ")
        }
        IncidentKind::Hung(hung) => hanging(incident, hung, report),
        IncidentKind::Unreachable { .. } | IncidentKind::Refused { .. } => {
            let (runs, jobs) = (count(incident.bad, "run"), incident.jobs.len() as u64);
            let times = repeated(incident);
            format!("{times}{runs} of {} ({})", count(jobs, "job"), ways(incident))
        }
        IncidentKind::Dropped { herd } => dropped(incident, *herd, report),
        IncidentKind::Slower { before, now } => {
            format!("{} instead of {}", duration(Some(*now)), duration(Some(*before)))
        }
        IncidentKind::Silent { boot, .. } => {
            let boot = boot.map(|boot| format!(", this machine booted {}", clock.time(boot)));
            format!("nothing was started{}", boot.unwrap_or_default())
        }
        IncidentKind::NotStarted { .. } => not_started(incident, report),
        IncidentKind::CronDown { boot, .. } => boot.map_or_else(
            || {
                let starter = starter(incident, report);
                format!(
                    "{starter} was not running or could not run remoteexe, \
                     or the clock was set ahead"
                )
            },
            |boot| format!("this machine booted {}", clock.time(boot)),
        ),
        IncidentKind::ClockJumped { from, to, .. } => clock_jumped(*from, *to, clock),
        IncidentKind::LogFull => {
            let over = incident.window.over.map(|over| format!(", lines again {}", clock.time(over)));
            format!("the log took no lines: they may have run{}", over.unwrap_or_default())
        }
        IncidentKind::Late { started } => {
            let slots = incident.bad;
            format!(
                "{} as late as {}: {} caught up",
                count(slots, "start"),
                clock.second(*started),
                starter(incident, report)
            )
        }
    }
}

fn clock_jumped(from: NaiveDateTime, to: NaiveDateTime, clock: Clock) -> String {
    if from > to {
        return "starts and slots between these times are not judged".to_owned();
    }
    let [from, to] = [from, to].map(|time| clock.second(time));
    format!("the clock went from {from} to {to} during a short run, or the machine stood still")
}

/// What starts the jobs of an incident.
fn starter(incident: &Incident, report: &Report) -> &'static str {
    let first = incident.jobs.first();
    first.map_or("cron", |job| report.starter(*job))
}

fn failing(incident: &Incident, report: &Report) -> String {
    let clock = report.clock();
    let (bad, runs) = (incident.bad, incident.runs);
    let mut facts = Vec::new();
    facts.push(match (incident.is_over(), bad == runs) {
        (false, true) if bad > 1 => format!("every run ({})", grouped(bad)),
        (_, true) => repeated(incident) + &count(bad, "run"),
        (_, false) => format!("{}{} of {}", repeated(incident), grouped(bad), count(runs, "run")),
    });
    let is_single = incident.jobs.len() == 1;
    if let Some(over) = incident.window.over {
        facts.push(format!("good since {}", clock.time(over)));
    } else if let Some(good) = last_good(incident, report) {
        // Of several jobs one may have been good after another one was bad.
        if is_single || good <= incident.window.since {
            facts.push(format!("last good {}", clock.time(good)));
        }
    } else {
        facts.push("no good run in these logs".to_owned());
    }
    if let Some(last) = incident.last.filter(|_| is_single) {
        facts.push(format!("run {}", clock.run_name(&last)));
    }
    facts.join(", ")
}

/// The END of the last good run. A job that is good and bad in turn may have been good since the incident began.
fn last_good(incident: &Incident, report: &Report) -> Option<NaiveDateTime> {
    match (&incident.kind, incident.jobs.as_slice()) {
        (IncidentKind::Flapping, [job]) => {
            let runs = report.history.of_job(*job).iter();
            let good = runs.filter(|run| run.outcome == Outcome::Good);
            good.map(|run| run.until).max()
        }
        _ => incident.last_good,
    }
}

/// `, next Tue 02:50`, if a crontab has the job.
fn next(report: &Report, job: JobId) -> String {
    let is_now = report.scope.is_live;
    let schedule = is_now.then(|| crontabs::schedule_of(report, job)).flatten();
    schedule.map_or_else(String::new, |schedule| format!(", next {}", schedule.next))
}

fn not_started(incident: &Incident, report: &Report) -> String {
    let clock = report.clock();
    let mut facts = vec![repeated(incident) + &count(incident.bad, "run") + " missing"];
    facts.push(match (incident.window.over, incident.last_good) {
        (Some(over), _) => format!("started again {}", clock.time(over)),
        (None, Some(good)) => format!("last good {}", clock.time(good)),
        (None, None) => "no good run in these logs".to_owned(),
    });
    if let ([job], None) = (incident.jobs.as_slice(), incident.window.over) {
        facts[1] += &next(report, *job);
    }
    facts.join(", ")
}

fn dropped(incident: &Incident, herd: Option<Herd>, report: &Report) -> String {
    let mut facts = vec![format!("{} dropped", count(incident.bad, "connection"))];
    facts.extend(herd.map(|herd| {
        let Herd { first, last, dropped } = herd;
        format!("{} at seconds {first} to {last}", grouped(dropped))
    }));
    let last = incident.last.filter(|_| incident.jobs.len() == 1);
    facts.extend(last.map(|run| format!("run {}", report.clock().run_name(&run))));
    facts.join(", ")
}

fn repeated(incident: &Incident) -> String {
    match incident.times {
        1 => String::new(),
        times => format!("{times} times, "),
    }
}

fn hanging(incident: &Incident, hung: &Hung, report: &Report) -> String {
    let window = incident.window;
    let end = window.over.unwrap_or(report.scope.now);
    let took = age(end - window.since);
    let longest = duration(Some(hung.longest));
    let mut facts = vec![format!("{took}, usually {longest} at most")];
    facts.extend(incident.last.map(|run| format!("run {}", report.clock().run_name(&run))));
    if hung.again > 0 {
        facts.push(format!("started again {} times since", hung.again));
    }
    facts.join(", ")
}

/// The ways in which connections failed, the most frequent first.
fn ways(incident: &Incident) -> String {
    let mut ways: Vec<_> = incident.ways.iter().collect();
    ways.sort_by_key(|(_, count)| Reverse(**count));
    let ways: Vec<String> = match ways.as_slice() {
        [(way, _)] => vec![way.to_string()],
        ways => ways.iter().map(|(way, count)| format!("{count} {way}")).collect(),
    };
    ways.join(", ")
}
