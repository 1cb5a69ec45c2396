//! The slots of random lines against those of the real daemons and of another program.
//!
//! `tests/cron_vectors.sh` says how the files were made.

use std::fs;
use std::path::Path;

use super::Daemon;
use super::clock::stretches;
use super::slots;
use super::timing::Timing;
use super::zone::Zone;

const DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/cron");

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
            found.push(slot.minute - start)
        });
        let runs: Vec<i64> = runs
            .split_whitespace()
            .map(|run| run.parse().unwrap())
            .collect();
        found.sort_unstable();
        assert_eq!(found, runs, "{}: {line}", path.display());
        lines += 1;
    }
    assert!(lines > 100, "{}", path.display());
}

#[test]
fn the_slots_of_random_lines_are_those_of_the_real_daemons() {
    let mut files = 0;
    for entry in fs::read_dir(DIR).unwrap() {
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
