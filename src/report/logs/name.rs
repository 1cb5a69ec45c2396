//! The names of log files, also those that logrotate and compressors give them.

use std::cmp::Reverse;

use chrono::NaiveDate;

use crate::log::file::LogName;
use crate::log::record::number;

/// The ends of names that compressors add. Unsupported formats are opened only to report them by name: an error that
/// names them.
const COMPRESSED: [&str; 8] = [".gz", ".xz", ".zst", ".bz2", ".lz4", ".Z", ".lzma", ".zip"];

/// The name of a log file: `NAME.log`, `NAME.log.N`, `NAME.log-DATE` or `NAME-DATE.log` (logrotate(8): `dateext`,
/// `dateformat`, `extension`), each also with the end that a compressor adds.
///
/// In the order in which their records were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileName {
    /// The name that the log had when it was written.
    pub log: LogName,
    age: Age,
    /// Whether the name is that of a compressed file.
    pub is_compressed: bool,
}

/// How long ago a log was taken away from its writers, the longest time first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// On this date. Its digits are in the order of time.
    Dated(u64),
    /// So many rotations ago.
    Numbered(Reverse<u32>),
    /// It is still written to.
    Live,
}

impl FileName {
    /// Reads the name of a file, if it is that of a log.
    pub fn parse(name: &str) -> Option<Self> {
        let stem = uncompressed(name);
        let (log, age) = live(stem).or_else(|| numbered(stem)).or_else(|| dated(stem))?;
        Some(Self { log, age, is_compressed: stem.len() < name.len() })
    }

    /// Whether it is the name by which its writers know it.
    pub fn is_live(&self) -> bool {
        self.age == Age::Live && !self.is_compressed
    }
}

/// Whether a person who gives this name means a file of records.
pub fn is_like_log(name: &str) -> bool {
    name.contains(".log") || uncompressed(name) != name
}

/// The local day of a file whose name is almost that of a log: a copy, or what an editor has left.
pub fn day_of_other(name: &str) -> Option<NaiveDate> {
    let (day, rest) = name.split_once("_remoteexe")?;
    let is_day = day.len() == "YYYYMMDD".len() && rest.contains(".log");
    is_day.then(|| NaiveDate::parse_from_str(day, "%Y%m%d").ok())?
}

/// The name without the end that a compressor has added.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_a_rotated_log_are_in_the_order_of_its_records() {
        let names = [
            "20261124_remoteexe.log-20261124",
            "20261124_remoteexe.log-20261125.gz",
            "20261124_remoteexe-20261126.log.zst",
            "20261124_remoteexe.log-2026112613",
            "20261124_remoteexe.log-20261127-1795824000.xz",
            "20261124_remoteexe.log.10.gz",
            "20261124_remoteexe.log.2.bz2",
            "20261124_remoteexe.log.1",
            "20261124_remoteexe.log",
            "20261124_remoteexe.log.gz",
            "20261124_remoteexe.0.log.1",
            "20261124_remoteexe.0.log",
            "20261125_remoteexe.log.3",
        ];
        let parsed = names.map(|name| FileName::parse(name).expect(name));
        assert!(parsed.is_sorted(), "{parsed:?}");
        for (name, parsed) in names.iter().zip(parsed) {
            let is_live =
                ["remoteexe.log", "remoteexe.0.log"].iter().any(|end| name.ends_with(end));
            assert_eq!(parsed.is_live(), is_live, "{name}");
        }
    }

    #[test]
    fn other_names_are_not_names_of_logs() {
        for name in [
            "20261124_remoteexe.log.bak",
            "20261124_remoteexe.log~",
            "20261124_remoteexe.log.1.2",
            "20261124_remoteexe.log.-1",
            "20261124_remoteexe.log-1",
            "20261124_remoteexe.log-",
            "20261124_remoteexe.log.gz.gz",
            ".20261124_remoteexe.log.swp",
        ] {
            assert_eq!(FileName::parse(name), None, "{name}");
        }
    }
}
