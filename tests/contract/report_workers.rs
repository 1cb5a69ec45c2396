//! `--report` of a crontab that another scheduler runs, on several workers with a log directory each.

use std::fs::{self, File};
use std::process::Output;
use std::time::{Duration, UNIX_EPOCH};

use crate::report::{fields, printed, reporter, run};
use crate::support::{REMOTEEXE, Scene, needs_root, own_mounts};

/// The logs of two workers, and the crontab `lines`, whose jobs log to a directory of the workers.
fn workers(logs: [&[String]; 2], lines: &str) -> Scene {
    let scene = Scene::new();
    for (dir, runs) in ["east", "west"].iter().zip(logs) {
        fs::create_dir(scene.path(dir)).unwrap();
        let log = scene.path(dir).join("20260302_remoteexe.log");
        fs::write(log, runs.concat()).unwrap();
    }
    let text = format!("REMOTEEXE_LOG_DIR=/var/log/of-the-workers\n{lines}");
    fs::write(scene.path("airflow.crontab"), text).unwrap();
    let crontab = File::options().append(true).open(scene.path("airflow.crontab"));
    let changed = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    crontab.unwrap().set_modified(changed).unwrap();
    scene
}

/// A report of both workers until 11:00.
fn report(scene: &Scene, args: &[&str]) -> Output {
    report_until("11:00", scene, args)
}

fn report_until(time: &str, scene: &Scene, args: &[&str]) -> Output {
    let until = format!("2026-03-02 {time}");
    let mut command = reporter(scene);
    command.current_dir(scene.path(""));
    command.args(["--log-dir", "east", "--log-dir", "west"]);
    command.args(["--crontab", "airflow.crontab", "--no-pager"]);
    command.args(["--since", "2026-03-02", "--until", &until]);
    command.args(args).output().unwrap()
}

fn good(pid: u32, minute: u32, job: &str) -> String {
    let time = format!("10:{minute:02}:07");
    run(pid, &time, &time, job, "", 0)
}

#[test]
fn a_slot_is_missing_if_no_worker_has_started_it() {
    // Two workers have the same process ids. 10:30 is missing, 10:50 may still come.
    let east = [good(7, 0, "h s"), good(8, 20, "h s"), good(9, 50, "h s")];
    let west = [good(7, 10, "h s"), good(8, 40, "h s")];
    let scene = workers([&east, &west], "*/10 * * * * root remoteexe h s\n");
    let json = report(&scene, &["--json"]);
    printed(&json);
    let expected = ["east", "west", "east", "west", "east"].map(|name| format!("\"{name}\" \"ok\""));
    let runs = fields(&json, "scheduler status");
    assert_eq!(runs[..5], expected);
    assert_eq!(runs[5..], [r#"null "missed""#]);
    let screen = printed(&report(&scene, &[]));
    assert!(screen.contains("NOT STARTED  10:30  h s"), "{screen}");
    assert!(screen.contains("line airflow.crontab:2"), "{screen}");
}

#[test]
fn a_job_is_one_job_on_whichever_worker_it_runs() {
    let failed = run(7, "10:00:05", "10:00:06", "h s", "", 3);
    let scene = workers([&[failed], &[good(7, 10, "h s"), good(8, 20, "h s")]], "*/10 10 * * * root remoteexe h s\n");
    let screen = printed(&report_until("10:25", &scene, &[]));
    assert!(screen.contains("0 problems now, 1 over"), "{screen}");
}

#[test]
fn a_process_of_one_worker_is_not_one_of_another() {
    let start = "[2026-03-02 10:00:00][7] START,-,h s\n".to_owned();
    let end = "[2026-03-02 10:00:05][7] END,0,h s\n".to_owned();
    let scene = workers([&[start], &[end]], "0 10 * * * root remoteexe h s\n");
    let json = report(&scene, &["--json"]);
    assert_eq!(fields(&json, "scheduler pid status"), [r#""east" 7 "lost""#]);
}

#[test]
fn what_the_workers_log_elsewhere_is_not_judged_unless_some_of_it_was_collected() {
    let lines = "*/10 * * * * root remoteexe h s\n\
                 REMOTEEXE_LOG_DIR=/var/log/of-others\n\
                 */10 * * * * root remoteexe h other\n\
                 */10 * * * * root remoteexe h never\n";
    let east: Vec<String> = (0..6).map(|n| good(n, 10 * n, "h s")).collect();
    let scene = workers([&east, &[good(9, 0, "h not-planned")]], lines);
    let screen = printed(&report(&scene, &[]));
    assert!(screen.contains("1 job on 1 line"), "{screen}");
    assert!(screen.contains("2 lines not checked"), "{screen}");
    assert!(!screen.contains("NOT STARTED"), "{screen}");
    let scene = workers([&east, &[good(9, 0, "h other")]], lines);
    let screen = printed(&report(&scene, &[]));
    assert!(screen.contains("3 jobs on 3 lines"), "{screen}");
    assert!(screen.contains("h never"), "{screen}");
}

#[test]
fn an_outage_of_another_scheduler_is_not_one_of_cron() {
    let lines = (0..5).map(|n| format!("*/5 10 * * * root remoteexe h{n} s\n"));
    let runs = (0..5).flat_map(|n| [0, 5, 10, 50, 55].map(|minute| good(n, minute, &format!("h{n} s"))));
    let mut runs: Vec<String> = runs.collect();
    runs.sort();
    let scene = workers([&runs, &[good(9, 0, "x y")]], &lines.collect::<String>());
    let screen = printed(&report(&scene, &[]));
    assert!(screen.contains("the scheduler was not running or could not run"), "{screen}");
}

#[test]
fn the_coming_starts_say_which_scheduler_makes_them() {
    needs_root();
    let scene = workers([&[], &[]], "0 1 * * * root remoteexe h of-airflow\n");
    fs::write(scene.path("crontab"), "0 2 * * * root remoteexe h of-cron\n").unwrap();
    let mut command = own_mounts(&format!(
        "mount --bind $DIR/crontab /etc/crontab
         exec {REMOTEEXE} --report --next --crontab /etc/crontab --crontab $DIR/airflow.crontab"
    ));
    scene.equip(&mut command);
    let next = printed(&command.output().unwrap());
    for (words, job) in [("by the scheduler of airflow.crontab", "of-airflow"), ("by cron", "of-cron")] {
        let is_row = |line: &&str| line.contains(words) && line.ends_with(job);
        assert!(next.lines().any(|line| is_row(&line)), "{next}");
    }
}
