//! What will differ from cron, and the cost.

use chrono::{DateTime, NaiveDate, Utc};

use super::dst::{self, ClockChange, Difference};
use super::schedule::DagLine;
use crate::cron::{Fault, Finding, PortableLines};

/// The CPU time of a run in Airflow, in seconds: measured with 3.3.2, a `LocalExecutor` and `SQLite`.
const SECONDS_OF_RUN: f64 = 0.57;
const MOST_TIMES: usize = 3;

/// The differences of all lines, in the order of the crontabs.
pub fn of(sources: &[PortableLines], lines: &[DagLine], now: DateTime<Utc>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        let lines: Vec<&DagLine> = lines.iter().filter(|line| line.crontab == number).collect();
        let mut add = |line: Option<usize>, problem: String, remedy: &str| {
            let fault = Fault { line, ..Fault::new(problem, remedy) };
            findings.push(fault.in_file(&source.path));
        };
        if source.is_installed {
            add(
                None,
                "cron reads this file too, and each job runs twice".to_owned(),
                "move the lines to a file that cron does not read, such as /etc/remoteexe/airflow.crontab",
            );
        }
        of_users(&lines, &mut add);
        of_mail(&lines, &mut add);
        for line in lines {
            of_status(line, &mut add);
            for difference in dst::differences(line, now.timestamp().div_euclid(60)) {
                let remedy = "if that matters, give a time of day at which no clock is changed";
                add(Some(line.line.number), in_words(&difference), remedy);
            }
        }
    }
    findings
}

/// Lines of users other than the worker's, whose name is unknown here.
fn of_users(lines: &[&DagLine], add: &mut impl FnMut(Option<usize>, String, &str)) {
    let mut users: Vec<&str> = lines.iter().filter_map(|line| line.line.run.user.as_deref()).collect();
    users.sort_unstable();
    users.dedup();
    for user in users {
        let count = lines.iter().filter(|line| line.line.run.user.as_deref() == Some(user)).count();
        let problem = match count {
            1 => format!("1 line runs as {user}"),
            _ => format!("{count} lines run as {user}"),
        };
        let or_root = if user == "root" { "" } else { " or root" };
        let remedy = format!("let the worker run as {user}{or_root}, or allow it sudo -n -u {user} /bin/sh");
        add(None, problem, &remedy);
    }
}

fn of_mail(lines: &[&DagLine], add: &mut impl FnMut(Option<usize>, String, &str)) {
    let mailto = |line: &&DagLine| {
        let mut variables = line.line.run.variables.iter();
        let value = variables.find(|(name, _)| name == "MAILTO")?.1.clone();
        (!value.is_empty()).then_some((line.line.number, value))
    };
    if let Some((number, value)) = lines.iter().find_map(mailto) {
        add(
            Some(number),
            format!("Airflow sends no mail to MAILTO={value}; the output is in the task's log"),
            "have cron mail remoteexe --report --changed, as the manual shows",
        );
    }
}

/// What a failed task and a good one imply for the job.
fn of_status(line: &DagLine, add: &mut impl FnMut(Option<usize>, String, &str)) {
    let differences = [
        (
            line.line.fails_if_locked,
            "flock -n ends with 1 if the lock is taken: the task then fails",
            "write flock -n -E 0, and the task succeeds",
        ),
        (
            line.line.hides_status,
            "the exit status is not that of remoteexe, which is in a pipe or in the background: \
             a failed job is a task that succeeds",
            "let remoteexe be the last command; --tee always gives its output to the task's log",
        ),
    ];
    for (_, problem, remedy) in differences.into_iter().filter(|(is_so, ..)| *is_so) {
        add(Some(line.line.number), problem.to_owned(), remedy);
    }
}

/// `when the clock goes from 02:00 to 03:00 on 2027-03-28, only cron starts it at 03:00, and only Airflow at 03:30`
fn in_words(difference: &Difference) -> String {
    let ClockChange { at, before, after } = difference.change;
    let day = local(at + before).format("%Y-%m-%d");
    let only = |(name, who): (&str, usize)| {
        let starts = starts_in_words(difference, who)?;
        Some(format!("only {name} starts it at {starts}"))
    };
    let parts: Vec<String> = [("cron", 0), ("Airflow", 1)].into_iter().filter_map(only).collect();
    let (from, to) = (local(at + before).format("%H:%M"), local(at + after).format("%H:%M"));
    format!("when the clock goes from {from} to {to} on {day}, {}", parts.join(", and "))
}

/// The first of the times at which one of the two makes more starts, as the clock shows them.
fn starts_in_words(difference: &Difference, who: usize) -> Option<String> {
    let ClockChange { at, before, after } = difference.change;
    let day = local(at + before).date_naive();
    let time = |(minute, counts): (&i64, &[usize; 2])| {
        let others = counts[1 - who];
        let count = counts[who].checked_sub(others).filter(|count| *count > 0)?;
        let is_before = *minute < at;
        let time = minute + if is_before { before } else { after };
        let is_repeated = (at + after..at + before).contains(&time);
        let time = local(time);
        let date = if time.date_naive() == day { "" } else { "%Y-%m-%d " };
        let which = match (is_repeated, is_before) {
            (true, true) => " (the first)",
            (true, false) => " (the second)",
            (false, _) => "",
        };
        let often = match (others > 0, count) {
            (false, 1) => String::new(),
            (false, count) => format!(" ({count} times)"),
            (true, 1) => " (once more)".to_owned(),
            (true, count) => format!(" ({count} times more)"),
        };
        Some(format!("{}{which}{often}", time.format(&format!("{date}%H:%M"))))
    };
    let mut times: Vec<String> = difference.starts.iter().filter_map(time).collect();
    let more = times.len().saturating_sub(MOST_TIMES);
    times.truncate(MOST_TIMES);
    let more = if more > 0 { format!(" and {more} more times") } else { String::new() };
    (!times.is_empty()).then(|| times.join(", ") + &more)
}

fn local(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(minute.saturating_mul(60), 0).unwrap_or_default()
}

pub fn cost(lines: &[DagLine]) -> Option<String> {
    let runs: f64 = lines.iter().map(runs_a_day).sum();
    if lines.is_empty() {
        return None;
    }
    let seconds = runs * SECONDS_OF_RUN;
    let time = if seconds < 60.0 {
        format!("{seconds:.0} s")
    } else if seconds < 5400.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        format!("{:.1} h", seconds / 3600.0)
    };
    let lines = match lines.len() {
        1 => "1 line makes".to_owned(),
        lines => format!("{lines} lines make"),
    };
    Some(format!("{lines} {runs:.0} runs a day, which cost Airflow about {time} of CPU time ({SECONDS_OF_RUN} s each)"))
}

/// On average over four years, including runs that end at the guard.
fn runs_a_day(line: &DagLine) -> f64 {
    const YEARS: usize = 1461;
    let days = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap_or_default().iter_days().take(YEARS);
    let days = days.filter(|date| line.schedule.timing.is_due_on(*date)).count();
    let runs = line.schedule.minutes_of_day().count() * days;
    let [runs, days] = [runs, YEARS].map(|count| f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    runs / days
}
