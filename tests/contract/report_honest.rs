//! `--report`: where nothing is wrong, no problem is shown. The logs are random, and honest: each slot of the crontab has
//! its START, and each run ends well, some of them late, and over a change of summer time.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use fastrand::Rng;

use crate::report::printed;
use crate::support::{FAKETIME, Scene, set_modified, stderr, with_seeds};

const LOGS: u64 = 10;

/// The clock changes in Berlin of 2037, in seconds of UTC: to summer time, and back.
const CHANGES: [i64; 2] = [2_121_901_200, 2_140_045_200];

type IsDue = Box<dyn Fn(NaiveDateTime) -> bool>;

/// A time, the day of the log, and the text.
type Record = (i64, NaiveDate, String);

struct Job {
    name: String,
    fields: String,
    is_due: IsDue,
    seconds: u32,
    /// Every so many runs one takes longer than the interval.
    long: Option<usize>,
    splay: u32,
}

fn local(time: i64) -> NaiveDateTime {
    let is_summer = (CHANGES[0]..CHANGES[1]).contains(&time);
    let offset = TimeDelta::hours(if is_summer { 2 } else { 1 });
    DateTime::from_timestamp(time, 0).unwrap().naive_utc() + offset
}

/// No line has a fixed time in the hours that a clock change moves: `tests/vectors` has those.
fn job(random: &mut Rng, number: usize) -> Job {
    let (minute, hour) = (random.u32(..60), random.u32(4..24));
    let every = *random.choice(&[1, 2, 5, 10, 15, 30]).unwrap();
    let (fields, longest, is_due): (String, u32, IsDue) = match random.u32(..4) {
        0 => (format!("{minute} {hour} * * *"), 3000, Box::new(move |at| (at.minute(), at.hour()) == (minute, hour))),
        1 => (format!("{minute} * * * *"), 1500, Box::new(move |at| at.minute() == minute)),
        _ => (format!("*/{every} * * * *"), every * 40, Box::new(move |at| at.minute() % every == 0)),
    };
    let long = (longest < 100 && random.bool()).then(|| random.usize(40..90));
    let splay = if long.is_none() && random.u32(..4) == 0 { random.u32(1..20) } else { 0 };
    let seconds = random.u32(1..=longest);
    Job { name: format!("h{} /job{number}", number % 5), fields, is_due, seconds, long, splay }
}

/// The records of all runs from `begin` to `end`, by time, and the times in which a run goes on.
fn records(random: &mut Rng, jobs: &[Job], begin: i64, end: i64) -> (Vec<Record>, Vec<(i64, i64)>) {
    let (mut records, mut runs, mut pid) = (Vec::new(), Vec::new(), 4_194_304);
    for job in jobs {
        let slots = (begin..end).step_by(60).filter(|slot| (job.is_due)(local(*slot)));
        for (number, slot) in slots.enumerate() {
            pid += 1;
            let start = slot + i64::from(random.u32(1..4));
            let noise = job.seconds * random.u32(80..120) / 100;
            let is_long = job.long.is_some_and(|every| number % every == every - 1);
            let command = start + i64::from(job.splay);
            let finished = command + i64::from(if is_long { noise + 61 } else { noise.max(1) });
            let mut add = |at: i64, text: String| {
                records.push((at, local(start).date(), format!("[{}][{pid}] {text}\n", local(at))));
            };
            add(start, format!("START,-,{}", job.name));
            if job.splay > 0 {
                add(start, format!("wait,{}.000 s", job.splay));
            }
            add(command, format!("command,ssh root@{}", job.name));
            add(finished, format!("{} rows, 0 errors", random.u32(..9999)));
            add(finished, format!("END,0,{}", job.name));
            runs.push((slot, finished));
        }
    }
    records.sort_by_key(|(at, ..)| *at);
    (records, runs)
}

fn check(seed: u64) {
    let random = &mut Rng::with_seed(seed);
    let jobs: Vec<Job> = (0..random.usize(1..12)).map(|number| job(random, number)).collect();
    let change = *random.choice(&CHANGES).unwrap();
    let begin = change - i64::from(random.u32(6..60)) * 3600;
    let end = begin + i64::from(random.u32(24..80)) * 3600;
    let (records, runs) = records(random, &jobs, begin, end);
    // Nothing goes on, and no START is awaited.
    let is_quiet = |now: &i64| runs.iter().all(|(slot, finished)| !(slot - 1..=finished + 1).contains(now));
    let Some(now) = (end - 4 * 3600..end - 300).rev().step_by(7).find(is_quiet) else {
        println!("QUIET none");
        return;
    };
    let scene = Scene::new();
    let log = scene.path("log").display().to_string();
    let lines = jobs.iter().map(|job| format!("{} root remoteexe {}\n", job.fields, job.name));
    let crontab = format!("REMOTEEXE_LOG_DIR={log}\n{}", lines.collect::<String>());
    let touch = |path: &Path, time: i64| set_modified(path, DateTime::from_timestamp(time, 0).unwrap());
    fs::write(scene.path("crontab"), crontab).unwrap();
    touch(&scene.path("crontab"), begin - 86_400);
    let written: Vec<_> = records.iter().filter(|(at, ..)| *at < now).collect();
    for day in written.iter().map(|(_, day, _)| day).collect::<BTreeSet<_>>() {
        let of_day = || written.iter().filter(|record| record.1 == *day);
        let path = scene.path(day.format("log/%Y%m%d_remoteexe.log").to_string());
        fs::write(&path, of_day().map(|(.., text)| &**text).collect::<String>()).unwrap();
        touch(&path, of_day().map(|(at, ..)| *at).max().unwrap());
    }
    for args in [&["--all"][..], &["--since", "1h"], &["--since", "3d"], &["--changed", "--since", "1h"]] {
        let mut command = scene.remoteexe();
        command.args(["--report", "--log-dir", &log, "--crontab"]).arg(scene.path("crontab")).args(args);
        command.env("TZ", "Europe/Berlin").env("LD_PRELOAD", FAKETIME).env("FAKETIME_FMT", "%s");
        let output = command.env("FAKETIME", format!("@{now}")).output().unwrap();
        let shown = printed(&output);
        let is_good = shown.is_empty() || shown.contains("\nnothing is wrong\n") || shown.contains("no runs");
        assert!(
            is_good && output.status.success(),
            "SEED={seed} {args:?} {}\n{shown}{}",
            fs::read_to_string(scene.path("crontab")).unwrap(),
            stderr(&output)
        );
    }
}

#[test]
fn where_nothing_is_wrong_no_problem_is_shown() {
    with_seeds(LOGS, check);
}
