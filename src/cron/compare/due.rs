//! The STARTs that the crontabs lead to: when each is due, and when it is certainly missing.

use crate::cron::calendar::dst::ClockInterval;
use crate::cron::jobs::CronJob;

/// The seconds by which a START may come before its slot: cron and remoteexe read the clock at two times.
pub const EARLY: i64 = 5;
/// The longest time, in seconds, from a slot to its START without a reason.
const LONGEST_GRACE: i64 = 3 * 60;
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
    /// The second from which on a START belongs to the next slot.
    pub deadline: i64,
    /// The second from which on the START is missing: later than `deadline` if slots are less than three minutes apart.
    pub detected_at: i64,
    /// The second from which on a daemon that catches up does not start the line.
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
    /// The STARTs due since the crontab's last change: earlier lines are unknown. `line` is the caller's number.
    pub fn due(&self, intervals: &[ClockInterval], line: u32) -> Vec<Due> {
        let interval = self.shortest_interval(intervals);
        let least = seconds(self.wait.least);
        let random = self.wait.most.map(|most| seconds(most) - least);
        let grace = match random {
            Some(random) => random + (interval - random).clamp(SHORTEST_GRACE, LONGEST_GRACE),
            // The wait is unknown, so the START comes at some time before the next slot.
            None => interval.min(24 * 3600),
        };
        let longest = random.map_or(grace, |random| (random + LONGEST_GRACE).max(grace));
        let catch_up = if self.timing.is_wildcard { CATCH_UP } else { CATCH_UP_FIXED_TIME };
        let catch_up = catch_up + random.unwrap_or(0);
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

    /// The seconds between the closest two slots.
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

/// Limits a wait to some years.
fn seconds(seconds: u64) -> i64 {
    i64::from(u32::try_from(seconds).unwrap_or(u32::MAX))
}
