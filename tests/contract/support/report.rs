//! `remoteexe --report` of a log, for the tests that are no cases.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

use super::process::{code, stderr};
use super::scene::{REMOTEEXE, Scene};

/// A log of the bash original: the output is logged at the end, a run without output has a blank record,
/// and many runs have one process id. At the end two runs overlap, and one has no END.
pub const LOG: &str = include_str!("../cases/original.log");

/// remoteexe with `--report`, in UTC and without a terminal. It is ended after a minute of the processor's time, which
/// does not pass faster on a busy machine.
pub fn reporter(scene: &Scene) -> Command {
    let mut command = Command::new("/usr/bin/prlimit");
    scene.equip(&mut command);
    command.env("TZ", "UTC");
    command.args(["--cpu=60", REMOTEEXE, "--report"]);
    command
}

/// `remoteexe --report ARGS` of this log.
pub fn report(log: impl AsRef<[u8]>, args: &[&str]) -> Output {
    let scene = Scene::new();
    fs::write(scene.path("a.log"), log).unwrap();
    let mut command = reporter(&scene);
    // The report says what it has read.
    command.args(args).arg("a.log").current_dir(scene.path(""));
    command.output().unwrap()
}

/// The standard output of a report without errors.
pub fn printed(output: &Output) -> String {
    assert_eq!(stderr(output), "");
    assert!([0, 1].contains(&code(output)), "{}", code(output));
    String::from_utf8(output.stdout.clone()).expect("printable text")
}

/// The document of `--json` about the only run in the log of this scene.
pub fn reported(scene: &Scene) -> Value {
    let output = scene.remoteexe().args(["--report", "--json", "--no-crontab"]).output().unwrap();
    serde_json::from_slice(&output.stdout).expect("one run")
}

/// These fields of each document of `--json`, as JSON.
pub fn fields(output: &Output, names: &str) -> Vec<String> {
    let documents = str::from_utf8(&output.stdout).expect("JSON").lines();
    documents
        .map(|document| {
            let document: Value = serde_json::from_str(document).expect("JSON");
            let field = |name: &str| {
                let field = document.get(name);
                let field = field.unwrap_or_else(|| panic!("{name} in {document}"));
                field.to_string()
            };
            let fields: Vec<String> = names.split(' ').map(field).collect();
            fields.join(" ")
        })
        .collect()
}
