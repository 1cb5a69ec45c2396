//! A real cron daemon that is stopped, killed and without remoteexe for some minutes: the report names exactly the
//! slots at which nothing was started.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Local, NaiveDateTime, TimeDelta, TimeZone, Timelike};
use rustix::process::Signal;
use serde_json::Value;

use crate::support::{
    FAKETIME, REMOTEEXE, Running, Scene, code, cron, needs_root, send, set_modified, split_record, stderr, wait_until,
};

/// A minute of the daemon's clock takes a second.
const SPEED: u32 = 60;

const JOBS: [&str; 3] = ["host_a /one.sh", "host_b /two.sh action", "host_c /three.sh"];

/// The daemon, its clock, and the scene that it works in.
struct Stage {
    scene: Scene,
    begin: Instant,
    first: DateTime<Local>,
    cron: Running,
}

impl Stage {
    fn new() -> Self {
        let scene = Scene::new();
        let first = Local.with_ymd_and_hms(2026, 3, 2, 10, 0, 50).unwrap();
        write_crontab(&scene);
        let begin = Instant::now();
        write_wrapper(&scene, first);
        let cron = start_cron(&scene, first);
        Self { scene, begin, first, cron }
    }

    /// The time on the daemon's clock.
    fn now(&self) -> DateTime<Local> {
        let passed = TimeDelta::from_std(self.begin.elapsed() * SPEED).unwrap();
        self.first + passed
    }

    /// Waits until the daemon's clock shows second 30 of a minute that is `minutes` later.
    fn wait_minutes(&self, minutes: i64) {
        let now = self.now();
        let end = now.with_second(30).unwrap() + TimeDelta::minutes(minutes);
        wait_until("a time", || self.now() >= end);
    }

    /// The minutes with a START of a job, and how many each has.
    fn started(&self, job: &str) -> BTreeMap<NaiveDateTime, u32> {
        let log = self.scene.log_bytes();
        let starts = log.split_inclusive(|&byte| byte == b'\n').filter_map(|line| {
            let (_, text) = split_record(line)?;
            (text == format!("START,-,{job}\n").as_bytes()).then_some(())?;
            let stamp = str::from_utf8(&line[1..17]).ok()?;
            NaiveDateTime::parse_from_str(stamp, "%Y-%m-%d %H:%M").ok()
        });
        starts.fold(BTreeMap::new(), |mut minutes, minute| {
            *minutes.entry(minute).or_default() += 1;
            minutes
        })
    }

    /// Waits until all jobs are started once more.
    fn wait_for_starts(&self) {
        let counts = || JOBS.map(|job| self.started(job).len());
        let before = counts();
        wait_until("the next starts", || {
            let now = counts();
            now.iter().zip(before).all(|(now, before)| *now > before)
        });
    }
}

fn write_crontab(scene: &Scene) {
    let lines = JOBS.iter().fold(String::new(), |lines, job| {
        let (host, script) = job.split_once(' ').unwrap();
        lines + "* * * * * root remoteexe " + host + " \"" + script + "\"\n"
    });
    let fake = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake");
    let text = format!(
        "SHELL=/bin/bash\n\
         PATH={}:{fake}:/sbin:/bin:/usr/sbin:/usr/bin\n\
         MAILTO=\"\"\n\
         HOME=/\n\
         FAKE_SSH=true\n\
         REMOTEEXE_LOG_DIR={}\n\
         {lines}",
        scene.path("bin").display(),
        scene.path("log").display(),
    );
    fs::write(scene.path("crontab"), text).unwrap();
    // As if the lines had been there for long.
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(50 * 365 * 86_400);
    set_modified(&scene.path("crontab"), long_ago);
}

/// remoteexe with a clock that shows what the daemon's shows: the daemon gives it an environment of its own.
fn write_wrapper(scene: &Scene, first: DateTime<Local>) {
    let begin = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let text = format!(
        "#!/bin/bash
         now=$(({first} + (${{EPOCHREALTIME//[.,]/}} - {begin}) * {SPEED} / 1000000))
         FAKETIME_FMT=%s FAKETIME=@$now LD_PRELOAD='{FAKETIME}' exec {REMOTEEXE} \"$@\"\n",
        first = first.timestamp(),
        begin = begin.unwrap().as_micros(),
    );
    fs::write(scene.path("wrapper"), text).unwrap();
    fs::set_permissions(scene.path("wrapper"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(scene.path("bin")).unwrap();
    symlink(scene.path("wrapper"), scene.path("bin/remoteexe")).unwrap();
}

fn start_cron(scene: &Scene, now: DateTime<Local>) -> Running {
    let mut cron = cron(scene, "");
    let now = now.format("%Y-%m-%d %H:%M:%S");
    Running::spawn(cron.env("FAKETIME", format!("@{now} x{SPEED}")))
}

#[test]
fn the_report_names_exactly_the_slots_of_the_minutes_without_cron_or_without_remoteexe() {
    needs_root();
    let mut stage = Stage::new();
    stage.wait_for_starts();

    // After more than some minutes, cron does not catch up on lines of every minute.
    send(&stage.cron, Signal::STOP);
    stage.wait_minutes(9);
    send(&stage.cron, Signal::CONT);
    stage.wait_for_starts();

    let link = stage.scene.path("bin/remoteexe");
    fs::remove_file(&link).unwrap();
    stage.wait_minutes(2);
    symlink(stage.scene.path("wrapper"), &link).unwrap();
    stage.wait_for_starts();

    stage.cron.kill().unwrap();
    stage.cron.wait().unwrap();
    stage.wait_minutes(4);
    stage.cron = start_cron(&stage.scene, stage.now());
    stage.wait_for_starts();
    stage.wait_for_starts();
    let last = *stage.started(JOBS[0]).last_key_value().unwrap().0;
    stage.cron.kill().unwrap();

    // The first minute is the one in which the log begins.
    let first = *stage.started(JOBS[0]).first_key_value().unwrap().0;
    let mut expected = BTreeSet::new();
    for (job, line) in JOBS.iter().zip(7..) {
        let started = stage.started(job);
        let mut minute = first + TimeDelta::minutes(1);
        while minute < last {
            // On a busy machine a START may come a minute late, which here is a second. Then the next minute has two.
            let is_late = started.get(&(minute + TimeDelta::minutes(1))).is_some_and(|starts| *starts > 1);
            if !started.contains_key(&minute) && !is_late {
                expected.insert((minute, (*job).to_owned(), line));
            }
            minute += TimeDelta::minutes(1);
        }
    }
    assert!(expected.len() >= 3 * (7 + 1 + 3), "{expected:?}");
    // A slot is missing when no START has come for three minutes.
    let until = last + TimeDelta::minutes(3);
    assert_eq!(missed(&stage.scene, until), expected);
}

/// What the report says is missing before `until`: the slot, the job and the line.
fn missed(scene: &Scene, until: NaiveDateTime) -> BTreeSet<(NaiveDateTime, String, u64)> {
    let mut command: Command = scene.remoteexe();
    command.args(["--report", "--json", "--crontab"]);
    command.arg(scene.path("crontab"));
    command.args(["--since", "2026-03-02", "--until", &until.to_string()]);
    let output = command.output().unwrap();
    assert_eq!(stderr(&output), "");
    assert_eq!(code(&output), 1);
    let documents = str::from_utf8(&output.stdout).unwrap().lines();
    let documents = documents.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let missed = documents.filter(|document| document["status"] == "missed");
    let slot = |document: Value| {
        let expected = DateTime::parse_from_rfc3339(document["expected"].as_str().unwrap());
        let job = document["job"].as_str().unwrap().to_owned();
        (expected.unwrap().naive_local(), job, document["line"].as_u64().unwrap())
    };
    missed.map(slot).collect()
}
