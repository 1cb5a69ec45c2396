//! The form of `--check`: the faults of the crontabs, a line each, as a compiler shows them, and the unknown calls.

use std::{collections::HashSet, fmt::Write, path::Path};

use super::{Format, Needs, Report, ReportOutput, at_most, count, crontabs::place};
use crate::cron::{CronJobs, Crontabs, Finding, UnknownCall};
use crate::escape::{printable, shortened};
use crate::report::slots::Planned;

/// The most bytes of a reason that are shown.
const LONGEST: usize = 1_000;
const MOST_UNKNOWN: usize = 20;
/// The most commented-out lines that are named.
const MOST_COMMENTED_OUT: usize = 10;

pub struct Lint;

impl Format for Lint {
    fn needs(&self) -> Needs {
        Needs { crontabs: true, ..Needs::default() }
    }

    fn finish(self: Box<Self>, report: &Report, out: &mut ReportOutput) -> bool {
        let Some(crontabs) = &report.crontabs else { return false };
        let planned = &crontabs.planned;
        let findings = planned.findings(&report.machine.users);
        let Planned { plan, crontabs, .. } = planned;
        out.write(render(&findings, plan, crontabs).as_bytes());
        !findings.is_empty()
    }
}

fn render(findings: &[Finding], plan: &CronJobs, crontabs: &Crontabs) -> String {
    let mut text = String::new();
    let mut line = |line: &str| {
        let _ = writeln!(text, "{}", printable(line.as_bytes()));
    };
    line(&crontabs.cron.describe());
    for finding in findings {
        line(&finding.shown(""));
    }
    let unknown = unexplained(&plan.unknown, findings);
    for UnknownCall { place: at, reason } in unknown.iter().take(MOST_UNKNOWN) {
        let reason = shortened(reason.as_bytes(), LONGEST);
        line(&format!("{}: this call is not checked: {reason}", place(at)));
    }
    let more = unknown.len().saturating_sub(MOST_UNKNOWN);
    if more > 0 {
        let calls = count(more as u64, "more call");
        line(&format!("{calls} not checked; --next lists them"));
    }
    if let Some(places) = commented_out(plan) {
        line(&places);
    }
    if findings.is_empty() {
        line(&no_fault(plan, crontabs));
    }
    text
}

fn no_fault(plan: &CronJobs, crontabs: &Crontabs) -> String {
    let places: HashSet<_> = plan.entries.iter().map(|entry| &entry.place).collect();
    let files: HashSet<_> = places.iter().map(|place| &place.file).collect();
    let lines = match places.len() {
        1 => "1 line that runs remoteexe".to_owned(),
        lines => format!("{lines} lines that run remoteexe"),
    };
    let files = count(files.len() as u64, "crontab");
    let unknown = count(plan.unknown.len() as u64, "call");
    match (places.is_empty(), plan.unknown.is_empty()) {
        (true, true) => format!("no line runs a job of remoteexe, in {}", count(crontabs.read.len() as u64, "crontab")),
        (true, false) => format!("nothing to check: {unknown} not checked"),
        (false, true) => format!("no fault in {lines}, in {files}"),
        (false, false) => format!("no fault in {lines}, in {files}; {unknown} not checked"),
    }
}

/// The commented-out lines, which are no fault: many a crontab has old lines.
fn commented_out(plan: &CronJobs) -> Option<String> {
    let mut places: Vec<String> = plan.commented_out.iter().map(|off| place(&off.place)).collect();
    places.dedup();
    let places = at_most(MOST_COMMENTED_OUT, places, "line").join(", ");
    (!places.is_empty()).then(|| format!("commented out: {places}"))
}

/// The unknown calls whose reason is not a fault of their line.
fn unexplained<'a>(unknown: &'a [UnknownCall], findings: &[Finding]) -> Vec<&'a UnknownCall> {
    let faulty: HashSet<(&Path, Option<usize>)> =
        findings.iter().map(|finding| (finding.file.as_path(), finding.fault.line)).collect();
    unknown.iter().filter(|it| !faulty.contains(&(&*it.place.file, Some(it.place.line)))).collect()
}
