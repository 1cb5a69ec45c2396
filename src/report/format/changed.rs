//! What has changed in the jobs: switched off, renamed, new, on two schedulers. No problem by itself.

use std::collections::{BTreeMap, HashMap};

use chrono::{NaiveDateTime, TimeDelta};

use super::crontabs::place;
use super::report::Report;
use super::words::{age, count, shown_name};
use crate::clock::local_time;
use crate::cron::CommentedOut;
use crate::report::history::JobId;
use crate::report::history::jobs::script;
use crate::report::logs::scheduler::Scheduler;
use crate::report::runs::outcome::Outcome;

/// The most changes of one kind that are shown.
const MAX_SHOWN: usize = 5;

/// The most stopped jobs for which a new name is sought: a log may have any number.
const MAX_STOPPED: usize = 100;

/// The number of STARTs that show a rhythm.
const MIN_STARTS: usize = 4;

/// A START comes within this time of its slot.
const LATE: TimeDelta = TimeDelta::minutes(3);

/// How long a job without a rhythm may pause.
const RARE: TimeDelta = TimeDelta::hours(25);

/// STARTs of one slot are at most this far apart.
const AT_ONCE: TimeDelta = TimeDelta::seconds(5);

/// A job, and when it has started.
struct Started<'a> {
    id: JobId,
    name: &'a [u8],
    starts: Vec<NaiveDateTime>,
    first: NaiveDateTime,
    last: NaiveDateTime,
    /// The time from nearly each START to the next.
    rhythm: Option<TimeDelta>,
    /// On an understood line.
    is_on_line: bool,
    has_stopped: bool,
}

/// Each change, by its label, in words.
pub fn changes(report: &Report) -> Vec<(&'static str, String)> {
    let jobs = started(report);
    let renamed = renamed(report, &jobs);
    let is_renamed = |id: JobId| renamed.iter().any(|(old, new)| [old.id, new.id].contains(&id));
    let alone: Vec<&Started> = jobs.iter().filter(|job| !is_renamed(job.id)).collect();
    let (off, stopped) = stopped(report, &alone);
    let kinds = [
        ("switched off", off),
        ("renamed?", in_words(report, &renamed)),
        ("runs twice", twice(report, &jobs)),
        ("new", new(report, &alone)),
        ("stopped", stopped),
    ];
    let mut changes = Vec::new();
    for (label, mut texts) in kinds {
        let more = texts.len().saturating_sub(MAX_SHOWN) as u64;
        texts.truncate(MAX_SHOWN);
        texts.extend((more > 0).then(|| format!("{} more", count(more, "job"))));
        changes.extend(texts.into_iter().map(|text| (label, text)));
    }
    changes
}

fn started<'a>(report: &'a Report) -> Vec<Started<'a>> {
    let expected = report.crontabs.as_ref();
    let now = report.scope.now;
    let mut latest: BTreeMap<Scheduler, NaiveDateTime> = BTreeMap::new();
    for run in report.history.runs.iter().filter(|run| run.start < now) {
        let latest = latest.entry(report.history.scheduler(run.job)).or_insert(run.start);
        *latest = run.start.max(*latest);
    }
    let changed = expected.map_or(NaiveDateTime::MIN, |it| it.unchanged);
    let jobs = report.history.job_ids().filter_map(|id| {
        let job = report.history.job(id);
        let runs = report.history.of_job(id).iter().filter(|run| run.start < now);
        let starts: Vec<NaiveDateTime> = runs.map(|run| run.start).collect();
        let (first, last) = (*starts.first()?, *starts.last()?);
        let mut pauses: Vec<TimeDelta> = starts.windows(2).map(|it| it[1] - it[0]).collect();
        pauses.sort_unstable();
        let usual = pauses.get(pauses.len() / 2).copied().unwrap_or_default();
        let near = pauses.iter().filter(|it| (**it - usual).abs() <= LATE.min(usual / 4)).count();
        let is_steady = starts.len() >= MIN_STARTS && near * 4 >= pauses.len() * 3;
        let longest = pauses.last().copied().unwrap_or_default();
        let is_on_line = expected.is_some_and(|it| it.is_on_line(job.account.uid, &job.name));
        // The copy of another machine's logs may be incomplete: its last START is the end of its time.
        let scheduler = job.account.scheduler;
        let now = latest.get(&scheduler).copied().filter(|_| scheduler.is_remote()).unwrap_or(now);
        let is_overdue = now - last > longest * 2 + LATE;
        let has_stopped = !is_on_line && if is_steady { is_overdue } else { last < changed };
        let rhythm = is_steady.then_some(usual);
        let name = &*job.name;
        let is_one = !job.has_variants;
        is_one.then_some(Started { id, name, starts, first, last, rhythm, is_on_line, has_stopped })
    });
    jobs.collect()
}

/// The stopped jobs, each with the job that began then with the same script or on the same host.
fn renamed<'a>(
    report: &Report,
    jobs: &'a [Started<'a>],
) -> Vec<(&'a Started<'a>, &'a Started<'a>)> {
    let account = |job: &Started| report.history.account(job.id);
    let host = |job: &Started| report.history.job(job.id).host;
    let began = |old: &Started, new: &Started| {
        let pause = old.rhythm.map_or(RARE, |rhythm| rhythm * 2 + LATE);
        let is_alike = match (old.rhythm, new.rhythm) {
            (Some(old), Some(new)) => (old - new).abs() <= LATE.min(old / 4),
            _ => new.is_on_line,
        };
        let is_next = old.last < new.first && new.first - old.last <= pause;
        is_next && is_alike && account(old) == account(new)
    };
    let only = |mut found: Vec<&'a Started<'a>>| found.pop().filter(|_| found.is_empty());
    let stopped = || jobs.iter().filter(|job| job.has_stopped).take(MAX_STOPPED);
    let pair = |old: &'a Started<'a>| {
        let new = |is_like: &dyn Fn(&Started, &Started) -> bool| {
            let new = jobs.iter().filter(|new| began(old, new) && is_like(old, new));
            // Two old jobs may not become one.
            only(new.collect()).filter(|new| {
                stopped().filter(|old| began(old, new) && is_like(old, new)).count() == 1
            })
        };
        let is_moved = |old: &Started, new: &Started| script(old.name) == script(new.name);
        let new = new(&is_moved).or_else(|| new(&|old, new| host(old) == host(new)));
        Some((old, new?))
    };
    stopped().filter_map(pair).collect()
}

/// Jobs that moved from one host to another together are one change.
fn in_words(report: &Report, renamed: &[(&Started, &Started)]) -> Vec<String> {
    let mut moved: BTreeMap<(&[u8], &[u8]), Vec<&Started>> = BTreeMap::new();
    for (before, after) in renamed {
        let [old, new] = [before, after].map(|job| {
            let host = report.history.job(job.id).host;
            report.history.host(host)
        });
        let (old, new) =
            if old == new { (script(before.name), script(after.name)) } else { (old, new) };
        moved.entry((old, new)).or_default().push(after);
    }
    let texts = moved.into_iter().map(|((old, new), jobs)| {
        let since = jobs.iter().map(|job| job.first).min().unwrap_or_default();
        let what = match jobs.as_slice() {
            [job] => report.job_name(job.id),
            jobs => count(jobs.len() as u64, "job"),
        };
        let [old, new] = [old, new].map(shown_name);
        format!("{old} → {new}, since {}: {what}", report.clock().time(since))
    });
    texts.collect()
}

/// The jobs whose line is commented out, and other stopped jobs without an understood line.
fn stopped(report: &Report, jobs: &[&Started]) -> (Vec<String>, Vec<String>) {
    let (mut switched_off, mut stopped) = (Vec::new(), Vec::new());
    let Some(expected) = report.crontabs.as_ref().filter(|it| it.planned.plan.has_any()) else {
        return (switched_off, stopped);
    };
    let off = expected.commented_out(report.filter, &report.machine.users);
    let off: HashMap<&[u8], &CommentedOut> = off.map(|off| (off.job.as_slice(), off)).collect();
    let clock = report.clock();
    for job in jobs.iter().filter(|job| !job.is_on_line) {
        let (name, last) = (report.job_name(job.id), clock.time(job.last));
        let rhythm = job.rhythm.map_or_else(String::new, |it| format!("every {} ", interval(it)));
        match off.get(job.name) {
            Some(off) if job.has_stopped || job.last < expected.unchanged => switched_off.push(format!(
                "{name}: {rhythm}until {last}; line {} is commented out",
                place(&off.place)
            )),
            None if job.has_stopped => stopped.push(format!(
                "{name}: {rhythm}until {last}, then no more; no line of a crontab that is understood"
            )),
            _ => {}
        }
    }
    (switched_off, stopped)
}

/// `5 minutes`, `hour`
fn interval(rhythm: TimeDelta) -> String {
    let minutes = (rhythm + TimeDelta::seconds(30)).num_minutes();
    match u64::try_from(minutes).unwrap_or_default() {
        0 => age(rhythm),
        1 => "minute".to_owned(),
        60 => "hour".to_owned(),
        minutes if minutes % 60 == 0 => count(minutes / 60, "hour"),
        minutes => count(minutes, "minute"),
    }
}

/// The jobs that two users or schedulers start, and those that are started twice at once.
fn twice(report: &Report, jobs: &[Started]) -> Vec<String> {
    let mut by_name: BTreeMap<&[u8], Vec<&Started>> = BTreeMap::new();
    for job in jobs {
        by_name.entry(job.name).or_default().push(job);
    }
    let mut texts = Vec::new();
    for (name, same) in by_name {
        if let Some(two) =
            same.windows(2).find(|two| two[0].first < two[1].last && two[1].first < two[0].last)
        {
            let [one, other] = [two[0], two[1]].map(|job| {
                let of = report.of_account(report.history.account(job.id));
                if of.is_empty() { " of this user".to_owned() } else { of }
            });
            texts.push(format!("{}:{one} and{other}", shown_name(name)));
            continue;
        }
        for job in same {
            // A slot that came twice as the clock went back has two STARTs.
            let back = &report.missed.back;
            let is_once = |start: &NaiveDateTime| {
                !back.iter().any(|back| (back.to..=back.from).contains(start))
            };
            let starts = job.starts.iter().copied().filter(|start| *start >= report.scope.since);
            let starts: Vec<NaiveDateTime> = starts.filter(is_once).collect();
            let pairs = starts.windows(2).filter(|two| two[1] - two[0] <= AT_ONCE).count();
            if pairs >= 2 && pairs * 3 >= starts.len() {
                let last = report.clock().time(job.last);
                let times = count(pairs as u64, "time");
                texts.push(format!(
                    "{}: two starts at once, {times}, last {last}",
                    report.job_name(job.id)
                ));
            }
        }
    }
    texts
}

/// The jobs whose first START is in the period, without a good run.
fn new(report: &Report, jobs: &[&Started]) -> Vec<String> {
    let since = report.scope.since;
    let has_log_before = report.history.runs.iter().any(|run| run.start < since);
    let is_new = |job: &&&Started| {
        let expected = report.crontabs.as_ref();
        let planned = expected.and_then(|it| Some((it, it.wanted().get(job.id as usize)?)));
        // The line of a job that runs once a week may be old.
        let is_old = planned.is_some_and(|(expected, job)| {
            let mut lines = job.lines.iter().map(|line| expected.line(*line).changed);
            lines.any(|changed| changed.is_some_and(|changed| local_time(changed) < since))
        });
        let runs = report.history.of_job(job.id);
        let is_bad = runs.iter().all(|run| run.outcome != Outcome::Good)
            && runs.iter().any(|run| run.outcome.is_bad());
        job.first >= since && is_bad && !is_old && report.history.earlier(job.id).is_empty()
    };
    let new = jobs.iter().filter(|_| has_log_before).filter(is_new);
    let texts = new.map(|job| {
        let (runs, first) = (job.starts.len() as u64, report.clock().time(job.first));
        format!(
            "{}: {} since {first}, the first in these logs, none good",
            report.job_name(job.id),
            count(runs, "run")
        )
    });
    texts.collect()
}
