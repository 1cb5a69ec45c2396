//! The time for which the logs of each scheduler were read. Outside it nothing is missing.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveDateTime};

use crate::report::logs::scheduler::Scheduler;

/// The STARTs that were read, of all users.
#[derive(Debug, Default)]
pub struct Coverage(Vec<Covered>);

#[derive(Debug)]
struct Covered {
    scheduler: Scheduler,
    first: NaiveDateTime,
    last: NaiveDateTime,
    days: BTreeSet<NaiveDate>,
    /// The last day that was noted. The next START is mostly of the same day.
    day: NaiveDate,
}

impl Coverage {
    /// Notes the local time of a START.
    pub fn add(&mut self, scheduler: Scheduler, start: NaiveDateTime) {
        let day = start.date();
        let mut known = self.0.iter_mut();
        let Some(covered) = known.find(|covered| covered.scheduler == scheduler) else {
            self.0.push(Covered {
                scheduler,
                first: start,
                last: start,
                days: BTreeSet::from([day]),
                day,
            });
            return;
        };
        covered.first = covered.first.min(start);
        covered.last = covered.last.max(start);
        if covered.day != day {
            covered.day = day;
            covered.days.insert(day);
        }
    }

    fn of(&self, scheduler: Scheduler) -> Option<&Covered> {
        let mut known = self.0.iter();
        known.find(|covered| covered.scheduler == scheduler)
    }

    /// The schedulers that have a START.
    pub fn schedulers(&self) -> impl Iterator<Item = Scheduler> {
        self.0.iter().map(|covered| covered.scheduler)
    }

    /// The local time of the first START of a scheduler.
    pub fn first(&self, scheduler: Scheduler) -> Option<NaiveDateTime> {
        self.of(scheduler).map(|covered| covered.first)
    }

    pub fn last(&self, scheduler: Scheduler) -> Option<NaiveDateTime> {
        self.of(scheduler).map(|covered| covered.last)
    }

    /// The local days with a START.
    pub fn days(&self, scheduler: Scheduler) -> Option<&BTreeSet<NaiveDate>> {
        self.of(scheduler).map(|covered| &covered.days)
    }
}
