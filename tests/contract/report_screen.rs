//! `--report`: its first screen, of incidents.

use std::fs;
use std::process::Command;

use crate::support::{REMOTEEXE, Scene, day_of_300_jobs};

/// The pictures were looked at on terminals of these widths, in tmux. To make them anew, remove them.
#[test]
fn a_day_of_300_jobs_looks_as_in_the_pictures() {
    let scene = Scene::new();
    fs::write(scene.path("a.log"), day_of_300_jobs()).unwrap();
    for columns in [80, 120, 200] {
        let mut script = Command::new("script");
        scene.equip(&mut script);
        script.env("TZ", "UTC").env("NO_COLOR", "1").env("TERM", "xterm").env("PAGER", "");
        let report = format!("stty cols {columns}; cd $DIR; exec {REMOTEEXE} --report --since 2026-11-24 a.log");
        let output = script.args(["-qec", &report, "/dev/null"]).output().unwrap();
        // The terminal driver makes CR LF of each LF.
        let view = String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n");
        let picture = format!("{}/tests/contract/screens/{columns}.txt", env!("CARGO_MANIFEST_DIR"));
        let Ok(expected) = fs::read_to_string(&picture) else {
            fs::write(&picture, view).unwrap();
            panic!("{picture} is new: look at it");
        };
        assert_eq!(view, expected, "{columns} columns");
    }
}
