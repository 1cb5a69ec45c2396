//! Values as short words: times, durations, ends, and counts as bars.

use chrono::NaiveDateTime;

use crate::report::run::{End, Run};
use crate::report::summary::Summary;

/// The bars of a chart, the lowest first.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The format of local times. It has no date if all times are of one day.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    is_one_day: bool,
}

impl Clock {
    /// The format for all times in `summary`.
    pub fn of(summary: &Summary) -> Self {
        let span = summary.span;
        Self {
            is_one_day: span.is_some_and(|(first, last)| first.date() == last.date()),
        }
    }

    /// The time, or `-` if there is none.
    pub fn time(self, time: Option<NaiveDateTime>) -> String {
        let format = if self.is_one_day {
            "%H:%M:%S"
        } else {
            "%m-%d %H:%M"
        };
        time.map_or_else(|| "-".to_owned(), |time| time.format(format).to_string())
    }

    /// The name of a run, as `--run` takes it.
    pub fn run_name(self, run: &Run) -> String {
        let (pid, start) = (run.trace.pid, run.trace.start);
        if self.is_one_day {
            format!("{pid}@{}", start.time())
        } else {
            format!("{pid}@{start}")
        }
    }
}

/// The exit status, or the state of a run without END.
pub fn end(end: End) -> String {
    match end {
        End::Exit(status) => status.to_string(),
        End::Running => "running".to_owned(),
        End::Lost => "lost".to_owned(),
    }
}

/// A duration, or `?` if it is not known.
pub fn duration(seconds: Option<u64>) -> String {
    match seconds {
        None => "?".to_owned(),
        Some(seconds @ 0..60) => format!("{seconds}s"),
        Some(seconds @ 60..3600) => format!("{}m{:02}s", seconds / 60, seconds % 60),
        Some(seconds) => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// One bar for each count. The highest bar is the largest count, and a blank is 0.
pub fn chart(counts: &[u64]) -> String {
    let most = counts.iter().max().copied().unwrap_or_default().max(1);
    let bar = |&count: &u64| {
        let height = (count * BARS.len() as u64).div_ceil(most);
        let index = usize::try_from(height).expect("it is at most the number of bars");
        index.checked_sub(1).map_or(' ', |index| BARS[index])
    };
    counts.iter().map(bar).collect()
}
