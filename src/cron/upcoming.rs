//! The coming starts, and the seconds in which many jobs connect together.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Local};

use super::calendar::dst::{ClockInterval, clock_intervals};
use super::{calendar::zone::Zone, jobs::CronJob};

const DAY: i64 = 24 * 60;
/// The ends of the periods, in days. February 29 comes within eight years.
const HORIZONS: [i64; 3] = [1, 32, 8 * 366];
/// From this number of connections at once on, sshd's default `MaxStartups` drops some.
pub const CROWD: usize = 10;
/// A thousand years, in seconds. A start that comes so long after its slot never comes.
const LONGEST_WAIT: i64 = 1_000 * 366 * DAY * 60;
const MOST_CROWDS: usize = 5;

/// Jobs that connect in one second.
pub struct Crowd {
    pub jobs: usize,
    /// The host with the most of the jobs, and their number.
    pub on_one_host: (usize, Vec<u8>),
    /// The first such second, from 1970.
    pub first: i64,
    /// The number of seconds in the day that have as many jobs.
    pub times: usize,
}

/// The periods in which to search for the next start, one after the other.
pub type Periods = [Vec<ClockInterval>; HORIZONS.len()];

/// The periods from now on. To look for each change of an offset in eight years takes nearly a millisecond.
pub fn periods(now: DateTime<Local>) -> Periods {
    let after = now.timestamp().div_euclid(60) + 1;
    HORIZONS.map(|days| clock_intervals(&Zone::Machine, after, after + days * DAY))
}

/// The seconds in which many jobs connect, one for each number of jobs, the largest first. Random delays do not count.
pub fn crowds(entries: &[&CronJob], day: &[ClockInterval]) -> Vec<Crowd> {
    let mut seconds: HashMap<i64, usize> = HashMap::new();
    let exact = |entry: &&&CronJob| entry.wait.most == Some(entry.wait.least) && comes_in_time(entry);
    for entry in entries.iter().filter(exact) {
        let wait = connects_after(entry);
        entry.each_due_minute(day, &mut |slot| {
            *seconds.entry(slot.minute * 60 + wait).or_default() += 1;
        });
    }
    let mut by_size: BTreeMap<usize, (i64, usize)> = BTreeMap::new();
    for (second, starts) in seconds.into_iter().filter(|(_, starts)| *starts >= CROWD) {
        let (first, times) = by_size.entry(starts).or_insert((second, 0));
        *first = second.min(*first);
        *times += 1;
    }
    let crowds = by_size.into_iter().rev().map(|(starts, (first, times))| {
        let mut hosts: HashMap<&[u8], usize> = HashMap::new();
        for entry in entries.iter().filter(exact) {
            let wait = connects_after(entry);
            entry.each_due_minute(day, &mut |slot| {
                *hosts.entry(entry.host()).or_default() += usize::from(slot.minute * 60 + wait == first);
            });
        }
        let most = hosts.into_iter().map(|(host, starts)| (starts, host.to_vec())).max();
        Crowd { jobs: starts, on_one_host: most.unwrap_or_default(), first, times }
    });
    crowds.take(MOST_CROWDS).collect()
}

/// The next start of a job, in seconds from 1970.
pub fn next_start(entry: &CronJob, periods: &[Vec<ClockInterval>]) -> Option<i64> {
    let mut periods = periods.iter().filter(|_| comes_in_time(entry));
    periods.find_map(|period| next(entry, period))
}

/// Whether the calendar has a name for the start of an entry: a crontab may have any `sleep` before a call.
fn comes_in_time(entry: &CronJob) -> bool {
    connects_after(entry) < LONGEST_WAIT
}

/// The first start in a period, in seconds from 1970.
fn next(entry: &CronJob, period: &[ClockInterval]) -> Option<i64> {
    let mut first: Option<i64> = None;
    entry.each_due_minute(period, &mut |slot| {
        let minute = first.map_or(slot.minute, |first| first.min(slot.minute));
        first = Some(minute);
    });
    first.map(|minute| minute * 60 + seconds_of(entry.wait.least))
}

/// The seconds between a slot and the start of ssh.
fn connects_after(entry: &CronJob) -> i64 {
    seconds_of(entry.wait.least.saturating_add(entry.splay.as_secs()))
}

fn seconds_of(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX / 4)
}
