//! The faults of the crontabs, one on each line, as a compiler shows them.

use std::collections::HashSet;
use std::fmt::Write;

use crate::escape::printable;
use crate::schedule::{Finding, Plan};

/// The text of `--check`.
pub fn render(findings: &[Finding], plan: &Plan) -> String {
    let mut text = String::new();
    for finding in findings {
        let place = match finding.line {
            Some(line) => format!("{}:{line}", finding.file.display()),
            None => finding.file.display().to_string(),
        };
        let line = format!("{place}: {}; tip: {}", finding.problem, finding.remedy);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", printable(line.as_bytes()));
    }
    if findings.is_empty() {
        let places: HashSet<_> = plan.entries.iter().map(|entry| &entry.place).collect();
        let files: HashSet<_> = places.iter().map(|place| &place.file).collect();
        let (lines, files) = (
            counted(places.len(), "line"),
            counted(files.len(), "crontab"),
        );
        let _ = writeln!(text, "no fault in {lines} that run remoteexe, in {files}");
    }
    text
}

/// `1 line`, `2 lines`.
pub fn counted(count: usize, name: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {name}{plural}")
}
