//! An incident in words: what it is about, since when, the facts, and why.

use std::{cmp::Reverse, collections::BTreeSet, iter};

use chrono::NaiveDateTime;
use unicode_width::UnicodeWidthStr;

use super::names::{self, fits};
use crate::report::diagnosis::incident::{Herd, unique};
use crate::report::format::{
    Account, Clock, HostId, Incident, IncidentKind, JobId, Outcome, Reason, Report, RunFlag, RunSummary, Scheduler,
    age, count, crontabs, duration, grouped, shown_name, way,
};
use crate::{escape::printable, ssh_error::Cause};

/// The most hosts or scripts that are named. More are only counted.
const MAX_NAMED: usize = 12;

pub struct IncidentWords<'a> {
    report: &'a Report<'a>,
    jobs: &'a [JobId],
    subject: Subject<'a>,
    /// The time since the incident began, or from its beginning to its end.
    pub time: String,
    /// The number of bad runs, the last good run, and the facts that matter for the kind of incident.
    pub facts: String,
    /// The reason, or advice. May be empty.
    pub why: String,
}

enum Subject<'a> {
    Jobs,
    Hosts(&'a [HostId]),
    /// Everything that a scheduler starts.
    All(String),
}

impl<'a> IncidentWords<'a> {
    pub fn of(incident: &'a Incident, report: &'a Report<'a>) -> Self {
        let (clock, since) = (report.clock(), incident.window.since);
        let time = match incident.end() {
            Some(end) => clock.span(since, end),
            None => format!("since {}", clock.time(since)),
        };
        let (subject, mut facts, why) = parts(incident, report);
        facts.extend(not_recovered(incident, report));
        Self { report, jobs: &incident.jobs, subject, time, facts: facts.join(", "), why }
    }

    /// The subject in at most this many columns. A job whose host leaves no room has two lines.
    pub fn subject(&self, room: usize) -> Vec<String> {
        let Self { report, jobs, .. } = self;
        vec![match (&self.subject, jobs) {
            (Subject::All(text), _) => text.clone(),
            (Subject::Hosts(hosts), _) => named_hosts(hosts, report, room),
            (Subject::Jobs, []) => String::new(),
            (Subject::Jobs, [job]) => {
                let name = report.job_name(*job);
                match names::host_and_script(&name) {
                    Some((host, script)) if names::least_columns(&name) > room => {
                        return vec![host.to_owned(), names::script(script, room)];
                    }
                    _ => names::job(&name, room),
                }
            }
            (Subject::Jobs, jobs) => several(jobs, report, room),
        }]
    }

    pub fn whole_subject(&self) -> String {
        // Wide enough for any text that other rules have left.
        self.subject(4096).join(" ")
    }
}

/// The subject, the facts, and the reason or advice.
type IncidentParts<'a> = (Subject<'a>, Vec<String>, String);

fn parts<'a>(incident: &'a Incident, report: &Report) -> IncidentParts<'a> {
    let (clock, last) = (report.clock(), incident.last.as_ref());
    let (runs, jobs) = (count(incident.bad, "run"), count(incident.jobs.len() as u64, "job"));
    let no_reason = String::new;
    match &incident.kind {
        IncidentKind::Failing | IncidentKind::Flapping => {
            let why = last.map_or_else(no_reason, |last| failure(incident, last, report));
            (Subject::Jobs, failing(incident, report), why)
        }
        IncidentKind::LostTogether { .. } => lost_together(incident, report),
        IncidentKind::Lost => {
            let of = |run: &RunSummary| (clock.time(run.last), clock.time(run.until));
            let why = last.map(of).map(|(last, dead)| format!("no END, last record {last}, dead by {dead}"));
            (Subject::Jobs, failing(incident, report), why.unwrap_or_default())
        }
        IncidentKind::Hung { longest, again } => {
            (Subject::Jobs, hanging(incident, *longest, *again, report), no_reason())
        }
        IncidentKind::Unreachable { hosts } => {
            let why = last.and_then(|last| line_of_proxy(report, last));
            (Subject::Hosts(hosts), connections(incident), why.map_or_else(no_reason, printable))
        }
        IncidentKind::Refused { hosts, .. } => {
            let subject = if incident.jobs.len() == 1 { Subject::Jobs } else { Subject::Hosts(hosts) };
            let why = last.and_then(|last| report.history.line(last));
            (subject, connections(incident), why.map_or_else(no_reason, printable))
        }
        IncidentKind::Dropped { herd } => dropped(incident, *herd, report),
        IncidentKind::Slower { before, now } => {
            let fact = format!("{} instead of {}", duration(Some(*now)), duration(Some(*before)));
            (Subject::Jobs, vec![fact], no_reason())
        }
        IncidentKind::Silent { scheduler, .. } => {
            let facts = iter::once("nothing was started".to_owned()).chain(pause(incident, report));
            (Subject::All(format!("all jobs{}", on(*scheduler, report))), facts.collect(), no_reason())
        }
        IncidentKind::NotStarted { place, is_ignored } => {
            let ignored = is_ignored.then(|| format!("cron ignores {}: --check says why", crontabs::path(&place.file)));
            let why = ignored.unwrap_or_else(|| format!("line {}", crontabs::place(place)));
            (Subject::Jobs, not_started(incident, report), why)
        }
        IncidentKind::CronDown { scheduler, lost, .. } => cron_down(incident, *scheduler, *lost, report),
        IncidentKind::ClockJumped { scheduler, from, to } => {
            let (what, fact) = clock_jumped(*from, *to, clock);
            let what = what.unwrap_or_else(|| format!("{runs} of {jobs} jumped over"));
            (Subject::All(what + &on(*scheduler, report)), vec![fact], no_reason())
        }
        IncidentKind::LogFull => {
            let over = incident.window.over.map(|over| format!("lines again {}", clock.time(over)));
            let facts = iter::once("the log took no lines: they may have run".to_owned()).chain(over);
            (Subject::All(format!("{runs} of {jobs} without a START")), facts.collect(), no_reason())
        }
        IncidentKind::Late { started } => {
            let (starts, starter) = (count(incident.bad, "start"), starter(incident, report));
            let fact = format!("{starts} as late as {}: {starter} caught up", clock.second(*started));
            (Subject::Jobs, vec![fact], no_reason())
        }
    }
}

fn starter(incident: &Incident, report: &Report) -> &'static str {
    incident.jobs.first().map_or("cron", |job| report.starter(*job))
}

/// ` on SCHEDULER`, if it has a name.
fn on(scheduler: Scheduler, report: &Report) -> String {
    report.of_account(Account { uid: None, scheduler })
}

fn cron_down<'a>(incident: &Incident, scheduler: Scheduler, lost: u64, report: &Report) -> IncidentParts<'a> {
    let (runs, jobs) = (count(incident.bad, "run"), count(incident.jobs.len() as u64, "job"));
    let what = match lost {
        0 => format!("{runs} of {jobs} not started"),
        lost => format!("{runs} not started, {} lost, of {jobs}", grouped(lost)),
    };
    let mut facts: Vec<String> = pause(incident, report).collect();
    if facts.is_empty() {
        let starter = starter(incident, report);
        facts.push(format!("{starter} was not running or could not run remoteexe, or the clock was set ahead"));
    }
    (Subject::All(what + &on(scheduler, report)), facts, String::new())
}

/// The jump as a subject, if the clock went back, and the fact.
fn clock_jumped(from: NaiveDateTime, to: NaiveDateTime, clock: Clock) -> (Option<String>, String) {
    let [first, last] = [from, to].map(|time| clock.second(time));
    let what = format!("the clock went from {first}");
    if from > to {
        let fact = "starts and slots between these times are not judged".to_owned();
        return (Some(format!("{what} back to {last}")), fact);
    }
    (None, format!("{what} to {last} during a short run, or the machine stood still"))
}

fn lost_together<'a>(incident: &Incident, report: &Report) -> IncidentParts<'a> {
    let (runs, jobs) = (count(incident.bad, "run"), count(incident.jobs.len() as u64, "job"));
    let subject = match incident.jobs.len() {
        1 => Subject::Jobs,
        _ => Subject::All(format!("all that was running: {runs} of {jobs}")),
    };
    let run = incident.last.filter(|_| incident.bad == 1).map(|run| run_fact(&run, report));
    let none = if incident.bad == 1 { "no END" } else { "none has an END" };
    let last = report.clock().time(incident.window.last);
    let why = incident.last.map(|_| format!("{none}, and no record after {last}"));
    (subject, run.into_iter().chain(pause(incident, report)).collect(), why.unwrap_or_default())
}

/// The boot before which everything stopped, and the end of the pause in which nothing was started.
fn pause(incident: &Incident, report: &Report) -> impl Iterator<Item = String> {
    let until = if let IncidentKind::LostTogether { quiet_until, .. } = incident.kind { quiet_until } else { None };
    let clock = report.clock();
    let boot = incident.boot().map(|boot| format!("this machine booted {}", clock.time(boot)));
    boot.into_iter().chain(until.map(|until| format!("nothing started until {}", clock.time(until))))
}

fn run_fact(run: &RunSummary, report: &Report) -> String {
    format!("run {}", report.clock().run_name(run.pid, run.start))
}

/// The last run, if the incident has only one job.
fn only_run(incident: &Incident, report: &Report) -> Option<String> {
    incident.last.filter(|_| incident.jobs.len() == 1).map(|run| run_fact(&run, report))
}

/// The number of times that the incident occurred, if more than once.
fn times(incident: &Incident) -> Option<String> {
    (incident.times > 1).then(|| format!("{} times", incident.times))
}

fn failing(incident: &Incident, report: &Report) -> Vec<String> {
    let clock = report.clock();
    let (bad, runs) = (incident.bad, incident.runs);
    let mut facts = Vec::new();
    if !incident.is_over() && bad == runs && bad > 1 {
        facts.push(format!("every run ({})", grouped(bad)));
    } else {
        facts.extend(times(incident));
        let of = if bad == runs { count(bad, "run") } else { format!("{} of {}", grouped(bad), count(runs, "run")) };
        facts.push(of);
    }
    if let Some(over) = incident.window.over {
        facts.push(format!("good since {}", clock.time(over)));
    } else if let Some(good) = last_good(incident, report) {
        // Of several jobs, one may have been good after another was bad.
        let is_known = incident.jobs.len() == 1 || good <= incident.window.since;
        facts.extend(is_known.then(|| format!("last good {}", clock.time(good))));
    } else {
        facts.push("no good run in these logs".to_owned());
    }
    facts.extend(only_run(incident, report));
    facts
}

/// The END of the last good run. A job that is good and bad in turn may have been good since the incident began.
fn last_good(incident: &Incident, report: &Report) -> Option<NaiveDateTime> {
    match (&incident.kind, incident.jobs.as_slice()) {
        (IncidentKind::Flapping, [job]) => report.last_good(*job),
        _ => incident.last_good,
    }
}

fn not_started(incident: &Incident, report: &Report) -> Vec<String> {
    let clock = report.clock();
    let state = match (incident.window.over, incident.last_good) {
        (Some(over), _) => format!("started again {}", clock.time(over)),
        (None, Some(good)) => format!("last good {}", clock.time(good)),
        (None, None) => "no good run in these logs".to_owned(),
    };
    let next = match incident.jobs.as_slice() {
        [job] if incident.window.over.is_none() => next(report, *job),
        _ => None,
    };
    let missing = count(incident.bad, "run") + " missing";
    times(incident).into_iter().chain([missing, state]).chain(next).collect()
}

fn hanging(incident: &Incident, longest: u32, again: u64, report: &Report) -> Vec<String> {
    let end = incident.window.over.unwrap_or(report.scope.now);
    let mut facts = vec![age(end - incident.window.since)];
    facts.push(format!("usually {} at most", duration(Some(longest))));
    facts.extend(incident.last.map(|run| run_fact(&run, report)));
    facts.extend((again > 0).then(|| format!("started again {again} times since")));
    facts
}

fn dropped<'a>(incident: &Incident, herd: Option<Herd>, report: &Report) -> IncidentParts<'a> {
    let mut facts = vec![format!("{} dropped", count(incident.bad, "connection"))];
    facts
        .extend(herd.map(|Herd { first, last, dropped }| format!("{} at seconds {first} to {last}", grouped(dropped))));
    facts.extend(only_run(incident, report));
    let has_retries = incident.last.is_some_and(|run| run.is(RunFlag::HasRetries));
    let retries = (!has_retries).then_some("--retries 8 (REMOTEEXE_RETRIES) tries again");
    let splay = herd.map(|_| "--splay 20 (REMOTEEXE_SPLAY) spreads the starts");
    let remedies: Vec<&str> = retries.into_iter().chain(splay).collect();
    (Subject::Jobs, facts, remedies.join(", "))
}

/// The failed connections, and how they failed, the most frequent way first.
fn connections(incident: &Incident) -> Vec<String> {
    let mut ways: Vec<_> = incident.ways.iter().collect();
    ways.sort_by_key(|(_, count)| Reverse(**count));
    let ways: Vec<String> = match ways.as_slice() {
        [(way, _)] => vec![way.to_string()],
        ways => ways.iter().map(|(way, count)| format!("{count} {way}")).collect(),
    };
    let (runs, jobs) = (count(incident.bad, "run"), count(incident.jobs.len() as u64, "job"));
    times(incident).into_iter().chain([format!("{runs} of {jobs} ({})", ways.join(", "))]).collect()
}

/// The jobs without a good run since, though the reason has passed.
fn not_recovered(incident: &Incident, report: &Report) -> Vec<String> {
    match incident.not_recovered.as_slice() {
        [] => Vec::new(),
        [job] => {
            // The subject may already name the job.
            let is_named = incident.jobs.len() == 1 && incident.hosts().is_empty();
            let name = if is_named { String::new() } else { format!(": {}", report.job_name(*job)) };
            iter::once(format!("not good since{name}")).chain(next(report, *job)).collect()
        }
        jobs => vec![format!("{} not good since", count(jobs.len() as u64, "job"))],
    }
}

/// `next Tue 02:50`, if a crontab has the job.
fn next(report: &Report, job: JobId) -> Option<String> {
    let schedule = report.scope.is_live.then(|| crontabs::schedule_of(report, job)).flatten();
    schedule.map(|schedule| format!("next {}", schedule.next))
}

/// The way in which a run failed, with the line of output that is the reason.
fn failure(incident: &Incident, run: &RunSummary, report: &Report) -> String {
    let line = report.history.line(run).map(printable);
    let is_silent = run.is(RunFlag::Silent);
    let way = way(run.outcome);
    match (line, run.outcome) {
        // Several jobs may have ended with several statuses for one reason.
        (Some(line), _) if incident.jobs.len() > 1 && incident.ways.len() > 1 => line,
        (Some(line), Outcome::Failed(_, Reason::Script)) if is_silent => format!("{way}, no output: {line}"),
        (Some(line), _) => format!("{way}: {line}"),
        (None, Outcome::Failed(_, Reason::Script)) if is_silent => format!("{way}, no output"),
        (None, Outcome::Failed(_, Reason::Unexplained)) if is_silent => {
            format!("{way}, no output: LogLevel QUIET would hide ssh's")
        }
        (None, _) => way,
    }
}

/// What a `ProxyCommand` printed, if ssh reports only that it ended.
fn line_of_proxy<'a>(report: &'a Report, run: &RunSummary) -> Option<&'a [u8]> {
    let is_proxy = run.outcome.connection_failure() == Some(Cause::ProxyEnded);
    let line = report.history.line(run).filter(|_| is_proxy);
    line.filter(|line| Cause::from_message(line).is_none())
}

/// What several jobs have in common, in at most this many columns.
fn several(jobs: &[JobId], report: &Report, room: usize) -> String {
    let history = &report.history;
    let count_of_jobs = count(jobs.len() as u64, "job");
    let hosts = unique(jobs.iter().map(|job| history.job(*job).host));
    let script = |job: &JobId| match history.job(*job).script() {
        b"" => "(no script)".to_owned(),
        script => shown_name(script),
    };
    let scripts: BTreeSet<String> = jobs.iter().map(script).collect();
    let scripts: Vec<String> = scripts.into_iter().collect();
    match (scripts.as_slice(), hosts.as_slice()) {
        ([script], hosts) => {
            let of = report.of_account(history.account(jobs[0]));
            let least = script.width().min(room / 2).max(names::MIN_SCRIPT);
            let hosts = named_hosts(hosts, report, room.saturating_sub(least + of.width() + 4));
            let on = format!("{of} on {hosts}");
            names::script(script, room.saturating_sub(on.width()).max(names::MIN_SCRIPT)) + &on
        }
        (scripts, [host]) => {
            let host = shown_name(history.host(*host));
            let room = room.saturating_sub(host.width() + 2);
            format!("{host}: {}", in_brackets(scripts, &count_of_jobs, room))
        }
        (_, hosts) => format!("{count_of_jobs} on {}", named_hosts(hosts, report, room / 2)),
    }
}

/// These hosts if all fit, otherwise their number and as many as fit, each whole.
fn named_hosts(hosts: &[HostId], report: &Report, room: usize) -> String {
    let mut hosts: Vec<String> = hosts.iter().map(|host| shown_name(report.history.host(*host))).collect();
    hosts.sort();
    let all = hosts.join(", ");
    match hosts.as_slice() {
        [host] => names::job(host, room),
        _ if hosts.len() <= MAX_NAMED && fits(&all, room) => all,
        _ => in_brackets(&hosts, &count(hosts.len() as u64, "host"), room),
    }
}

/// A number, followed by as many of these names as fit.
fn in_brackets(names: &[String], number: &str, room: usize) -> String {
    let mut some = (1..=names.len().min(MAX_NAMED)).rev().map(|some| {
        let more = if some < names.len() { ", …" } else { "" };
        format!("{number} ({}{more})", names[..some].join(", "))
    });
    some.find(|some| fits(some, room)).unwrap_or_else(|| number.to_owned())
}
