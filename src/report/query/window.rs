//! The time window of a report: the period to show, and how far back the logs are read for it.

use chrono::{NaiveDateTime, NaiveTime, TimeDelta};

use super::filter::Filter;
use super::period::Period;
use super::{LogSource, Query};
use crate::report::runs::run::Run;

/// How much time before the period is read: a run that was lost may be dead only in the period, and what is wrong
/// may have begun before.
const HISTORY: TimeDelta = TimeDelta::days(1);

/// How far the logs are read back for what a job did last. A job that is due once a month has run in this time.
const LATEST: TimeDelta = TimeDelta::days(35);

/// How much is read besides the period.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The day before it, for what was wrong when it began.
    #[default]
    DayBefore,
    /// A period of the same length, to compare.
    PeriodBefore,
    /// As many days as it takes until each job has run. Only the last of them is diagnosed.
    LastRuns,
}

/// The time window. Times are local.
#[derive(Debug)]
pub struct Window {
    /// The runs to show, with the period that is meant if none was given.
    pub filter: Filter,
    /// Logs are read that were written to since then, if the period has a beginning.
    pub read_from: Option<NaiveDateTime>,
    /// Runs that ended earlier are not diagnosed.
    pub history_from: Option<NaiveDateTime>,
    /// The first second that is diagnosed, if the period has a beginning.
    pub since: Option<NaiveDateTime>,
}

impl Window {
    /// The window of a query at the local time `now`. Without a period, log directories are read for today, or for the
    /// last run of each job.
    pub fn of(query: &Query, reach: Reach, now: NaiveDateTime) -> Self {
        let is_here = matches!(query.source, LogSource::LogDirs(_));
        let mut filter = query.filter.clone();
        let today = midnight(now);
        if (filter.period.since, filter.period.until) == (None, None) && is_here {
            filter.period.since = match reach {
                Reach::LastRuns => now.checked_sub_signed(LATEST),
                Reach::DayBefore | Reach::PeriodBefore => Some(today),
            };
        }
        // The first screen is about today too, and so both find the same problems.
        let is_today = reach == Reach::LastRuns && is_here;
        Self {
            read_from: read_from(&filter.period, reach, now),
            history_from: is_today.then_some(today - HISTORY),
            since: if is_today { Some(today) } else { filter.period.since },
            filter,
        }
    }

    /// Whether a run is diagnosed, if it is one of those that are asked for.
    pub fn diagnoses(&self, run: &Run) -> bool {
        let is_recent = |until| Some(until) >= self.history_from;
        self.filter.has_begun(run) && run.until().is_none_or(is_recent)
    }

    /// Runs since then are diagnosed, if the period has a beginning.
    pub fn diagnosed_from(&self) -> Option<NaiveDateTime> {
        self.history_from.or(self.read_from)
    }
}

fn read_from(period: &Period, reach: Reach, now: NaiveDateTime) -> Option<NaiveDateTime> {
    let since = period.since?;
    let usual = midnight(since).checked_sub_signed(HISTORY)?;
    if reach == Reach::PeriodBefore {
        let until = period.until.unwrap_or(now);
        return Some(usual.min(since.checked_sub_signed(until - since)?));
    }
    Some(usual)
}

/// The beginning of a day.
fn midnight(time: NaiveDateTime) -> NaiveDateTime {
    time.date().and_time(NaiveTime::MIN)
}
