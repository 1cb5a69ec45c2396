//! `--report`: its first screen, of incidents.

use std::fs;

use crate::report::on_a_terminal;
use crate::support::day_of_300_jobs;

/// The pictures were looked at on terminals of these widths, in tmux. To make them anew, remove them.
#[test]
fn a_day_of_300_jobs_looks_as_in_the_pictures() {
    let log = day_of_300_jobs();
    for columns in [80, 120, 200] {
        let view = on_a_terminal(columns, "1", &log, "--since 2026-11-24");
        let picture = format!("{}/tests/contract/screens/{columns}.txt", env!("CARGO_MANIFEST_DIR"));
        let Ok(expected) = fs::read_to_string(&picture) else {
            fs::write(&picture, view).unwrap();
            panic!("{picture} is new: look at it");
        };
        assert_eq!(view, expected, "{columns} columns");
    }
}
