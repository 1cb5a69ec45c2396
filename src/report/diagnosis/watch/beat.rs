//! What a job's failures have in common, and how probable that is by chance.

use std::rc::Rc;

use chrono::Weekday;

use super::numbers::real;

/// The times at which a job fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beat {
    Weekday(Weekday),
    DayOfMonth(u32),
    Hour(u32),
    After(Rc<[u8]>),
}

/// The numbers of failures and of all runs or days, at the suspected times and at other times.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub bad: usize,
    pub all: usize,
    pub other_bad: usize,
    pub others: usize,
}

impl Counts {
    pub fn of(units: impl Iterator<Item = (bool, bool)>) -> Self {
        let mut counts = Self::default();
        for (is_there, is_bad) in units {
            let (bad, all) =
                if is_there { (&mut counts.bad, &mut counts.all) } else { (&mut counts.other_bad, &mut counts.others) };
            *bad += usize::from(is_bad);
            *all += 1;
        }
        counts
    }

    /// The probability of at least as many failures there by chance: the tail of the hypergeometric distribution.
    pub fn chance(&self) -> f64 {
        let (all, failed) = (self.all + self.others, self.bad + self.other_bad);
        let most = failed.min(self.all);
        let ways = |bad| choose(self.all, bad) + choose(self.others, failed - bad) - choose(all, failed);
        (self.bad..=most).map(|bad| ways(bad).exp()).sum()
    }
}

/// The logarithm of the number of ways to choose `some` of `all`.
fn choose(all: usize, some: usize) -> f64 {
    if some > all {
        return f64::NEG_INFINITY;
    }
    (0..some).map(|index| (real(all - index) / real(some - index)).ln()).sum()
}
