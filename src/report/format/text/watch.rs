//! The rows of Watch, and the durations of a job as bars.

use chrono::NaiveDate;
use unicode_width::UnicodeWidthStr;

use super::names;
use super::page::{INDENT, Page, wrapped_whole};
use crate::report::diagnosis::watch::samples::Sample;
use crate::report::format::watch::{facts, word};
use crate::report::format::{JobId, Oddity, Report, Severity, WatchFinding, chart, count, duration, shown_name};
use crate::report::history::jobs::script;
use crate::report::runs::run::first_word;

/// How many of the last runs have a bar.
const LAST_RUNS: usize = 30;
const GAP: usize = 2;

/// Shows a row for each finding, at most `most` rows. A script on several hosts has one row, unless all are listed.
pub fn show(page: &mut Page, report: &Report, most: usize) {
    let rows = rows(report);
    let Some(words) = rows.iter().map(|(_, row)| word(row[0]).len()).max() else { return };
    page.heading("Watch: good runs that are not as usual (--job TEXT shows the last runs)");
    let time = |finding: &WatchFinding| format!("since {}", report.clock().time(finding.since));
    let words = words.max(Oddity::WORDS[2].len()) + GAP;
    let times = rows.iter().map(|(_, row)| time(row[0]).len()).max().unwrap_or(0) + GAP;
    let room = page.width().saturating_sub(words + times);
    for (_, row) in rows.iter().take(most) {
        let finding = row[0];
        let (mut name, mut facts) = (report.job_of(finding), facts(finding, report));
        if row.len() > 1 {
            name = format!("{} on {} hosts", shown_name(script(&finding.job)), row.len());
            facts = format!("{}: {facts}", shown_name(first_word(&finding.job)));
        }
        let line = format!("{name}  {facts}");
        let lines = if line.width() <= room {
            vec![line]
        } else {
            [vec![names::job(&name, room)], wrapped_whole(&facts, room)].concat()
        };
        page.row((Severity::Doubtful, &word(finding)), &time(finding), [words, times], lines);
    }
    page.more(rows.len().saturating_sub(most));
    if let Some(from) = report.watch.from.filter(|_| report.lists_all()) {
        page.line(&format!("compared with runs since {}", report.clock().time(from)));
    }
}

type RowKey<'a> = (&'static str, NaiveDate, &'a [u8]);

/// The findings of each row: about one script, since one day.
fn rows<'a>(report: &'a Report) -> Vec<(RowKey<'a>, Vec<&'a WatchFinding>)> {
    let mut rows: Vec<(RowKey, Vec<&WatchFinding>)> = Vec::new();
    for finding in report.watched() {
        let key = (finding.oddity.word(), finding.since.date(), script(&finding.job));
        match rows.iter_mut().find(|(it, _)| *it == key && !report.lists_all()) {
            Some((_, row)) => row.push(finding),
            None => rows.push((key, vec![finding])),
        }
    }
    rows
}

/// Shows how long the last good runs of a job took, a bar each.
pub fn show_chart(page: &mut Page, report: &Report, job: JobId) {
    let known = report.history.job(job);
    let Some(watched) = report.watch.samples.of(known.account, &known.name) else { return };
    let good = watched.good();
    let last = &good[good.len().saturating_sub(LAST_RUNS)..];
    let seconds: Vec<u32> = last.iter().filter_map(|it: &&Sample| it.seconds).collect();
    if let (Some(least), Some(most), true) = (seconds.iter().min(), seconds.iter().max(), seconds.len() > 1) {
        let bars = chart(&seconds.iter().map(|it| u64::from(*it)).collect::<Vec<u64>>());
        let runs = count(seconds.len() as u64, "good run");
        let text = format!("{}, {} to {}", runs, duration(Some(*least)), duration(Some(*most)));
        page.line(&format!("{:<INDENT$}{bars}  the last {text}", ""));
    }
}
