//! The format for lnav.

use std::fs;
use std::process::{Command, Output};

use crate::report::{LOG, run};
use crate::support::{Scene, code, stderr};

/// lnav with this format and no other settings.
fn lnav(scene: &Scene, args: &[&str]) -> Output {
    let mut lnav = Command::new("lnav");
    scene.equip(&mut lnav);
    lnav.env("HOME", scene.path("")).env("TERM", "dumb");
    lnav.current_dir(scene.path("")).args(args);
    lnav.output().expect("lnav")
}

#[test]
fn lnav_accepts_the_format_and_counts_the_failures_by_host() {
    let scene = Scene::new();
    let format = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/lnav.json");
    assert_eq!(code(&lnav(&scene, &["-i", format])), 0);
    let check = lnav(&scene, &["-C"]);
    assert_eq!((code(&check), &*stderr(&check)), (0, ""));

    let log = LOG.to_owned() + &run(5, "22:00:00", "22:00:01", "db01 /x", "END of it", 3);
    fs::write(scene.path("20260302_remoteexe.log"), log).unwrap();
    let query = "SELECT host, count(*) AS failures FROM remoteexe_log \
                 WHERE event = 'END' AND status <> 0 GROUP BY host";
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    assert!(fs::read_to_string(readme).unwrap().contains(query));
    let query = format!(";{query}");
    let args = [
        "-n",
        "-c",
        &query,
        "-c",
        ":write-csv-to -",
        "20260302_remoteexe.log",
    ];
    let output = lnav(&scene, &args);
    assert_eq!(
        str::from_utf8(&output.stdout).unwrap(),
        "host,failures\ndb01,3\nweb01,1\n"
    );
}
