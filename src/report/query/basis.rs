//! What a report is about: the time, and the logs that can tell of it.

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::filter::Filter;
use super::period::Period;
use super::{Form, Report, Shown, Source};
use crate::clock::latest_shown;
use crate::machine::Running;
use crate::report::diagnosis::Scope;
use crate::report::format::prometheus::LOOK_BACK;
use crate::report::format::text::Question;
use crate::report::logs::find;
use crate::report::logs::find::{Choice, Logs};
use crate::report::logs::owner::Users;
use crate::report::slots::Planned;

/// How much time before the period is read: a run that was lost may be dead only in the period, and what is wrong
/// may have begun before.
pub const HISTORY: TimeDelta = TimeDelta::days(1);

/// What is read, what is wanted of it, and by whom.
pub struct Basis<'a> {
    pub logs: &'a Logs,
    /// With the period that is meant if none was given.
    pub filter: Filter,
    /// The time from which on logs are read, if the period has a beginning.
    pub reach: Option<NaiveDateTime>,
    pub users: &'a Users,
    pub running: &'a Running,
    /// The local time.
    pub now: NaiveDateTime,
    /// The same with its zone.
    pub zoned_now: DateTime<Local>,
}

/// A record may be written by a clock that is ahead of that of here by so much.
const TOLERANCE: TimeDelta = TimeDelta::seconds(10);

impl Basis<'_> {
    /// The first local time that has not come, in a report of log directories. Of a period that ends later, all is
    /// asked for.
    pub fn end_of_time(&self) -> NaiveDateTime {
        let end = latest_shown(self.zoned_now) + TOLERANCE;
        self.filter.period.until.map_or(end, |until| until.max(end))
    }

    /// The same, as if no logs of the time before `reach` were read.
    pub fn since(&self, reach: Option<NaiveDateTime>) -> Self {
        Self {
            filter: self.filter.clone(),
            reach: reach.or(self.reach),
            ..*self
        }
    }
}

impl Report {
    /// The filter at the local time `now`: without a period, the log directories are asked for today, or for what
    /// jobs did last.
    pub fn filter_at(&self, now: NaiveDateTime) -> Filter {
        let mut filter = self.filter.clone();
        let Period { since, until } = filter.period;
        if (since, until) == (None, None) && matches!(self.source, Source::LogDirs(_)) {
            filter.period.since = match self.form {
                Form::Prometheus => now.checked_sub_signed(LOOK_BACK),
                _ => Some(midnight(now)),
            };
        }
        filter
    }

    /// The time from which on logs are read, if the period has a beginning.
    pub fn reach(&self, period: &Period, now: NaiveDateTime) -> Option<NaiveDateTime> {
        let since = period.since?;
        let usual = midnight(since).checked_sub_signed(HISTORY)?;
        match self.form {
            Form::Text(Shown {
                question: Question::Comparison,
                ..
            }) => {
                let until = period.until.unwrap_or(now);
                Some(usual.min(since.checked_sub_signed(until - since)?))
            }
            _ => Some(usual),
        }
    }

    /// The logs to read, those of `days` whenever they were written to.
    pub fn logs(
        &self,
        filter: &Filter,
        reach: Option<NaiveDateTime>,
        planned: Option<&Planned>,
        users: &Users,
        days: &[NaiveDate],
    ) -> Logs {
        let mut logs = match &self.source {
            Source::Inputs(inputs) => Logs::of(inputs.clone()),
            Source::LogDirs(dirs) => {
                let choice = Choice {
                    since: reach,
                    until: filter.period.until,
                    user: filter.user,
                    days,
                };
                find::logs(dirs, &choice, users)
            }
        };
        if self.follows_crontabs && logs.empty_dirs.len() == 1 {
            // The crontabs have led to others, and it is only the usual one.
            self.forget_usual_dir(planned, &mut logs);
        }
        logs
    }

    /// The time that a diagnosis of logs is about whose last record has the time `latest`.
    pub fn scope(&self, latest: Option<NaiveDateTime>, basis: &Basis) -> Scope {
        let Period { since, until } = basis.filter.period;
        let after = latest.map(|latest| latest + TimeDelta::seconds(1));
        // Only the logs in the log directories go on until now.
        let is_here = matches!(self.source, Source::LogDirs(_));
        let live = is_here.then_some(basis.now);
        let after = after.filter(|after| !is_here || *after <= basis.end_of_time());
        let end = live.max(after).unwrap_or(basis.now);
        let now = until.unwrap_or(end).min(end);
        Scope {
            since: since.unwrap_or(NaiveDateTime::MIN),
            now,
            is_live: is_here && basis.now - now < TimeDelta::minutes(1),
            boot: basis.running.boot,
            is_whole: !basis.filter.leaves_out_jobs(),
        }
    }
}

/// The beginning of a day.
pub fn midnight(time: NaiveDateTime) -> NaiveDateTime {
    time.date().and_time(NaiveTime::MIN)
}
