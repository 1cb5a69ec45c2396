//! `--report`: what the crontabs plan and the log does not have.

use std::fmt::Write;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use crate::report::{fields, reporter, run};
use crate::support::{REMOTEEXE, Scene, code, remoteexe_booted_at, stderr};

/// A scene with the log of a day, and a crontab whose jobs log there.
struct Day {
    scene: Scene,
    log: String,
    pid: u32,
}

impl Day {
    fn new(lines: &str) -> Self {
        let day = Self { scene: Scene::new(), log: String::new(), pid: 0 };
        day.write_crontab(&(day.head() + lines), "2026-01-01 00:00:00");
        day
    }

    /// Two lines that a crontab here begins with.
    fn head(&self) -> String {
        let bin = Path::new(REMOTEEXE).parent().unwrap().display();
        let log = self.scene.path("log");
        format!("PATH={bin}:/usr/bin\nREMOTEEXE_LOG_DIR={}\n", log.display())
    }

    /// Writes the crontab as if at a time in UTC.
    fn write_crontab(&self, text: &str, changed: &str) {
        fs::write(self.scene.path("crontab"), text).unwrap();
        let changed = chrono::NaiveDateTime::parse_from_str(changed, "%Y-%m-%d %H:%M:%S");
        let seconds = changed.unwrap().and_utc().timestamp();
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.try_into().unwrap());
        let file = File::options().write(true).open(self.scene.path("crontab"));
        file.unwrap().set_modified(changed).unwrap();
    }

    /// A good run of a second at this time of the day.
    fn run(&mut self, time: &str, job: &str) {
        self.pid += 1;
        self.log += &run(self.pid, time, time, job, "", 0);
    }

    /// Good runs at these minutes of an hour.
    fn runs(&mut self, hour: u32, minutes: impl Iterator<Item = u32>, job: &str) {
        for minute in minutes {
            self.run(&format!("{hour:02}:{minute:02}:01"), job);
        }
    }

    fn log_path(&self) -> PathBuf {
        self.scene.path("log/20260302_remoteexe.log")
    }

    /// `remoteexe --report --log-dir log ARGS`.
    fn reporter(&self, args: &[&str]) -> Command {
        let mut records: Vec<&str> = self.log.split_inclusive('\n').collect();
        records.sort_by_key(|record| &record[..21]);
        fs::write(self.log_path(), records.concat()).unwrap();
        let mut command = reporter(&self.scene);
        command.current_dir(self.scene.path(""));
        command.args(["--log-dir", "log"]).args(args);
        command
    }

    /// The same of the day up to a time.
    fn command(&self, until: &str, args: &[&str]) -> Command {
        let mut command = self.reporter(args);
        command.args(["--since", "2026-03-02", "--until"]);
        command.arg(format!("2026-03-02 {until}"));
        command
    }

    fn report(&self, until: &str, args: &[&str]) -> Output {
        let output = self.command(until, args).args(["--crontab", "crontab"]).output();
        output.unwrap()
    }

    /// Its text without the counts at its head.
    fn screen(&self, until: &str, args: &[&str]) -> String {
        let output = self.report(until, args);
        assert_eq!(stderr(&output), "");
        let text = String::from_utf8(output.stdout).unwrap();
        text.splitn(5, '\n').last().unwrap_or_default().to_owned()
    }

    /// The slots that are missing: job, slot, line.
    fn missed(&self, until: &str) -> Vec<String> {
        let mut output = self.report(until, &["--json"]);
        let lines = str::from_utf8(&output.stdout).unwrap().lines();
        let lines: Vec<&str> =
            lines.filter(|line| line.contains("\"status\":\"missed\"")).collect();
        output.stdout = lines.join("\n").into();
        assert_eq!(code(&output), i32::from(!output.stdout.is_empty()));
        fields(&output, "job expected line")
    }
}

fn every(step: usize) -> impl Iterator<Item = u32> {
    (0..60).step_by(step)
}

/// A line of every ten minutes and an hourly one, which were started but for some slots.
fn two_jobs() -> Day {
    let mut day = Day::new(
        "*/10 * * * * root remoteexe h1 /ten.sh\n\
         0 * * * * root remoteexe h2 \"/hour.sh now\"\n",
    );
    day.runs(10, every(10), "h1 /ten.sh");
    day.runs(11, every(10).filter(|minute| *minute != 20), "h1 /ten.sh");
    day.runs(12, 0..1, "h1 /ten.sh");
    day.run("10:00:01", "h2 /hour.sh now");
    day
}

#[test]
fn a_job_that_was_not_started_is_an_incident_with_its_line() {
    assert_eq!(
        two_jobs().screen("12:05", &[]),
        "\
1 problem now, 1 over

Now
NOT STARTED  since 11:00  h2 /hour.sh now  2 runs missing, last good 10:00
                          line crontab:4

Over
NOT STARTED  11:20  h1 /ten.sh  1 run missing, started again 11:30
                    line crontab:3

Crontab      2 jobs on 2 lines, checked from 10:00 on
Healthy      1 job, 1 host (--all lists them)
"
    );
    assert_eq!(code(&two_jobs().report("12:05", &[])), 1);
}

#[test]
fn each_slot_without_a_run_is_a_document() {
    assert_eq!(
        two_jobs().missed("12:05"),
        [
            r#""h2 /hour.sh now" "2026-03-02T11:00:00+00:00" 4"#,
            r#""h1 /ten.sh" "2026-03-02T11:20:00+00:00" 3"#,
            r#""h2 /hour.sh now" "2026-03-02T12:00:00+00:00" 4"#,
        ]
    );
    let output = two_jobs().report("11:10", &["--json"]);
    let documents = str::from_utf8(&output.stdout).unwrap();
    assert_eq!(
        documents.lines().last().unwrap(),
        "{\"uid\":0,\"user\":\"root\",\"scheduler\":null,\"host\":\"h2\",\"job\":\"h2 /hour.sh now\",\
         \"status\":\"missed\",\"expected\":\"2026-03-02T11:00:00+00:00\",\"crontab\":\"crontab\",\"line\":4}"
    );
}

#[test]
fn a_slot_is_judged_when_its_grace_is_over() {
    let day = two_jobs();
    assert_eq!(day.missed("11:02:59").len(), 0);
    assert_eq!(day.missed("11:03").len(), 1);
}

#[test]
fn the_list_of_runs_and_the_history_of_a_job_have_the_slots_without_a_run() {
    let day = two_jobs();
    let list = day.screen("12:05", &["--runs", "--host", "h2"]);
    assert!(
        list.ends_with(
            "
Start     PID  Took  End   Job, and why it was bad
10:00:01   13    0s  0     h2 /hour.sh now
11:00:00    -     -  none  h2 /hour.sh now: not started, crontab:4
12:00:00    -     -  none  h2 /hour.sh now: not started, crontab:4
"
        ),
        "{list}"
    );
    let history = day.screen("12:05", &["--job", "/hour.sh"]);
    assert!(history.contains("\nLast 3 of 1 run and 2 missing\n"), "{history}");
    assert!(history.contains("\nSchedule     0 * * * *, next "), "{history}");
    assert!(history.contains(" (crontab:4)\n"), "{history}");
}

#[test]
fn a_job_that_was_never_started_is_found_too() {
    let mut day =
        Day::new("0 * * * * root remoteexe h1 /a.sh\n30 10 * * * root remoteexe h2 /never.sh\n");
    day.run("10:00:01", "h1 /a.sh");
    day.run("11:00:01", "h1 /a.sh");
    assert_eq!(day.missed("11:30"), [r#""h2 /never.sh" "2026-03-02T10:30:00+00:00" 4"#]);
    let all = day.screen("11:30", &["--all"]);
    assert!(all.contains("\nSchedules\nNext "), "{all}");
    assert!(all.contains("  30 10 * * *  h2 /never.sh\n"), "{all}");
}

/// Forty jobs that run every two minutes, but not from 10:12 to 10:30.
fn cron_down() -> Day {
    let jobs = 1..41;
    let lines = jobs.clone().fold(String::new(), |mut lines, job| {
        let _ = writeln!(lines, "*/2 * * * * root remoteexe h{job} /x.sh");
        lines
    });
    let mut day = Day::new(&lines);
    for job in jobs {
        let up = every(2).filter(|minute| !(12..30).contains(minute));
        day.runs(10, up, &format!("h{job} /x.sh"));
    }
    day
}

#[test]
fn slots_that_most_lines_miss_at_once_are_one_incident() {
    let day = cron_down();
    let shown = "
Over
CRON DOWN    10:12–10:30  360 runs of 40 jobs not started
                          the scheduler was not running, or could not run
                          remoteexe
";
    let screen = day.screen("10:58", &[]);
    assert!(screen.contains(shown), "{screen}");
    assert_eq!(day.missed("10:58").len(), 360);
    // The START of 10:26 may still come.
    let screen = day.screen("10:28", &[]);
    assert!(
        screen.contains("\nNow\nCRON DOWN    since 10:12  280 runs of 40 jobs not started\n"),
        "{screen}"
    );
    // A filter chooses among the jobs, and not among the reasons.
    let screen = day.screen("10:58", &["--host", "h7"]);
    assert!(
        screen.contains("\nCRON DOWN    10:12–10:30  9 runs of 1 job not started\n"),
        "{screen}"
    );
}

/// The text of the report on `day` by a machine that was booted at a time of that day.
fn screen_after_boot(day: &Day, boot: &str) -> String {
    drop(day.reporter(&[]));
    let boot = format!("2026-03-02 {boot}");
    let boot = chrono::NaiveDateTime::parse_from_str(&boot, "%Y-%m-%d %H:%M:%S").unwrap();
    let mut command = remoteexe_booted_at(&day.scene, boot.and_utc().timestamp());
    command.env("TZ", "UTC").current_dir(day.scene.path(""));
    command.args(["--report", "--log-dir", "log", "--crontab", "crontab"]);
    command.args(["--since", "2026-03-02", "--until", "2026-03-02 10:58"]);
    let output = command.output().unwrap();
    assert_eq!(stderr(&output), "");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn runs_that_were_lost_with_the_machine_are_told_with_the_slots_that_it_missed() {
    let mut day = cron_down();
    for (pid, job) in [(9001, "h1 /x.sh"), (9002, "h2 /x.sh"), (9003, "h3 /long.sh")] {
        let _ = writeln!(day.log, "[2026-03-02 10:11:00][{pid}] START,-,{job}");
    }
    let screen = day.screen("10:58", &[]);
    let shown = "1 problem now, 0 over

Now
CRON DOWN    10:11–10:30  360 runs not started, 3 lost, of 41 jobs
                          the scheduler was not running, or could not run
                          remoteexe, not good since: h3 /long.sh
";
    assert!(screen.starts_with(shown), "{screen}");
    let screen = screen_after_boot(&day, "10:29:40");
    assert!(
        screen.contains("this machine booted 10:29, not good since: h3 /long.sh\n"),
        "{screen}"
    );
}

#[test]
fn a_boot_explains_the_time_in_which_nothing_was_started() {
    let day = cron_down();
    let screen = screen_after_boot(&day, "10:29:40");
    let shown = "
Over
CRON DOWN    10:12–10:30  360 runs of 40 jobs not started
                          this machine booted 10:29
";
    assert!(screen.contains(shown), "{screen}");
    for another_time in ["10:05:00", "10:45:00"] {
        let screen = screen_after_boot(&day, another_time);
        assert!(!screen.contains("booted"), "{screen}");
        assert!(screen.contains("the scheduler was not running, or could not run\n"));
    }
}

#[test]
fn what_cron_catches_up_on_is_late_and_no_failure() {
    let mut day = Day::new("* * * * * root remoteexe h1 /a.sh\n");
    day.runs(10, 0..3, "h1 /a.sh");
    for _ in 3..6 {
        day.run("10:05:01", "h1 /a.sh");
    }
    day.runs(10, 6..10, "h1 /a.sh");
    let screen = day.screen("10:09:30", &[]);
    assert!(
        screen.contains(
            "\nOver\nLATE         10:03–10:04  h1 /a.sh\n                          2 starts as late as 10:05:01: the scheduler caught up\n"
        ),
        "{screen}"
    );
    assert_eq!(code(&day.report("10:09:30", &[])), 0);
}

#[test]
fn starts_that_are_late_again_and_again_are_one_line() {
    let mut day = Day::new("* * * * * root remoteexe h1 /a.sh\n");
    day.runs(10, 0..3, "h1 /a.sh");
    for (late, minutes) in [("10:05:01", 6..13), ("10:15:01", 16..20)] {
        for _ in 0..3 {
            day.run(late, "h1 /a.sh");
        }
        day.runs(10, minutes, "h1 /a.sh");
    }
    let screen = day.screen("10:19:30", &[]);
    assert!(
        screen.contains(
            "\nOver\nLATE         10:03–10:14  h1 /a.sh\n                          4 starts as late as 10:15:01: the scheduler caught up\n"
        ),
        "{screen}"
    );
}

#[test]
fn what_was_not_started_is_told_once_when_it_begins_and_once_when_it_ends() {
    let mut day = two_jobs();
    day.runs(12, 1..2, "h1 /ten.sh");
    for (since, until, told) in [
        ("11:00", "11:03", ""),
        (
            "11:03",
            "11:20",
            "\nBegan\nNOT STARTED  since 11:00  h2 /hour.sh now  1 run missing, last good 10:00\n",
        ),
        ("11:20", "11:23", ""),
        (
            "11:23",
            "11:30",
            "\nBegan\nNOT STARTED  since 11:20  h1 /ten.sh  1 run missing, last good 11:10\n",
        ),
        (
            "11:30",
            "11:40",
            "\nEnded\nNOT STARTED  11:20  h1 /ten.sh  1 run missing, started again 11:30\n",
        ),
        ("11:40", "12:00", ""),
    ] {
        let [since, until] = [since, until].map(|time| format!("2026-03-02 {time}"));
        let args = ["--changed", "--since", &since, "--until", &until];
        let output = day.reporter(&args).args(["--crontab", "crontab"]).output();
        let output = output.unwrap();
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        assert_eq!(text.is_empty(), told.is_empty(), "{since}: {text}");
        assert!(text.contains(told), "{since}: {text}");
        assert_eq!(code(&output), i32::from(told.contains("Began")), "{since}");
    }
}

#[test]
fn what_was_told_as_not_started_is_not_told_again_as_cron_down() {
    let mut day = Day::new(
        "55 * * * * root remoteexe h0 /hour.sh\n\
         0-20/5 * * * * root remoteexe h1 /a.sh\n\
         0-20/5 * * * * root remoteexe h2 /a.sh\n\
         0-20/5 * * * * root remoteexe h3 /a.sh\n",
    );
    // Nothing is started from 11:55 to 12:09.
    day.runs(10, 55..56, "h0 /hour.sh");
    day.runs(12, 55..56, "h0 /hour.sh");
    for host in ["h1", "h2", "h3"] {
        day.runs(11, (0..=20).step_by(5), &format!("{host} /a.sh"));
        day.runs(12, (10..=20).step_by(5), &format!("{host} /a.sh"));
    }
    for (since, until, told) in [
        (
            "11:00",
            "12:00",
            "\nBegan\nNOT STARTED  since 11:55  h0 /hour.sh  1 run missing, last good 10:55\n",
        ),
        (
            "12:00",
            "13:00",
            "\nBegan\nCRON DOWN    12:00–12:10  6 runs of 3 jobs not started\n\
             \x20                         the scheduler was not running, or could not run\n\
             \x20                         remoteexe\n\
             \nEnded\nNOT STARTED  11:55  h0 /hour.sh  1 run missing, started again 12:55\n",
        ),
        ("13:00", "13:03", ""),
    ] {
        let [since, until] = [since, until].map(|time| format!("2026-03-02 {time}"));
        let args = ["--changed", "--since", &since, "--until", &until];
        let output = day.reporter(&args).args(["--crontab", "crontab"]).output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        assert_eq!(text.is_empty(), told.is_empty(), "{since}: {text}");
        assert!(text.contains(told), "{since}: {text}");
    }
    let screen = day.screen("13:00", &[]);
    assert!(
        screen.contains("\nCRON DOWN    11:55–12:10  7 runs of 4 jobs not started\n"),
        "{screen}"
    );
}

#[test]
fn a_line_that_may_skip_a_run_is_counted_apart() {
    let mut day = Day::new(
        "*/10 * * * * root flock -n /l remoteexe h1 /often.sh\n\
         */10 * * * * root remoteexe h2 /x.sh\n",
    );
    // It goes on over one slot, and at another one it is not known why there was no run.
    day.log += &run(99, "10:00:01", "10:12:00", "h1 /often.sh", "", 0);
    day.run("10:20:01", "h1 /often.sh");
    day.run("10:40:01", "h1 /often.sh");
    day.runs(10, every(10), "h2 /x.sh");
    day.run("10:15:00", "h3 /by_hand.sh");
    let screen = day.screen("10:49", &[]);
    assert!(
        screen.starts_with(
            "\
nothing is wrong

Crontab      2 jobs on 2 lines, checked from 10:00 on
             2 runs perhaps skipped (the previous run was still going at 1); 1
             start without a line that is understood
"
        ),
        "{screen}"
    );
    assert_eq!(code(&day.report("10:49", &[])), 0);
}

#[test]
fn a_job_whose_line_was_commented_out_is_named() {
    let day = two_jobs();
    let text = fs::read_to_string(day.scene.path("crontab")).unwrap();
    let text = text.replace("0 * * * * root remoteexe h2", "#0 * * * * root remoteexe h2");
    assert!(text.contains("\n#0 "), "{text}");
    day.write_crontab(&text, "2026-03-02 11:15:00");
    let screen = day.screen("12:05", &[]);
    let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains(
            "on no line that is understood, and not started since the change: h2 /hour.sh now \
             (last 10:00, line crontab:4 is commented out)"
        ),
        "{screen}"
    );
    assert!(words.contains("1 line commented out (--check names them)"), "{screen}");
    let history = day.screen("12:05", &["--job", "h2 /hour.sh now"]);
    assert!(history.contains("\nCrontab      line crontab:4 is commented out\n"), "{history}");
}

#[test]
fn a_crontab_from_standard_input_is_judged_from_the_first_start_of_each_job() {
    let mut day = Day::new("");
    for time in ["10:20:01", "10:30:01", "10:50:01"] {
        day.run(time, "h1 /ten.sh");
    }
    fs::write(
        day.scene.path("input"),
        format!(
            "REMOTEEXE_LOG_DIR={}\n*/10 * * * * remoteexe h1 /ten.sh\n0 * * * * remoteexe h2 /new.sh\n",
            day.scene.path("log").display()
        ),
    )
    .unwrap();
    let mut command = day.command("11:30", &["--json", "--user-crontab", "-"]);
    let input = File::open(day.scene.path("input")).unwrap();
    let output = command.stdin(input).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let missed: Vec<&str> =
        text.lines().filter(|line| line.contains("\"status\":\"missed\"")).collect();
    let expected = ["10:40", "11:00", "11:10", "11:20"];
    assert_eq!(missed.len(), expected.len(), "{text}");
    for (line, time) in missed.iter().zip(expected) {
        assert!(line.contains(&format!("T{time}:00")), "{line}");
    }
}

#[test]
fn nothing_is_judged_before_the_last_change_of_a_crontab() {
    let day = two_jobs();
    let text = fs::read_to_string(day.scene.path("crontab")).unwrap();
    day.write_crontab(&text, "2026-03-02 11:15:00");
    assert_eq!(
        day.missed("12:05"),
        [
            r#""h1 /ten.sh" "2026-03-02T11:20:00+00:00" 3"#,
            r#""h2 /hour.sh now" "2026-03-02T12:00:00+00:00" 4"#,
        ]
    );
    let screen = day.screen("12:05", &[]);
    assert!(
        screen.contains("             crontab was changed 11:15: earlier slots are not checked\n"),
        "{screen}"
    );
    // Nor does a START then lack a line.
    assert!(!screen.contains("without a line"), "{screen}");
}

#[test]
fn the_time_before_the_first_log_is_not_judged_unless_there_are_older_ones() {
    let mut day = Day::new("0 * * * * root remoteexe h1 /a.sh\n");
    for hour in 8..12 {
        day.run(&format!("{hour:02}:00:01"), "h1 /a.sh");
    }
    assert_eq!(day.missed("11:30").len(), 0);
    // Its records are too old to be read, and it shows that nothing was rotated away.
    let older = day.scene.path("log/20260225_remoteexe.log");
    fs::write(&older, "[2026-02-25 10:00:00][1] START,-,h1 /a.sh\n").unwrap();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(492_226 * 3600);
    let file = File::options().write(true).open(older).unwrap();
    file.set_modified(long_ago).unwrap();
    // The slots of the day before are no part of the period.
    let missed = day.missed("11:30");
    assert_eq!(missed.len(), 8, "{missed:?}");
    assert_eq!(missed[0], r#""h1 /a.sh" "2026-03-02T00:00:00+00:00" 3"#);
}

#[test]
fn only_jobs_are_judged_whose_log_directory_and_user_are_read() {
    let mut day = Day::new("0 * * * * root remoteexe h1 /a.sh\n");
    day.write_crontab(
        &(day.head()
            + "0 * * * * root remoteexe h1 /a.sh\n\
               0 * * * * daemon remoteexe h1 /of_another.sh\n\
               0 * * * * root TZ=Asia/Tokyo remoteexe h1 /in_another_zone.sh\n\
               0 * * * * root remoteexe --log-dir /nowhere h1 /elsewhere.sh\n\
               REMOTEEXE_LOG_DIR=\"\"\n\
               0 * * * * root remoteexe h1 /in_tmp.sh\n"),
        "2026-01-01 00:00:00",
    );
    for hour in 8..12 {
        day.run(&format!("{hour:02}:00:01"), "h1 /a.sh");
    }
    assert_eq!(day.missed("11:30").len(), 0);
    let screen = day.screen("11:30", &[]);
    assert!(
        screen.contains("4 lines not checked: of other logs,\n             users or zones\n"),
        "{screen}"
    );
    // Nor without its crontab.
    let output = day.command("11:30", &["--no-crontab"]).output().unwrap();
    assert!(!String::from_utf8(output.stdout).unwrap().contains("Crontab"));
}

#[test]
fn logs_that_are_named_one_by_one_are_judged_by_the_crontab_that_is_named_too() {
    let day = two_jobs();
    drop(day.report("12:05", &[]));
    let report = |args: &[&str]| {
        let mut command = reporter(&day.scene);
        command.current_dir(day.scene.path("")).arg(day.log_path());
        command.args(args).output().unwrap()
    };
    assert_eq!(code(&report(&[])), 0);
    let output = report(&["--crontab", "crontab", "--json"]);
    assert_eq!(code(&output), 1);
    let documents = String::from_utf8(output.stdout).unwrap();
    assert_eq!(documents.matches("\"missed\"").count(), 2, "{documents}");
}

#[test]
fn the_screen_has_the_number_of_faults_and_of_calls_that_cannot_be_known() {
    let mut day = Day::new(
        "PATH=/usr/bin:/bin\n\
         0 * * * * root remoteexe h1 /a.sh\n\
         0 * * * * root remoteexe $HOST /a.sh\n\
         61 * * * * root remoteexe h1 /b.sh\n",
    );
    day.run("10:00:01", "h1 /a.sh");
    let screen = day.screen("10:30", &[]);
    assert!(
        screen.contains(
            "             2 faults (--check lists them); 1 call not checked (--next says why)\n"
        ),
        "{screen}"
    );
}

#[test]
fn jobs_of_a_crontab_that_cron_ignores_are_one_incident() {
    let mut day = Day::new(
        "0 * * * * root remoteexe h1 /a.sh\n\
         0 * * * * root remoteexe h2 /b.sh\n\
         61 * * * * root remoteexe h3 /c.sh\n",
    );
    day.run("10:00:01", "h1 /a.sh");
    day.run("10:00:01", "h2 /b.sh");
    let screen = day.screen("12:30", &[]);
    assert!(
        screen.contains(
            "
NOT STARTED  since 11:00  2 jobs on h1, h2  4 runs missing, last good 10:00
                          cron ignores crontab: --check says why
"
        ),
        "{screen}"
    );
}

#[test]
fn the_faults_of_a_named_crontab_are_counted_although_no_line_of_it_is_judged() {
    let mut day = Day::new("61 * * * * root remoteexe h1 /a.sh\n");
    day.run("10:00:01", "h2 /b.sh");
    let screen = day.screen("10:05", &[]);
    assert!(
        screen.contains(
            "
Crontab      0 jobs on 0 lines
             1 fault (--check lists them)
"
        ),
        "{screen}"
    );
}

#[test]
fn a_crontab_leads_to_the_log_directory_of_its_jobs() {
    let day = two_jobs();
    drop(day.report("12:05", &[]));
    let mut command = reporter(&day.scene);
    command.current_dir(day.scene.path("")).env_remove("REMOTEEXE_LOG_DIR");
    command.args(["--since", "2026-03-02", "--until", "2026-03-02 12:05"]);
    // Nothing of this machine's own logs in /tmp.
    command.args(["--crontab", "crontab", "--host", "h2"]);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\nNOT STARTED  since 11:00  h2 /hour.sh now  "), "{text}");
    assert!(text.contains(&day.scene.path("log").display().to_string()), "{text}");
}

#[test]
fn a_crontab_that_cannot_be_read_is_told_and_a_hostile_one_takes_no_time() {
    let day = two_jobs();
    let mut command = day.command("12:05", &["--crontab", "nothing"]);
    let output = command.output().unwrap();
    assert_eq!(code(&output), 74);
    assert!(
        stderr(&output).contains("left out: nothing: No such file or directory"),
        "{}",
        stderr(&output)
    );
    for hostile in [
        "* * * * * root remoteexe h1 /ten.sh\n".repeat(100_000),
        (0..9_000).fold(String::new(), |mut lines, number| {
            let _ = writeln!(lines, "* * * * * root remoteexe h{number} /x.sh");
            lines
        }),
        format!("* * * * * root remoteexe h1 {}\n", "x".repeat(1 << 20)),
        "\0".repeat(1 << 20),
    ] {
        day.write_crontab(&(day.head() + &hostile), "2026-01-01 00:00:00");
        let output = day.report("12:05", &[]);
        assert!([0, 1].contains(&code(&output)), "{}", stderr(&output));
        assert!(output.stdout.len() < 4000);
    }
}
