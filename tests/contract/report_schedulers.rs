//! `--report` of several log directories: each is one scheduler's.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Output;

use crate::report::{fields, printed, reporter};
use crate::support::{FAKETIME, Scene, code, stderr};

const START: &str = "\
[2026-03-02 10:00:00][7] START,-,h s
[2026-03-02 10:00:00][7] command,ssh root@h s
";
const END: &str = "[2026-03-02 10:00:05][7] END,3,h s\n";

/// A scene with a log in each of these directories.
fn schedulers(logs: &[(&str, &str)]) -> Scene {
    let scene = Scene::new();
    for (dir, log) in logs {
        fs::create_dir_all(scene.path(dir)).unwrap();
        fs::write(scene.path(dir).join("20260302_remoteexe.log"), log).unwrap();
    }
    scene
}

/// A report of these directories, which are relative to the scene's.
fn report_of(scene: &Scene, dirs: &[&str], args: &[&str]) -> Output {
    let mut command = reporter(scene);
    command.current_dir(scene.path(""));
    for dir in dirs {
        command.args(["--log-dir", dir]);
    }
    command.args(["--since", "2026-03-02"]).args(args);
    command.output().unwrap()
}

#[test]
fn the_processes_of_one_scheduler_are_not_those_of_another() {
    let end = START.to_owned() + END;
    let scene = schedulers(&[("a/east", START), ("b/west", &end)]);
    // The same run in two files of one scheduler would be one.
    let output = report_of(&scene, &["a/east", "b/west"], &["--json"]);
    assert_eq!(
        fields(&output, "scheduler pid status overlapped ambiguous"),
        [r#""west" 7 "failed" false false"#, r#""east" 7 "lost" false false"#,]
    );
    printed(&output);
}

#[test]
fn the_view_and_run_name_the_scheduler() {
    let end = START.to_owned() + END;
    let scene = schedulers(&[("a/east", &end), ("b/west", &end)]);
    let both = ["a/east", "b/west"];
    let view = printed(&report_of(&scene, &both, &[]));
    for part in [
        "\na/east and b/west, 2 files, since 2026-03-02 00:00:00\n",
        "\nFAILING      since 03-02 10:00  h s on east\n",
        "\nFAILING      since 03-02 10:00  h s on west\n",
    ] {
        assert!(view.contains(part), "{part} in {view}");
    }
    let output = report_of(&scene, &both, &["--run", "7"]);
    assert_eq!(
        stderr(&output),
        "remoteexe: process 7 has 2 such runs; this is the last one, started at 2026-03-02 10:00:00 on west; \
         to see another one, give its start time: 7@TIME, or only the --log-dir of its scheduler\n"
    );
    // One directory is one scheduler, which needs no name.
    let output = report_of(&scene, &["b/west"], &["--json"]);
    assert_eq!(fields(&output, "scheduler"), ["null"]);
    assert!(!printed(&report_of(&scene, &["b/west"], &[])).contains("on west"));
}

#[test]
fn schedulers_whose_directories_have_one_name_are_named_by_the_whole_path() {
    let scene = schedulers(&[("a/log", START), ("b/log", START)]);
    let output = report_of(&scene, &["a/log", "b/log"], &["--json"]);
    let mut names = fields(&output, "scheduler");
    names.sort();
    assert_eq!(names, [r#""a/log""#, r#""b/log""#]);
}

#[test]
fn a_directory_that_is_given_twice_is_one_scheduler() {
    let scene = schedulers(&[("a", START)]);
    symlink(scene.path("a"), scene.path("link")).unwrap();
    let output = report_of(&scene, &["a", "link", "a"], &["--json"]);
    assert_eq!(fields(&output, "scheduler"), ["null"]);
}

#[test]
fn a_run_without_end_on_another_machine_goes_on_for_a_day() {
    let scene = schedulers(&[("log", START), ("west", START)]);
    // Only the log directory of this machine is one whose processes can be looked for.
    let output = report_of(&scene, &["log", "west"], &["--json"]);
    let mut status = fields(&output, "scheduler status");
    status.sort();
    assert_eq!(status, [r#""log" "lost""#, r#""west" "lost""#]);
    let now = chrono::Utc::now().format("%Y-%m-%d %H:%M:%S").to_string();
    for dir in ["log", "west"] {
        let log = START.replace("2026-03-02 10:00:00", &now);
        let path = scene.path(dir).join("20260302_remoteexe.log");
        fs::write(path, log).unwrap();
    }
    let output = report_of(&scene, &["log", "west"], &["--json"]);
    let mut status = fields(&output, "scheduler status");
    status.sort();
    assert_eq!(status, [r#""log" "lost""#, r#""west" "running""#]);
}

#[test]
fn one_directory_without_logs_does_not_hide_the_others() {
    let scene = schedulers(&[("a", START)]);
    fs::create_dir(scene.path("empty")).unwrap();
    let output = report_of(&scene, &["a", "empty", "gone"], &["--json"]);
    assert_eq!(fields(&output, "scheduler"), [r#""a""#]);
    assert_eq!(
        stderr(&output),
        "remoteexe: empty: there are no logs; --log-dir names another directory\n\
         remoteexe: gone: No such file or directory (os error 2)\n"
    );
    assert_eq!(code(&output), 74);
}

#[test]
fn the_hour_that_summer_time_skips_makes_no_run_hung() {
    // Two minutes each; the last one goes on.
    let mut log = String::new();
    for (pid, start, end) in [
        (1, "28 22:59:02", "28 23:01:02"),
        (2, "28 23:59:02", "29 00:01:02"),
        (3, "29 00:59:02", "29 01:01:02"),
        (4, "29 01:59:02", ""),
    ] {
        let begin = format!("[2026-03-{start}][{pid}]");
        let _ = writeln!(log, "{begin} START,-,h /a\n{begin} command,ssh root@h /a");
        if !end.is_empty() {
            let _ = writeln!(log, "[2026-03-{end}][{pid}] END,0,h /a");
        }
    }
    let name = "20260328_remoteexe.log";
    let scene = schedulers(&[]);
    for (dir, log) in [("a", &*log), ("b", "")] {
        fs::create_dir(scene.path(dir)).unwrap();
        fs::write(scene.path(dir).join(name), log).unwrap();
    }
    let mut command = reporter(&scene);
    // 03:00:12, 70 seconds after the last START.
    command
        .env("TZ", "Europe/Berlin")
        .env("LD_PRELOAD", FAKETIME)
        .env("FAKETIME_FMT", "%s")
        .env("FAKETIME", "@1774746012")
        .current_dir(scene.path(""));
    command.args(["--log-dir", "a", "--log-dir", "b", "--no-crontab"]);
    let view = printed(&command.output().unwrap());
    assert!(view.contains("\nnothing is wrong\n"), "{view}");
    assert!(view.contains("01:59:02  1m10s "), "{view}");
}
