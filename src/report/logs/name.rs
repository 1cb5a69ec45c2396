//! Parses names of log files, also with the endings of logrotate and compressors.

use std::{cmp::Reverse, path::Path};

use chrono::NaiveDate;

use crate::decimal::number;
use crate::log::file::LogName;

/// The endings of compressors. Files in unsupported formats are opened only to report them by name.
const COMPRESSED: [&str; 8] = [".gz", ".xz", ".zst", ".bz2", ".lz4", ".Z", ".lzma", ".zip"];

/// The name of a log file: `NAME.log`, `NAME.log.N`, `NAME.log-DATE` or `NAME-DATE.log` (logrotate(8): `dateext`,
/// `dateformat`, `extension`), each also with the ending of a compressor. Sorted by the time of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileName {
    /// The name while the log was written.
    pub log: LogName,
    age: Age,
    pub is_compressed: bool,
}

/// How long ago a log was rotated, the longest time first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// Rotated on this date, as digits from year to second.
    Dated(u64),
    /// The number of rotations since.
    Numbered(Reverse<u32>),
    /// Still being written.
    Live,
}

impl FileName {
    /// None if the file is not a log.
    pub fn of(path: &Path) -> Option<Self> {
        Self::parse(path.file_name()?.to_str()?)
    }

    fn parse(name: &str) -> Option<Self> {
        let stem = uncompressed(name);
        let (log, age) = live(stem).or_else(|| numbered(stem)).or_else(|| dated(stem))?;
        Some(Self { log, age, is_compressed: stem.len() < name.len() })
    }

    /// Whether writers know the file by this name.
    pub fn is_live(&self) -> bool {
        self.age == Age::Live && !self.is_compressed
    }
}

/// Whether a name on the command line looks like that of a log.
pub fn is_like_log(name: &str) -> bool {
    name.contains(".log") || uncompressed(name) != name
}

/// The local day of a file whose name is almost that of a log: a copy, or an editor's backup.
pub fn day_of_other(path: &Path) -> Option<NaiveDate> {
    let name = path.file_name()?.to_str()?;
    let (day, rest) = name.split_once("_remoteexe")?;
    let is_day = day.len() == "YYYYMMDD".len() && rest.contains(".log");
    is_day.then(|| NaiveDate::parse_from_str(day, "%Y%m%d").ok())?
}

/// The name without the ending of a compressor.
pub fn uncompressed(name: &str) -> &str {
    let mut stems = COMPRESSED.iter().filter_map(|end| name.strip_suffix(end));
    stems.next().unwrap_or(name)
}

fn live(name: &str) -> Option<(LogName, Age)> {
    Some((LogName::parse(name)?, Age::Live))
}

fn numbered(name: &str) -> Option<(LogName, Age)> {
    let (name, rotations) = name.rsplit_once('.')?;
    let rotations = number(rotations.as_bytes())?;
    Some((LogName::parse(name)?, Age::Numbered(Reverse(rotations))))
}

fn dated(name: &str) -> Option<(LogName, Age)> {
    let (stem, rest) = name.split_once('-')?;
    let (stem, date) = match rest.strip_suffix(".log") {
        Some(date) => (format!("{stem}.log"), date),
        None => (stem.to_owned(), rest),
    };
    // -%Y%m%d, -%Y%m%d%H and -%Y%m%d-%s.
    let digits: String = date.split('-').collect();
    let date = (digits.len() >= "YYYYMMDD".len()).then(|| number(digits.as_bytes()))?;
    Some((LogName::parse(&stem)?, Age::Dated(date?)))
}
