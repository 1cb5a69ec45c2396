//! Incidents as rows: the state, the time, and what an operator has to know of it.

use unicode_width::UnicodeWidthStr;

use super::facts::facts;
use super::names;
use super::page::{Page, wrapped, wrapped_whole};
use super::width::fits;
use crate::escape::printable;
use crate::report::diagnosis::incident::{Incident, IncidentKind};
use crate::report::format::crontabs;
use crate::report::format::report::Report;
use crate::report::format::words::shown_name;
use crate::report::format::words::{count, grouped};
use crate::report::history::{HostId, RunFlag, RunSummary};
use crate::report::logs::scheduler::Scheduler;
use crate::report::output::style::Severity;
use crate::report::runs::outcome::{Outcome, Reason};
use crate::ssh_error::Cause;

/// The blanks between two columns.
const GAP: usize = 2;

/// More columns than any text takes that is not cut by another rule.
const WIDE: usize = 4096;

/// How many hosts of an incident are named.
const MAX_HOSTS: usize = 3;

/// The words for an incident.
#[derive(Debug)]
pub struct Words {
    /// Since when it goes on, or from when to when it did.
    pub time: String,
    /// The job, the host, or the number of them.
    pub subject: String,
    /// How many runs were bad, and what else there is to know.
    pub facts: String,
    /// The reason, or advice; it may be empty.
    pub why: String,
}

/// An incident in words that are not cut to the width of a terminal.
pub fn words(incident: &Incident, report: &Report) -> Words {
    Words {
        time: time(incident, report),
        subject: subject(incident, report, WIDE).join(" "),
        facts: facts(incident, report),
        why: why(incident, report, WIDE).join(" "),
    }
}

/// Shows a row for each incident.
pub fn show(page: &mut Page, report: &Report, incidents: &[&Incident]) {
    let states = incidents.iter().map(|incident| incident.state().word().len());
    let state_width = states.chain(["UNREACHABLE".len()]).max().unwrap_or_default() + GAP;
    let times: Vec<String> = incidents.iter().map(|incident| time(incident, report)).collect();
    let time_width = times.iter().map(|time| time.width()).max().unwrap_or_default() + GAP;
    let indent = state_width + time_width;
    let room = page.width().saturating_sub(indent);
    for (incident, time) in incidents.iter().zip(times) {
        let state = incident.state();
        let word = state.word();
        let blanks = " ".repeat(state_width - word.len());
        let state = page.style.paint(Severity::of(state), word);
        let mut before = format!("{state}{blanks}{time}{}", " ".repeat(time_width - time.width()));
        for line in lines(incident, report, room) {
            page.line(&(before + &line));
            before = " ".repeat(indent);
        }
    }
}

fn time(incident: &Incident, report: &Report) -> String {
    let (clock, since) = (report.clock(), incident.window.since);
    match incident.end() {
        Some(end) => clock.span(since, end),
        None => format!("since {}", clock.time(since)),
    }
}

/// The subject and the facts, in one line where there is room, and then the reason.
fn lines(incident: &Incident, report: &Report, room: usize) -> Vec<String> {
    let (mut lines, facts) = (subject(incident, report, room), facts(incident, report));
    match lines.as_slice() {
        [subject] if subject.width() + GAP + facts.width() <= room => {
            lines = vec![format!("{subject}  {facts}")];
        }
        _ => lines.extend(wrapped(&facts, room)),
    }
    lines.extend(why(incident, report, room));
    lines
}

/// The job, the host, or the number of them, in at most so many columns. A job whose host leaves no room has two lines.
fn subject(incident: &Incident, report: &Report, room: usize) -> Vec<String> {
    match (&incident.kind, incident.jobs.as_slice()) {
        (
            IncidentKind::Unreachable { .. }
            | IncidentKind::Silent { .. }
            | IncidentKind::CronDown { .. },
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

/// What several jobs have in common, in at most so many columns.
fn several(incident: &Incident, report: &Report, room: usize) -> String {
    let (history, jobs) = (&report.history, &incident.jobs);
    let bad = count(incident.bad, "run");
    let count_of_jobs = count(jobs.len() as u64, "job");
    let on = |scheduler: &Scheduler| {
        let name = scheduler.name();
        name.map_or_else(String::new, |name| format!(" on {}", printable(name.as_bytes())))
    };
    let is_of_many = match &incident.kind {
        IncidentKind::Unreachable { hosts } => return named_hosts(hosts, report, room),
        IncidentKind::Silent { scheduler, .. } => return format!("all jobs{}", on(scheduler)),
        IncidentKind::CronDown { scheduler, lost: 0, .. } => {
            return format!("{bad} of {count_of_jobs} not started{}", on(scheduler));
        }
        IncidentKind::CronDown { scheduler, lost, .. } => {
            let lost = grouped(*lost);
            return format!("{bad} not started, {lost} lost, of {count_of_jobs}{}", on(scheduler));
        }
        IncidentKind::Lost { together: true, .. } => {
            return format!("all that was running: {bad} of {count_of_jobs}");
        }
        IncidentKind::Dropped { .. } | IncidentKind::Late { .. } => true,
        IncidentKind::NotStarted { is_ignored, .. } => *is_ignored,
        _ => false,
    };
    let Some(first) = jobs.first() else {
        return String::new();
    };
    let mut hosts: Vec<HostId> = jobs.iter().map(|job| history.job(*job).host).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let hosts = count(hosts.len() as u64, "host");
    if is_of_many {
        return format!("{count_of_jobs} on {hosts}");
    }
    let of = report.of_account(history.account(*first));
    let on = format!("{of} on {hosts}");
    let room = room.saturating_sub(on.width()).max(names::MIN_SCRIPT);
    let script = match history.job(*first).script() {
        b"" => "(no script)".to_owned(),
        script => shown_name(script),
    };
    names::script(&script, room) + &on
}

/// As many of these hosts as there is room for, each whole, and their number if not all are named.
fn named_hosts(hosts: &[HostId], report: &Report, room: usize) -> String {
    let name = |host: &HostId| shown_name(report.history.host(*host));
    let named: Vec<String> = hosts.iter().take(MAX_HOSTS).map(name).collect();
    if let [name] = named.as_slice() {
        return names::job(name, room);
    }
    let all = named.join(", ");
    if hosts.len() == named.len() && fits(&all, room) {
        return all;
    }
    let number = count(hosts.len() as u64, "host");
    let mut some = (1..=named.len()).rev().map(|some| {
        let named = named[..some].join(", ");
        format!("{number} ({named}, …)")
    });
    some.find(|some| fits(some, room)).unwrap_or(number)
}

/// The way in which the last run failed and the line that says why, or advice.
fn why(incident: &Incident, report: &Report, room: usize) -> Vec<String> {
    if let IncidentKind::Dropped { herd } = &incident.kind {
        let has_retries = incident.last.is_some_and(|run| run.is(RunFlag::HasRetries));
        return advice(has_retries, herd.is_some(), room);
    }
    if let IncidentKind::NotStarted { place, is_ignored } = &incident.kind {
        let why = if *is_ignored {
            let file = place.file.display().to_string();
            format!("cron ignores {}: --check says why", printable(file.as_bytes()))
        } else {
            format!("line {}", crontabs::place(place))
        };
        return vec![names::script(&why, room)];
    }
    let Some(last) = incident.last.as_ref() else {
        return Vec::new();
    };
    match &incident.kind {
        IncidentKind::Unreachable { .. } => of_the_proxy(report, last, room),
        IncidentKind::Failing | IncidentKind::Flapping => {
            wrapped_whole(&failure(report, last), room)
        }
        IncidentKind::Lost { together: true, .. } => {
            let last = report.clock().time(incident.window.last);
            let none = if incident.bad == 1 { "no END" } else { "none has an END" };
            wrapped(&format!("{none}, and no record after {last}"), room)
        }
        IncidentKind::Lost { .. } => {
            let clock = report.clock();
            let (last, dead) = (clock.time(last.last), clock.time(last.until));
            wrapped(&format!("no END, last record {last}, dead by {dead}"), room)
        }
        _ => Vec::new(),
    }
}

/// The remedies for dropped connections, in one line where there is room.
fn advice(has_retries: bool, is_herd: bool, room: usize) -> Vec<String> {
    let mut remedies = Vec::new();
    if !has_retries {
        remedies.push("--retries 8 (REMOTEEXE_RETRIES) tries again");
    }
    if is_herd {
        remedies.push("--splay 20 (REMOTEEXE_SPLAY) spreads the starts");
    }
    let all = remedies.join(", ");
    if fits(&all, room) {
        return vec![all];
    }
    let lines = remedies.iter().flat_map(|remedy| wrapped(remedy, room));
    lines.collect()
}

/// What a `ProxyCommand` said, where ssh itself says no more than that it has ended.
fn of_the_proxy(report: &Report, run: &RunSummary, room: usize) -> Vec<String> {
    let is_proxy = run.outcome.connection_failure() == Some(Cause::ProxyEnded);
    let line = report.history.line(run).filter(|_| is_proxy);
    let line = line.filter(|line| Cause::from_message(line).is_none());
    line.map_or_else(Vec::new, |line| wrapped_whole(&printable(line), room))
}

/// The exit status, its meaning where it has one, and the line of output that says why.
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
    match line {
        Some(line) => format!("{way}: {line}"),
        None => way,
    }
}
