//! The STARTs that the crontabs lead to: when each is due, and when it is certainly missing.

use crate::cron::calendar::dst::ClockInterval;
use crate::cron::jobs::CronJob;

/// How many seconds before its slot a START may come: cron and remoteexe read the clock at two times.
pub const EARLY: i64 = 5;

/// The longest time, in seconds, from a slot to its START without a reason.
pub const LONGEST_GRACE: i64 = 3 * 60;

/// The shortest such time, where a random wait leaves less before the next slot.
const SHORTEST_GRACE: i64 = 20;

/// After a stop of at most this many seconds, a daemon runs all that was due meanwhile.
const CATCH_UP: i64 = 6 * 60;

/// The same for lines whose minute and hour do not begin with `*`.
const CATCH_UP_FIXED_TIME: i64 = 3 * 3600;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The slot plus the known wait of the line.
    pub at: i64,
    /// From this second on a START belongs to the next slot.
    pub deadline: i64,
    /// From this second on the START is missing. Later than `deadline` if slots are less than three minutes apart.
    pub detected_at: i64,
    /// From this second on a daemon that catches up does not start the line.
    pub catch_up: i64,
    /// The caller's number of the line.
    pub line: u32,
    /// The line has no reason to skip this slot.
    pub is_certain: bool,
}

impl Due {
    /// The latest second of a START, given the known reasons to wait, such as `sleep`.
    pub fn latest_without_delay(&self) -> i64 {
        self.detected_at - LONGEST_GRACE
    }
}

impl CronJob {
    /// The STARTs due in `intervals` since the crontab's last change: earlier lines are unknown. `line` is the caller's
    /// number of the line.
    pub fn due(&self, intervals: &[ClockInterval], line: u32) -> Vec<Due> {
        let interval = self.shortest_interval(intervals);
        let least = seconds(self.wait.least);
        let random = self.wait.most.map(|most| seconds(most) - least);
        let grace = match random {
            Some(random) => random + grace(interval - random),
            // The wait is unknown, so the START comes at some time before the next slot.
            None => interval.min(24 * 3600),
        };
        let longest = random.map_or(grace, |random| (random + LONGEST_GRACE).max(grace));
        let catch_up = catch_up(self.timing.is_wildcard) + random.unwrap_or(0);
        let is_certain = !self.is_conditional && self.wait.most.is_some();
        let mut due = Vec::new();
        self.each_due_minute(intervals, &mut |slot| {
            if self.changed.is_none_or(|changed| slot.minute * 60 > changed) {
                let at = slot.local * 60 + least;
                due.push(Due {
                    at,
                    deadline: at + slot.late * 60 + grace,
                    detected_at: at + slot.late * 60 + longest,
                    catch_up: at + catch_up,
                    line,
                    is_certain,
                });
            }
        });
        due
    }

    /// In seconds.
    fn shortest_interval(&self, intervals: &[ClockInterval]) -> i64 {
        let mut shortest = i64::MAX;
        let mut before = None;
        self.each_due_minute(intervals, &mut |slot| {
            let distance = slot.local - before.replace(slot.local).unwrap_or(i64::MIN / 2);
            if distance > 0 {
                shortest = shortest.min(distance.saturating_mul(60));
            }
        });
        shortest
    }
}

/// How long a START belongs to its slot, given the time to the next slot.
pub fn grace(interval: i64) -> i64 {
    interval.clamp(SHORTEST_GRACE, LONGEST_GRACE)
}

/// How late a daemon that was stopped may still start a line.
pub fn catch_up(is_wildcard: bool) -> i64 {
    if is_wildcard { CATCH_UP } else { CATCH_UP_FIXED_TIME }
}

/// Limits a wait to some years.
fn seconds(seconds: u64) -> i64 {
    i64::from(u32::try_from(seconds).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::cron::calendar::dst::clock_intervals;
    use crate::cron::calendar::zone::Zone;
    use crate::cron::command::wait::Wait;
    use crate::cron::compare::comparison::{Comparison, ComparisonResult};
    use crate::cron::daemon::Daemon;
    use crate::cron::sample;
    use crate::cron::timing::Timing;

    const WEEK: i64 = 7 * 24 * 60;

    fn entry(timing: &str) -> CronJob {
        let text = format!("{timing} root remoteexe h s\n");
        sample::jobs(Daemon::Debian, &text).entries.remove(0)
    }

    /// Random lines, most of them due some times a day.
    fn entries(count: usize, random: &mut fastrand::Rng) -> Vec<CronJob> {
        let lines = (0..count).map(|_| {
            let minute = match random.u8(..4) {
                0 => format!("*/{}", [1, 5, 10, 15, 20, 30][random.usize(..6)]),
                1 => format!("{}-{}/7", random.u8(..20), random.u8(20..60)),
                2 => format!("{},{}", random.u8(..60), random.u8(..60)),
                _ => random.u8(..60).to_string(),
            };
            let hour = match random.u8(..4) {
                0 => "*".to_owned(),
                1 => format!("*/{}", random.u8(1..8)),
                2 => format!("{}-{}", random.u8(..3), random.u8(3..24)),
                _ => random.u8(..24).to_string(),
            };
            let day = ["* * *", "* * *", "*/2 * *", "* * 1-5", "25-31 * sun", "1 * *"][random.usize(..6)];
            entry(&format!("{minute} {hour} {day}"))
        });
        lines.collect()
    }

    /// The STARTs that a daemon makes from the minute `from` of UTC up to `until`, in seconds of local time: a
    /// simulation of cron(8), minute by minute.
    fn simulated(entries: &[CronJob], zone: &Zone, from: i64, until: i64, random: &mut fastrand::Rng) -> Vec<Vec<i64>> {
        let mut starts = vec![Vec::new(); entries.len()];
        let mut done = from - 1 + zone.offset(from - 1);
        for minute in from..until {
            let now = minute + zone.offset(minute);
            let ahead = now - done;
            let mut run = |local: i64, delay: i64, runs: &dyn Fn(bool) -> bool| {
                for (entry, starts) in entries.iter().zip(&mut starts) {
                    let is_wildcard = entry.timing.is_wildcard;
                    if runs(is_wildcard) && is_due(&entry.timing, local) {
                        starts.push(now * 60 + delay + random.i64(0..4));
                    }
                }
            };
            if ahead > 1 {
                for (index, skipped) in (done + 1..now).enumerate() {
                    let delay = i64::try_from(index).unwrap() * 10;
                    run(skipped, delay, &|is_wildcard| !is_wildcard);
                }
            }
            run(now, 0, &|is_wildcard| ahead > 0 || is_wildcard);
            done = done.max(now);
        }
        for starts in &mut starts {
            starts.sort_unstable();
        }
        starts
    }

    fn is_due(timing: &Timing, local: i64) -> bool {
        let time = chrono::DateTime::from_timestamp(local * 60, 0).unwrap().naive_utc();
        let (hour, minute) = (local.rem_euclid(24 * 60) / 60, local.rem_euclid(60));
        timing.minutes >> minute & 1 == 1 && timing.hours >> hour & 1 == 1 && timing.is_due_on(time.date())
    }

    fn compare(entries: &[CronJob], starts: &[Vec<i64>], zone: &Zone, from: i64, until: i64) -> ComparisonResult {
        let clock_intervals = clock_intervals(zone, from, until);
        let period = (from + zone.offset(from)) * 60..(until + zone.offset(until)) * 60;
        let mut comparison = Comparison::new(&period);
        for ((number, entry), starts) in (0..).zip(entries).zip(starts) {
            comparison.add(number, &mut entry.due(&clock_intervals, number), starts);
        }
        comparison.finish()
    }

    #[test]
    fn a_week_of_300_lines_over_each_change_of_summer_time_has_no_false_alarm_and_hides_nothing() {
        let utc = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp() / 60;
        let mut random = fastrand::Rng::with_seed(15);
        for (zone, from) in [
            ("Europe/Berlin", "2026-03-25T12:00:00Z"),
            ("Europe/Berlin", "2026-10-21T12:00:00Z"),
            ("America/New_York", "2026-03-04T12:00:00Z"),
            ("America/New_York", "2026-10-28T12:00:00Z"),
            ("Australia/Lord_Howe", "2026-10-01T12:00:00Z"),
            ("Australia/Lord_Howe", "2026-04-01T12:00:00Z"),
        ] {
            let (zone, from) = (Zone::named(zone).unwrap(), utc(from));
            let entries = entries(300, &mut random);
            let mut starts = simulated(&entries, &zone, from, from + WEEK, &mut random);
            let verdict = compare(&entries, &starts, &zone, from, from + WEEK);
            assert!(verdict.judged > 50_000, "{}", verdict.judged);
            let judged = verdict.judged;
            let clean = ComparisonResult { judged, ..ComparisonResult::default() };
            assert_eq!(verdict, clean);

            // One START in a hundred goes missing.
            let mut expected: HashMap<u32, usize> = HashMap::new();
            for (number, starts) in (0..).zip(&mut starts) {
                let before = starts.len();
                starts.retain(|_| random.u8(..100) > 0);
                if starts.len() < before {
                    expected.insert(number, before - starts.len());
                }
            }
            let verdict = compare(&entries, &starts, &zone, from, from + WEEK);
            let mut found: HashMap<u32, usize> = HashMap::new();
            for missed in verdict.missed.iter().chain(verdict.outages.iter().flat_map(|outage| &outage.missed)) {
                *found.entry(missed.job).or_default() += 1;
            }
            assert_eq!(verdict.strays, []);
            // Slots whose grace is not over are not judged, so the last ones may be missing from the count.
            let is_near = |(job, count): (&u32, &usize)| found.get(job).copied().unwrap_or(0) + 1 >= *count;
            assert!(expected.iter().all(is_near));
            assert!(found.iter().all(|(job, count)| expected.get(job).is_some_and(|expected| count <= expected)));
        }
    }

    #[test]
    fn a_sleep_moves_what_is_due_and_a_wait_that_nobody_knows_makes_it_uncertain() {
        let day = clock_intervals(&Zone::named("UTC").unwrap(), 0, 24 * 60);
        let due = |wait| {
            let entry = CronJob { wait, ..entry("*/5 * * * *") };
            let due = entry.due(&day, 0)[1];
            (due.at, due.deadline, due.is_certain)
        };
        let minutely = entry("* * * * *").due(&day, 0)[1];
        assert_eq!((minutely.at, minutely.deadline, minutely.detected_at), (60, 120, 240));
        let detected_at = |least, most| Wait { least, most: Some(most) };
        assert_eq!(due(Wait::NONE), (300, 480, true));
        assert_eq!(due(detected_at(20, 20)), (320, 500, true));
        assert_eq!(due(detected_at(0, 29)), (300, 300 + 29 + 180, true));
        assert_eq!(due(Wait::UNKNOWN), (300, 600, false));
    }
}
