//! The crontabs in a few sentences, and the schedule of each job.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use chrono::{NaiveDateTime, TimeDelta};

use super::upcoming::{schedule_in_words, start_in_words};
use super::{Clock, Expected, JobId, MissedStarts, Report, count};
use crate::cron::upcoming::next_start;
use crate::cron::{CronJob, Crontabs, LineRef};
use crate::report::slots::ExpectedJob;
use crate::{clock::local_time, escape::printable};

/// The most commented-out lines that are named.
const MAX_OFF: usize = 3;
/// The most changed crontabs that are named.
const MAX_CHANGED: usize = 3;
/// The first START of a day comes a little after midnight.
const A_LITTLE: TimeDelta = TimeDelta::minutes(1);

pub struct Schedule {
    /// The schedules of all lines of the job: `*/5 * * * *, up to 20s later`.
    pub words: String,
    pub next: String,
    /// The next start in seconds from 1970.
    pub next_second: Option<i64>,
    /// The first line: `/etc/crontab:12`.
    pub place: String,
}

/// The schedules of the jobs that are on a line.
pub fn schedules(report: &Report) -> impl Iterator<Item = (JobId, Schedule)> {
    report.history.job_ids().filter_map(|id| Some((id, schedule_of(report, id)?)))
}

/// The schedule of a job, if it is on a line.
pub fn schedule_of(report: &Report, job: JobId) -> Option<Schedule> {
    let job = report.crontabs.as_ref()?.wanted().get(job as usize)?;
    let now = report.machine.zoned_now;
    let mut lines: Vec<&CronJob> = job.lines.iter().map(|line| &**line).collect();
    let place = lines.first().copied().map(|entry| place(&entry.place)).unwrap_or_default();
    let words: Vec<String> = lines.iter().map(|entry| schedule_in_words(entry)).collect();
    lines.retain(|entry| !entry.is_ignored);
    let next = lines.iter().map(|entry| (next_start(entry, report.periods()), *entry));
    let next = next.min_by_key(|(next, _)| (next.is_none(), *next));
    Some(Schedule {
        words: words.join("; "),
        next: next.map_or_else(|| "ignored by cron".to_owned(), |(next, entry)| start_in_words(next, entry, now)),
        next_second: next.and_then(|(next, _)| next),
        place,
    })
}

/// `FILE:LINE`, as compilers show it.
pub fn place(place: &LineRef) -> String {
    printable(format!("{}:{}", place.file.display(), place.line).as_bytes())
}

/// The sentences about the crontabs. There are none about crontabs that concern only other logs.
pub fn summary(report: &Report) -> Vec<String> {
    let Some(expected) = &report.crontabs else { return Vec::new() };
    let clock = Clock { day: report.scope.now.date() };
    let has_all_jobs = expected.wanted().len() == expected.jobs.len();
    let whole = if has_all_jobs { whole(report, expected) } else { Some(Vec::new()) };
    let Some(whole) = whole else { return Vec::new() };
    let mut lines = Vec::new();
    if has_all_jobs || expected.wanted().iter().any(ExpectedJob::is_checked) {
        lines.push(checked_jobs(report, expected, clock));
    }
    lines.extend(changes(report, expected, clock));
    lines.extend(whole);
    if !has_all_jobs {
        // The rest concerns other jobs too.
        let off = expected.planned.plan.commented_out.iter();
        let off = off.filter(|off| report.filter.names(&off.job)).take(MAX_OFF);
        lines.extend(off.map(|off| format!("line {} is commented out", place(&off.place))));
    }
    lines
}

/// The sentences about the crontabs as a whole. None if they have nothing to do with the logs.
fn whole(report: &Report, expected: &Expected) -> Option<Vec<String>> {
    let planned = &expected.planned;
    let users = &report.machine.users;
    let judged = expected.jobs.iter().flat_map(|job| &job.lines);
    let files: HashSet<&Path> = judged.map(|line| &*line.place.file).collect();
    let is_all = report.query.is_about_all_crontabs();
    let is_ours = |file: &Path| is_all || files.contains(file);
    let faults = planned.findings(users).iter().filter(|it| is_ours(&it.file)).count();
    let unknown = planned.plan.unknown.iter().filter(|it| is_ours(&it.place.file)).count();
    let off = expected.commented_out(report.filter, users).map(|off| &off.place);
    let off = off.filter(|place| is_ours(&place.file)).collect::<HashSet<_>>().len();
    let mut lines = not_known(&planned.crontabs, !planned.plan.entries.is_empty());
    if expected.jobs.is_empty() && faults + unknown + off == 0 && lines.is_empty() {
        return None;
    }
    let missed = &report.missed;
    let of_runs = [perhaps(missed), counted(missed.strays, "start", "that no checked line explains")];
    let of_crontabs = [
        counted(faults as u64, "fault", "(--check lists them)"),
        counted(unknown as u64, "call", "not checked (--next says why)"),
        counted(off as u64, "line", "commented out (--check names them)"),
        not_checked(expected),
        counted(planned.crontabs.left_out.len() as u64, "file", "left out (--check names them)"),
    ];
    for parts in [&of_runs[..], &of_crontabs] {
        let parts: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
        lines.extend((!parts.is_empty()).then(|| parts.join("; ")));
    }
    Some(lines)
}

/// Why the report may not show that a start is missing.
fn not_known(crontabs: &Crontabs, has_jobs: bool) -> Vec<String> {
    let cron = (!crontabs.cron.is_known && has_jobs).then(|| {
        let name = &crontabs.cron.name;
        format!("not started runs are not looked for: the rules of {name} are not known here")
    });
    let denied = crontabs.denied.as_ref().map(|denied| {
        format!(
            "{} cannot be read, so runs of its lines that were not started are not shown; \
             for your own crontab: crontab -l | remoteexe --report --user-crontab -",
            path(denied)
        )
    });
    cron.into_iter().chain(denied).collect()
}

/// The number of lines that the report cannot judge.
pub fn not_checked(expected: &Expected) -> Option<String> {
    counted(expected.unchecked as u64, "line", "not checked: of other logs, users or zones")
}

/// A number of things and what they are, if there are any.
fn counted(number: u64, thing: &str, what: &str) -> Option<String> {
    (number > 0).then(|| format!("{} {what}", count(number, thing)))
}

fn perhaps(missed: &MissedStarts) -> Option<String> {
    let skipped = counted(missed.perhaps, "run", "perhaps skipped")?;
    Some(match missed.still_going {
        0 => skipped,
        going => format!("{skipped} (the previous run was still going at {going})"),
    })
}

/// The jobs that pass the filter, and since when their slots are checked, if not from the beginning of the period.
fn checked_jobs(report: &Report, expected: &Expected, clock: Clock) -> String {
    let wanted = expected.wanted();
    let lines: usize = wanted.iter().map(|job| job.lines.len()).sum();
    let jobs = wanted.iter().filter(|job| job.is_checked()).count();
    let jobs = format!("{} on {}", count(jobs as u64, "job"), count(lines as u64, "line"));
    let froms = || report.missed.checked_from.iter().map(|(_, from)| *from);
    let since = report.scope.since;
    let is_late = |from: &NaiveDateTime| since > NaiveDateTime::MIN && *from - since > A_LITTLE;
    match froms().min() {
        _ if lines == 0 => jobs,
        None => format!("{jobs}, not checked: not all logs could be read"),
        Some(None) => format!("{jobs}, not checked: the logs do not show when they begin"),
        Some(Some(_)) => match froms().flatten().max().filter(is_late) {
            Some(from) => format!("{jobs}, checked from {} on", clock.time(from)),
            None => jobs,
        },
    }
}

/// The crontabs that were changed, so that earlier slots are not checked.
fn changes(report: &Report, expected: &Expected, clock: Clock) -> Vec<String> {
    let mut changed: BTreeMap<&Path, NaiveDateTime> = BTreeMap::new();
    for job in expected.wanted() {
        let mut checked = report.missed.checked_from.iter();
        let from = checked.find(|(it, _)| *it == job.scheduler).and_then(|(_, from)| *from);
        let from = from.unwrap_or(NaiveDateTime::MAX).max(report.scope.since);
        for entry in &job.lines {
            let at = entry.changed.map(local_time).filter(|at| *at > from);
            changed.extend(at.map(|at| (&*entry.place.file, at)));
        }
    }
    let sentence = |(file, at): (&&Path, &NaiveDateTime)| {
        let (file, at) = (path(file), clock.time(*at));
        format!("{file} was changed {at}: its earlier slots are not checked")
    };
    let mut lines: Vec<String> = changed.iter().take(MAX_CHANGED).map(sentence).collect();
    let more = changed.len().saturating_sub(MAX_CHANGED) as u64;
    lines.extend((more > 0).then(|| format!("and {} were changed too", count(more, "more crontab"))));
    lines
}

pub fn path(path: &Path) -> String {
    printable(path.display().to_string().as_bytes())
}
