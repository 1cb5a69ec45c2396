//! Finds missed slots of rare jobs in older logs than the report's.
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
use crate::report::logs::open::Input;

/// Even a monthly job is due in this time.
const LONGEST: TimeDelta = TimeDelta::days(35);
/// How long before its slot a START may come, because clocks differ.
const A_LITTLE: TimeDelta = TimeDelta::seconds(5);

/// The gaps of jobs without a START since their last slot before the logs that were read. `budget` limits how much is
/// read: if that is not enough, there are no gaps.
pub fn gaps(expected: &Expected, missed: &MissedStarts, older: &OlderLogs, mut budget: ReadBudget) -> Vec<Gap> {
    let mut sought = sought(expected, missed, older.from);
    let days = older.earlier_days();
    let has_log = |day| days.contains_key(&day);
    sought.retain(|slot| {
        let day = slot.at.date();
        // The logs begin before that day, and the log of the day is still there.
        has_log(day) && days.keys().next().is_some_and(|first| *first < day)
    });
    for (day, logs) in days {
        let slots = sought.iter().map(|slot| slot.at).filter(|at| at.date() <= day);
        let Some(begin) = slots.min() else { continue };
        let begin = (begin - A_LITTLE).max(day.and_time(NaiveTime::MIN));
        for input in find::inputs(logs) {
            let Input::Log(log) = input else { continue };
            let is_read = excerpt::read(&log, begin, &mut budget, &mut |_, records| {
                if let Kind::Start(job) = records.kind() {
                    let is_of = |slot: &Slot| *expected.wanted()[slot.job as usize].name == *job;
                    sought.retain(|slot| !is_of(slot) || records.time < slot.at - A_LITTLE);
                }
                sought.iter().any(|slot| slot.at.date() <= records.time.date())
            });
            if !is_read.is_ok_and(|is_read| is_read) {
                return Vec::new();
            }
        }
    }
    let gap = |slot: Slot| Gap { slots: vec![slot], over: None, is_ignored: false, may_be_new: false };
    sought.into_iter().map(gap).collect()
}

/// The last slot before the logs that were read, of each job without a START or a missed slot since.
fn sought(expected: &Expected, missed: &MissedStarts, from: NaiveDateTime) -> Vec<Slot> {
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
        let lines = (0..).zip(&job.lines).filter_map(|(line, entry)| {
            let is_sound = entry.changed.is_some() && !entry.is_ignored;
            let due = entry.due(intervals, line).into_iter().filter(|due| is_sound && due.is_certain);
            due.max_by_key(|due| due.at).map(|due| (due, entry))
        });
        let (due, entry) = lines.max_by_key(|(due, _)| due.at)?;
        Some(Slot {
            at: of_local_seconds(due.at),
            detected_at: of_local_seconds(due.detected_at),
            job: number,
            place: entry.place.clone(),
        })
    });
    last_slot.collect()
}
