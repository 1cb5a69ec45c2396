//! The first lines of a text: the period, the counts of its runs, and the logs that were read.

use std::collections::{BTreeMap, BTreeSet};

use super::page::{INDENT, Page};
use crate::escape::printable;
use crate::report::format::{Count, HostId, JobId, Report, RunFlag, at_most, count, crontabs, grouped, sources};

/// The most jobs that are named. More are only counted.
const MAX_NAMED: usize = 2;

pub fn counts(page: &mut Page, report: &Report) {
    let tally = &report.tally;
    if let Some(period) = report.period() {
        let jobs = report.jobs().count() as u64;
        let hosts = hosts(report).len() as u64;
        let size = format!("{}, {}", count(jobs, "job"), count(hosts, "host"));
        page.title(&format!("{period}   {size}"));
        for counts in [ends(report), tally.kinds()] {
            let counts: Vec<String> = counts.iter().map(|count| page.count(count)).collect();
            page.line(&counts.join("   "));
        }
    } else {
        page.line("no runs");
    }
    let (read, ambiguous) = (&report.read, tally.ambiguous);
    if read.merged.unrecognized + read.unmatched + ambiguous > 0 {
        page.paragraph(&format!(
            "unrecognized lines {}   records without START {}   ambiguous runs {ambiguous}",
            read.merged.unrecognized, read.unmatched
        ));
    }
    if report.lost_starts() > 0 {
        let ends = count(report.lost_starts(), "END");
        page.paragraph(&format!(
            "{ends} without START: a log was moved, removed or cut while they ran, or could not be written"
        ));
    }
    for line in sources::lines(report) {
        page.paragraph(&printable(line.as_bytes()));
    }
}

/// Counts by the end of a run, and the number of missed slots in the period.
pub fn ends(report: &Report) -> Vec<Count> {
    let mut ends = report.tally.ends();
    let not_started = report.missed_slots().count() as u64;
    if not_started > 0 {
        ends.push(Count::bad("not started", not_started));
    }
    ends
}

/// The hosts of the runs in the period. The first word of a refused command line may be no host.
pub fn hosts(report: &Report) -> BTreeSet<HostId> {
    let with_host = report.runs().filter(|run| run.is(RunFlag::HasCommand));
    with_host.map(|run| report.history.job(run.job).host).collect()
}

/// The numbers of problems and of ambiguous runs in words. Without a problem, the number of findings to watch.
pub fn summary(now: usize, over: usize, report: &Report) -> String {
    let (ambiguous, watched) = (report.tally.ambiguous, report.watched().count());
    let problems = match now + over {
        0 if ambiguous == 0 && watched == 0 => return "nothing is wrong".to_owned(),
        0 if watched > 0 => format!("no problem found; {} to watch", grouped(watched as u64)),
        0 => "no problem found".to_owned(),
        _ => format!("{} now, {over} over", count(now as u64, "problem")),
    };
    if ambiguous == 0 {
        return problems;
    }
    format!("{problems}; not certain: {}", count(ambiguous, "run"))
}

pub fn uncertain(report: &Report) -> Option<String> {
    let names = jobs_with(report, RunFlag::Ambiguous)?;
    Some(format!("two runs had one process id at once, or a job printed records in a log without marks: {names}"))
}

pub fn show_uncertain(page: &mut Page, report: &Report) {
    if let Some(text) = uncertain(report) {
        page.labelled("Not certain", INDENT, &text);
    }
}

pub fn show_crontabs(page: &mut Page, report: &Report) {
    let mut label = "Crontab";
    for line in crontabs::summary(report) {
        page.labelled(label, INDENT, &line);
        label = "";
    }
}

/// The jobs with runs in the period that have this flag, each with the number of these runs.
pub fn jobs_with(report: &Report, flag: RunFlag) -> Option<String> {
    let mut times: BTreeMap<JobId, u64> = BTreeMap::new();
    for run in report.runs().filter(|run| run.is(flag)) {
        *times.entry(run.job).or_default() += 1;
    }
    let mut jobs: Vec<_> = times.iter().collect();
    jobs.sort_by_key(|&(job, times)| (std::cmp::Reverse(times), job));
    let name = |&(job, times): &(&JobId, &u64)| format!("{} ({times})", report.job_name(*job));
    let names = at_most(MAX_NAMED, jobs.iter().map(name).collect(), "job");
    (!names.is_empty()).then(|| names.join(", "))
}
