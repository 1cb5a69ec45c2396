//! `--report`: the questions that an operator asks, each one command.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use crate::report::{LOG, fields, printed, report, reporter, run};
use crate::support::{Scene, code, remoteexe_booted_at, run_tool, stderr};

/// The screen without the counts in its first four lines.
fn answer(log: &str, args: &[&str]) -> String {
    let view = printed(&report(log, args));
    view.splitn(5, '\n').last().unwrap_or_default().to_owned()
}

#[test]
fn what_ran_then_is_a_list_of_runs_with_their_ends() {
    let args = ["--runs", "--since", "2026-03-02 21:00", "--until", "2026-03-02 21:01"];
    let output = report(LOG, &args);
    assert_eq!(
        printed(&output),
        "\
2026-03-02 21:00:00 to 2026-03-02 21:01:00   1 job, 1 host
runs 2   ok 1   failed 1   lost 0   running 0
connection failures 0   usage errors 0   retried 0   overlaps 1
a.log, since 2026-03-02 21:00:00, until 2026-03-02 21:01:00

Start     PID  Took  End  Job, and why it was bad
21:00:00  914    4s  0    web01 /opt/jobs/rotate.sh
21:00:01  915    4s  3    web01 …/jobs/rotate.sh: four
"
    );
    assert_eq!(code(&output), 1);
    let failed = answer(LOG, &["--runs", "--failed", "--host", "db01"]);
    // One of the two goes on below.
    assert_eq!(failed.lines().count(), 6, "{failed}");
}

#[test]
fn a_lost_run_went_on_until_it_is_known_to_be_dead() {
    // Silent since 02:00, and killed: its process id is another run's at 03:40.
    let lost = "\
[2026-03-02 02:00:00][7] START,-,h /silent
[2026-03-02 02:00:00][7] command,ssh root@h /silent
[2026-03-02 02:00:09][7] working
";
    let other = run(9, "03:00:00", "03:00:01", "h /x", "", 0);
    let same = run(7, "03:40:00", "03:40:01", "h /x", "", 0);
    let end = run(8, "05:00:00", "05:00:01", "h /x", "", 0);
    let log = [lost, &other, &same, &end].concat();
    let dead_by = |log: &str, args: &[&str]| fields(&report(log, args), "pid last dead_by");
    let expected = r#"7 "2026-03-02T02:00:09+00:00" "2026-03-02T03:40:00+00:00""#;
    let lost_only = ["--json", "--job", "silent"];
    assert_eq!(dead_by(&log, &lost_only), [expected]);
    let at = |since: &str, until: &str| {
        let (since, until) = (format!("2026-03-02 {since}"), format!("2026-03-02 {until}"));
        dead_by(&log, &["--json", "--job", "silent", "--since", &since, "--until", &until]).len()
    };
    assert_eq!(at("03:10", "03:11"), 1);
    assert_eq!(at("03:41", "03:50"), 0);
    let listed =
        answer(&log, &["--runs", "--since", "2026-03-02 03:10", "--until", "2026-03-02 03:11"]);
    assert!(listed.contains("  lost  h /silent: between 02:00 and 03:40\n"), "{listed}");
    // Where no process id tells, it is the end of the log.
    let log = [lost, &other, &end].concat();
    let expected = r#"7 "2026-03-02T02:00:09+00:00" "2026-03-02T05:00:01+00:00""#;
    assert_eq!(dead_by(&log, &lost_only), [expected]);
    // One that has ended, or goes on, is not dead.
    assert!(fields(&report(&log, &["--json"]), "dead_by")[..2] == ["null", "null"]);
}

#[test]
fn one_job_has_its_history() {
    let mut log = String::new();
    for number in 0..25 {
        let status = if number < 22 { 0 } else { 7 };
        let (start, end) = (format!("10:{number:02}:00"), format!("10:{number:02}:04"));
        log += &run(number + 1, &start, &end, "h /x.sh a", "oops", status);
        log += &run(number + 100, &start, &end, "h /y.sh", "", 0);
    }
    let history = answer(&log, &["--job", "x.sh"]);
    let begin = "\
1 problem now, 0 over

Job          h /x.sh a
State        FAILING since 10:22:00: new in this period
Last good    10:21:04
Duration     4s, 4s at most (of 22 good runs)

Incidents
FAILING      since 10:22  h /x.sh a
                          every run (3), last good 10:21, run 25@10:24:00
                          exit 7: oops

Last 20 of 25 runs
Start     PID  Took  End  Job, and why it was bad
10:05:00    6    4s  0    h /x.sh a
";
    assert!(history.starts_with(begin), "{history}");
    assert!(history.ends_with("10:24:00   25    4s  7    h /x.sh a: oops\n"), "{history}");
    assert_eq!(history.lines().count(), 14 + 20, "{history}");
    // Since before the period.
    let history = answer(&log, &["--job", "x.sh", "--since", "2026-03-02 10:24"]);
    assert!(
        history.contains("\nState        FAILING since 10:22:00: since before this period\n"),
        "{history}"
    );
    // Two jobs have the first screen.
    assert!(!answer(&log, &["--job", ".sh"]).contains("\nState "));
}

#[test]
fn a_period_is_compared_with_the_one_before() {
    let mut log = String::new();
    for (pid, job, before, now) in [
        (1, "h /new", (0, 1), (5, 1)),
        (2, "h /recovered", (5, 1), (0, 1)),
        (3, "h /slow", (0, 10), (0, 30)),
        (4, "h /fine", (0, 1), (0, 1)),
    ] {
        for minute in 0..20 {
            let (status, seconds) = if minute < 10 { before } else { now };
            let start = format!("10:{minute:02}:0{pid}");
            let end = format!("10:{minute:02}:{:02}", pid + seconds);
            log += &run(pid + 10 * minute, &start, &end, job, "", status);
        }
    }
    for minute in 0..5 {
        let time = format!("10:0{minute}:00");
        log += &run(9 + 10 * minute, &time, &time, "h /silent", "", 0);
    }
    log += &run(1000, "10:20:00", "10:20:01", "h /fine", "", 0);
    let args = ["--compare", "--since", "2026-03-02 10:10", "--until", "2026-03-02 10:20"];
    let output = report(&log, &args);
    assert_eq!(
        printed(&output),
        "\
2026-03-02 10:10:00 to 2026-03-02 10:20:00, against 2026-03-02 10:00:00 to 2026-03-02 10:10:00
Now          40 runs, 10 failed, 0 lost
Before       45 runs, 10 failed, 0 lost

Newly bad
 Bad now   Before  End  Job
10 of 10  0 of 10    5  h /new

Recovered
Bad now    Before  End  Job
0 of 10  10 of 10    5  h /recovered

Slower (median of good runs)
Now  Before  Job
30s     10s  h /slow

Silent (1 job)
Runs before  Last start  Job
          5  10:04:00    h /silent
"
    );
    assert_eq!(code(&output), 1);
}

/// A log directory at a real hour: the time in the log is the time that has passed since.
struct Hours {
    scene: Scene,
    log: String,
}

impl Hours {
    fn new() -> Self {
        Self { scene: Scene::new(), log: String::new() }
    }

    /// Adds a run of so many minutes ago.
    fn run(&mut self, pid: u32, minutes_ago: i64, job: &str, status: u8) {
        let mut date = Command::new("date");
        date.env("TZ", "UTC").arg(format!("--date={minutes_ago} minutes ago"));
        let time = date.arg("+%Y-%m-%d %H:%M:%S").output().unwrap().stdout;
        let time = String::from_utf8(time).unwrap();
        let begin = format!("[{}][{pid}]", time.trim_end());
        let _ = writeln!(self.log, "{begin} START,-,{job}\n{begin} command,ssh root@{job}");
        let _ = writeln!(self.log, "{begin} END,{status},{job}");
    }

    fn changed(&self) -> (String, i32) {
        self.report(&["--since", "1h", "--changed"])
    }

    /// What `--report ARGS` prints, and its exit status. Nobody knows when this machine was booted, and a boot within
    /// the hours would explain what was not started.
    fn report(&self, args: &[&str]) -> (String, i32) {
        fs::write(self.scene.path("log/20260101_remoteexe.log"), &self.log).unwrap();
        let mut command = remoteexe_booted_at(&self.scene, 1_000_000_000);
        command.env("TZ", "UTC");
        let output = command.arg("--report").args(args).output().unwrap();
        (printed(&output), code(&output))
    }
}

#[test]
fn changed_says_nothing_unless_something_began_or_ended() {
    let mut hours = Hours::new();
    hours.run(1, 150, "h /x", 0);
    hours.run(2, 130, "h /x", 3);
    hours.run(3, 30, "h /x", 3);
    hours.run(4, 20, "h /y", 0);
    // A known problem lasts.
    assert_eq!(hours.changed(), (String::new(), 0));
    // It ends: that is no new failure.
    hours.run(5, 10, "h /x", 0);
    let (text, status) = hours.changed();
    assert!(text.contains("\n\nEnded\nRECOVERED    "), "{text}");
    assert!(!text.contains("Began"), "{text}");
    assert_eq!(status, 0);
    // Another one begins.
    hours.run(6, 5, "h /y", 1);
    let (text, status) = hours.changed();
    assert!(text.contains("\n\nBegan\nFAILING      since "), "{text}");
    assert_eq!(status, 1);
}

#[test]
fn changed_tells_that_nothing_was_started_where_something_always_was() {
    let mut hours = Hours::new();
    for number in 0..300 {
        hours.run(number, 70 + 10 * (299 - i64::from(number)), "h /x", 0);
    }
    hours.run(400, 70, "h /y", 1);
    let (text, status) = hours.changed();
    assert!(text.contains("  all jobs  nothing was started\n"), "{text}");
    assert_eq!(status, 1);
    // It affects more than a job that fails.
    let (view, _) = hours.report(&["--since", "2h"]);
    let (silent, failing) = (view.find("\nSILENT "), view.find("\nFAILING "));
    assert!(silent.is_some() && silent < failing, "{view}");
}

#[test]
fn a_lost_run_is_told_of_though_other_jobs_start_when_the_period_ends() {
    // cron starts the report with all the others. How long the job takes is not known.
    let mut log = run(1, "01:00:00", "01:00:01", "h /x", "", 0);
    for time in ["02:00:00", "02:00:09"] {
        let text = if time == "02:00:00" { "START,-,h /silent" } else { "working" };
        let _ = writeln!(log, "[2026-03-02 {time}][7] {text}");
        if time == "02:00:00" {
            let _ = writeln!(log, "[2026-03-02 {time}][7] command,ssh root@h /silent");
        }
    }
    log += &run(9, "03:59:00", "04:00:03", "h /x", "", 0);
    let begin = "[2026-03-02 04:00:00][10]";
    let _ = writeln!(log, "{begin} START,-,h /starts\n{begin} command,ssh root@h /starts");
    let args = ["--changed", "--since", "2026-03-02 03:00", "--until", "2026-03-02 04:00"];
    let output = report(&log, &args);
    assert_eq!(
        printed(&output),
        "\
2026-03-02 03:00:00 to 2026-03-02 04:00:00

Began
LOST         since 02:00  h /silent  1 run, no good run before, run 7@02:00:00
                          no END, last record 02:00, dead by 04:00
"
    );
    assert_eq!(code(&output), 1);
}

#[test]
fn what_is_not_yet_known_has_not_ended() {
    // Of two runs of 50 minutes nobody knows at 04:00 that they are lost: others were started and went on.
    let mut log = run(1, "01:00:20", "01:50:20", "h /a", "", 0);
    log += &run(2, "01:00:20", "01:50:20", "h /b", "", 0);
    for (pid, job) in [(3, "h /a"), (4, "h /b")] {
        let begin = format!("[2026-03-02 03:30:20][{pid}]");
        let _ = writeln!(log, "{begin} START,-,{job}\n{begin} command,ssh root@{job}");
    }
    log += &run(5, "03:40:00", "04:05:00", "h /x", "", 0);
    let args = ["--changed", "--since", "2026-03-02 03:00", "--until", "2026-03-02 04:00"];
    assert_eq!(printed(&report(&log, &args)), "");
}

#[test]
fn that_nothing_is_started_is_told_whatever_was_lost_before() {
    let mut hours = Hours::new();
    for number in 0..300 {
        hours.run(number, 70 + 10 * (299 - i64::from(number)), "h /x", 0);
    }
    let lost = hours.log.replace("END,0,h /x", "working");
    let end = lost.lines().rev().take(3).collect::<Vec<_>>();
    // Two more runs, which have no END.
    for pid in ["[901]", "[902]"] {
        for line in end.iter().rev() {
            let _ = writeln!(hours.log, "{}", line.replace("[299]", pid).replace("h /x", pid));
        }
    }
    let (text, status) = hours.changed();
    assert!(text.contains("  all jobs  nothing was started\n"), "{text}");
    assert_eq!(status, 1);
}

#[test]
fn a_comparison_has_whole_seconds_and_the_first_jobs_of_each_kind() {
    let mut hours = Hours::new();
    for number in 0..12 {
        let job = format!("h /x{number:02}");
        hours.run(number, 90, &job, 0);
        hours.run(100 + number, 30, &job, 1);
    }
    fs::write(hours.scene.path("log/20260101_remoteexe.log"), &hours.log).unwrap();
    let shown = |args: &[&str]| {
        let mut command = reporter(&hours.scene);
        let output = command.args(["--compare", "--since", "1h"]).args(args).output();
        printed(&output.unwrap())
    };
    let text = shown(&[]);
    let title = text.lines().next().unwrap();
    assert!(!title.contains('.'), "{title}");
    assert!(text.contains("h /x09\nand 2 more (--all lists them)\n"), "{text}");
    assert!(shown(&["--all"]).contains("h /x11\n"));
}

#[test]
fn today_has_what_was_begun_before_and_failed_today() {
    // Whatever the day in the file's name.
    let scene = Scene::new();
    let log = "\
[2026-03-01 23:30:00][1] START,-,h /long
[2026-03-01 23:30:00][1] command,ssh root@h /long
[DAY 00:00:00][1] END,4,h /long
[2026-03-01 10:00:00][2] START,-,h /old
[2026-03-01 10:00:00][2] command,ssh root@h /old
[2026-03-01 10:00:00][2] END,4,h /old
";
    let today = Command::new("date").env("TZ", "UTC").arg("+%F").output().unwrap().stdout;
    let today = String::from_utf8(today).unwrap();
    let log = log.replace("DAY", today.trim_end());
    fs::write(scene.path("log/20260301_remoteexe.log"), log).unwrap();
    let output = reporter(&scene).arg("--json").output().unwrap();
    assert_eq!(fields(&output, "pid"), ["1"]);
    let view = printed(&reporter(&scene).output().unwrap());
    assert!(view.contains("  h /long\n"), "{view}");
}

#[test]
fn a_run_that_goes_on_is_found_in_the_file_of_its_day_though_nobody_has_written_to_it_since() {
    use crate::support::Running;
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh("echo ready; exec sleep 1000");
    let _child = Running::spawn(command.args(["h", "/x"]));
    scene.wait_for_record("ready");
    let daily = scene.daily().display().to_string();
    run_tool("touch", &["--date=30 days ago", &daily]);
    let mut command = reporter(&scene);
    let output = command.env_remove("TZ").arg("--json").output().unwrap();
    assert_eq!(stderr(&output), "");
    assert_eq!(fields(&output, "status"), ["\"running\""]);
}

#[test]
fn the_questions_exclude_one_another() {
    for args in [["--changed", "--compare"], ["--runs", "--json"], ["--all", "--changed"]] {
        let output = report(LOG, &args);
        assert_eq!(code(&output), 10, "{args:?}");
        assert!(stderr(&output).starts_with("error: the argument "), "{args:?}");
    }
}
