//! The time for which the logs of each scheduler were read. Outside this time, no START is missing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveDateTime};

use crate::report::logs::scheduler::Scheduler;

/// The STARTs that were read of each scheduler, of all users.
pub type Coverage = BTreeMap<Scheduler, Covered>;

/// Local times of STARTs.
#[derive(Default)]
pub struct Covered {
    pub first: Option<NaiveDateTime>,
    pub last: Option<NaiveDateTime>,
    pub days: BTreeSet<NaiveDate>,
}

impl Covered {
    pub fn add(&mut self, start: NaiveDateTime) {
        self.first = self.first.into_iter().chain([start]).min();
        self.last = self.last.max(Some(start));
        self.days.insert(start.date());
    }
}
