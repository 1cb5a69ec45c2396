//! The time for which the logs of each scheduler were read. Nothing is missing from another time.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveDateTime};

use super::scheduler::Scheduler;

/// The STARTs that were read, whoever's they are.
#[derive(Debug, Default)]
pub struct Coverage(BTreeMap<Scheduler, Covered>);

#[derive(Debug)]
struct Covered {
    first: NaiveDateTime,
    last: NaiveDateTime,
    days: BTreeSet<NaiveDate>,
}

impl Coverage {
    /// Notes the local time of a START.
    pub fn add(&mut self, scheduler: Scheduler, start: NaiveDateTime) {
        let covered = self.0.entry(scheduler).or_insert_with(|| Covered {
            first: start,
            last: start,
            days: BTreeSet::new(),
        });
        covered.first = covered.first.min(start);
        covered.last = covered.last.max(start);
        covered.days.insert(start.date());
    }

    /// The local time of the first START of a scheduler.
    pub fn first(&self, scheduler: Scheduler) -> Option<NaiveDateTime> {
        self.0.get(&scheduler).map(|covered| covered.first)
    }

    /// The local time of the last one.
    pub fn last(&self, scheduler: Scheduler) -> Option<NaiveDateTime> {
        self.0.get(&scheduler).map(|covered| covered.last)
    }

    /// Whether there is a START on this local day.
    pub fn has_day(&self, scheduler: Scheduler, day: NaiveDate) -> bool {
        let covered = self.0.get(&scheduler);
        covered.is_some_and(|covered| covered.days.contains(&day))
    }
}
