//! The crontabs in a few sentences, and the schedule of each job.

use chrono::{DateTime, Local};

use super::report::Report;
use super::upcoming::{schedule_in_words, start_in_words};
use super::words::{Clock, count};
use crate::cron::LineRef;
use crate::cron::upcoming::{next_start, periods};
use crate::escape::printable;
use crate::report::history::JobId;
use crate::report::slots::checked::CheckedCrontabs;
use crate::report::slots::summary::{CheckStart, CrontabSummary, WholeSummary};
use crate::report::slots::{Expected, ExpectedJob};

/// The most jobs on no line that are named, and the most bytes of each name.
const MAX_GONE: (usize, usize) = (3, 200);

/// The most changed crontabs that are named.
const MAX_CHANGED: usize = 3;

#[derive(Debug, Clone)]
pub struct Schedule {
    /// All lines of the job in words: `every 5 min`.
    pub words: String,
    pub next: String,
    /// In seconds from 1970.
    pub next_second: Option<i64>,
    /// The first line: `/etc/crontab:12`.
    pub place: String,
}

/// The schedules of the jobs that are on a line.
pub fn schedules<'a>(report: &'a Report) -> impl Iterator<Item = (JobId, Schedule)> + use<'a> {
    schedules_of(report, |_| true)
}

/// The schedule of a job, if it is on a line.
pub fn schedule_of(report: &Report, job: JobId) -> Option<Schedule> {
    schedules_of(report, move |id| id == job).next().map(|(_, schedule)| schedule)
}

fn schedules_of<'a>(
    report: &'a Report,
    is_asked: impl Fn(JobId) -> bool + 'a,
) -> impl Iterator<Item = (JobId, Schedule)> + 'a {
    let now = report.machine.zoned_now;
    let jobs = |checked: &'a CheckedCrontabs| checked.expected.jobs.iter().zip(&checked.jobs);
    let checked = report.crontabs.iter();
    let jobs =
        checked.flat_map(move |checked| jobs(checked).map(move |(job, id)| (checked, job, id)));
    jobs.filter_map(move |(checked, job, id)| {
        let id = id.filter(|id| is_asked(*id))?;
        Some((id, schedule(job, &checked.expected, now)))
    })
}

fn schedule(job: &ExpectedJob, expected: &Expected, now: DateTime<Local>) -> Schedule {
    let periods = periods(now);
    let mut lines: Vec<_> = job.lines.iter().map(|line| expected.line(*line)).collect();
    let first = lines.first().copied();
    let place = first.map(|entry| place(&entry.place)).unwrap_or_default();
    let words: Vec<String> = lines.iter().map(|entry| schedule_in_words(entry)).collect();
    lines.retain(|entry| !entry.is_ignored);
    let next = lines.iter().map(|entry| (next_start(entry, &periods), *entry));
    let next = next.min_by_key(|(next, _)| (next.is_none(), *next));
    Schedule {
        words: words.join("; "),
        next: next.map_or_else(
            || "ignored by cron".to_owned(),
            |(next, entry)| start_in_words(next, entry, now),
        ),
        next_second: next.and_then(|(next, _)| next),
        place,
    }
}

/// `FILE:LINE`, as compilers show it.
pub fn place(place: &LineRef) -> String {
    printable(format!("{}:{}", place.file.display(), place.line).as_bytes())
}

/// The sentences about the crontabs, if there are any.
pub fn summary(report: &Report) -> Vec<String> {
    let checked = report.crontabs.as_ref();
    let Some((checked, summary)) = checked.and_then(|it| Some((it, it.summary.as_ref()?))) else {
        return Vec::new();
    };
    let clock = Clock::of(report.scope.now.date());
    let mut lines = Vec::new();
    if summary.whole.is_some() || summary.jobs > 0 {
        lines.push(checked_jobs(summary, clock));
    }
    lines.extend(changes(summary, clock));
    if let Some(whole) = &summary.whole {
        lines.extend(not_known(whole));
        lines.extend(gone(whole, clock));
        lines.extend(counts(whole));
    } else {
        // The rest concerns other jobs too.
        let off = checked.expected.planned.plan.commented_out.iter();
        let off = off.filter(|off| report.filter.names(&off.job)).take(MAX_GONE.0);
        lines.extend(off.map(|off| format!("line {} is commented out", place(&off.place))));
    }
    lines
}

/// The counts that are not 0, a line each.
fn counts(whole: &WholeSummary) -> Vec<String> {
    let of_runs = [
        perhaps(whole),
        counted(whole.strays, |strays| {
            format!("{} without a line that is understood", count(strays, "start"))
        }),
    ];
    let of_crontabs = [
        counted(whole.faults as u64, |faults| {
            format!("{} (--check lists them)", count(faults, "fault"))
        }),
        counted(whole.unknown as u64, |unknown| {
            format!("{} not checked (--next says why)", count(unknown, "call"))
        }),
        counted(whole.commented_out as u64, |lines| {
            format!("{} commented out (--check names them)", count(lines, "line"))
        }),
        counted(whole.unjudged as u64, |unjudged| {
            format!("{} not checked: of other logs, users or zones", count(unjudged, "line"))
        }),
        counted(whole.left_out as u64, |left_out| {
            format!("{} left out (--check names them)", count(left_out, "file"))
        }),
    ];
    let lines = [of_runs.to_vec(), of_crontabs.to_vec()];
    let lines = lines.map(|parts| parts.into_iter().flatten().collect::<Vec<_>>().join("; "));
    lines.into_iter().filter(|line| !line.is_empty()).collect()
}

/// Why starts may be missing that the report does not show.
fn not_known(whole: &WholeSummary) -> Vec<String> {
    let cron = whole.unknown_cron.iter().map(|name| {
        format!("not started runs are not looked for: the rules of {name} are not known here")
    });
    let denied = whole.denied.iter().map(|path| {
        format!(
            "{} cannot be read, so runs of its lines that were not started are not shown; \
             for your own crontab: crontab -l | remoteexe --report --user-crontab -",
            printable(path.display().to_string().as_bytes())
        )
    });
    cron.chain(denied).collect()
}

/// The jobs that have run, are on no line that can be understood, and have not started since the crontabs changed.
fn gone(whole: &WholeSummary, clock: Clock) -> Option<String> {
    let (most, longest) = MAX_GONE;
    let first = whole.gone.iter().take(most).map(|(job, last, line)| {
        let end = job.len().min(longest);
        let line = line
            .as_ref()
            .map_or(String::new(), |line| format!(", line {} is commented out", place(line)));
        let last = clock.time(*last);
        format!("{} (last {last}{line})", printable(&job[..end]))
    });
    let mut names: Vec<String> = first.collect();
    let more = whole.gone.len().saturating_sub(most);
    names.extend(counted(more as u64, |more| format!("{more} more")));
    let is_any = !names.is_empty();
    is_any.then(|| {
        format!(
            "on no line that is understood, and not started since the change: {}",
            names.join(", ")
        )
    })
}

fn counted(number: u64, words: impl Fn(u64) -> String) -> Option<String> {
    (number > 0).then(|| words(number))
}

fn perhaps(whole: &WholeSummary) -> Option<String> {
    counted(whole.perhaps, |perhaps| {
        let skipped = format!("{} perhaps skipped", count(perhaps, "run"));
        match whole.still_going {
            0 => skipped,
            going => format!("{skipped} (the previous run was still going at {going})"),
        }
    })
}

fn checked_jobs(summary: &CrontabSummary, clock: Clock) -> String {
    let jobs = format!("{} on {}", count(summary.jobs, "job"), count(summary.lines, "line"));
    match summary.start {
        _ if summary.lines == 0 => jobs,
        CheckStart::Period => jobs,
        CheckStart::Late(from) => format!("{jobs}, checked from {} on", clock.time(from)),
        CheckStart::Unread => format!("{jobs}, not checked: not all logs could be read"),
        CheckStart::NoLog => format!("{jobs}, not checked: the logs do not show when they begin"),
    }
}

/// The crontabs of which some slots are not checked because they were changed.
fn changes(summary: &CrontabSummary, clock: Clock) -> Vec<String> {
    let changed = summary.changed.iter();
    let sentence = |(file, at): &(_, _)| {
        let file: &std::rc::Rc<std::path::Path> = file;
        format!(
            "{} was changed {}: earlier slots are not checked",
            printable(file.display().to_string().as_bytes()),
            clock.time(*at)
        )
    };
    let mut lines: Vec<String> = changed.take(MAX_CHANGED).map(sentence).collect();
    let more = summary.changed.len().saturating_sub(MAX_CHANGED);
    lines.extend(counted(more as u64, |more| {
        format!("and {} were changed too", count(more, "more crontab"))
    }));
    lines
}
