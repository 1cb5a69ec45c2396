//! Compares the slots of lines with the STARTs of their jobs.
//!
//! **The rule.** A START matches a slot from 5 s before the slot until the next slot, for at most 3 minutes. If two
//! slots match, the earlier wins. Any other START belongs to a slot that cron was catching up on, to a row of late
//! STARTs (`late`), or to no slot. A slot without a START for 3 minutes is missed, even if the next slot comes
//! sooner: if its START still came, one of the next two STARTs would be one too many.
//!
//! Times are seconds of local time, counted as if local time were UTC, because the log has local times. In an hour
//! that comes twice, both the slots and the STARTs come twice.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ops::Range;

use super::due::{Due, EARLY};
use super::late::LateStarts;

/// The number of jobs that make an outage. If there are only two jobs, both.
const TOGETHER: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MissedSlot {
    pub at: i64,
    /// The caller's number of the job.
    pub job: u32,
    /// The caller's number of the line.
    pub line: u32,
    /// The first second in which the START is certainly missing.
    pub detected_at: i64,
}

/// A time in which most lines missed their slots: cron or the machine was not running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotOutage {
    /// The first second in which enough jobs are missing.
    pub detected_at: i64,
    pub missed: Vec<MissedSlot>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComparisonResult {
    /// The missed slots outside the outages, by time.
    pub missed: Vec<MissedSlot>,
    /// Slots that the line itself may have skipped, as behind `flock -n`.
    pub perhaps: Vec<MissedSlot>,
    /// Slots that cron caught up on, each with the time of the START.
    pub late: Vec<(MissedSlot, i64)>,
    /// STARTs without a slot: the job and the time.
    pub strays: Vec<(u32, i64)>,
    /// By time.
    pub outages: Vec<SlotOutage>,
}

const MINUTES: usize = 24 * 60;
const DAY: i64 = 24 * 60;

fn minute(at: i64) -> i64 {
    at.div_euclid(60)
}

#[derive(Default)]
pub struct Comparison {
    until: i64,
    from: i64,
    /// The number of jobs that have a certain slot.
    jobs: usize,
    /// The certain slots that were judged, by day and minute. Days may be thousands of years apart in a log.
    due: BTreeMap<i64, Vec<u32>>,
    verdict: ComparisonResult,
}

impl Comparison {
    /// Compares the slots in `period`, except those whose START may still come after it.
    pub fn new(period: &Range<i64>) -> Self {
        Self { from: period.start, until: period.end, ..Self::default() }
    }

    /// Compares the slots of one job, on all of its lines, with its STARTs, which are sorted by time. If a job is on no
    /// line, all of its STARTs are strays.
    pub fn add(&mut self, job: u32, due: &mut [Due], starts: &[i64]) {
        due.sort_unstable_by_key(|due| due.at);
        self.jobs += usize::from(due.iter().any(|due| due.is_certain));
        let delay = usual_delay(due, starts);
        let mut due = due.iter().copied().peekable();
        // Slots that may match the next START, sorted by deadline.
        let mut open: VecDeque<Due> = VecDeque::new();
        // Slots that cron may still catch up on.
        let mut missed: Vec<Due> = Vec::new();
        let mut late_starts = LateStarts::new(delay);
        for &start in starts {
            while let Some(next) = due.next_if(|due| due.at - EARLY <= start) {
                insert(&mut open, next);
            }
            let expired = open.iter().take_while(|due| due.deadline <= start).count();
            missed.extend(open.drain(..expired));
            if let Some(found) = open.pop_front() {
                self.count(&found);
                if found.deadline < found.detected_at {
                    late_starts.push(found, start, missed.last_mut());
                }
            } else if let Some(late) = missed.pop_if(|due| start < due.catch_up) {
                self.count(&late);
                self.verdict.late.push((late.missed(job), start));
            } else if let Some(late) = missed.pop_if(|due| late_starts.takes(due, start)) {
                self.count(&late);
            } else {
                self.verdict.strays.push((job, start));
            }
        }
        let until = self.until;
        while let Some(late) = missed.pop_if(|due| late_starts.goes_on(due, until)) {
            self.count(&late);
        }
        let late = late_starts.late();
        self.verdict.late.extend(late.map(|(due, start)| (due.missed(job), start)));
        missed.extend(open.into_iter().chain(due));
        missed.retain(|due| due.detected_at <= until);
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
        if due.is_certain && (self.from..self.until).contains(&due.at) {
            let minute = minute(due.at);
            let minutes = self.due.entry(minute.div_euclid(DAY)).or_insert_with(|| vec![0; MINUTES]);
            if let Ok(minute) = usize::try_from(minute.rem_euclid(DAY)) {
                minutes[minute] += 1;
            }
        }
    }

    pub fn finish(mut self) -> ComparisonResult {
        let mut missed = std::mem::take(&mut self.verdict.missed);
        missed.sort_unstable();
        self.verdict.perhaps.sort_unstable();
        self.verdict.late.sort_unstable();
        self.verdict.strays.sort_unstable_by_key(|(job, at)| (*at, *job));
        let mut is_together = Vec::new();
        let mut at_minute = missed.chunk_by(|one, other| minute(one.at) == minute(other.at)).peekable();
        let by_day = std::mem::take(&mut self.due);
        let by_minute = by_day.iter().flat_map(|(day, minutes)| {
            let due = (day * DAY..).zip(minutes);
            due.filter(|(_, due)| **due > 0)
        });
        for (at, due) in by_minute {
            let here = at_minute.next_if(|missed| minute(missed[0].at) == at).unwrap_or_default();
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

    /// Ends a row of minutes in which most lines missed their slots.
    fn end_outage(&mut self, missed: &mut Vec<MissedSlot>) {
        let missed = std::mem::take(missed);
        match detected_at(&missed, self.jobs.clamp(2, TOGETHER)) {
            Some(detected_at) => self.verdict.outages.push(SlotOutage { detected_at, missed }),
            None => self.verdict.missed.extend(missed),
        }
    }
}

/// The delay in seconds that nine of ten STARTs have at least. A period of late STARTs does not change it.
fn usual_delay(due: &[Due], starts: &[i64]) -> i64 {
    let mut slots = due.iter().map(Due::latest_without_delay).peekable();
    let mut last = None;
    let mut delays: Vec<i64> = starts
        .iter()
        .filter_map(|start| {
            while let Some(slot) = slots.next_if(|slot| slot - EARLY <= *start) {
                last = Some(slot);
            }
            Some(start - last?)
        })
        .collect();
    if delays.is_empty() {
        return 0;
    }
    let tenth = delays.len() / 10;
    *delays.select_nth_unstable(tenth).1
}

/// The second in which the number of missing jobs reaches `together`, if it ever does.
fn detected_at(missed: &[MissedSlot], together: usize) -> Option<i64> {
    let mut missed: Vec<&MissedSlot> = missed.iter().collect();
    missed.sort_unstable_by_key(|missed| missed.detected_at);
    let mut jobs = HashSet::new();
    let decisive = missed.into_iter().find(|missed| {
        jobs.insert(missed.job);
        jobs.len() >= together
    });
    decisive.map(|missed| missed.detected_at)
}

impl Due {
    fn missed(&self, job: u32) -> MissedSlot {
        MissedSlot { at: self.at, job, line: self.line, detected_at: self.detected_at }
    }

    /// The order in which slots take STARTs: by deadline, certain slots first.
    fn order(&self) -> (i64, bool) {
        (self.deadline, !self.is_certain)
    }
}

/// Inserts a slot by its order. Nearly always that is at the end.
fn insert(open: &mut VecDeque<Due>, due: Due) {
    let before = open.iter().rev().take_while(|other| other.order() > due.order()).count();
    open.insert(open.len() - before, due);
}
