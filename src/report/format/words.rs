//! Values in short words: times, durations and counts, and counts as bars.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use indicatif::HumanCount;

use crate::escape::printable;
use crate::report::history::durations::DurationStats;
use crate::report::runs::outcome::{Outcome, Reason};

/// The bars of a chart, the lowest first.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Formats local times, with the date if that is not the day of the page.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    pub day: NaiveDate,
}

impl Clock {
    pub fn time(self, time: NaiveDateTime) -> String {
        self.shown(time, "%H:%M")
    }

    pub fn second(self, time: NaiveDateTime) -> String {
        self.shown(time, "%H:%M:%S")
    }

    fn shown(self, time: NaiveDateTime, clock: &str) -> String {
        let day = if time.date() == self.day { "" } else { "%m-%d " };
        time.format(&[day, clock].concat()).to_string()
    }

    pub fn span(self, begin: NaiveDateTime, end: NaiveDateTime) -> String {
        let (first, mut last) = (self.time(begin), self.time(end));
        if begin.date() == end.date() {
            last = Self { day: end.date() }.time(end);
        }
        if begin.date() == end.date() && first.ends_with(&last) { first } else { format!("{first}–{last}") }
    }

    /// The name of a run for `--run`.
    pub fn run_name(self, pid: u32, start: NaiveDateTime) -> String {
        if start.date() == self.day { format!("{pid}@{}", start.time()) } else { format!("{pid}@{start}") }
    }
}

/// A duration, or `?` if unknown.
pub fn duration(seconds: Option<u32>) -> String {
    match seconds {
        None => "?".to_owned(),
        Some(seconds @ 0..60) => format!("{seconds}s"),
        Some(seconds @ 60..3600) => format!("{}m{:02}s", seconds / 60, seconds % 60),
        Some(seconds @ 3600..172_800) => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        Some(seconds) => format!("{}d{:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// The usual duration in words. None without a good run.
pub fn usual_duration(usual: &DurationStats) -> Option<String> {
    let [median, longest] = [usual.median, usual.longest].map(|seconds| duration(Some(seconds)));
    let good = count(usual.good as u64, "good run");
    (usual.good > 0).then(|| format!("{median}, {longest} at most (of {good})"))
}

pub fn age(age: TimeDelta) -> String {
    duration(Some(u32::try_from(age.num_seconds()).unwrap_or(u32::MAX)))
}

pub fn way(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed(status, Reason::Script) => format!("exit {status}"),
        Outcome::Failed(status, _) => format!("exit {status}: {outcome}"),
        outcome => outcome.to_string(),
    }
}

/// A number of things: `1 run`, `12 runs`.
pub fn count(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(number))
}

/// Cuts a list to `most` texts, and adds the number of the others: `3 more jobs`.
pub fn at_most(most: usize, mut texts: Vec<String>, thing: &str) -> Vec<String> {
    let more = texts.len().saturating_sub(most) as u64;
    texts.truncate(most);
    texts.extend((more > 0).then(|| count(more, &format!("more {thing}"))));
    texts
}

/// A number with commas between its thousands.
pub fn grouped(number: u64) -> String {
    HumanCount(number).to_string()
}

/// A bar for each count. The highest bar is the largest count, and a blank is 0.
pub fn chart(counts: &[u64]) -> String {
    let most = counts.iter().max().copied().unwrap_or_default().max(1);
    let bar = |&count: &u64| {
        let height = (count * BARS.len() as u64).div_ceil(most);
        let index = usize::try_from(height).expect("it is at most the number of bars");
        index.checked_sub(1).map_or(' ', |index| BARS[index])
    };
    counts.iter().map(bar).collect()
}

/// The most bytes of a job's or a host's name. A page has no room for more.
const SHOWN_NAME: usize = 1024;

/// A name for the page, with an ellipsis if its end is cut off.
pub fn shown_name(name: &[u8]) -> String {
    match name.split_at_checked(SHOWN_NAME) {
        Some((begin, end)) if !end.is_empty() => printable(begin) + "…",
        _ => printable(name),
    }
}
