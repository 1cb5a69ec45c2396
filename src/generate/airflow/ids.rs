//! The names of the DAGs.
//!
//! Airflow stores the history of a DAG under its name. So a line keeps its name when it moves in the file, or when its
//! time or variables change. The name has the host and the script, for people, and a hash of the user and the command.

use std::collections::{HashMap, HashSet};

use super::schedule::DagLine;
use crate::{cron::PortableLine, stable_hash::hash};

/// For the host, and for the script. Airflow takes 250 characters.
const LONGEST_PART: usize = 100;

/// The names of `lines`, in order. Each is unique.
pub fn ids(lines: &[DagLine]) -> Vec<String> {
    let mut count: HashMap<String, usize> = HashMap::new();
    for line in lines {
        *count.entry(command(line)).or_default() += 1;
    }
    let mut taken = HashSet::new();
    let ids = lines.iter().map(|line| {
        let mut key = command(line);
        // If several lines have the same command, their times distinguish them.
        if count[&key] > 1 {
            key = format!("{key}\n{}", details(line));
        }
        let id = format!("{}.{:08x}", name(line), hash(key.as_bytes()) >> 32);
        // Lines that are equal in everything cannot be distinguished, and need not be.
        let mut ids = (1..).map(|number| match number {
            1 => id.clone(),
            _ => format!("{id}.{number}"),
        });
        ids.find(|id| taken.insert(id.clone())).unwrap_or(id)
    });
    ids.collect()
}

fn command(line: &DagLine) -> String {
    let user = line.line.run.user.as_deref().unwrap_or_default();
    let input = line.line.run.input.as_deref().map_or(String::new(), |input| format!("%{input}"));
    format!("{user}\n{}{input}", line.line.run.command)
}

fn details(line: &DagLine) -> String {
    let timing = &line.line.timing;
    let variables = line.line.run.variables.iter().map(|(name, value)| format!("{name}={value}\n"));
    format!(
        "{} {} {} {} {} {}\n{}\n{}",
        timing.minutes,
        timing.hours,
        timing.days,
        timing.months,
        timing.weekdays,
        timing.needs_both_days,
        line.line.zone,
        variables.collect::<String>()
    )
}

/// `HOST.SCRIPT`, or only the script or the program if the host is unknown.
fn name(line: &DagLine) -> String {
    let PortableLine { job, run, .. } = &line.line;
    let called = run.command.split_once("remoteexe ").map(|(_, words)| words);
    let job = job.as_deref().or(called).and_then(|words| words.trim_start().split_once(' '));
    let program = run.command.split_whitespace().next().unwrap_or_default();
    match job {
        // Of a call with an operand that only the shell knows, the host may be plain. An option comes before it.
        Some((host, script)) if is_plain(host) => format!("{}.{}", part(host), part(script_name(script))),
        Some(_) => part(script_name(&run.command)),
        None => part(script_name(program)),
    }
}

/// Whether a shell leaves a word as it is, and remoteexe takes it for an operand.
fn is_plain(word: &str) -> bool {
    !word.starts_with('-') && !word.contains(|c| "'\"`$\\;&|<>(){}*?!#~".contains(c))
}

/// The file name of the first word with a directory, or else the first word: `sum.sh` of `timeout 300 /srv/sum.sh a`.
fn script_name(command: &str) -> &str {
    let mut words = command.split_whitespace();
    let word = words.clone().find(|word| word.contains('/')).or_else(|| words.next()).unwrap_or_default();
    word.trim_end_matches('/').rsplit('/').next().unwrap_or(word)
}

/// The characters of `text` that the name of a DAG can have.
fn part(text: &str) -> String {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let part: String = text.chars().map(|c| if is_allowed(c) { c } else { '-' }).take(LONGEST_PART).collect();
    let part = part.trim_matches(['-', '.']);
    if part.is_empty() { "line".to_owned() } else { part.to_owned() }
}
