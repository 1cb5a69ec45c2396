//! Incidents as rows: the state, the time, and what an operator has to know of it.

use unicode_width::UnicodeWidthStr;

use super::facts::facts;
use super::format::count;
use super::page::{Page, cut, shortened, wrapped};
use super::{View, shown_name};
use crate::escape::printable;
use crate::report::expected;
use crate::report::incident::{Incident, Kind};
use crate::report::ledger::{Entry, HostId};
use crate::report::outcome::{Outcome, Reason};
use crate::report::style::Tone;

/// The blanks between two columns.
const GAP: usize = 2;

/// The least columns for a script beside a host.
const MIN_SCRIPT: usize = 8;

/// More columns than any text takes that is not cut by another rule.
const WIDE: usize = 4096;

/// How many hosts of an incident are named.
const MAX_HOSTS: usize = 3;

/// What is told of an incident.
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
pub fn words(incident: &Incident, view: &View) -> Words {
    Words {
        time: time(incident, view),
        subject: subject(incident, view, WIDE),
        facts: facts(incident, view),
        why: why(incident, view, WIDE).join(" "),
    }
}

/// Shows a row for each incident.
pub fn show(page: &mut Page, view: &View, incidents: &[&Incident]) {
    let states = incidents
        .iter()
        .map(|incident| incident.state().word().len());
    let state_width = states
        .chain(["UNREACHABLE".len()])
        .max()
        .unwrap_or_default()
        + GAP;
    let times: Vec<String> = incidents
        .iter()
        .map(|incident| time(incident, view))
        .collect();
    let time_width = times
        .iter()
        .map(|time| time.width())
        .max()
        .unwrap_or_default()
        + GAP;
    let indent = state_width + time_width;
    let room = page.width().saturating_sub(indent);
    for (incident, time) in incidents.iter().zip(times) {
        let state = incident.state();
        let word = state.word();
        let blanks = " ".repeat(state_width - word.len());
        let state = page.style.paint(Tone::of(state), word);
        let mut before = format!(
            "{state}{blanks}{time}{}",
            " ".repeat(time_width - time.width())
        );
        for line in lines(incident, view, room) {
            page.line(&(before + &line));
            before = " ".repeat(indent);
        }
    }
}

fn time(incident: &Incident, view: &View) -> String {
    let (clock, since) = (view.clock(), incident.window.since);
    match incident.end() {
        Some(end) => clock.span(since, end),
        None => format!("since {}", clock.time(since)),
    }
}

/// The subject and the facts, in one line where there is room, and then the last telling line of output.
fn lines(incident: &Incident, view: &View, room: usize) -> Vec<String> {
    let (subject, facts) = (subject(incident, view, room), facts(incident, view));
    let mut lines = if subject.width() + GAP + facts.width() <= room {
        vec![format!("{subject}  {facts}")]
    } else {
        let mut lines = wrapped(&facts, room);
        lines.insert(0, subject);
        lines
    };
    lines.extend(why(incident, view, room));
    lines
}

/// The job, the host, or the number of them, in at most so many columns.
fn subject(incident: &Incident, view: &View, room: usize) -> String {
    let ledger = view.ledger;
    if let Kind::Unreachable { hosts } = &incident.kind {
        return shortened(&named_hosts(hosts, view), room);
    }
    let on = |script: &str, on: String| {
        let room = room.saturating_sub(on.width());
        shortened(script, room.max(MIN_SCRIPT)) + &on
    };
    if let Kind::Silent { scheduler, .. } = incident.kind {
        let on = scheduler
            .name()
            .map(|name| format!(" on {}", printable(name.as_bytes())));
        return format!("all jobs{}", on.unwrap_or_default());
    }
    if let Kind::CronDown { scheduler, .. } = incident.kind {
        let on = scheduler
            .name()
            .map(|name| format!(" on {}", printable(name.as_bytes())));
        let (runs, jobs) = (count(incident.bad, "run"), incident.jobs.len() as u64);
        let jobs = count(jobs, "job");
        return format!("{runs} of {jobs} not started{}", on.unwrap_or_default());
    }
    match incident.jobs.as_slice() {
        [] => String::new(),
        [job] => shortened(&view.job_name(*job), room),
        jobs if matches!(incident.kind, Kind::Lost { together: true, .. }) => {
            let jobs = count(jobs.len() as u64, "job");
            format!(
                "all that was running: {} of {jobs}",
                count(incident.bad, "run")
            )
        }
        jobs => {
            let mut hosts: Vec<HostId> = jobs.iter().map(|job| ledger.job(*job).host).collect();
            hosts.sort_unstable();
            hosts.dedup();
            let hosts = count(hosts.len() as u64, "host");
            let is_of_many = match &incident.kind {
                Kind::Dropped { .. } | Kind::Late { .. } => true,
                Kind::NotStarted { is_ignored, .. } => *is_ignored,
                _ => false,
            };
            if is_of_many {
                return format!("{} on {hosts}", count(jobs.len() as u64, "job"));
            }
            let script = shown_name(ledger.job(jobs[0]).script());
            let of = view.of_account(ledger.account(jobs[0]));
            on(&script, format!("{of} on {hosts}"))
        }
    }
}

fn named_hosts(hosts: &[HostId], view: &View) -> String {
    let name = |host: &HostId| shown_name(view.ledger.host(*host));
    let names: Vec<String> = hosts.iter().take(MAX_HOSTS).map(name).collect();
    let names = names.join(", ");
    match hosts.len() {
        0..=MAX_HOSTS => names,
        all => format!("{} ({names}, …)", count(all as u64, "host")),
    }
}

/// The way in which the last run failed and its last telling line of output, or advice.
fn why(incident: &Incident, view: &View, room: usize) -> Vec<String> {
    let advice = match &incident.kind {
        Kind::Dropped { herd: Some(_) } => {
            "--retries 8 (REMOTEEXE_RETRIES) tries again, or spread the starts over the minute"
        }
        Kind::Dropped { herd: None } => "--retries 8 (REMOTEEXE_RETRIES) tries again",
        _ => "",
    };
    if !advice.is_empty() {
        return wrapped(advice, room);
    }
    if let Kind::NotStarted { place, is_ignored } = &incident.kind {
        let why = if *is_ignored {
            let file = place.file.display().to_string();
            format!(
                "cron ignores {}: --check says why",
                printable(file.as_bytes())
            )
        } else {
            format!("line {}", expected::place(place))
        };
        return vec![shortened(&why, room)];
    }
    let Some(last) = incident.last.as_ref() else {
        return Vec::new();
    };
    match &incident.kind {
        // A usage error tells the remedy.
        Kind::Failing if matches!(last.outcome, Outcome::Failed(_, Reason::Usage)) => {
            wrapped(&failure(view, last), room)
        }
        Kind::Failing | Kind::Flapping => vec![cut(&failure(view, last), room)],
        Kind::Lost { together: true, .. } => {
            let last = view.clock().time(incident.window.last);
            wrapped(
                &format!("none has an END, and no record after {last}"),
                room,
            )
        }
        Kind::Lost { .. } => {
            let clock = view.clock();
            let (last, dead) = (clock.time(last.last), clock.time(last.until));
            wrapped(&format!("no END, last record {last}, dead by {dead}"), room)
        }
        _ => Vec::new(),
    }
}

/// The exit status, its meaning, and the last telling line of output.
fn failure(view: &View, run: &Entry) -> String {
    let way = match run.outcome {
        outcome @ Outcome::Failed(status, _) => format!("{status}: {outcome}"),
        outcome => outcome.to_string(),
    };
    match view.ledger.line(run).map(printable) {
        Some(line) => format!("{way}: {line}"),
        None => way,
    }
}
