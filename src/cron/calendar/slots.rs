//! The slots of a line: the minutes at which it is due.

use std::ops::Range;

use super::dst::{ClockInterval, Pace};
use super::zone::Zone;
use crate::clock::date;
use crate::cron::timing::{Timing, numbers};

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueMinute {
    /// The time at which cron runs the line, in minutes from 1970 in UTC.
    pub minute: i64,
    /// The same in local time, counted as if local time were UTC.
    pub local: i64,
    /// The minutes by which cron may be late: it runs skipped minutes in a row, and may wait ten seconds after each.
    pub late: i64,
}

/// Gives `take` each slot of a line in `intervals`, in cron's order.
///
/// `zone` is that of `CRON_TZ`, if the line has one and its daemon is cronie.
pub fn each(timing: &Timing, zone: Option<&Zone>, clock_intervals: &[ClockInterval], take: &mut impl FnMut(DueMinute)) {
    for interval in clock_intervals.iter().filter(|interval| interval.runs(timing.is_wildcard)) {
        match (interval.when, zone) {
            (Pace::InTime(offset), zone) => {
                let utc = interval.local.start - offset..interval.local.end - offset;
                let of_machine = || vec![(utc.start, offset)];
                let offsets = zone.map_or_else(of_machine, |zone| zone.offsets(utc.start, utc.end));
                let ends = offsets.iter().skip(1).map(|(minute, _)| *minute);
                for ((start, of_zone), end) in offsets.iter().zip(ends.chain([utc.end])) {
                    let in_zone = start + of_zone..end + of_zone;
                    each_minute(timing, &in_zone, &mut |minute| {
                        let minute = minute - of_zone;
                        take(DueMinute { minute, local: minute + offset, late: 0 });
                    });
                }
            }
            (Pace::CatchUpAt(minute), None) => {
                let slot = DueMinute {
                    minute,
                    local: interval.local.end,
                    late: (interval.local.end - interval.local.start) / 6 + 1,
                };
                each_minute(timing, &interval.local, &mut |_| take(slot));
            }
            // cronie skips lines of another zone while its own changes its offset.
            (Pace::CatchUpAt(_), Some(_)) => {}
        }
    }
}

fn each_minute(timing: &Timing, local: &Range<i64>, take: &mut impl FnMut(i64)) {
    for day in local.start.div_euclid(DAY)..=(local.end - 1).div_euclid(DAY) {
        if !date(day).is_some_and(|date| timing.is_due_on(date)) {
            continue;
        }
        for hour in numbers(timing.hours) {
            let hour = day * DAY + i64::from(hour) * HOUR;
            let has_whole_hour = local.start <= hour && hour + HOUR <= local.end;
            for minute in numbers(timing.minutes) {
                let minute = hour + i64::from(minute);
                if has_whole_hour || local.contains(&minute) {
                    take(minute);
                }
            }
        }
    }
}
