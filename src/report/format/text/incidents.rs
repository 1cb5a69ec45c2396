//! Incidents as rows: the state, the time and the facts.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use unicode_width::UnicodeWidthStr;

use super::facts::facts;
use super::names;
use super::page::{Page, wrapped, wrapped_whole};
use super::width::fits;
use crate::escape::printable;
use crate::report::diagnosis::incident::{Incident, IncidentKind};
use crate::report::format::crontabs;
use crate::report::format::report::Report;
use crate::report::format::words::{count, grouped, shown_name};
use crate::report::history::{HostId, JobId, RunFlag, RunSummary};
use crate::report::logs::scheduler::Scheduler;
use crate::report::output::style::Severity;
use crate::report::runs::outcome::{Outcome, Reason};
use crate::ssh_error::Cause;

const GAP: usize = 2;

/// More columns than any text needs that no other rule cuts.
const WIDE: usize = 4096;

const MAX_NAMED: usize = 12;

#[derive(Debug)]
pub struct Words {
    /// Since when, or from when to when.
    pub time: String,
    /// The job, the host, or the number of jobs or hosts.
    pub subject: String,
    /// The number of bad runs, and other facts.
    pub facts: String,
    /// The reason, or advice. May be empty.
    pub why: String,
}

/// Not cut to the width of a terminal.
pub fn words(incident: &Incident, report: &Report) -> Words {
    Words {
        time: time(incident, report),
        subject: subject(incident, report, WIDE).join(" "),
        facts: facts(incident, report),
        why: why(incident, report),
    }
}

/// Shows a row for each incident. The last rows have no facts if all would take more than `most` lines. Beyond three
/// times as many lines, only pressing incidents have a row. The others are counted by what they have in common.
pub fn show(page: &mut Page, report: &Report, incidents: &[&Incident], most: usize) {
    let states = incidents.iter().map(|incident| incident.state().word().len());
    let state_width = states.chain(["UNREACHABLE".len()]).max().unwrap_or_default() + GAP;
    let times: Vec<String> = incidents.iter().map(|incident| time(incident, report)).collect();
    let time_width = times.iter().map(|time| time.width()).max().unwrap_or_default() + GAP;
    let indent = state_width + time_width;
    let room = page.width().saturating_sub(indent);
    let brief = incidents.iter().map(|incident| brief_lines(incident, report, room));
    let brief: Vec<Vec<String>> = brief.collect();
    let mut left = most.checked_sub(brief.iter().map(Vec::len).sum());
    let (mut used, mut hidden) = (0_usize, BTreeMap::new());
    for ((incident, time), brief) in incidents.iter().zip(times).zip(brief) {
        let full = lines(incident, report, room);
        left = left.and_then(|left| (left + brief.len()).checked_sub(full.len()));
        let lines = if left.is_some() { full } else { brief };
        used += lines.len();
        if used / 3 > most && !incident.is_pressing {
            *hidden.entry(likeness(incident)).or_default() += 1;
            continue;
        }
        let state = incident.state();
        let word = state.word();
        let blanks = " ".repeat(state_width - word.len());
        let state = page.style.paint(Severity::of(state), word);
        let mut before = format!("{state}{blanks}{time}{}", " ".repeat(time_width - time.width()));
        for line in lines {
            page.line(&(before + &line));
            before = " ".repeat(indent);
        }
    }
    if !hidden.is_empty() {
        for line in wrapped(&more(hidden), page.width()) {
            page.line(&line);
        }
    }
}

/// What an incident has in common with others: the state, and how most runs failed.
fn likeness(incident: &Incident) -> String {
    let state = incident.state().word();
    match incident.main_way() {
        Some(Outcome::Failed(status, Reason::Script)) => format!("{state} (exit {status})"),
        Some(way) => format!("{state} ({way})"),
        None => state.to_owned(),
    }
}

/// `and 12 more: 9 FAILING (exit 1), 3 SLOWER`.
fn more(hidden: BTreeMap<String, u64>) -> String {
    let all: u64 = hidden.values().sum();
    let mut kinds: Vec<_> = hidden.into_iter().collect();
    kinds.sort_by_key(|(_, number)| Reverse(*number));
    let names = kinds.iter().take(MAX_NAMED).map(|(kind, of)| format!("{} {kind}", grouped(*of)));
    let names: Vec<String> = names.collect();
    let others = if kinds.len() > MAX_NAMED { ", …" } else { "" };
    format!("and {} more: {}{others} (--all lists them)", grouped(all), names.join(", "))
}

fn time(incident: &Incident, report: &Report) -> String {
    let (clock, since) = (report.clock(), incident.window.since);
    match incident.end() {
        Some(end) => clock.span(since, end),
        None => format!("since {}", clock.time(since)),
    }
}

/// The subject and the facts, in one line if there is room, and then the reason.
fn lines(incident: &Incident, report: &Report, room: usize) -> Vec<String> {
    let (mut lines, facts) = (subject(incident, report, room), facts(incident, report));
    let why = why(incident, report);
    for text in [facts, why].iter().filter(|text| !text.is_empty()) {
        let width = lines[0].width() + GAP + text.width();
        if lines.len() == 1 && width <= room {
            lines[0] = format!("{}  {text}", lines[0]);
        } else {
            lines.extend(wrapped_whole(text, room));
        }
    }
    lines
}

/// The subject and the reason, or else the facts. They share a line if that takes fewer lines.
fn brief_lines(incident: &Incident, report: &Report, room: usize) -> Vec<String> {
    let mut lines = subject(incident, report, room);
    let is_known = !matches!(incident.kind, IncidentKind::Unreachable { .. });
    let why = Some(why(incident, report)).filter(|why| is_known && !why.is_empty());
    let why = why.unwrap_or_else(|| facts(incident, report));
    let together = wrapped_whole(&format!("{}  {why}", lines.join("  ")), room);
    lines.extend(wrapped_whole(&why, room));
    if together.len() < lines.len() { together } else { lines }
}

/// The subject in at most this many columns. A job whose host leaves no room has two lines.
fn subject(incident: &Incident, report: &Report, room: usize) -> Vec<String> {
    match (&incident.kind, incident.jobs.as_slice()) {
        (
            IncidentKind::Unreachable { .. }
            | IncidentKind::Silent { .. }
            | IncidentKind::CronDown { .. }
            | IncidentKind::ClockJumped { .. }
            | IncidentKind::LogFull,
            _,
        )
        | (_, []) => {
            vec![several(incident, report, room)]
        }
        (_, [job]) => {
            let name = report.job_name(*job);
            match names::host_and_script(&name) {
                Some((host, script)) if names::least_columns(&name) > room => {
                    vec![host.to_owned(), names::script(script, room)]
                }
                _ => vec![names::job(&name, room)],
            }
        }
        _ => vec![several(incident, report, room)],
    }
}

/// What an incident of a scheduler or of hosts is about, in at most this many columns.
fn whole(incident: &Incident, report: &Report, room: usize) -> Option<String> {
    let bad = count(incident.bad, "run");
    let jobs = count(incident.jobs.len() as u64, "job");
    let on = |scheduler: &Scheduler| {
        let name = scheduler.name();
        name.map_or_else(String::new, |name| format!(" on {}", printable(name.as_bytes())))
    };
    Some(match &incident.kind {
        IncidentKind::Unreachable { hosts } | IncidentKind::Refused { hosts, .. } => named_hosts(hosts, report, room),
        IncidentKind::Silent { scheduler, .. } => format!("all jobs{}", on(scheduler)),
        IncidentKind::CronDown { scheduler, lost: 0, .. } => {
            format!("{bad} of {jobs} not started{}", on(scheduler))
        }
        IncidentKind::CronDown { scheduler, lost, .. } => {
            let lost = grouped(*lost);
            format!("{bad} not started, {lost} lost, of {jobs}{}", on(scheduler))
        }
        IncidentKind::ClockJumped { scheduler, from, to } if from > to => {
            let [from, to] = [*from, *to].map(|time| report.clock().second(time));
            format!("the clock went from {from} back to {to}{}", on(scheduler))
        }
        IncidentKind::ClockJumped { scheduler, .. } => {
            format!("{bad} of {jobs} jumped over{}", on(scheduler))
        }
        IncidentKind::LogFull => format!("{bad} of {jobs} without a START"),
        IncidentKind::Lost { together: true, .. } => {
            format!("all that was running: {bad} of {jobs}")
        }
        _ => return None,
    })
}

/// What several jobs have in common, in at most this many columns.
fn several(incident: &Incident, report: &Report, room: usize) -> String {
    if let Some(whole) = whole(incident, report, room) {
        return whole;
    }
    let (history, jobs) = (&report.history, &incident.jobs);
    let count_of_jobs = count(jobs.len() as u64, "job");
    let Some(first) = jobs.first() else {
        return String::new();
    };
    let mut hosts: Vec<HostId> = jobs.iter().map(|job| history.job(*job).host).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let script = |job: &JobId| match history.job(*job).script() {
        b"" => "(no script)".to_owned(),
        script => shown_name(script),
    };
    let scripts: BTreeSet<String> = jobs.iter().map(script).collect();
    let of = report.of_account(history.account(*first));
    match (scripts.len(), hosts.as_slice()) {
        (1, hosts) => {
            let script = script(first);
            let least = script.width().min(room / 2).max(names::MIN_SCRIPT);
            let hosts = named_hosts(hosts, report, room.saturating_sub(least + of.width() + 4));
            let on = format!("{of} on {hosts}");
            names::script(&script, room.saturating_sub(on.width()).max(names::MIN_SCRIPT)) + &on
        }
        (_, [host]) => {
            let host = shown_name(history.host(*host));
            let room = room.saturating_sub(host.width() + 2);
            let scripts: Vec<String> = scripts.into_iter().collect();
            format!("{host}: {}", in_brackets(&scripts, &count_of_jobs, room))
        }
        (_, hosts) => format!("{count_of_jobs} on {}", named_hosts(hosts, report, room / 2)),
    }
}

/// These hosts if all fit, otherwise their number and as many as fit, each whole.
fn named_hosts(hosts: &[HostId], report: &Report, room: usize) -> String {
    let name = |host: &HostId| shown_name(report.history.host(*host));
    let mut hosts: Vec<String> = hosts.iter().map(name).collect();
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

/// The way in which the last run failed with the line that says why, or advice. May be empty.
fn why(incident: &Incident, report: &Report) -> String {
    let clock = report.clock();
    match (&incident.kind, &incident.last) {
        (IncidentKind::Dropped { herd }, last) => {
            let has_retries = last.is_some_and(|run| run.is(RunFlag::HasRetries));
            let mut remedies = Vec::new();
            if !has_retries {
                remedies.push("--retries 8 (REMOTEEXE_RETRIES) tries again");
            }
            if herd.is_some() {
                remedies.push("--splay 20 (REMOTEEXE_SPLAY) spreads the starts");
            }
            remedies.join(", ")
        }
        (IncidentKind::NotStarted { place, is_ignored: true }, _) => {
            let file = place.file.display().to_string();
            format!("cron ignores {}: --check says why", printable(file.as_bytes()))
        }
        (IncidentKind::NotStarted { place, .. }, _) => format!("line {}", crontabs::place(place)),
        (IncidentKind::Unreachable { .. }, Some(last)) => of_the_proxy(report, last),
        (IncidentKind::Refused { .. }, Some(last)) => report.history.line(last).map(printable).unwrap_or_default(),
        (IncidentKind::Failing | IncidentKind::Flapping, Some(last)) => {
            let line = report.history.line(last).map(printable);
            // Several jobs may have ended with several statuses for one reason.
            let line = line.filter(|_| incident.jobs.len() > 1 && incident.ways.len() > 1);
            line.unwrap_or_else(|| failure(report, last))
        }
        (IncidentKind::Lost { together: true, .. }, Some(_)) => {
            let last = clock.time(incident.window.last);
            let none = if incident.bad == 1 { "no END" } else { "none has an END" };
            format!("{none}, and no record after {last}")
        }
        (IncidentKind::Lost { .. }, Some(last)) => {
            let (last, dead) = (clock.time(last.last), clock.time(last.until));
            format!("no END, last record {last}, dead by {dead}")
        }
        _ => String::new(),
    }
}

/// What a `ProxyCommand` printed, if ssh reports only that it ended.
fn of_the_proxy(report: &Report, run: &RunSummary) -> String {
    let is_proxy = run.outcome.connection_failure() == Some(Cause::ProxyEnded);
    let line = report.history.line(run).filter(|_| is_proxy);
    let line = line.filter(|line| Cause::from_message(line).is_none());
    line.map(printable).unwrap_or_default()
}

/// The exit status, its meaning if any, and the line of output that says why.
fn failure(report: &Report, run: &RunSummary) -> String {
    let line = report.history.line(run).map(printable);
    let way = match run.outcome {
        Outcome::Failed(status, Reason::Script) if run.is(RunFlag::Silent) => {
            format!("exit {status}, no output")
        }
        Outcome::Failed(status, Reason::Script) => format!("exit {status}"),
        outcome @ Outcome::Failed(status, _) => format!("exit {status}: {outcome}"),
        outcome => outcome.to_string(),
    };
    match (line, run.outcome) {
        (Some(line), _) => format!("{way}: {line}"),
        (None, Outcome::Failed(_, Reason::Unexplained)) if run.is(RunFlag::Silent) => {
            format!("{way}, no output: LogLevel QUIET would hide ssh's")
        }
        (None, _) => way,
    }
}
