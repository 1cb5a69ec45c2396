//! `--report --changed` as cron starts it, hour by hour for a day and a night: each incident is told once, and its end
//! once. The clock is that of faketime, and the log has what had been written by then.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::{self, File};

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike};

use crate::report::{printed, reporter};
use crate::support::{FAKETIME, REMOTEEXE, Running, Scene, code};

const TIMED_OUT: &str = "ssh: connect to host host00 port 22: Connection timed out\r";
const DROPPED: &str = "kex_exchange_identification: Connection closed by remote host";

/// How a run ends, and after how many seconds. A lost one never does.
type End = Option<(i64, u8, &'static str)>;

const GOOD: End = Some((5, 0, "done"));

/// The time so many minutes after the midnight with which the day begins.
fn at(minutes: i64) -> NaiveDateTime {
    let day = NaiveDate::from_ymd_opt(2031, 3, 4).expect("a day");
    NaiveDateTime::from(day) + TimeDelta::minutes(minutes)
}

/// The same by the clock.
fn clock(hour: i64, minute: i64) -> NaiveDateTime {
    at(hour * 60 + minute)
}

/// What was logged, in the order of time, with the day of the file.
#[derive(Default)]
struct Log {
    lines: Vec<(NaiveDateTime, NaiveDate, String)>,
    /// No process id is used again: nothing tells when a run has died.
    last_pid: u32,
}

impl Log {
    fn run(&mut self, minute: NaiveDateTime, job: &str, end: End) {
        self.last_pid += 1;
        self.run_of(self.last_pid, minute, job, end);
    }

    fn run_of(&mut self, pid: u32, minute: NaiveDateTime, job: &str, end: End) {
        let start = minute + TimeDelta::seconds(1);
        let mut line = |time: NaiveDateTime, text: String| {
            let line = format!("[{time}][{pid}] {text}\n");
            self.lines.push((time, start.date(), line));
        };
        line(start, format!("START,-,{job}"));
        line(start, format!("command,ssh root@{job}"));
        if let Some((seconds, status, output)) = end {
            let end = start + TimeDelta::seconds(seconds);
            line(end, output.to_owned());
            line(end, format!("END,{status},{job}"));
        }
    }

    /// Puts what had been written by then into the logs of the scene.
    fn write(&self, scene: &Scene, now: NaiveDateTime) {
        let mut files: BTreeMap<NaiveDate, (String, NaiveDateTime)> = BTreeMap::new();
        for (time, day, line) in self.lines.iter().filter(|(time, ..)| *time < now) {
            let file = files.entry(*day).or_insert_with(|| (String::new(), *time));
            file.0.push_str(line);
            file.1 = *time;
        }
        for (day, (text, written)) in files {
            let name = format!("log/{}_remoteexe.log", day.format("%Y%m%d"));
            let path = scene.path(name);
            fs::write(&path, text).unwrap();
            let file = File::options().write(true).open(path).unwrap();
            file.set_modified(written.and_utc().into()).unwrap();
        }
    }
}

/// Twelve hosts with a job of every five minutes, one of every half hour, and a nightly one that is silent for 40
/// minutes. `hung` is the process of a run that hangs.
fn log_with_incidents(hung: u32) -> Log {
    let mut log = Log { last_pid: 4_100_000, ..Log::default() };
    // Of earlier days there is only the log of the nightly jobs.
    for day in 2..4 {
        for host in 0..12 {
            let minute = clock(-24 * day + 2, host);
            log.run(minute, &format!("host{host:02} /srv/night.sh"), Some((2400, 0, "done")));
        }
    }
    let mut minute = clock(-24, 0);
    while minute < clock(27, 0) {
        let of_day = i64::from(minute.hour() * 60 + minute.minute());
        let is_down = (clock(21, 12)..clock(21, 30)).contains(&minute);
        for host in 0..12 {
            for (script, every, offset) in [
                ("/srv/often.sh", 5, host % 5),
                ("/srv/half.sh --all", 30, host % 5),
                ("/srv/night.sh", 1440, 120 + host),
            ] {
                if of_day % every != offset || is_down {
                    continue;
                }
                let job = format!("host{host:02} {script}");
                match end(host, script, minute) {
                    Some((seconds, ..)) if seconds > 3000 => {
                        log.run_of(hung, minute, &job, Some((seconds, 0, "done")));
                    }
                    end => log.run(minute, &job, end),
                }
            }
        }
        if minute == clock(3, 5) {
            log.run(minute, "host08 /srv/new.sh", None);
        }
        minute += TimeDelta::minutes(1);
    }
    log.lines.sort_by_key(|(time, ..)| *time);
    log
}

/// How the run of a minute ends.
fn end(host: i64, script: &str, minute: NaiveDateTime) -> End {
    let within = |from: NaiveDateTime, until: NaiveDateTime| (from..until).contains(&minute);
    let on_day = minute.day() == at(0).day();
    match (host, script) {
        // Host 0 does not answer.
        (0, _) if within(clock(9, 20), clock(10, 20)) => Some((20, 255, TIMED_OUT)),
        // A script is broken on three hosts.
        (1..=3, "/srv/half.sh --all") if within(clock(14, 0), clock(17, 30)) => {
            Some((1, 2, "ORDER_DB: unbound variable"))
        }
        // A nightly run is killed, and another hangs until 13:00.
        (7, "/srv/night.sh") if on_day => None,
        (4, "/srv/night.sh") if on_day => Some((39_000, 0, "done")),
        (_, "/srv/night.sh") => Some((2400, 0, "done")),
        // Good and bad in turn.
        (5, "/srv/often.sh") if within(clock(6, 0), clock(7, 0)) => {
            let status = if (minute.minute() / 5).is_multiple_of(2) { 3 } else { 0 };
            Some((1, status, "lock held"))
        }
        // Slower for three hours.
        (6, "/srv/often.sh") if within(clock(16, 0), clock(19, 0)) => Some((65, 0, "done")),
        // A single run is killed.
        (9, "/srv/often.sh") if minute == clock(8, 34) => None,
        // Every second connection is dropped.
        (10 | 11, "/srv/often.sh") if within(clock(18, 0), clock(18, 40)) => {
            if (minute.minute() / 5).is_multiple_of(2) { Some((0, 255, DROPPED)) } else { GOOD }
        }
        // The machine goes down.
        (_, "/srv/often.sh") if minute == clock(21, 11) => None,
        _ => GOOD,
    }
}

/// The state, the time and the subject of each incident that a report tells, with `+` where it began and `-` where it
/// ended.
fn told(report: &str) -> Vec<String> {
    let mut sign = '?';
    let mut told = Vec::new();
    for line in report.lines() {
        match line {
            "Began" => sign = '+',
            "Ended" => sign = '-',
            _ if line.starts_with(|first: char| first.is_ascii_uppercase()) => {
                let cells = line.split("  ").map(str::trim);
                let cells: Vec<&str> = cells.filter(|cell| !cell.is_empty()).take(3).collect();
                told.push(format!("{sign} {}", cells.join(" | ")));
            }
            _ => {}
        }
    }
    told
}

/// The process of a run whose records are those of the test: it logs elsewhere.
fn process_of_night(scene: &Scene) -> Running {
    let mut job = scene.remoteexe_with_ssh("exec sleep 1000");
    job.env("REMOTEEXE_LOG_DIR", scene.path(""));
    Running::spawn(job.args(["host04", "/srv/night.sh"]))
}

#[test]
fn hour_by_hour_each_incident_is_told_once_and_its_end_once() {
    let scene = Scene::new();
    let child = process_of_night(&scene);
    let log = log_with_incidents(child.id());
    let mut all = String::new();
    for hour in 1..=27 {
        let now = clock(hour, 0) + TimeDelta::seconds(30);
        log.write(&scene, now);
        let mut command = std::process::Command::new(REMOTEEXE);
        scene.equip(&mut command);
        command
            .args(["--report", "--no-crontab", "--since", "61m", "--changed"])
            .env("TZ", "UTC")
            .env("COLUMNS", "200")
            .env("LD_PRELOAD", FAKETIME)
            .env("FAKETIME_FMT", "%s")
            .env("FAKETIME", format!("@{}", now.and_utc().timestamp()));
        let output = command.output().unwrap();
        let told = told(&printed(&output));
        let has_begun = told.iter().any(|line| line.starts_with('+') && !line.contains("SLOWER"));
        assert_eq!(code(&output), i32::from(has_begun), "{told:?}");
        for line in told {
            let _ = writeln!(all, "{:02}:00 {line}", hour % 24);
        }
    }
    assert_eq!(
        all,
        "\
05:00 + HUNG | since 02:04 | host04 /srv/night.sh
05:00 + LOST | since 02:07 | host07 /srv/night.sh
05:00 + LOST | since 03:05 | host08 /srv/new.sh
07:00 + FLAPPING | since 06:00 | host05 /srv/often.sh
08:00 - RECOVERED | 06:00–06:50 | host05 /srv/often.sh
09:00 + LOST | 08:34–08:44 | host09 /srv/often.sh
10:00 + UNREACHABLE | since 09:20 | host00
11:00 - UNREACHABLE | 09:20–10:15 | host00
13:00 - HUNG | 02:04–12:54 | host04 /srv/night.sh
15:00 + FAILING | since 14:01 | /srv/half.sh --all on host01, host02, host03
17:00 + SLOWER | since 16:01 | host06 /srv/often.sh
18:00 - RECOVERED | 14:01–17:03 | /srv/half.sh --all on host01, host02, host03
19:00 + DROPPED | 18:00–18:31 | /srv/often.sh on host10, host11
20:00 - SLOWER | 16:01–18:57 | host06 /srv/often.sh
22:00 + LOST | 21:11–21:30 | all that was running: 3 runs of 3 jobs
01:00 - DROPPED | 03-04 18:00–18:31 | /srv/often.sh on host10, host11
03:00 - LOST | 03-04 02:07–04:07 | host07 /srv/night.sh
"
    );
}

#[test]
fn a_run_that_takes_long_is_judged_by_the_good_runs_of_up_to_fourteen_days_before() {
    let night = "host04 /srv/night.sh";
    let view = |days: &[i64], is_hung: bool| {
        let scene = Scene::new();
        let child = process_of_night(&scene);
        let mut log = Log::default();
        for day in days {
            log.run(clock(-24 * day, 10), night, GOOD);
        }
        log.run(clock(-24, 10), "host04 /srv/often.sh", GOOD);
        if is_hung {
            log.run_of(child.id(), clock(2, 0), night, None);
        }
        log.run(clock(2, 30), "host04 /srv/often.sh", GOOD);
        log.write(&scene, clock(3, 0));
        let mut command = reporter(&scene);
        command.args(["--no-crontab", "--since", "2031-03-04", "--until", "2031-03-04 03:00"]);
        printed(&command.output().unwrap())
    };
    // The last log has the third good run: the one before it is not read.
    let hung = view(&[15, 14, 9, 5], true);
    assert!(hung.contains("\nHUNG         since 02:00  host04 /srv/night.sh\n"), "{hung}");
    assert!(hung.contains("/log, 5 files, since "), "{hung}");
    let few = view(&[15, 9, 5], true);
    assert!(few.contains("\n0 problems now") || few.contains("nothing is wrong"), "{few}");
    assert!(few.contains("  too few good runs  host04 /srv/night.sh\n"), "{few}");
    // Nobody asks.
    let quiet = view(&[15, 14, 9, 5], false);
    assert!(quiet.contains("/log, 2 files, since "), "{quiet}");
}
