//! Checks the slots of the expected jobs against the STARTs.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use super::missed::{Delay, Gap, MissedStarts, Outage, Slot};
use super::{Expected, ExpectedJob};
use crate::clock::{local_seconds, local_time, of_local_seconds as time, with_offset};
use crate::cron::{self, ClockInterval, Comparison, ComparisonResult, MissedSlot, Zone, clock_intervals};
use crate::report::history::scope::Scope;
use crate::report::logs::scheduler::Scheduler;
use crate::report::runs::assembler::ClockBack;

/// How long before the logs begin slots are matched too, without being missed: their STARTs may come late.
const LEAD: TimeDelta = TimeDelta::hours(4);
/// The longest time, in seconds, that may have come twice. The clock of a copied log may be years off.
const LONGEST_REPEATED: i64 = 24 * 3600;
/// The most slots that are checked: a hostile crontab must not take unlimited time and memory.
const MAX_SLOTS: i64 = 20_000_000;
/// The most earlier runs that are examined to find a run that was going on at a slot.
const MAX_RUNS: usize = 100;
/// A job that misses this many slots before its first START may be new.
const MIN_NEW: usize = 3;
/// The longest time between two late STARTs that belong together: an overloaded machine may start hundreds one by one.
const IN_A_ROW: TimeDelta = TimeDelta::minutes(15);

/// The STARTs that were read of each scheduler, of all users. Outside the time of these, no START is missing.
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

/// The time to check, in local time.
pub struct Timeframe<'a> {
    /// The period that is shown. What comes after it is not checked.
    pub scope: &'a Scope,
    /// Whether an earlier report has shown what was detected before the period.
    pub is_news: bool,
    /// Only logs that were written to since then were read.
    pub read_from: Option<NaiveDateTime>,
    /// The first day with a log of each scheduler, read or not.
    pub first_days: &'a [(Scheduler, NaiveDate)],
    /// The STARTs that were read.
    pub coverage: &'a Coverage,
    pub back: &'a [ClockBack],
}

impl Timeframe<'_> {
    /// The workers of a scheduler that have logs.
    fn workers(&self, scheduler: Scheduler) -> BTreeSet<Scheduler> {
        let workers = self.first_days.iter().map(|(worker, _)| *worker).chain(self.coverage.keys().copied());
        workers.filter(|worker| worker.whole() == scheduler).collect()
    }

    /// The local time since which all STARTs of a scheduler were read, on all of its workers.
    fn from(&self, scheduler: Scheduler) -> Option<NaiveDateTime> {
        self.workers(scheduler).into_iter().filter_map(|worker| self.begin_on(worker)).max()
    }

    /// The local time since which all STARTs on a worker were read.
    ///
    /// With older logs that is `read_from`, otherwise the first START that was read: the time before is unknown.
    fn begin_on(&self, worker: Scheduler) -> Option<NaiveDateTime> {
        let first = self.coverage.get(&worker).and_then(|covered| covered.first);
        let first_day = self.first_days.iter().find(|(it, _)| *it == worker);
        match (self.read_from, first_day) {
            (Some(read_from), Some((_, day))) if *day < read_from.date() => Some(read_from),
            (Some(read_from), _) => first.map(|first| first.max(read_from)),
            (None, _) => first,
        }
    }

    /// The local time up to which all STARTs were read. A copy of another machine's logs may be old, so it counts up to
    /// its last START. The copies of several workers are taken to be of one time.
    fn until(&self, scheduler: Scheduler) -> NaiveDateTime {
        let remote = self.workers(scheduler).into_iter().filter(|worker| worker.is_remote());
        let last = remote.filter_map(|worker| self.coverage.get(&worker)?.last).max();
        last.map_or(self.scope.now, |last| last.min(self.scope.now))
    }

    /// The days to check, or None for all. If logs were given one by one, whole days may be absent.
    fn days(&self, scheduler: Scheduler) -> Option<&BTreeSet<NaiveDate>> {
        let are_all = self.read_from.is_some() || !self.first_days.is_empty();
        let covered = self.coverage.get(&scheduler).filter(|_| !are_all);
        covered.map(|covered| &covered.days)
    }
}

impl Expected {
    pub fn check(&mut self, timeframe: &Timeframe) -> MissedStarts {
        self.leave_out_uncollected();
        for job in &mut self.jobs {
            job.starts.sort_unstable();
            job.ends.sort_unstable();
        }
        let schedulers: BTreeSet<Scheduler> = self.jobs.iter().map(|job| job.scheduler).collect();
        let mut found = MissedStarts::default();
        for scheduler in schedulers {
            let from = timeframe.from(scheduler);
            let until = timeframe.until(scheduler);
            let from = from.filter(|from| *from < until);
            let days = timeframe.days(scheduler);
            let from = from.map(|from| self.bounded(from, until, days));
            found.checked_from.push((scheduler, from));
            if let Some(from) = from {
                let repeated = self.repeated(timeframe.back, scheduler);
                let checker = SlotChecker { expected: self, timeframe, scheduler, from, until, days, repeated };
                checker.check(&mut found);
            }
        }
        for job in &mut self.jobs {
            // Of a long log these are tens of megabytes, and the diagnosis comes next.
            job.starts.truncate(1);
            job.starts.shrink_to_fit();
        }
        found
    }

    /// The times that came twice because the clock of a scheduler went back. Each begins with the last START before the
    /// time to which the clock went back: if the clock had been set ahead before, nothing was started in between.
    fn repeated(&self, back: &[ClockBack], scheduler: Scheduler) -> Vec<Range<i64>> {
        let back = back.iter().filter(|back| back.scheduler == scheduler);
        let times = back.map(|back| {
            let (from, to) = (local_seconds(back.from), local_seconds(back.to));
            let jobs = self.jobs.iter().filter(|job| job.scheduler == scheduler);
            let last = |job: &ExpectedJob| job.starts.iter().rfind(|at| **at < to).copied();
            jobs.filter_map(last).max().unwrap_or(to)..from.min(to + LONGEST_REPEATED) + 60
        });
        times.collect()
    }

    /// The later of `from` and the time since which there are at most [`MAX_SLOTS`] slots, on all days or on `days`.
    fn bounded(&self, from: NaiveDateTime, until: NaiveDateTime, days: Option<&BTreeSet<NaiveDate>>) -> NaiveDateTime {
        let lines = self.jobs.iter().flat_map(|job| &job.lines);
        let per_day = lines.map(|it| i64::from(it.timing.minutes.count_ones() * it.timing.hours.count_ones()));
        let most = MAX_SLOTS / per_day.sum::<i64>().max(1);
        let earliest = match days {
            None => TimeDelta::try_days(most).and_then(|most| until.checked_sub_signed(most)),
            Some(days) => {
                let before = usize::try_from(most).ok();
                let days = days.range(..=until.date());
                let first = before.and_then(|before| days.rev().nth(before));
                first.and_then(NaiveDate::succ_opt).map(NaiveDateTime::from)
            }
        };
        earliest.map_or(from, |earliest| from.max(earliest))
    }
}

impl ExpectedJob {
    /// Whether a run was going on at this time, for lines that may skip a run.
    fn goes_on_at(&self, time: i64) -> bool {
        let before = self.ends.partition_point(|(start, _)| *start < time);
        self.ends[..before].iter().rev().take(MAX_RUNS).any(|(_, end)| *end >= time)
    }
}

/// Checks the jobs of one scheduler.
struct SlotChecker<'a> {
    expected: &'a Expected,
    timeframe: &'a Timeframe<'a>,
    scheduler: Scheduler,
    from: NaiveDateTime,
    until: NaiveDateTime,
    /// None for all days.
    days: Option<&'a BTreeSet<NaiveDate>>,
    /// The times that came twice because the clock went back, in seconds of local time.
    repeated: Vec<Range<i64>>,
}

impl SlotChecker<'_> {
    fn check(&self, found: &mut MissedStarts) {
        let clock_intervals = self.clock_intervals();
        let period = local_seconds(self.from)..local_seconds(self.until);
        // A file that cron ignores does not imply that cron was down.
        let mut sound = Comparison::new(&period);
        let mut ignored = Comparison::new(&period);
        for (number, job) in self.jobs() {
            let comparison = if job.lines.iter().all(|line| line.is_ignored) { &mut ignored } else { &mut sound };
            self.compare(comparison, number, job, &clock_intervals);
        }
        self.add(found, sound.finish(), false);
        self.add(found, ignored.finish(), true);
        let on_no_line = self.expected.on_no_line.iter();
        let is_stray = |(scheduler, start): &&(Scheduler, NaiveDateTime)| {
            *scheduler == self.scheduler && *start >= self.from.max(self.timeframe.scope.since)
        };
        found.strays += on_no_line.filter(is_stray).count() as u64;
    }

    /// The minutes of the daemon on the days that are checked: one wrong date in a log would add thousands of years.
    fn clock_intervals(&self) -> Vec<ClockInterval> {
        let minute = |time: NaiveDateTime| with_offset(time).timestamp().div_euclid(60);
        let of_period = |from: NaiveDateTime, until: NaiveDateTime| {
            let from = from.checked_sub_signed(LEAD).unwrap_or(from);
            clock_intervals(&Zone::Machine, minute(from), minute(until) + 1)
        };
        let Some(days) = self.days else { return of_period(self.from, self.until) };
        let days: Vec<NaiveDate> = days.range(self.from.date()..=self.until.date()).copied().collect();
        let in_a_row = days.chunk_by(|one, other| one.succ_opt() == Some(*other));
        let period = |days: &[NaiveDate]| {
            let begin = NaiveDateTime::from(*days.first()?).max(self.from);
            let end = days.last()?.succ_opt().map(NaiveDateTime::from);
            Some((begin, end.unwrap_or(self.until).min(self.until)))
        };
        in_a_row.filter_map(period).flat_map(|(begin, end)| of_period(begin, end)).collect()
    }

    fn jobs(&self) -> impl Iterator<Item = (u32, &ExpectedJob)> {
        let jobs = (0..).zip(&self.expected.jobs);
        jobs.filter(|(_, job)| job.scheduler == self.scheduler)
    }

    fn compare(&self, comparison: &mut Comparison, number: u32, job: &ExpectedJob, clock_intervals: &[ClockInterval]) {
        let mut due = Vec::new();
        for (line, entry) in (0..).zip(&job.lines) {
            let mut of_line = entry.due(clock_intervals, line);
            if entry.changed.is_none() {
                // A crontab on standard input has been the same at least since the job's first START.
                let Some(first) = job.starts.first().copied() else { continue };
                let first = of_line.iter().map(|due| due.at).filter(|at| *at <= first).max().unwrap_or(first);
                of_line.retain(|due| due.at >= first);
            }
            if entry.waits_for_last {
                for due in &mut of_line {
                    due.is_certain &= !job.goes_on_at(due.at);
                }
            }
            due.extend(of_line);
        }
        for due in &mut due {
            due.is_certain &= self.is_judged(due.at);
        }
        comparison.add(number, &mut due, &job.starts);
    }

    fn is_judged(&self, at: i64) -> bool {
        let is_day = |days: &BTreeSet<NaiveDate>| days.contains(&time(at).date());
        let is_repeated = || self.repeated.iter().any(|times| times.contains(&at));
        at >= local_seconds(self.from) && self.days.is_none_or(is_day) && !is_repeated()
    }

    /// Adds what was found of the jobs that pass the filter.
    fn add(&self, found: &mut MissedStarts, mut result: ComparisonResult, is_ignored: bool) {
        if is_ignored {
            let outages = result.outages.drain(..).flat_map(|outage| outage.missed);
            result.missed.extend(outages);
        }
        self.count(found, &result);
        for outage in &mut result.outages {
            result.missed.extend(self.reported_before(outage));
        }
        found.gaps.extend(self.gaps(result.missed, is_ignored));
        let outages = result.outages.into_iter().map(|outage| Outage {
            detected_at: time(outage.detected_at),
            over: outage.missed.last().and_then(|last| self.next_start(last.at)),
            slots: self.slots(&outage.missed),
            scheduler: self.scheduler,
        });
        found.outages.extend(outages.filter(|outage| !outage.slots.is_empty()));
        found.delays.extend(self.delays(result.late));
    }

    /// Removes from an outage the slots that an earlier report showed one by one, before the outage was detected.
    fn reported_before(&self, outage: &mut cron::SlotOutage) -> Vec<MissedSlot> {
        let reported = self.timeframe.scope.since;
        if !self.timeframe.is_news || reported > time(outage.detected_at) {
            return Vec::new();
        }
        let reported_before = |missed: &mut MissedSlot| time(missed.detected_at) < reported;
        outage.missed.extract_if(.., reported_before).collect()
    }

    fn count(&self, found: &mut MissedStarts, result: &ComparisonResult) {
        let is_shown = |at: i64| time(at) >= self.timeframe.scope.since && self.is_judged(at);
        for missed in result.perhaps.iter().filter(|missed| is_shown(missed.at)) {
            found.perhaps += 1;
            let job = &self.expected.jobs[missed.job as usize];
            found.still_going += u64::from(job.goes_on_at(missed.at));
        }
        let is_stray = |(job, at): &&(u32, i64)| {
            let mut lines = self.expected.jobs[*job as usize].lines.iter();
            let has_line = lines.all(|entry| {
                let is_unchanged = |changed| time(*at) >= local_time(changed);
                !entry.timing.is_reboot && entry.changed.is_none_or(is_unchanged)
            });
            has_line && is_shown(*at)
        };
        found.strays += result.strays.iter().filter(is_stray).count() as u64;
    }

    /// Groups the slots of each job that have no START between them.
    fn gaps(&self, mut missed: Vec<MissedSlot>, is_ignored: bool) -> Vec<Gap> {
        missed.sort_unstable_by_key(|missed| (missed.job, missed.at));
        let next_start = |missed: &MissedSlot| self.expected.jobs[missed.job as usize].next_start(missed.at);
        let in_a_row =
            missed.chunk_by(|one, other| one.job == other.job && next_start(one).is_none_or(|start| start > other.at));
        let may_be_new = |missed: &[MissedSlot]| {
            let starts = &self.expected.jobs[missed[0].job as usize].starts;
            missed.len() >= MIN_NEW && starts.first().is_some_and(|start| *start > missed[0].at)
        };
        let gap = |missed: &[MissedSlot]| Gap {
            over: missed.last().and_then(next_start).map(time),
            slots: self.slots(missed),
            is_ignored,
            may_be_new: may_be_new(missed),
        };
        in_a_row.map(gap).filter(|gap| !gap.slots.is_empty()).collect()
    }

    fn delays(&self, mut late: Vec<(MissedSlot, i64)>) -> Vec<Delay> {
        late.retain(|(missed, _)| self.is_judged(missed.at));
        late.sort_unstable_by_key(|(missed, start)| (*start, *missed));
        let in_a_row = late.chunk_by(|(_, one), (_, other)| time(*other) - time(*one) <= IN_A_ROW);
        let delay = |late: &[(MissedSlot, i64)]| {
            let mut missed: Vec<MissedSlot> = late.iter().map(|(missed, _)| *missed).collect();
            missed.sort_by_key(|missed| (missed.at, missed.job));
            let started = late.iter().map(|(_, start)| time(*start)).max();
            Delay { slots: self.slots(&missed), started: started.unwrap_or_default() }
        };
        in_a_row.map(delay).filter(|delay| !delay.slots.is_empty()).collect()
    }

    /// The slots of the jobs that pass the filter.
    fn slots(&self, missed: &[MissedSlot]) -> Vec<Slot> {
        let wanted = missed.iter().filter(|missed| (missed.job as usize) < self.expected.wanted);
        let slots = wanted.map(|missed| Slot {
            at: time(missed.at),
            detected_at: time(missed.detected_at),
            job: missed.job,
            place: self.expected.jobs[missed.job as usize].lines[missed.line as usize].place.clone(),
        });
        slots.collect()
    }

    /// The first START after a slot, of any job of the scheduler that is on a line.
    fn next_start(&self, after: i64) -> Option<NaiveDateTime> {
        self.jobs().filter_map(|(_, job)| job.next_start(after)).min().map(time)
    }
}
