//! A job in bad or changing surroundings: clock, time zone, variables, current directory.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::support::{
    FAKETIME, Sandbox, Scene, as_ordinary_user, code, files, log_of_h_s, split_record, stderr, texts_in,
};

/// 2026-03-29 12:00:00 UTC.
const NOON: i64 = 1_774_785_600;
const DAY: i64 = 86_400;

/// Runs a job under a clock that stands still. Before it prints `1`, `2` and so on, the clock is set to
/// the next of `times`, in seconds since 1970. Gives the log's name and its records without PID.
fn run_with_clock(zone: &str, times: &[i64]) -> (String, String) {
    let scene = Scene::new();
    // The file is replaced in one go, because it is read whenever a program asks for the time.
    let body = "unset LD_PRELOAD; last='command,ssh root@h s'; count=0
         for time in $TIMES; do
             until grep -q \"] $last\\$\" $DIR/log/*; do sleep 0.01; done
             echo $time >$DIR/next; mv $DIR/next $DIR/clock
             count=$((count + 1)); last=$count; echo $last
         done";
    let times: Vec<String> = times.iter().map(i64::to_string).collect();
    fs::write(scene.path("clock"), format!("{}\n", times[0])).unwrap();
    let mut command = scene.remoteexe_with_ssh(body);
    command
        .env("TZ", zone)
        .env("TIMES", times.join(" "))
        .env("LD_PRELOAD", FAKETIME)
        .env("FAKETIME_TIMESTAMP_FILE", scene.path("clock"))
        .env("FAKETIME_FMT", "%s")
        .env("FAKETIME_NO_CACHE", "1")
        // To set a clock does not change the monotonic clock.
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let output = command.args(["h", "s"]).output().unwrap();
    assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
    let name = scene.log_path().file_name().unwrap().to_owned();
    let records = scene
        .log_bytes()
        .split_inclusive(|&byte| byte == b'\n')
        .map(|line| {
            let (_, text) = split_record(line).expect("a whole record");
            String::from_utf8([&line[..21], b" ", text].concat()).unwrap()
        })
        .collect();
    (name.into_string().unwrap(), records)
}

#[test]
fn a_clock_that_is_set_during_a_run_changes_the_stamps_and_not_the_file() {
    let (name, records) = run_with_clock("UTC", &[NOON, NOON - DAY, NOON + DAY]);
    assert_eq!(name, "20260329_remoteexe.log");
    assert_eq!(
        records,
        "[2026-03-29 12:00:00] START,-,h s\n\
         [2026-03-29 12:00:00] command,ssh root@h s\n\
         [2026-03-29 12:00:00] 1\n\
         [2026-03-28 12:00:00] 2\n\
         [2026-03-30 12:00:00] 3\n\
         [2026-03-30 12:00:00] END,0,h s\n"
    );
}

#[test]
fn the_stamps_are_right_on_both_sides_of_a_change_to_and_from_summer_time() {
    // A zone by its name, and the same in POSIX's notation (XBD 8.3, TZ).
    for zone in ["Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"] {
        // 01:00 UTC on 2026-03-29 and on 2026-10-25.
        for (change, before, after) in [
            (1_774_746_000, "2026-03-29 01:59:59", "2026-03-29 03:00:00"),
            (1_792_890_000, "2026-10-25 02:59:59", "2026-10-25 02:00:00"),
        ] {
            let (_, records) = run_with_clock(zone, &[change - 1, change]);
            assert_eq!(
                records,
                format!(
                    "[{before}] START,-,h s\n\
                     [{before}] command,ssh root@h s\n\
                     [{before}] 1\n\
                     [{after}] 2\n\
                     [{after}] END,0,h s\n"
                ),
                "{zone}"
            );
        }
    }
}

#[test]
fn a_zone_of_nonsense_does_not_stop_the_job() {
    let zones: [&[u8]; 9] = [
        b"",
        b":",
        b"Nonsense/Nowhere",
        b"XXX+99:99:99",
        b"/",
        b"/etc/passwd",
        b"../../etc/passwd",
        b"-\x1b\n",
        b"\xff\xfe",
    ];
    for zone in zones {
        let scene = Scene::new();
        let mut command = scene.remoteexe_with_ssh("echo out; exit 3");
        command.env("TZ", OsStr::from_bytes(zone));
        let run = scene.run(command.args(["h", "s"]));
        assert_eq!(run.code, 3, "{}", zone.escape_ascii());
        assert_eq!(run.stderr, "");
        assert_eq!(run.records, log_of_h_s("out\n", 3));
    }
}

#[test]
fn an_empty_environment_is_enough_for_a_real_ssh() {
    let sandbox = Sandbox::start();
    for home in [None, Some("/nonexistent"), Some("/dev/null")] {
        let scene = Scene::new();
        let mut command = scene.remoteexe();
        command.env_clear().arg("--log-dir").arg(scene.path("log"));
        if let Some(home) = home {
            command.env("HOME", home);
        }
        let script = "echo out; exit 3";
        let run = scene.run(sandbox.connect(&mut command).args(["h", script]));
        assert_eq!((run.code, run.stderr.as_str()), (3, ""));
        let config = sandbox.dir.join("ssh_config");
        assert_eq!(
            run.records,
            format!(
                "START,-,h {script}\n\
                 command,ssh -F {} {}@h {script}\n\
                 out\n\
                 END,3,h {script}\n",
                config.display(),
                sandbox.login
            )
        );
    }
}

#[test]
fn a_current_directory_that_is_unreadable_or_gone_is_no_obstacle() {
    let sandbox = Sandbox::start_as_ordinary_user();
    let remoteexe = sandbox.install("remoteexe");
    for (name, spoil) in [("closed", "chmod 000"), ("gone", "rmdir")] {
        let log = sandbox.dir.join(format!("log-{name}"));
        let script = format!(r#"mkdir "$0" {name} && cd {name} && {spoil} ../{name} && exec "$@""#);
        let mut command = as_ordinary_user("sh");
        command.args(["-c", &script]).arg(&log).arg(&remoteexe);
        command.arg("--log-dir").arg(&log);
        sandbox.connect(&mut command).args(["h", "echo out; exit 3"]);
        let output = command.current_dir(&sandbox.dir).output().unwrap();
        assert_eq!((code(&output), stderr(&output).as_str()), (3, ""), "{name}");
        let log = texts_in(&files(&log)[0]);
        assert!(log.ends_with("\nout\nEND,3,h echo out; exit 3\n"), "{log}");
    }
}
