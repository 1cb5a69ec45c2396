//! The time window of a report: the period to show, and how far back the logs are read for it.

use chrono::{NaiveDateTime, TimeDelta};

use super::Query;
use super::filter::{Filter, Period};
use crate::report::runs::run::Run;

/// The time before the period for which logs are read too: a run of that time may turn out to be lost in the period,
/// and a problem may have begun then.
const HISTORY: TimeDelta = TimeDelta::days(1);
/// How far back the logs are read for the last run of each job: even a monthly job has run in this time.
const LATEST: TimeDelta = TimeDelta::days(35);

/// How far before the period the logs are read.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// One day, to know what was wrong when the period began.
    #[default]
    DayBefore,
    /// Another period of the same length, to compare.
    PeriodBefore,
    /// Enough days for a run of each job. Only today is diagnosed.
    LastRuns,
}

/// The time window, in local time.
pub struct Window {
    /// The filter, with the default period if none was given.
    pub filter: Filter,
    /// Only logs that were written to since then are read. None if the period has no beginning.
    pub read_from: Option<NaiveDateTime>,
    /// Runs that ended earlier are not diagnosed.
    pub history_from: Option<NaiveDateTime>,
    /// The first second that is diagnosed. None if the period has no beginning.
    pub since: Option<NaiveDateTime>,
}

impl Window {
    /// The window at the local time `now`. Without a period, directories are read for today, or each job's last run.
    pub fn of(query: &Query, reach: Reach, now: NaiveDateTime) -> Self {
        let reads_dirs = query.source.dirs().is_some();
        let mut filter = query.filter.clone();
        let today = NaiveDateTime::from(now.date());
        if (filter.period.since, filter.period.until) == (None, None) && reads_dirs {
            filter.period.since = match reach {
                Reach::LastRuns => now.checked_sub_signed(LATEST),
                Reach::DayBefore | Reach::PeriodBefore => Some(today),
            };
        }
        // Today, as on the first screen, so that the metrics show the same problems.
        let is_today = reach == Reach::LastRuns && reads_dirs;
        Self {
            read_from: read_from(&filter.period, reach, now),
            history_from: is_today.then_some(today - HISTORY),
            since: if is_today { Some(today) } else { filter.period.since },
            filter,
        }
    }

    /// Whether a run that passes the filter is diagnosed.
    pub fn diagnoses(&self, run: &Run) -> bool {
        self.filter.has_begun(run) && run.until().is_none_or(|until| Some(until) >= self.history_from)
    }

    /// The time from which runs are diagnosed. None if the period has no beginning.
    pub fn diagnosed_from(&self) -> Option<NaiveDateTime> {
        self.history_from.or(self.read_from)
    }
}

fn read_from(period: &Period, reach: Reach, now: NaiveDateTime) -> Option<NaiveDateTime> {
    let since = period.since?;
    let usual = NaiveDateTime::from(since.date()).checked_sub_signed(HISTORY)?;
    if reach == Reach::PeriodBefore {
        let until = period.until.unwrap_or(now);
        return Some(usual.min(since.checked_sub_signed(until - since)?));
    }
    Some(usual)
}
