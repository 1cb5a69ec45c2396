//! Compares the schedules and the starts of the lines of `tests/data/cron*` with those of the real Airflow.
//!
//! `tests/vectors/airflow.py` says how `tests/data/airflow` was made.

use std::{collections::HashMap, fs, path::Path};

use super::dst;
use super::schedule::{AirflowSchedule, Guard};
use crate::cron::vectors::{DATA, files, head, minutes_in};
use crate::cron::{Daemon, Timing, Zone, numbers};

/// The number of lines in a file, and of those for which Airflow has the starts of cron.
fn check(path: &Path) -> (usize, usize) {
    let text = fs::read_to_string(path).expect("the vectors");
    let of = head(&text, "of ").expect("the file of cron");
    let cron = fs::read_to_string(Path::new(DATA).join(of)).expect("cron's vectors");
    let runs: HashMap<&str, &str> = cron.lines().filter_map(|line| line.split_once('\t')).collect();
    let number = |name| head(&cron, name).expect("a number").parse::<i64>().expect("a number");
    let (start, length) = (number("start ") / 60, number("minutes "));
    let zone = head(&cron, "cron_tz ").or(head(&cron, "zone "));
    let zone = Zone::named(zone.expect("a zone")).expect("a zone");
    let (mut lines, mut same) = (0, 0);
    for row in text.lines().filter(|line| line.contains('\t')) {
        let [line, fields, days, airflow] = *row.split('\t').collect::<Vec<_>>() else {
            panic!("{row}");
        };
        let (timing, _) = Timing::parse(line.as_bytes(), Daemon::Debian).expect("a time");
        let schedule = AirflowSchedule::of(&timing, true);
        let guard = match schedule.guard {
            Guard::Nothing => Vec::new(),
            Guard::Days(days) | Guard::Weekdays(days) => numbers(days).map(|n| n.to_string()).collect(),
        };
        assert_eq!((schedule.text(), guard.join(",")), (fields.to_owned(), days.to_owned()), "{line}");
        let expected = match airflow {
            "=" => runs[line],
            minutes => minutes,
        };
        let mut expected = minutes_in(expected);
        expected.dedup();
        let found = dst::minutes(&schedule, &zone, start + 1, start + length);
        let found: Vec<i64> = found.into_iter().map(|minute| minute - start).collect();
        assert_eq!(found, expected, "{}: {line}", path.display());
        lines += 1;
        same += usize::from(airflow == "=");
    }
    (lines, same)
}

#[test]
fn airflow_starts_the_lines_of_cron_at_the_same_minutes_and_otherwise_at_those_that_are_foretold() {
    let files = files("airflow");
    assert_eq!(files.len(), 13);
    for file in files {
        let (lines, same) = check(&file);
        // Where no clock changes, nothing differs.
        match &*file.file_name().unwrap_or_default().to_string_lossy() {
            "day.txt" => assert_eq!((lines, same), (198, 198)),
            "second-year.txt" => assert_eq!((lines, same), (60, 60)),
            _ => assert!(lines >= 60),
        }
    }
}
