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

mod backlog;

use std::collections::{HashSet, VecDeque};
use std::ops::Range;

use backlog::Backlog;

/// How much earlier than its slot a START may be, in seconds: cron's clock and the log's are read at two times.
const EARLY: i64 = 5;

/// The longest time from a slot to its START without a reason, in seconds.
const LONGEST_GRACE: i64 = 3 * 60;

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

/// Compares one job after the other.
#[derive(Debug)]
pub struct Comparison {
    until: i64,
    from: i64,
    /// How many jobs have a certain slot.
    jobs: usize,
    /// The certain slots that were judged, by minute from `from` on.
    due: Vec<u32>,
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
        let minutes = (period.end - period.start).max(0) / 60 + 1;
        Self {
            from: period.start,
            until: period.end,
            jobs: 0,
            due: vec![0; usize::try_from(minutes).unwrap_or(0)],
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
            while let Some(expired) = open.pop_front_if(|due| due.deadline <= start) {
                missed.push(expired);
            }
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
        if let Some(minute) = self.minute(due.at)
            && due.is_certain
        {
            self.due[minute] += 1;
        }
    }

    fn minute(&self, at: i64) -> Option<usize> {
        let minute = usize::try_from((at - self.from).div_euclid(60)).ok()?;
        (minute < self.due.len()).then_some(minute)
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
            .chunk_by(|one, other| one.at.div_euclid(60) == other.at.div_euclid(60))
            .peekable();
        for minute in 0..self.due.len() {
            if self.due[minute] == 0 {
                continue;
            }
            let here = at_minute.next_if(|missed| self.minute(missed[0].at) == Some(minute));
            let here = here.unwrap_or_default();
            let is_down = here.len() * 2 > self.due[minute] as usize;
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

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60;

    /// What is due every `step` minutes from minute 0 on, up to minute `until`.
    fn due(line: u32, step: i64, until: i64) -> Vec<Due> {
        let minutes = (0..until).step_by(usize::try_from(step).unwrap());
        let due = minutes.map(|minute| Due {
            at: minute * MINUTE,
            deadline: minute * MINUTE + grace(step * MINUTE),
            known: minute * MINUTE + longest_grace(),
            catch_up: minute * MINUTE + catch_up(true),
            line,
            is_certain: true,
        });
        due.collect()
    }

    fn compare(until: i64, jobs: Vec<(Vec<Due>, Vec<i64>)>) -> Verdict {
        let mut comparison = Comparison::new(&(0..until * MINUTE));
        for (job, (mut due, starts)) in (0..).zip(jobs) {
            comparison.add(job, &mut due, &starts);
        }
        comparison.finish()
    }

    fn minutes(missed: &[Missed]) -> Vec<i64> {
        missed.iter().map(|missed| missed.at / MINUTE).collect()
    }

    #[test]
    fn a_slot_takes_one_start_from_a_little_before_it_to_its_grace() {
        let starts = vec![-2, 5 * MINUTE + 179, 10 * MINUTE + 1, 10 * MINUTE + 2];
        let verdict = compare(30, vec![(due(7, 5, 20), starts)]);
        assert_eq!(minutes(&verdict.missed), [15]);
        assert_eq!(verdict.missed[0].line, 7);
        assert_eq!(verdict.strays, [(0, 10 * MINUTE + 2)]);
        assert_eq!(verdict.judged, 4);
    }

    #[test]
    fn a_slot_whose_grace_is_not_over_is_not_judged() {
        let verdict = compare(17, vec![(due(0, 5, 20), vec![1, 301, 601])]);
        assert_eq!(verdict.missed, []);
        assert_eq!(verdict.judged, 3);
    }

    #[test]
    fn a_line_of_every_minute_misses_the_right_minute() {
        let starts = (0..10)
            .filter(|minute| *minute != 4)
            .map(|minute| minute * MINUTE + 1);
        let verdict = compare(12, vec![(due(0, 1, 10), starts.collect())]);
        assert_eq!(minutes(&verdict.missed), [4]);
        assert_eq!(verdict.strays, []);
    }

    /// The slots of a line of every minute that are missing, in a report at each of these minutes.
    ///
    /// The start of slot N comes `delay(N)` seconds after it, if it has one.
    fn missed_at_each_minute(
        until: i64,
        delay: impl Fn(i64) -> Option<i64>,
    ) -> Vec<(i64, Vec<i64>)> {
        let starts = (0..until).filter_map(|slot| Some(slot * MINUTE + delay(slot)?));
        let starts: Vec<i64> = starts.collect();
        let reports = (1..until).map(|now| {
            let before = starts.iter().copied().filter(|start| *start < now * MINUTE);
            let verdict = compare(now, vec![(due(0, 1, until), before.collect())]);
            assert_eq!(verdict.strays, [], "{now}");
            (now, minutes(&verdict.missed))
        });
        reports.filter(|(_, missed)| !missed.is_empty()).collect()
    }

    /// A delay that grows from minute 5 on by `growth` seconds a minute up to `most`, and is over after minute 40 in the
    /// same way.
    fn swelling(slot: i64, growth: i64, most: i64) -> i64 {
        1 + (growth * (slot - 5).min(40 - slot)).clamp(0, most)
    }

    #[test]
    fn starts_that_are_late_for_some_time_are_no_alarm_at_any_moment() {
        for growth in [5, 10, 20, 30, 50] {
            for most in [50, 64, 70, 90, 130, 150, 170] {
                let delay = |slot| Some(swelling(slot, growth, most));
                assert_eq!(missed_at_each_minute(80, delay), [], "{growth} {most}");
            }
        }
    }

    #[test]
    fn starts_that_are_late_all_at_once_are_no_alarm_in_the_end() {
        for most in [70, 90, 130, 170] {
            let alarms = missed_at_each_minute(80, |slot| Some(swelling(slot, 1000, most)));
            let last = alarms.last().map_or(0, |(now, _)| *now);
            assert!(last <= 43, "{most}: {alarms:?}");
        }
    }

    #[test]
    fn a_slot_that_is_missed_among_prompt_starts_is_known_after_three_minutes() {
        let alarms = missed_at_each_minute(20, |slot| (slot != 10).then_some(2));
        let expected: Vec<_> = (13..20).map(|now| (now, vec![10])).collect();
        assert_eq!(alarms, expected);
    }

    #[test]
    fn a_slot_that_is_missed_among_late_starts_is_known_in_the_end() {
        let delay = |slot| (slot != 10).then_some(if (8..20).contains(&slot) { 40 } else { 1 });
        let alarms = missed_at_each_minute(120, delay);
        assert!(
            alarms.iter().all(|(_, missed)| *missed == [10]),
            "{alarms:?}"
        );
        assert_eq!(alarms.last().unwrap(), &(119, vec![10]));
    }

    #[test]
    fn a_start_by_hand_does_not_hide_a_slot_that_was_missed_long_before() {
        let slots = (0..100).filter(|slot| *slot != 10);
        let mut starts: Vec<i64> = slots.map(|slot| slot * MINUTE + 2).collect();
        starts.push(50 * MINUTE + 30);
        starts.sort_unstable();
        let verdict = compare(110, vec![(due(0, 1, 100), starts)]);
        assert_eq!(minutes(&verdict.missed), [10]);
        assert_eq!(verdict.strays, [(0, 50 * MINUTE + 30)]);
    }

    #[test]
    fn a_conditional_slot_is_counted_apart_and_leaves_a_start_to_a_certain_one() {
        let mut both = due(0, 5, 10);
        both.extend(due(1, 5, 10).into_iter().map(|due| Due {
            is_certain: false,
            ..due
        }));
        let verdict = compare(30, vec![(both, vec![0, 300])]);
        assert_eq!(verdict.missed, []);
        assert_eq!(minutes(&verdict.perhaps), [0, 5]);
        assert_eq!(verdict.perhaps[0].line, 1);
    }

    #[test]
    fn what_cron_catches_up_on_is_late_and_not_missed() {
        // Stopped from minute 2 to minute 5, then all at once.
        let starts = vec![1, 61, 301, 301, 301, 301, 361];
        let verdict = compare(20, vec![(due(0, 1, 7), starts)]);
        assert_eq!(verdict.missed, []);
        assert_eq!(verdict.strays, []);
        let late: Vec<_> = verdict
            .late
            .iter()
            .map(|(missed, start)| (missed.at / MINUTE, *start))
            .collect();
        assert_eq!(late, [(2, 301), (3, 301), (4, 301)]);
    }

    #[test]
    fn slots_that_most_lines_miss_at_once_are_one_outage() {
        let up = |minute: &i64| !(10..20).contains(minute);
        let starts = |step| -> Vec<i64> {
            let minutes = (0..60).step_by(step).filter(up);
            minutes.map(|minute| minute * MINUTE + 1).collect()
        };
        let mut jobs = vec![
            (due(0, 1, 60), starts(1)),
            (due(1, 1, 60), starts(1)),
            (due(2, 5, 60), starts(5)),
            (due(3, 30, 60), starts(30)),
        ];
        // One more job misses a slot of its own, and one misses all.
        jobs[3].1.pop();
        jobs.push((due(4, 20, 60), vec![]));
        let verdict = compare(70, jobs);
        assert_eq!(verdict.outages.len(), 1);
        let outage = &verdict.outages[0];
        assert_eq!((outage.first / MINUTE, outage.last / MINUTE), (10, 19));
        assert_eq!(outage.known, 13 * MINUTE, "the third job is missing");
        assert_eq!((outage.jobs, outage.missed.len()), (3, 22));
        assert_eq!(minutes(&verdict.missed), [0, 20, 30, 40]);
        assert_eq!(verdict.missed[2].job, 3);
    }

    #[test]
    fn two_jobs_that_are_missing_are_an_outage_only_where_there_is_no_third() {
        let never = |line| (due(line, 5, 10), vec![]);
        let verdict = compare(
            70,
            vec![never(0), never(1), (due(2, 20, 60), vec![1, 1201, 2401])],
        );
        assert_eq!(verdict.outages, []);
        assert_eq!(minutes(&verdict.missed), [0, 0, 5, 5]);
        let verdict = compare(70, vec![never(0), never(1)]);
        assert_eq!(verdict.outages.len(), 1);
        assert_eq!(verdict.outages[0].missed.len(), 4);
        assert_eq!(verdict.outages[0].known, 3 * MINUTE);
        let verdict = compare(70, vec![never(0)]);
        assert_eq!(verdict.outages, []);
    }
}
