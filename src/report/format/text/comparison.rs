//! Compares a period with the period before: jobs that are newly bad, good again, slower or silent.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use chrono::NaiveDateTime;

use super::page::{INDENT, Page};
use crate::report::format::{
    DurationStats, JobId, Outcome, Report, RunSummary, Scope, Slot, Tally, count, duration, grouped,
};
use crate::report::history::durations::MIN_GOOD;

/// The least growth of the duration of a slower job, in seconds.
const MIN_SECONDS: u32 = 5;
/// The most jobs of each kind, so that the answer fits a screen.
const MAX_SHOWN: usize = 10;

struct Pair {
    job: JobId,
    before: Side,
    now: Side,
}

/// A job in one of the periods.
#[derive(Default)]
struct Side {
    runs: usize,
    bad_runs: usize,
    missed: usize,
    last_start: Option<NaiveDateTime>,
    last_bad: Option<Outcome>,
    durations: DurationStats,
}

impl Side {
    fn of(runs: impl Iterator<Item = RunSummary>, missed: usize) -> Self {
        let mut side = Self { missed, ..Self::default() };
        let mut good = Vec::new();
        for run in runs {
            side.runs += 1;
            side.last_start = Some(run.start);
            good.extend(run.good_seconds());
            if run.outcome.is_bad() {
                side.bad_runs += 1;
                side.last_bad = Some(run.outcome);
            }
        }
        side.durations = DurationStats::of_seconds(good);
        side
    }

    fn bad(&self) -> usize {
        self.bad_runs + self.missed
    }

    fn all(&self) -> usize {
        self.runs + self.missed
    }

    #[expect(clippy::cast_precision_loss, reason = "a share of two counts is not exact anyway")]
    fn share(&self) -> f64 {
        self.bad() as f64 / self.all().max(1) as f64
    }

    fn end_of_last_bad(&self) -> Option<String> {
        let end = self.last_bad.map(|outcome| match outcome {
            Outcome::Failed(status, _) => status.to_string(),
            _ => "lost".to_owned(),
        });
        end.or_else(|| (self.missed > 0).then(|| "none".to_owned()))
    }
}

/// Returns whether a job is newly bad or silent.
pub fn show(page: &mut Page, report: &Report) -> bool {
    let now = &report.scope;
    let Some(before) = now.before() else {
        page.line("there is nothing to compare with: give --since");
        return false;
    };
    let tally = Tally::of(&report.history, &before);
    page.title(&format!("{} to {}, against {} to {}", now.since, now.now, before.since, before.now));
    for (label, tally) in [("Now", &report.tally), ("Before", &tally)] {
        let [runs, failed, lost] = [tally.runs, tally.failed, tally.lost].map(grouped);
        page.labelled(label, INDENT, &format!("{runs} runs, {failed} failed, {lost} lost"));
    }
    let missed = [&before, now].map(|scope| report.missed_by_job(scope));
    let side = |job, scope: &Scope, missed: &BTreeMap<JobId, Vec<&Slot>>| {
        Side::of(report.history.of_job(job).filter(|run| scope.has(run)), missed.get(&job).map_or(0, Vec::len))
    };
    let pair = |job| Pair { job, before: side(job, &before, &missed[0]), now: side(job, now, &missed[1]) };
    let pairs: Vec<Pair> = report.history.job_ids().map(pair).collect();
    let newly_bad = bad(page, report, &pairs, "Newly bad", |pair| pair.now.bad() > 0 && pair.before.bad() == 0);
    bad(page, report, &pairs, "More often bad", |pair| {
        pair.before.bad() > 0 && pair.now.share() > 2.0 * pair.before.share()
    });
    bad(page, report, &pairs, "Recovered", |pair| pair.before.bad() > 0 && pair.now.bad() == 0 && pair.now.all() > 0);
    slower(page, report, &pairs);
    let silent = silent(page, report, &pairs);
    if !(newly_bad || silent) {
        page.line("");
        page.line("no job is newly bad or silent");
    }
    newly_bad || silent
}

/// Shows the jobs for which `is_wanted` is true. Returns whether there are any.
fn bad(page: &mut Page, report: &Report, pairs: &[Pair], title: &str, is_wanted: impl Fn(&Pair) -> bool) -> bool {
    let mut wanted: Vec<&Pair> = pairs.iter().filter(|pair| is_wanted(pair)).collect();
    wanted.sort_by(|one, other| other.now.share().total_cmp(&one.now.share()));
    let of = |side: &Side| format!("{} of {}", side.bad(), side.all());
    let row = |pair: &&Pair| {
        let way = pair.now.end_of_last_bad().or_else(|| pair.before.end_of_last_bad());
        vec![of(&pair.now), of(&pair.before), way.unwrap_or_default(), report.job_name(pair.job)]
    };
    let rows = wanted.iter().map(row).collect();
    show_rows(page, report, title, &["Bad now", "Before", "End", "Job"], &[0, 1, 2], rows)
}

/// Shows a table of jobs, up to the limit. Returns whether there are any.
fn show_rows(
    page: &mut Page,
    report: &Report,
    title: &str,
    titles: &[&str],
    numbers: &[usize],
    mut rows: Vec<Vec<String>>,
) -> bool {
    if rows.is_empty() {
        return false;
    }
    page.heading(title);
    let more = rows.len().saturating_sub(report.most(MAX_SHOWN));
    rows.truncate(report.most(MAX_SHOWN));
    page.table(&[], titles, numbers, rows);
    page.more(more);
    true
}

fn slower(page: &mut Page, report: &Report, pairs: &[Pair]) {
    let mut slower = Vec::new();
    for pair in pairs {
        let (now, before) = (pair.now.durations, pair.before.durations);
        let has_enough = now.good.min(before.good) >= MIN_GOOD;
        let least = (before.median + before.median / 2).max(before.median + MIN_SECONDS);
        if has_enough && now.median >= least {
            slower.push((pair.job, now.median, before.median));
        }
    }
    slower.sort_by_key(|(_, now, before)| Reverse(u64::from(*now) * 100 / u64::from((*before).max(1))));
    let row = |(job, now, before)| vec![duration(Some(now)), duration(Some(before)), report.job_name(job)];
    let rows = slower.into_iter().map(row).collect();
    show_rows(page, report, "Slower (median of good runs)", &["Now", "Before", "Job"], &[0, 1], rows);
}

/// Shows the jobs that ran more than once in the period before, and never in this one, not even with another date.
fn silent(page: &mut Page, report: &Report, pairs: &[Pair]) -> bool {
    let name = |pair: &Pair| report.history.lasting_name(pair.job);
    let started: HashSet<_> = pairs.iter().filter(|pair| pair.now.all() > 0).map(name).collect();
    let is_silent = |pair: &&Pair| pair.now.all() == 0 && pair.before.runs > 1 && !started.contains(&name(pair));
    let silent = pairs.iter().filter(is_silent);
    let row = |pair: &Pair| {
        let last = pair.before.last_start.map(|start| report.clock().second(start));
        vec![pair.before.runs.to_string(), last.unwrap_or_default(), report.job_name(pair.job)]
    };
    let rows: Vec<Vec<String>> = silent.map(row).collect();
    let title = format!("Silent ({})", count(rows.len() as u64, "job"));
    show_rows(page, report, &title, &["Runs before", "Last start", "Job"], &[0], rows)
}
