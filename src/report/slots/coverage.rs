//! The time for which the logs of each scheduler were read. Outside this time, no START is missing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveDateTime};

use crate::report::logs::scheduler::Scheduler;

/// The STARTs that were read of each scheduler, of all users.
#[derive(Default)]
pub struct Coverage(BTreeMap<Scheduler, Covered>);

/// Local times of STARTs.
pub struct Covered {
    pub first: NaiveDateTime,
    pub last: NaiveDateTime,
    pub days: BTreeSet<NaiveDate>,
}

impl Coverage {
    /// Notes the local time of a START.
    pub fn add(&mut self, scheduler: Scheduler, start: NaiveDateTime) {
        let covered =
            self.0.entry(scheduler).or_insert_with(|| Covered { first: start, last: start, days: BTreeSet::new() });
        covered.first = covered.first.min(start);
        covered.last = covered.last.max(start);
        covered.days.insert(start.date());
    }

    /// The schedulers that have a START.
    pub fn schedulers(&self) -> impl Iterator<Item = Scheduler> {
        self.0.keys().copied()
    }

    pub fn of(&self, scheduler: Scheduler) -> Option<&Covered> {
        self.0.get(&scheduler)
    }
}
