//! The file of DAGs: a table of lines, and the code that makes DAGs of it.

use std::fmt::Write;

use chrono::DateTime;

use super::ids::ids;
use super::python::{dictionary, string, tuple};
use super::schedule::{DagLine, Guard};
use crate::cron::{Daemon, PortableLines, numbers};
use crate::escape::printable;

const TEMPLATE: &str = include_str!("airflow.py");

/// The same crontabs always make the same text.
pub fn text(sources: &[PortableLines], lines: &[DagLine], daemon: Daemon) -> String {
    // Inserts one part: the text of a crontab is never searched for marks of the template.
    let (before, after) = TEMPLATE.split_once("@TABLE@\n").unwrap_or((TEMPLATE, ""));
    format!("{before}{}{after}", table(sources, lines, daemon))
}

fn table(sources: &[PortableLines], lines: &[DagLine], daemon: Daemon) -> String {
    let mut variables: Vec<&[(String, String)]> = Vec::new();
    for line in lines {
        if !variables.contains(&&*line.line.run.variables) {
            variables.push(&line.line.run.variables);
        }
    }
    let mut table = String::from("# fmt: off\n");
    let mut add = |line: &str| {
        let _ = writeln!(table, "{line}");
    };
    add("# The variables in which cron has the name of the user.");
    let names = daemon.user_variables().iter().map(|name| string(name));
    add(&format!("USER_VARIABLES = {}", tuple(names)));
    add("\nSTARTS = [");
    for source in sources {
        add(&format!("    {},  # {}", start(source), comment(&source.path.to_string_lossy())));
    }
    add("]\n\nVARIABLES = [");
    for variables in &variables {
        add(&format!("    {},", dictionary(variables)));
    }
    add("]\n\nLINES = [");
    let mut refused = sources.iter().map(|source| source.refused.iter().peekable());
    let mut refused: Vec<_> = refused.by_ref().collect();
    let ids = ids(lines);
    for (line, id) in lines.iter().zip(&ids) {
        let left_out = &mut refused[line.crontab];
        while let Some(finding) = left_out.next_if(|it| it.fault.line < Some(line.line.number)) {
            add(&format!("    # left out: {}", comment(&finding.fault.problem)));
        }
        let at = variables.iter().position(|variables| *variables == line.line.run.variables);
        add(&row(line, id, at.unwrap_or_default()));
    }
    for finding in refused.into_iter().flatten() {
        add(&format!("    # left out: {}", comment(&finding.fault.problem)));
    }
    add("]\n# fmt: on");
    table
}

/// A row of the table, below a comment with the line of the crontab.
fn row(line: &DagLine, id: &str, variables: usize) -> String {
    let DagLine { line, schedule, crontab } = line;
    let user = line.run.user.as_deref().map_or_else(|| "None".to_owned(), string);
    let input = line.run.input.as_ref();
    let input = input.map(|input| format!(", input={}", string(input)));
    let guard = match schedule.guard {
        Guard::Nothing => None,
        Guard::Days(days) => Some(format!(", days={}", tuple(numbers(days)))),
        Guard::Weekdays(days) => Some(format!(", weekdays={}", tuple(numbers(days)))),
    };
    let accepted = (!line.accepted.0.is_empty()).then(|| format!(", accepted={}", tuple(line.accepted.0.iter())));
    let more: String = input.into_iter().chain(guard).chain(accepted).collect();
    format!(
        "    # {}\n    Line({}, {}, {}, STARTS[{crontab}], {user}, VARIABLES[{variables}],\n         {}{more}),",
        comment(&line.text),
        string(id),
        string(&schedule.text()),
        string(&line.zone),
        string(&line.run.command),
    )
}

/// The second after the last change of a crontab. In that second cron may still have read the old one.
fn start(source: &PortableLines) -> String {
    let start = DateTime::from_timestamp(source.changed.unwrap_or_default() + 1, 0).unwrap_or_default();
    let start = start.format("%Y, %-m, %-d, %-H, %-M, %-S");
    format!("datetime({start}, tzinfo=UTC)")
}

/// `text` in a comment. A control character would end it.
fn comment(text: &str) -> String {
    printable(text.as_bytes())
}
