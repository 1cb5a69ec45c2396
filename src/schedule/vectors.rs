//! What the real daemons say of random lines: the slots, and which lines they refuse.
//!
//! `tests/cron_vectors.sh` and `tests/cron_syntax.sh` say how the files were made.

use std::fs;
use std::path::Path;

use super::Daemon;
use super::clock::stretches;
use super::crontab::{Columns, Contents};
use super::slots;
use super::timing::Timing;
use super::zone::Zone;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

/// The value of `NAME VALUE` at the head of a file.
fn head<'a>(text: &'a str, name: &str) -> &'a str {
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value.unwrap().trim()
}

fn check(path: &Path, daemon: Daemon) {
    let text = fs::read_to_string(path).unwrap();
    let zone = Zone::named(head(&text, "zone ")).unwrap();
    let start = head(&text, "start ").parse::<i64>().unwrap() / 60;
    let minutes: i64 = head(&text, "minutes ").parse().unwrap();
    // A daemon does not run the minute in which it starts.
    let stretches = stretches(&zone, start + 1, start + minutes);
    let mut lines = 0;
    for (line, runs) in text.lines().filter_map(|line| line.split_once('\t')) {
        let (timing, rest) = Timing::parse(line.as_bytes(), daemon).unwrap();
        if timing.is_reboot {
            continue;
        }
        assert_eq!(rest, b"");
        let mut found = Vec::new();
        slots::each(&timing, None, &stretches, &mut |slot| {
            found.push(slot.minute - start);
        });
        let runs: Vec<i64> = runs
            .split_whitespace()
            .map(|run| run.parse().unwrap())
            .collect();
        found.sort_unstable();
        assert_eq!(found, runs, "{}: {line}", path.display());
        lines += 1;
    }
    assert!(lines > 30, "{}", path.display());
}

#[test]
fn the_slots_of_random_lines_are_those_of_the_real_daemons() {
    let mut files = 0;
    for entry in fs::read_dir(Path::new(DATA).join("cron")).unwrap() {
        let path = entry.unwrap().path();
        let is_cronie = path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("cronie");
        check(
            &path,
            if is_cronie {
                Daemon::Cronie
            } else {
                Daemon::Debian
            },
        );
        files += 1;
    }
    assert!(files >= 2, "{files}");
}

#[test]
fn the_lines_that_the_real_daemons_refuse_are_refused() {
    for (file, daemon) in [("debian", Daemon::Debian), ("cronie", Daemon::Cronie)] {
        let path = Path::new(DATA)
            .join("cron_syntax")
            .join(file)
            .with_extension("txt");
        let text = fs::read_to_string(path).unwrap();
        for (answer, line) in text.lines().filter_map(|line| line.split_once('\t')) {
            let contents = Contents::parse(format!("{line}\n").as_bytes(), Columns::User, daemon);
            let mut faults = contents.faults.iter();
            let is_refused = faults.any(|fault| fault.problem.contains("cron ignores this"));
            assert_eq!(
                is_refused,
                answer == "no",
                "{daemon:?}: {line} {:?}",
                contents.faults
            );
        }
    }
}
