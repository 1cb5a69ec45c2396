//! What is good and not as usual, a row each, and the durations of a job as bars.

use unicode_width::UnicodeWidthStr;

use super::names;
use super::page::{INDENT, Page, wrapped_whole};
use crate::report::format::report::Report;
use crate::report::format::watch::{facts, subject, word};
use crate::report::format::words::{chart, count, duration, grouped};
use crate::report::history::JobId;
use crate::report::output::style::Severity;
use crate::report::watch::finding::Oddity;
use crate::report::watch::samples::Sample;

/// How many of the last runs have a bar.
const LAST_RUNS: usize = 30;

const GAP: usize = 2;

/// Shows a row for each finding, and at most so many.
pub fn show(page: &mut Page, report: &Report, most: usize) {
    let findings: Vec<_> = report.watched().collect();
    if findings.is_empty() {
        return;
    }
    page.heading("Watch: good, and not as usual (--job TEXT shows the last runs)");
    let clock = report.clock();
    let states = findings.iter().map(|it| word(it).len()).chain([Oddity::WORDS[2].len()]);
    let states = states.max().unwrap_or_default() + GAP;
    let times = findings.iter().map(|it| format!("since {}", clock.time(it.since)));
    let times: Vec<String> = times.collect();
    let widest = times.iter().map(|time| time.width()).max().unwrap_or_default() + GAP;
    let room = page.width().saturating_sub(states + widest);
    for (finding, time) in findings.iter().zip(times).take(most) {
        let word = word(finding);
        let blanks = " ".repeat(states.saturating_sub(word.len()));
        let word = page.style.paint(Severity::Doubtful, &word);
        let mut before = format!("{word}{blanks}{time:<widest$}");
        let name = names::job(&subject(finding, report), room);
        let facts = facts(finding, report);
        let line = format!("{name}  {facts}");
        let lines = if line.width() <= room {
            vec![line]
        } else {
            [vec![name], wrapped_whole(&facts, room)].concat()
        };
        for line in lines {
            page.line(&(before + &line));
            before = " ".repeat(states + widest);
        }
    }
    let hidden = findings.len().saturating_sub(most);
    if hidden > 0 {
        page.line(&format!("and {} more (--all lists them)", grouped(hidden as u64)));
    }
    if let Some(from) = report.watch.from.filter(|_| report.lists_all()) {
        page.line(&format!("compared with runs since {}", clock.time(from)));
    }
}

/// Shows how long the last good runs of a job took, a bar each.
pub fn show_chart(page: &mut Page, report: &Report, job: JobId) {
    let known = report.history.job(job);
    let Some(watched) = report.watch.samples.of(known.account, &known.name) else { return };
    let good = watched.good();
    let last = &good[good.len().saturating_sub(LAST_RUNS)..];
    let seconds: Vec<u32> = last.iter().filter_map(|it: &&Sample| it.seconds).collect();
    if let (Some(least), Some(most), true) =
        (seconds.iter().min(), seconds.iter().max(), seconds.len() > 1)
    {
        let bars = chart(&seconds.iter().map(|it| u64::from(*it)).collect::<Vec<u64>>());
        let runs = count(seconds.len() as u64, "good run");
        let text = format!("{}, {} to {}", runs, duration(Some(*least)), duration(Some(*most)));
        page.line(&format!("{:<INDENT$}{bars}  the last {text}", ""));
    }
}
