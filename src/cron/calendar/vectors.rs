//! Tests with random lines that the real daemons, and another program, have judged: the slots, and refused lines.
//!
//! The scripts in `tests/vectors` say how the files were made.

use std::fs;
use std::path::{Path, PathBuf};

use super::{dst::clock_intervals, slots, zone::Zone};
use crate::cron::crontab::parse::{Columns, Contents};
use crate::cron::daemon::{Daemon, MachineCron};
use crate::cron::timing::Timing;

pub const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

/// The value of `NAME VALUE` at the head of a file.
pub fn head<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name))
}

pub fn files(folder: &str) -> Vec<PathBuf> {
    fs::read_dir(Path::new(DATA).join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect()
}

pub fn minutes_in(text: &str) -> Vec<i64> {
    text.split_whitespace().map(|minute| minute.parse().unwrap()).collect()
}

/// Compares the slots of all lines in a file with its minutes. `keep` reduces the slots to what the file has.
fn check(path: &Path, daemon: Daemon, keep: impl Fn(&mut Vec<i64>)) {
    let text = fs::read_to_string(path).unwrap();
    let zone = Zone::named(head(&text, "zone ").unwrap()).unwrap();
    let start = head(&text, "start ").unwrap().parse::<i64>().unwrap() / 60;
    let minutes: i64 = head(&text, "minutes ").unwrap().parse().unwrap();
    let own_zone = head(&text, "cron_tz ").map(|name| Zone::named(name).unwrap());
    // A daemon does not run the minute in which it starts.
    let clock_intervals = clock_intervals(&zone, start + 1, start + minutes);
    let mut lines = 0;
    for (line, runs) in text.lines().filter_map(|line| line.split_once('\t')) {
        let (timing, rest) = Timing::parse(line.as_bytes(), daemon).unwrap();
        if timing.is_reboot {
            continue;
        }
        assert_eq!(rest, b"");
        let mut found = Vec::new();
        slots::each(&timing, own_zone.as_ref(), &clock_intervals, &mut |slot| {
            found.push(slot.minute - start);
        });
        found.sort_unstable();
        keep(&mut found);
        assert_eq!(found, minutes_in(runs), "{}: {line}", path.display());
        lines += 1;
    }
    assert!(lines >= 60, "{}", path.display());
}

#[test]
fn the_slots_of_random_lines_are_those_of_the_real_daemons() {
    let files = files("cron");
    for path in &files {
        let name = path.file_name().unwrap().to_string_lossy();
        let daemon = match name.split('-').next() {
            Some("cronie") => Daemon::Cronie,
            Some("busybox") => Daemon::Busybox,
            _ => Daemon::Debian,
        };
        check(path, daemon, |_| ());
    }
    assert_eq!(files.len(), 14);
}

#[test]
fn the_slots_of_random_lines_are_those_of_a_second_implementation() {
    let files = files("cron_second");
    for path in &files {
        check(path, Daemon::Debian, Vec::dedup);
    }
    assert_eq!(files.len(), 5);
}

#[test]
fn the_lines_that_the_real_daemons_refuse_are_refused() {
    for (file, daemon) in [("debian", Daemon::Debian), ("cronie", Daemon::Cronie)] {
        let path = Path::new(DATA).join("cron_syntax").join(file).with_extension("txt");
        let text = fs::read_to_string(path).unwrap();
        let takes_empty_values = daemon == Daemon::Cronie;
        let cron = MachineCron { rules: daemon, takes_empty_values, ..MachineCron::of(Path::new("/nowhere")) };
        for (answer, line) in text.lines().filter_map(|line| line.split_once('\t')) {
            let contents = Contents::parse(format!("{line}\n").as_bytes(), Columns::User, &cron);
            let mut faults = contents.faults.iter();
            let is_refused = faults.any(|fault| fault.consequence.is_some());
            assert_eq!(is_refused, answer == "no", "{daemon:?}: {line} {:?}", contents.faults);
        }
    }
}
