//! The short notation of a log, a run a line:
//!
//! ```text
//! 10:05:00                       8  h /x.sh         1s  exit 3: no space left
//! 03-01 23:59:00                 9  h /y.sh             lost: working
//! 10:00:00..11:00:00/10m        10  h{1..3} /x.sh       ok
//! ```
//!
//! The second is of another day than 2026-03-02, and ends as nobody knows; the third is of every ten minutes on three
//! hosts, with the process ids from 10 on. `\n` in the output begins a line.

use std::fmt::Write;

use chrono::{NaiveDateTime, TimeDelta};

/// The text with records in the place of the lines in the notation. Runs on lines that follow one another are
/// interleaved by their times.
pub fn records_of(text: &str) -> String {
    let mut records = String::new();
    let mut block: Vec<(NaiveDateTime, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        if let Some(runs) = runs_of(line.trim_end()) {
            block.extend(runs);
        } else {
            // Otherwise a case would show nothing of a run that is missing by mistake.
            let is_meant = line.split_once("  ").is_some_and(|(times, _)| times_of(times).is_some());
            assert!(!is_meant, "no run in the short notation: {line}");
            flush(&mut block, &mut records);
            records += line;
        }
    }
    flush(&mut block, &mut records);
    records
}

fn flush(block: &mut Vec<(NaiveDateTime, String)>, records: &mut String) {
    block.sort_by_key(|(time, _)| *time);
    for (time, text) in block.drain(..) {
        let _ = writeln!(records, "[{}]{text}", time.format("%F %T"));
    }
}

/// The records of a line, each with its time; `None` if it is no notation.
fn runs_of(line: &str) -> Option<Vec<(NaiveDateTime, String)>> {
    let (run, output) = line.split_once(": ").unwrap_or((line, ""));
    let columns = run.split("  ").map(str::trim).filter(|column| !column.is_empty());
    let columns: Vec<&str> = columns.collect();
    let (times, pid, job, took, end) = match columns[..] {
        [times, pid, job, took, end] => (times, pid, job, took, end),
        [times, pid, job, end] => (times, pid, job, "0s", end),
        _ => return None,
    };
    let mut pid: u32 = pid.parse().ok()?;
    let took = duration(took)?;
    let mut records = Vec::new();
    for start in times_of(times)? {
        for job in jobs_of(job) {
            let mut record = |time, text: String| records.push((time, format!("[{pid}] {text}")));
            record(start, format!("START,-,{job}"));
            record(start, format!("command,ssh root@{job}"));
            for line in output.split("\\n").filter(|_| !output.is_empty()) {
                record(start + took, line.to_owned());
            }
            match end {
                "lost" => {}
                "ok" => record(start + took, format!("END,0,{job}")),
                end => record(start + took, format!("END,{},{job}", end.strip_prefix("exit ")?)),
            }
            pid = pid.wrapping_add(1);
        }
    }
    Some(records)
}

/// `10:00:00`, perhaps with its day, or all of `10:00:00..11:00:00/5m`.
fn times_of(text: &str) -> Option<Vec<NaiveDateTime>> {
    let Some((first, rest)) = text.split_once("..") else {
        return Some(vec![time(text)?]);
    };
    let (last, step) = rest.split_once('/')?;
    let (mut next, last, step) = (time(first)?, time(last)?, duration(step)?);
    let mut times = Vec::new();
    while next <= last {
        times.push(next);
        next += step;
    }
    Some(times)
}

fn time(text: &str) -> Option<NaiveDateTime> {
    let full = match text.len() {
        8 => format!("2026-03-02 {text}"),
        14 => format!("2026-{text}"),
        _ => text.to_owned(),
    };
    NaiveDateTime::parse_from_str(&full, "%Y-%m-%d %H:%M:%S").ok()
}

/// `5s`, `1m30s`, `2h`.
fn duration(text: &str) -> Option<TimeDelta> {
    let mut sum = TimeDelta::zero();
    for part in text.split_inclusive(['h', 'm', 's']) {
        let number: i64 = part.get(..part.len() - 1)?.parse().ok()?;
        sum += match part.as_bytes().last()? {
            b'h' => TimeDelta::hours(number),
            b'm' => TimeDelta::minutes(number),
            _ => TimeDelta::seconds(number),
        };
    }
    Some(sum)
}

/// The job, or with `{1..9}` in it the nine jobs.
fn jobs_of(text: &str) -> Vec<String> {
    numbered(text).unwrap_or_else(|| vec![text.to_owned()])
}

fn numbered(text: &str) -> Option<Vec<String>> {
    let (head, rest) = text.split_once('{')?;
    let (range, tail) = rest.split_once('}')?;
    let (first, last) = range.split_once("..")?;
    let numbers = first.parse::<u32>().ok()?..=last.parse().ok()?;
    Some(numbers.map(|number| format!("{head}{number}{tail}")).collect())
}
