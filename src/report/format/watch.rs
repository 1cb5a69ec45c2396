//! The findings of Watch, in words.

use chrono::{NaiveDate, Weekday};

use super::{Oddity, Report, WatchFinding, count, duration, grouped, shown_name};
use crate::escape::printable;
use crate::report::diagnosis::watch::beat::{Beat, Counts};
use crate::report::diagnosis::watch::limits::Limit;

/// The word of the state, or the weekday on which the job always fails.
pub fn word(finding: &WatchFinding) -> String {
    match &finding.oddity {
        Oddity::Rhythm { beat: Beat::Weekday(day), counts } if counts.bad == counts.all => {
            format!("EVERY {}", name(*day).to_uppercase())
        }
        oddity => oddity.word().to_owned(),
    }
}

pub fn facts(finding: &WatchFinding, report: &Report) -> String {
    let WatchFinding { runs, compared, .. } = finding;
    let runs = count(*runs as u64, "run");
    let before = grouped(*compared as u64);
    match &finding.oddity {
        Oddity::NothingDone { seconds, lines } => {
            let seconds =
                seconds.map(|(now, usual)| format!("{} instead of {}", duration(Some(now)), duration(Some(usual))));
            let lines = lines.map(|(now, usual)| {
                let now = if now == 0 { "no output".to_owned() } else { count(now.into(), "line") };
                format!("{now} instead of about {}", count(usual.into(), "line"))
            });
            let facts: Vec<String> = seconds.into_iter().chain(lines).collect();
            format!("{} ({runs}, {before} before)", facts.join(", "))
        }
        Oddity::SaysError { line } => {
            let (pid, start) = finding.last;
            let run = report.clock().run_name(pid, start);
            let line = printable(line.as_bytes());
            format!("{line}  (exit 0, {runs}, in none of {before} before; run {run})")
        }
        Oddity::Creeping { percent, from, now, limit, at } => {
            let days = count(*compared as u64, "day");
            let [from, now] = [from, now].map(|seconds| duration(Some(*seconds)));
            let at = at.format("%Y-%m-%d");
            format!(
                "{percent:.1}% a day: from {from} to {now} in {days}, reaches {} about {at}",
                limit_in_words(*limit)
            )
        }
        Oddity::Rhythm { beat, counts } => rhythm(beat, counts),
        Oddity::TooClose { longest, usual, limit } => {
            let [longest, usual] = [longest, usual].map(|seconds| duration(Some(*seconds)));
            format!("{longest} of {}, usually {usual} ({runs})", limit_in_words(*limit))
        }
    }
}

fn limit_in_words(limit: Limit) -> String {
    let time = duration(Some(limit.seconds()));
    match limit {
        Limit::Timeout(_) => format!("its timeout of {time}"),
        Limit::NextStart(_) => format!("the {time} to its next start"),
    }
}

fn rhythm(beat: &Beat, counts: &Counts) -> String {
    let Counts { bad, all, other_bad, others } = counts;
    match beat {
        Beat::Weekday(day) => {
            format!("failed on {bad} of {all} {}s, on {other_bad} of {others} other days", name(*day))
        }
        Beat::DayOfMonth(day) => {
            format!("failed on day {day} of {bad} of {all} months, on {other_bad} of {others} other days")
        }
        Beat::Hour(hour) => {
            format!(
                "failed {bad} of {all} times between {hour:02}:00 and {hour:02}:59, {other_bad} of {others} at other times"
            )
        }
        Beat::After(job) => format!(
            "failed {bad} of {all} times during {} or soon after, {other_bad} of {others} at other times",
            shown_name(job)
        ),
    }
}

fn name(day: Weekday) -> String {
    // chrono has the whole names only in dates.
    NaiveDate::from_isoywd_opt(1970, 1, day).unwrap_or_default().format("%A").to_string()
}
