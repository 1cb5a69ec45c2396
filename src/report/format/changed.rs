//! The changes of jobs, in words.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::{Report, age, count, crontabs::place, shown_name};
use crate::cron::CommentedOut;
use crate::report::diagnosis::job_changes::{JobChanges, StartedJob, Twice, started};
use crate::report::history::jobs::script;

/// The most changes of each kind that are shown.
const MAX_SHOWN: usize = 5;
const NO_LINE: &str = ", then no more; no line of a crontab that is understood";

/// Each change in words, after its label.
pub fn changes(report: &Report) -> Vec<(&'static str, String)> {
    let evidence = report.evidence();
    let jobs = started(&evidence);
    let found = JobChanges::of(&evidence, &jobs);
    let kinds = [
        ("switched off", found.switched_off.iter().map(|(job, off)| switched_off(report, job, off)).collect()),
        ("renamed?", renamed(report, &found)),
        ("runs twice", found.twice.iter().map(|it| twice(report, it)).collect()),
        ("new", found.new.iter().map(|job| new(report, job)).collect()),
        ("stopped", found.stopped.iter().map(|job| until(report, job) + NO_LINE).collect()),
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

fn switched_off(report: &Report, job: &StartedJob, off: &CommentedOut) -> String {
    format!("{}; line {} is commented out", until(report, job), place(&off.place))
}

/// `h /x.sh: every 5 minutes until 10:00:00`
fn until(report: &Report, job: &StartedJob) -> String {
    let (name, last) = (report.job_name(job.id), report.clock().time(job.last));
    let rhythm = job.rhythm.map_or_else(String::new, |it| format!("every {} ", interval(it)));
    format!("{name}: {rhythm}until {last}")
}

/// Jobs that moved from one host to another together are one change.
fn renamed(report: &Report, found: &JobChanges) -> Vec<String> {
    let mut moved: BTreeMap<(&[u8], &[u8]), Vec<&StartedJob>> = BTreeMap::new();
    for (before, after) in &found.renamed {
        let [old, new] = [before, after].map(|job| {
            let host = report.history.job(job.id).host;
            report.history.host(host)
        });
        let (old, new) = if old == new { (script(before.name), script(after.name)) } else { (old, new) };
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

fn twice(report: &Report, twice: &Twice) -> String {
    match twice {
        Twice::ByTwo(one, other) => {
            let of = |job: &StartedJob| {
                let of = report.of_account(report.history.account(job.id));
                if of.is_empty() { " of this user".to_owned() } else { of }
            };
            format!("{}:{} and{}", shown_name(one.name), of(one), of(other))
        }
        Twice::AtOnce(job, pairs) => {
            let (name, last) = (report.job_name(job.id), report.clock().time(job.last));
            let times = count(*pairs as u64, "time");
            format!("{name}: two starts at once, {times}, last {last}")
        }
    }
}

fn new(report: &Report, job: &StartedJob) -> String {
    let (name, first) = (report.job_name(job.id), report.clock().time(job.first));
    let runs = count(job.starts as u64, "run");
    format!("{name}: {runs} since {first}, the first in these logs, none good")
}
