//! Time zones: the machine's, and zones named by cronie's `CRON_TZ`.

use std::fs::{self, File};
use std::path::{Component, Path};
use std::{env, io::Read};

use chrono::{DateTime, Local, Offset, TimeZone as _};
use tz::TimeZone;

const ZONEINFO: &str = "/usr/share/zoneinfo";
const LOCALTIME: &str = "/etc/localtime";
/// The most bytes of a zone's file that are read. A real file has 4 KiB at most.
const LARGEST_FILE: u64 = 64 << 10;

#[derive(Debug, Clone)]
pub enum Zone {
    /// The zone of the machine, or of the variable TZ.
    Machine,
    Named(TimeZone),
}

/// The database's name for the machine's zone, or for that of TZ, if it has one.
pub fn name_of_machine() -> Option<String> {
    let variable = env::var("TZ").ok().filter(|name| !name.is_empty());
    if let Some(variable) = variable {
        let name = variable.strip_prefix(':').unwrap_or(&variable);
        return Zone::named(name).map(|_| name.to_owned());
    }
    let Ok(target) = fs::canonicalize(LOCALTIME) else { return Some("UTC".to_owned()) };
    if let Ok(name) = target.strip_prefix(ZONEINFO) {
        return name.to_str().map(str::to_owned);
    }
    // A copy of a zone's file: Debian has the name in a second file.
    let name = fs::read_to_string("/etc/timezone").ok()?.trim().to_owned();
    let is_copy = fs::read(target).ok()? == fs::read(Path::new(ZONEINFO).join(&name)).ok()?;
    is_copy.then_some(name)
}

impl Zone {
    /// The zone of this name. Another user's crontab may give it, so it leads to no file outside of the database.
    pub fn named(name: &str) -> Option<Self> {
        if name.is_empty() || !Path::new(name).components().all(|part| matches!(part, Component::Normal(_))) {
            return None;
        }
        let path = Path::new(ZONEINFO).join(name);
        if !path.metadata().ok()?.is_file() {
            return None;
        }
        let mut data = Vec::new();
        File::open(path).ok()?.take(LARGEST_FILE).read_to_end(&mut data).ok()?;
        TimeZone::from_tz_data(&data).ok().map(Self::Named)
    }

    /// The offset from UTC, in whole minutes, at `minute`, which is counted from 1970 in UTC.
    pub fn offset(&self, minute: i64) -> i64 {
        let second = minute.saturating_mul(60);
        let offset = match self {
            Self::Machine => {
                let time = DateTime::from_timestamp(second, 0).unwrap_or_default();
                Local.offset_from_utc_datetime(&time.naive_utc()).fix().local_minus_utc()
            }
            Self::Named(zone) => zone.find_local_time_type(second).map_or(0, tz::LocalTimeType::ut_offset),
        };
        i64::from(offset).div_euclid(60)
    }

    /// The intervals of constant offset from the minute `from` of UTC up to `until`: the first minute and the offset.
    pub fn offsets(&self, from: i64, until: i64) -> Vec<(i64, i64)> {
        // Shorter than any time between two changes of an offset.
        const STEP: i64 = 12 * 60;
        let mut offsets = vec![(from, self.offset(from))];
        let mut before = from;
        while before < until {
            let after = (before + STEP).min(until);
            let old = self.offset(before);
            if self.offset(after) != old {
                let (mut low, mut high) = (before, after);
                while high - low > 1 {
                    let middle = low + (high - low) / 2;
                    if self.offset(middle) == old {
                        low = middle;
                    } else {
                        high = middle;
                    }
                }
                offsets.push((high, self.offset(high)));
            }
            before = after;
        }
        offsets
    }
}
