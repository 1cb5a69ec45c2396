//! Finds missed slots of rare jobs in logs that are older than those of the report.
//!
//! A weekly job that was not started on Sunday is still missing on Wednesday, when the logs of Sunday are not read. Of
//! the older logs only the time after such a slot is read, until the job's START.

use std::collections::BTreeSet;

use chrono::{NaiveDateTime, NaiveTime, TimeDelta};

use super::missed::{Gap, MissedStarts, Slot};
use super::{Expected, ExpectedJob};
use crate::clock::{of_local_seconds, with_offset};
use crate::cron::{ClockInterval, Zone, clock_intervals};
use crate::log::record::Kind;
use crate::report::history::older_logs::OlderLogs;
use crate::report::logs::excerpt::{self, ReadBudget};
use crate::report::logs::find;
use crate::report::logs::open::{Input, LogFile};

/// A job that is due once a month was due in this time.
const LONGEST: TimeDelta = TimeDelta::days(35);

/// A START may come this long before its slot, or the clocks differ.
const A_LITTLE: TimeDelta = TimeDelta::seconds(5);

/// The last slot of a job whose START has not been found.
struct Sought<'a> {
    job: &'a ExpectedJob,
    slot: Slot,
}

/// The gaps of jobs without a START since their last slot before the logs that were read. `budget` limits how much is
/// read: if that is not enough, nothing is missing.
pub fn gaps(expected: &Expected, missed: &MissedStarts, older: &OlderLogs, mut budget: ReadBudget) -> Vec<Gap> {
    let mut sought = sought(expected, missed, older.from);
    let days = older.earlier_days();
    let has_log = |day| days.contains_key(&day);
    sought.retain(|it| {
        let day = it.slot.at.date();
        // The logs begin before that day, and the log of the day is still there.
        has_log(day) && days.keys().next().is_some_and(|first| *first < day)
    });
    for (day, logs) in days {
        let slots = sought.iter().map(|it| it.slot.at).filter(|at| at.date() <= day);
        let Some(begin) = slots.min() else { continue };
        let begin = (begin - A_LITTLE).max(day.and_time(NaiveTime::MIN));
        for input in find::inputs(logs) {
            let Input::Log(log) = input else { continue };
            if !look_for(&mut sought, &log, begin, older, &mut budget) {
                return Vec::new();
            }
        }
    }
    let gap = |it: Sought| Gap { slots: vec![it.slot], over: None, is_ignored: false, may_be_new: false };
    sought.into_iter().map(gap).collect()
}

/// The last slots of those jobs that have neither a START nor a missing one in the logs that were read, which begin
/// at `from`.
fn sought<'a>(expected: &'a Expected, missed: &MissedStarts, from: NaiveDateTime) -> Vec<Sought<'a>> {
    let known: BTreeSet<u32> = missed.slots().iter().map(|slot| slot.job).collect();
    let is_checked = |job: &ExpectedJob| {
        let mut checked = missed.checked_from.iter();
        checked.any(|(scheduler, from)| *scheduler == job.scheduler && from.is_some())
    };
    let jobs = (0..).zip(expected.wanted()).filter(|(number, job)| {
        let is_here = is_checked(job) && !job.scheduler.is_remote();
        is_here && job.starts.is_empty() && !job.is_conditional && !known.contains(number)
    });
    let minute = |time: NaiveDateTime| with_offset(time).timestamp().div_euclid(60);
    let mut intervals: Option<Vec<ClockInterval>> = None;
    let last_slot = jobs.filter_map(|(number, job)| {
        let intervals =
            intervals.get_or_insert_with(|| clock_intervals(&Zone::Machine, minute(from - LONGEST), minute(from)));
        let lines = job.lines.iter().filter_map(|line| {
            let (entry, of) = (expected.line(*line), u32::try_from(*line).ok()?);
            let is_sound = entry.changed.is_some() && !entry.is_ignored;
            let due = entry.due(intervals, of).into_iter().filter(|due| is_sound && due.is_certain);
            due.max_by_key(|due| due.at).map(|due| (due, entry))
        });
        let (due, entry) = lines.max_by_key(|(due, _)| due.at)?;
        let slot = Slot {
            at: of_local_seconds(due.at),
            detected_at: of_local_seconds(due.detected_at),
            job: number,
            place: entry.place.clone(),
        };
        Some(Sought { job, slot })
    });
    last_slot.collect()
}

/// Removes the jobs that have a START in this log from `begin` on. Returns false if the log could not be read so far.
fn look_for(
    sought: &mut Vec<Sought>,
    log: &LogFile,
    begin: NaiveDateTime,
    older: &OlderLogs,
    budget: &mut ReadBudget,
) -> bool {
    let mut found = |name: &[u8], at: NaiveDateTime| {
        sought.retain(|it| *it.job.name != *name || at < it.slot.at - A_LITTLE);
        sought.iter().any(|it| it.slot.at.date() <= at.date())
    };
    if log.name.is_compressed {
        let has_room = budget.takes_whole(log);
        if has_room {
            older.read_day(vec![log.clone()], |run| _ = found(&run.trace.job, run.trace.start));
        }
        return has_room;
    }
    let result = excerpt::read(log, begin, budget, &mut |_, records| match records.kind() {
        Kind::Start(job) => found(job, records.time),
        _ => true,
    });
    result.is_ok() && !budget.is_spent()
}
