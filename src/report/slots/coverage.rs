//! The time for which the logs of each scheduler were read. Nothing is missing from another time.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveDateTime};

use crate::report::logs::scheduler::Scheduler;

/// The STARTs that were read, whoever's they are.
#[derive(Debug, Default)]
pub struct Coverage(Vec<Covered>);

/// The STARTs of a scheduler.
#[derive(Debug)]
struct Covered {
    scheduler: Scheduler,
    first: NaiveDateTime,
    last: NaiveDateTime,
    days: BTreeSet<NaiveDate>,
    /// The day that was noted last. Most STARTs are of that day.
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

    /// The local time of the last one.
    pub fn last(&self, scheduler: Scheduler) -> Option<NaiveDateTime> {
        self.of(scheduler).map(|covered| covered.last)
    }

    /// The local days on which there is a START.
    pub fn days(&self, scheduler: Scheduler) -> Option<&BTreeSet<NaiveDate>> {
        self.of(scheduler).map(|covered| &covered.days)
    }
}
