//! The crontabs in a few sentences, and the schedule of each job.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::rc::Rc;

use chrono::{DateTime, Local, NaiveDateTime, TimeDelta};

use super::check::{Judgement, Timeframe, local};
use super::{Expected, Job};
use crate::cron::LineRef;
use crate::cron::upcoming::{next_start, periods};
use crate::escape::{printable, shortened};
use crate::report::format::upcoming::{schedule_in_words, start_in_words};
use crate::report::format::words::{Clock, count};
use crate::report::logs::owner::Users;

/// How many jobs are named that are on no line any more, and the most bytes of each name.
const MAX_GONE: (usize, usize) = (3, 200);

/// How many crontabs are named that were changed in the period.
const MAX_CHANGED: usize = 3;

/// The first START of a day comes a little later than the day.
const A_LITTLE: TimeDelta = TimeDelta::minutes(1);

/// When a job is due.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// In words, with all of its lines: `every 5 min`.
    pub words: String,
    /// The next start.
    pub next: String,
    /// The next start in seconds from 1970, if there is one.
    pub next_second: Option<i64>,
    /// The first line: `/etc/crontab:12`.
    pub place: String,
}

impl Expected {
    /// The schedule of each job, in their order.
    pub fn schedules(&self, now: DateTime<Local>) -> Vec<Schedule> {
        let periods = periods(now);
        let schedule = |job: &Job| {
            let mut lines: Vec<_> = job.lines.iter().map(|line| self.line(*line)).collect();
            let first = lines.first().copied();
            let place = first.map(|entry| place(&entry.place)).unwrap_or_default();
            let words: Vec<String> = lines.iter().map(|entry| schedule_in_words(entry)).collect();
            lines.retain(|entry| !entry.is_ignored);
            let next = lines
                .iter()
                .map(|entry| (next_start(entry, &periods), *entry));
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
        };
        self.jobs.iter().map(schedule).collect()
    }
}

/// A line's place, as compilers show it.
pub fn place(place: &LineRef) -> String {
    printable(format!("{}:{}", place.file.display(), place.line).as_bytes())
}

/// What a reader has to know of the crontabs as to the jobs for which `is_wanted` is true. Of a job on no line, only its
/// name is known, for `is_named`.
///
/// `is_all` says that all faults of the crontabs matter, whatever directory the jobs of their files log to. Else nothing
/// is said of crontabs that have to do with other logs only.
pub fn summary(
    expected: &Expected,
    judgement: &Judgement,
    timeframe: &Timeframe,
    users: &Users,
    is_wanted: &dyn Fn(&Job) -> bool,
    is_named: &dyn Fn(&[u8]) -> bool,
    is_all: bool,
) -> Vec<String> {
    let wanted: Vec<&Job> = expected.jobs.iter().filter(|job| is_wanted(job)).collect();
    if wanted.len() < expected.jobs.len() {
        // The rest is about the others too.
        let mut lines = changes(expected, &wanted, judgement, timeframe);
        if !wanted.is_empty() {
            lines.insert(0, judged_jobs(&wanted, judgement, timeframe));
        }
        let off = expected.commented_out();
        let off = off.filter(|off| is_named(&off.job)).take(MAX_GONE.0);
        lines.extend(off.map(|off| format!("line {} is switched off by #", place(&off.place))));
        return lines;
    }
    let judged = expected.jobs.iter().flat_map(|job| &job.lines);
    let files: HashSet<_> = judged
        .map(|line| &*expected.line(*line).place.file)
        .collect();
    let is_ours = |file: &Path| is_all || files.contains(file);
    let findings = expected.planned.findings(users);
    let faults = findings.iter().filter(|it| is_ours(&it.file)).count();
    let unknown = &expected.planned.plan.unknown;
    let unknown = unknown.iter().filter(|it| is_ours(&it.place.file)).count();
    let commented_out = expected.commented_out().map(|off| &off.place);
    let commented_out = commented_out.filter(|place| is_ours(&place.file));
    let commented_out = commented_out.collect::<HashSet<_>>().len();
    let mut lines = Vec::new();
    if !expected.is_any() && faults + unknown + commented_out == 0 {
        return lines;
    }
    lines.push(judged_jobs(&wanted, judgement, timeframe));
    lines.extend(changes(expected, &wanted, judgement, timeframe));
    lines.extend(gone(expected, timeframe));
    let counts = [
        perhaps(judgement),
        counted(judgement.strays, |strays| {
            format!("{} without a line", count(strays, "start"))
        }),
    ];
    let checks = [
        counted(faults as u64, |faults| {
            format!("{} (--check lists them)", count(faults, "fault"))
        }),
        counted(unknown as u64, |unknown| {
            format!(
                "{} cannot be known (--next lists them)",
                count(unknown, "call")
            )
        }),
        counted(commented_out as u64, |lines| {
            format!(
                "{} switched off by # (--check names them)",
                count(lines, "line")
            )
        }),
        counted(expected.unjudged as u64, |unjudged| {
            format!(
                "{} not judged: of other logs, users or zones",
                count(unjudged, "line")
            )
        }),
        counted(
            expected.planned.crontabs.left_out.len() as u64,
            |left_out| format!("{} left out (--check names them)", count(left_out, "file")),
        ),
    ];
    for parts in [counts.to_vec(), checks.to_vec()] {
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if !parts.is_empty() {
            lines.push(parts.join("; "));
        }
    }
    lines
}

/// The jobs that have run, are on no line, and have not started since the crontabs were changed.
fn gone(expected: &Expected, timeframe: &Timeframe) -> Option<String> {
    let clock = Clock::of(timeframe.until.date());
    let gone = expected.gone();
    let (most, longest) = MAX_GONE;
    let first = gone.iter().take(most).map(|((_, job), last)| {
        let line = commented_out(expected, job);
        let line = line.map_or(String::new(), |line| {
            format!(", line {line} is switched off by #")
        });
        format!(
            "{} (last {}{line})",
            shortened(job, longest),
            clock.time(*last)
        )
    });
    let mut names: Vec<String> = first.collect();
    let more = gone.len().saturating_sub(most);
    names.extend(counted(more as u64, |more| format!("{more} more")));
    let is_any = !names.is_empty();
    is_any.then(|| {
        format!(
            "on no line, and not started since the change: {}",
            names.join(", ")
        )
    })
}

/// The line that would run a job without its `#`.
fn commented_out(expected: &Expected, job: &[u8]) -> Option<String> {
    let mut off = expected.commented_out();
    let off = off.find(|off| off.job == job)?;
    Some(place(&off.place))
}

fn counted(number: u64, words: impl Fn(u64) -> String) -> Option<String> {
    (number > 0).then(|| words(number))
}

fn perhaps(judgement: &Judgement) -> Option<String> {
    counted(judgement.perhaps, |perhaps| {
        let skipped = format!("{} perhaps skipped", count(perhaps, "run"));
        match judgement.still_going {
            0 => skipped,
            going => format!("{skipped} (the previous run was still going at {going})"),
        }
    })
}

fn judged_jobs(jobs: &[&Job], judgement: &Judgement, timeframe: &Timeframe) -> String {
    let clock = Clock::of(timeframe.until.date());
    let lines: u64 = jobs.iter().map(|job| job.lines.len() as u64).sum();
    let jobs = format!(
        "{} on {}",
        count(jobs.len() as u64, "job"),
        count(lines, "line")
    );
    if lines == 0 {
        return jobs;
    }
    let froms = judgement.from.iter().map(|(_, from)| *from);
    match froms.min() {
        None => format!("{jobs}, not judged: not all logs could be read"),
        // There is none for a scheduler.
        Some(None) => format!("{jobs}, not judged: no log says from when on"),
        Some(Some(_)) => {
            let latest = judgement.from.iter().filter_map(|(_, from)| *from).max();
            let since = Some(timeframe.since).filter(|since| *since > NaiveDateTime::MIN);
            let late = latest.filter(|from| since.is_some_and(|since| *from - since > A_LITTLE));
            let late = late.map(|from| format!(", judged from {} on", clock.time(from)));
            jobs + &late.unwrap_or_default()
        }
    }
}

/// The crontabs whose slots are not all judged, because they were changed.
fn changes(
    expected: &Expected,
    jobs: &[&Job],
    judgement: &Judgement,
    timeframe: &Timeframe,
) -> Vec<String> {
    let clock = Clock::of(timeframe.until.date());
    let mut changed: BTreeMap<_, NaiveDateTime> = BTreeMap::new();
    for job in jobs {
        let from = judgement.from.iter().find(|(it, _)| *it == job.scheduler);
        let from = from
            .and_then(|(_, from)| *from)
            .unwrap_or(NaiveDateTime::MAX);
        for line in &job.lines {
            let entry = expected.line(*line);
            let at = local(entry.changed);
            if at > from.max(timeframe.since) {
                changed.insert(&entry.place.file, at);
            }
        }
    }
    let sentence = |(file, at): (&&Rc<Path>, &NaiveDateTime)| {
        format!(
            "{} was changed {}: earlier slots are not judged",
            printable(file.display().to_string().as_bytes()),
            clock.time(*at)
        )
    };
    let mut lines: Vec<String> = changed.iter().take(MAX_CHANGED).map(sentence).collect();
    let more = changed.len().saturating_sub(MAX_CHANGED);
    lines.extend(counted(more as u64, |more| {
        format!("and {} were changed too", count(more, "more crontab"))
    }));
    lines
}
