//! The slots of lines against the STARTs of their jobs: which run is missing, and why it may be.
//!
//! The rule. A START is its slot's from five seconds before the slot until the next slot, but for three minutes at
//! most; of two slots that are open, the earlier one takes it. A START for which no slot is open belongs to a slot that
//! cron was catching up on, or to late STARTs in a row (`backlog`), or to none. A slot is missing when it has no START
//! for three minutes. That is also so where the next slot is sooner: the START may still come, and then one of the two
//! next STARTs is one too many for their slots.
//!
//! Times are seconds of the machine's local time, counted as if that were UTC: so the log has them. An hour that
//! comes twice then has its slots twice, and its STARTs too.

#[cfg(test)]
#[path = "comparison_tests.rs"]
mod tests;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ops::Range;

use super::late::Backlog;

/// How much earlier than its slot a START may be, in seconds: cron's clock and the log's are read at two times.
pub const EARLY: i64 = 5;

/// The longest time from a slot to its START without a reason, in seconds.
pub const LONGEST_GRACE: i64 = 3 * 60;

/// The shortest, where a random wait leaves less before the next slot.
const SHORTEST_GRACE: i64 = 20;

/// A daemon that was stopped for so many seconds at most runs afterwards all that was due.
const CATCH_UP: i64 = 6 * 60;

/// The same for lines whose minute and hour do not begin with `*`.
const CATCH_UP_FIXED_TIME: i64 = 3 * 3600;

/// So many jobs that are missing together are one incident, or both where there are only two.
const TOGETHER: usize = 3;

/// A START that is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The slot, with the time that the line is known to wait.
    pub at: i64,
    /// The first second in which a START is rather the next slot's.
    pub deadline: i64,
    /// The first second in which a START is no longer the slot's. It is later than `deadline` where slots are less
    /// than three minutes apart.
    pub known: i64,
    /// The first second in which a daemon that catches up no longer starts it.
    pub catch_up: i64,
    /// The line, by a number of the caller's.
    pub line: u32,
    /// The line has no reason to leave it out.
    pub is_certain: bool,
}

/// A slot without a START.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Missed {
    /// The slot.
    pub at: i64,
    /// Its job, by a number of the caller's.
    pub job: u32,
    /// Its line, by a number of the caller's.
    pub line: u32,
    /// The first second in which it is known that the START has not come in time.
    pub known: i64,
}

/// A time in which most lines missed their slots: cron or the machine was not running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// The first second in which so many jobs are known to be missing that it is no fault of theirs.
    pub known: i64,
    /// The first and the last slot that was missed.
    pub first: i64,
    /// The last one.
    pub last: i64,
    /// How many jobs missed a slot.
    pub jobs: usize,
    /// The slots.
    pub missed: Vec<Missed>,
}

/// What the comparison has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// How many slots were judged.
    pub judged: u64,
    /// Slots that were missed for no known reason, by time, without those of the outages.
    pub missed: Vec<Missed>,
    /// Slots that a line may have left out, as behind `flock -n`.
    pub perhaps: Vec<Missed>,
    /// Slots whose START came so late that cron was catching up, and the START.
    pub late: Vec<(Missed, i64)>,
    /// STARTs without a slot: the job and the time.
    pub strays: Vec<(u32, i64)>,
    /// The outages, by time.
    pub outages: Vec<Outage>,
}

/// The minutes of a day.
const MINUTES: usize = 24 * 60;
const DAY: i64 = MINUTES as i64;

/// The minute of a second, counted as that is.
fn minute(at: i64) -> i64 {
    at.div_euclid(60)
}

/// Compares one job after the other.
#[derive(Debug)]
pub struct Comparison {
    until: i64,
    from: i64,
    /// How many jobs have a certain slot.
    jobs: usize,
    /// The certain slots that were judged, by the day and its minute. A log may have days that are thousands of years
    /// apart.
    due: BTreeMap<i64, Vec<u32>>,
    verdict: Verdict,
}

/// The time in which a START is its slot's, for a line that has `interval` until its next slot.
pub fn grace(interval: i64) -> i64 {
    interval.clamp(SHORTEST_GRACE, LONGEST_GRACE)
}

/// The time after which a START without a reason to wait is missing.
pub const fn longest_grace() -> i64 {
    LONGEST_GRACE
}

/// How late a daemon that was stopped may start a line.
pub fn catch_up(is_wildcard: bool) -> i64 {
    if is_wildcard {
        CATCH_UP
    } else {
        CATCH_UP_FIXED_TIME
    }
}

impl Comparison {
    /// A comparison of slots in `period`. A slot whose START may still come after it is not judged.
    pub fn new(period: &Range<i64>) -> Self {
        Self {
            from: period.start,
            until: period.end,
            jobs: 0,
            due: BTreeMap::new(),
            verdict: Verdict::default(),
        }
    }

    /// Compares what is due of one job, on all of its lines, with its STARTs, which are in the order of time.
    ///
    /// A job that is on no line has nothing due, and all of its STARTs are strays.
    pub fn add(&mut self, job: u32, due: &mut [Due], starts: &[i64]) {
        due.sort_unstable_by_key(|due| due.at);
        self.jobs += usize::from(due.iter().any(|due| due.is_certain));
        let mut due = due.iter().copied().peekable();
        // The slots that the next START may belong to, the first deadline in front.
        let mut open: VecDeque<Due> = VecDeque::new();
        // The slots that cron may still catch up on.
        let mut missed: Vec<Due> = Vec::new();
        let mut backlog = Backlog::new();
        for &start in starts {
            while let Some(next) = due.next_if(|due| due.at - EARLY <= start) {
                insert(&mut open, next);
            }
            let expired = open.iter().take_while(|due| due.deadline <= start).count();
            missed.extend(open.drain(..expired));
            if let Some(found) = open.pop_front() {
                self.count(&found);
                if found.deadline < found.known {
                    backlog.push(found, start, missed.last_mut());
                }
            } else if let Some(late) = missed.pop_if(|due| start < due.catch_up) {
                self.count(&late);
                self.verdict.late.push((late.missed(job), start));
            } else if let Some(late) = missed.pop_if(|due| backlog.takes(due, start)) {
                self.count(&late);
            } else {
                self.verdict.strays.push((job, start));
            }
        }
        let until = self.until;
        while let Some(late) = missed.pop_if(|due| backlog.goes_on(due, until)) {
            self.count(&late);
        }
        let late = backlog.late();
        self.verdict
            .late
            .extend(late.map(|(due, start)| (due.missed(job), start)));
        missed.extend(open.into_iter().chain(due));
        missed.retain(|due| due.known <= until);
        for due in missed {
            self.count(&due);
            let missed = due.missed(job);
            if due.is_certain {
                self.verdict.missed.push(missed);
            } else {
                self.verdict.perhaps.push(missed);
            }
        }
    }

    fn count(&mut self, due: &Due) {
        self.verdict.judged += 1;
        if due.is_certain && (self.from..self.until).contains(&due.at) {
            let minute = minute(due.at);
            let day = self.due.entry(minute.div_euclid(DAY));
            let minutes = day.or_insert_with(|| vec![0; MINUTES]);
            if let Ok(minute) = usize::try_from(minute.rem_euclid(DAY)) {
                minutes[minute] += 1;
            }
        }
    }

    /// All that was found.
    pub fn finish(mut self) -> Verdict {
        let mut missed = std::mem::take(&mut self.verdict.missed);
        missed.sort_unstable();
        self.verdict.perhaps.sort_unstable();
        self.verdict.late.sort_unstable();
        self.verdict
            .strays
            .sort_unstable_by_key(|(job, at)| (*at, *job));
        let mut is_together = Vec::new();
        let mut at_minute = missed
            .chunk_by(|one, other| minute(one.at) == minute(other.at))
            .peekable();
        let by_day = std::mem::take(&mut self.due);
        let by_minute = by_day.iter().flat_map(|(day, minutes)| {
            let due = (day * DAY..).zip(minutes);
            due.filter(|(_, due)| **due > 0)
        });
        for (at, due) in by_minute {
            let here = at_minute.next_if(|missed| minute(missed[0].at) == at);
            let here = here.unwrap_or_default();
            let is_down = here.len() * 2 > *due as usize;
            if is_down {
                is_together.extend(here);
            } else {
                self.end_outage(&mut is_together);
                self.verdict.missed.extend(here);
            }
        }
        self.end_outage(&mut is_together);
        self.verdict.missed.sort_unstable();
        self.verdict
    }

    /// So many jobs are an outage.
    fn together(&self) -> usize {
        self.jobs.clamp(2, TOGETHER)
    }

    /// Ends a row of minutes in which most slots were missed.
    fn end_outage(&mut self, missed: &mut Vec<Missed>) {
        let missed = std::mem::take(missed);
        let jobs: HashSet<u32> = missed.iter().map(|missed| missed.job).collect();
        if let (Some(first), Some(last)) = (missed.first(), missed.last())
            && jobs.len() >= self.together()
        {
            let known = known(&missed, self.together());
            self.verdict.outages.push(Outage {
                known,
                first: first.at,
                last: last.at,
                jobs: jobs.len(),
                missed,
            });
        } else {
            self.verdict.missed.extend(missed);
        }
    }
}

/// The first second in which so many jobs are known to be missing.
fn known(missed: &[Missed], together: usize) -> i64 {
    let mut missed: Vec<&Missed> = missed.iter().collect();
    missed.sort_unstable_by_key(|missed| missed.known);
    let mut jobs = HashSet::new();
    let decisive = missed.iter().find(|missed| {
        jobs.insert(missed.job);
        jobs.len() >= together
    });
    decisive.or(missed.last()).map_or(0, |missed| missed.known)
}

impl Due {
    fn missed(&self, job: u32) -> Missed {
        Missed {
            at: self.at,
            job,
            line: self.line,
            known: self.known,
        }
    }

    /// The order in which slots take STARTs: the earlier deadline, and then what has to come.
    fn order(&self) -> (i64, bool) {
        (self.deadline, !self.is_certain)
    }
}

/// Puts a slot in its place. Nearly always that is the last one.
fn insert(open: &mut VecDeque<Due>, due: Due) {
    let before = open
        .iter()
        .rev()
        .take_while(|other| other.order() > due.order())
        .count();
    open.insert(open.len() - before, due);
}
