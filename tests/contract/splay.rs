//! `--splay`: a wait before ssh that belongs to the job.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::{Running, Scene, received, send};

/// The wait of the job `h SCRIPT` with `--splay SECONDS`, from its log.
fn wait_of(script: &str, seconds: &str) -> Duration {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh("echo out; exit 3");
    command.args(["--splay", seconds, "h", script]);
    let run = scene.run(&mut command);
    assert_eq!((run.code, run.stderr.as_str()), (3, ""));
    let records: Vec<&str> = run.records.lines().collect();
    let [start, wait, rest @ ..] = records.as_slice() else {
        panic!("{}", run.records);
    };
    assert_eq!(*start, format!("START,-,h {script}"));
    assert_eq!(rest, [&format!("command,ssh root@h {script}"), "out", &format!("END,3,h {script}")]);
    let seconds = wait.strip_prefix("wait,").and_then(|wait| wait.strip_suffix(" s"));
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    Duration::from_secs_f64(seconds.unwrap_or_else(|| panic!("{wait}")))
}

#[test]
fn each_job_has_a_wait_of_its_own_which_is_the_same_in_every_run() {
    let mut waits: Vec<Duration> = Vec::new();
    for script in ["a", "b", "c", "d"] {
        let wait = wait_of(script, "0.5");
        assert_eq!(wait_of(script, "0.5"), wait);
        assert!(wait < Duration::from_millis(500), "{wait:?}");
        waits.push(wait);
    }
    waits.sort_unstable();
    waits.dedup();
    // By chance two of four are the same once in 80 names of a machine.
    assert!(waits.len() >= 3, "{waits:?}");
}

#[test]
fn a_signal_ends_the_wait_and_nothing_is_run() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh("echo out");
    command.env("REMOTEEXE_SPLAY", "3600");
    // The wait is below 1 s on one machine in 3600.
    let mut child = Running::spawn(command.args(["h", "s"]));
    let wait = crate::support::wait_for("the wait", || {
        let log = scene.log();
        log.lines().nth(1).map(str::to_owned)
    });
    assert!(wait.starts_with("wait,"), "{wait}");
    send(&child, Signal::TERM);
    assert_eq!(child.code(), Some(143));
    assert_eq!(scene.log(), format!("START,-,h s\n{wait}\n{}END,143,h s\n", received(143)));
}
