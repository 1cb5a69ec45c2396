//! What is good and not as usual, in words.

use super::report::Report;
use super::words::{count, duration, grouped};
use crate::escape::printable;
use crate::report::watch::finding::{Oddity, WatchFinding};

/// The job, with its user if needed.
pub fn subject(finding: &WatchFinding, report: &Report) -> String {
    report.name_of(&finding.job, finding.account)
}

/// The evidence.
pub fn facts(finding: &WatchFinding, report: &Report) -> String {
    let WatchFinding { runs, compared, .. } = finding;
    let runs = count(*runs as u64, "run");
    let before = grouped(*compared as u64);
    match &finding.oddity {
        Oddity::NothingDone { seconds, lines } => {
            let seconds = seconds.map(|(now, usual)| {
                format!("{} instead of {}", duration(Some(now)), duration(Some(usual)))
            });
            let lines = lines.map(|(now, usual)| {
                let now = if now == 0 { "no output".to_owned() } else { count(now.into(), "line") };
                format!("{now} instead of about {}", count(usual.into(), "line"))
            });
            let facts: Vec<String> = seconds.into_iter().chain(lines).collect();
            format!("{} ({runs}, {before} before)", facts.join(", "))
        }
        Oddity::SaysError { line } => {
            let (pid, start) = finding.last;
            let run = report.clock().run_of(pid, start);
            let line = printable(line.as_bytes());
            format!("{line}  (exit 0, {runs}, in none of {before} before; run {run})")
        }
    }
}
