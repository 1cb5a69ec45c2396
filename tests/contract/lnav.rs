//! The format for lnav.

use std::fs;
use std::process::{Command, Output};

use crate::manual::shown;
use crate::report::{LOG, run};
use crate::support::{Scene, code, stderr};

const LOG_NAME: &str = "20260302_remoteexe.log";

/// lnav with this format and no other settings.
fn lnav(scene: &Scene, args: &[&str]) -> Output {
    let mut lnav = Command::new("lnav");
    scene.equip(&mut lnav);
    lnav.env("HOME", scene.path("")).env("TERM", "dumb");
    lnav.current_dir(scene.path("")).args(args);
    lnav.output().expect("lnav")
}

/// The rows that this query finds in the scene's log.
fn answer(scene: &Scene, query: &str) -> String {
    let query = format!(";{query}");
    let args = ["-n", "-c", &query, "-c", ":write-csv-to -", LOG_NAME];
    String::from_utf8(lnav(scene, &args).stdout).unwrap()
}

#[test]
fn lnav_accepts_the_format_and_counts_the_failures_by_host() {
    let scene = Scene::new();
    let format = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/lnav.json");
    assert_eq!(code(&lnav(&scene, &["-i", format])), 0);
    let check = lnav(&scene, &["-C"]);
    assert_eq!((code(&check), &*stderr(&check)), (0, ""));

    let log = LOG.to_owned() + &run(5, "22:00:00", "22:00:01", "db01 /x", "END of it", 3);
    fs::write(scene.path(LOG_NAME), log).unwrap();
    let query = "SELECT host, count(*) AS failures FROM remoteexe_log \
                 WHERE event = 'END' AND status <> 0 GROUP BY host";
    // A long line ends with a backslash in the manual.
    let manual = shown().replace("\\\n", "");
    let words: Vec<_> = manual.split_whitespace().collect();
    assert!(words.join(" ").contains(query));
    assert_eq!(answer(&scene, query), "host,failures\ndb01,3\nweb01,1\n");
    let query = "SELECT log_opid, log_level, log_body FROM remoteexe_log WHERE log_opid = 5";
    assert_eq!(
        answer(&scene, query),
        "log_opid,log_level,log_body\n5,info,\n5,info,\"command,ssh root@db01 /x\"\n5,info,END of it\n5,error,\n"
    );
}
