//! `--report`: its first screen, of incidents.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use crate::report::{LOG, fields, interleaved, on_a_terminal, printed, report, run};
use crate::support::{REMOTEEXE, Running, Scene, code, day_of_300_jobs, remoteexe_booted_at};

/// The screen without the counts in its first four lines.
fn screen(log: &str, args: &[&str]) -> String {
    let view = printed(&report(log, args));
    view.splitn(5, '\n').last().unwrap_or_default().to_owned()
}

/// Checks that the screen has these lines in a row.
fn assert_shows(log: &str, args: &[&str], lines: &str) {
    let screen = screen(log, args);
    assert!(screen.contains(lines), "{lines}\n{screen}");
}

#[test]
fn the_screen_has_what_is_wrong_now_and_what_was_and_fits_80_columns() {
    let output = report(LOG, &[]);
    assert_eq!(
        printed(&output),
        "\
2026-03-02 13:21:01 to 2026-03-02 21:01:00   3 jobs, 2 hosts
runs 7   ok 3   failed 3   lost 1   running 0
connection failures 1   usage errors 1   retried 0   overlaps 1
a.log
3 problems now, 0 over

Now
FAILING      since 18:05  db01  1 run, no good run before, run 913@18:05:46
                          exit 10: usage error
FAILING      since 21:00  web01 /opt/jobs/rotate.sh
                          every run (2), last good 21:00, run 4194305@21:01:00
                          lost: no END, and the process is gone
DROPPED      20:53        db01 /opt/jobs/dump.sh daily
                          1 connection dropped, run 913@20:53:01, not good since
                          --retries 8 (REMOTEEXE_RETRIES) tries again

Overlaps     started again while still running (flock -n prevents it): web01
             /opt/jobs/rotate.sh (1)
Failures          ▄ ▄█ by hour, most 2 of 3 at 21:00
Healthy      0 jobs, 0 hosts (--all lists them)
"
    );
    assert_eq!(code(&output), 1);
}

#[test]
fn a_normal_day_is_a_few_lines() {
    let log: String = (10..60)
        .map(|pid| {
            run(pid, &format!("10:{pid}:00"), &format!("10:{pid}:05"), &format!("h{pid} /x"), "", 0)
        })
        .collect();
    assert_eq!(
        printed(&report(log, &[])),
        "\
2026-03-02 10:10:00 to 2026-03-02 10:59:05   50 jobs, 50 hosts
runs 50   ok 50   failed 0   lost 0   running 0
connection failures 0   usage errors 0   retried 0   overlaps 0
a.log
nothing is wrong

Healthy      50 jobs, 50 hosts (--all lists them)
"
    );
}

#[test]
fn bad_runs_in_a_row_are_one_incident_until_a_good_one() {
    let good = run(1, "10:00:00", "10:00:01", "h /x", "", 0);
    let bad = run(2, "10:05:00", "10:05:01", "h /x", "a\nno space left", 3)
        + &run(3, "10:10:00", "10:10:01", "h /x", "a\nno space left\n\n", 3);
    let again = run(4, "10:15:00", "10:15:01", "h /x", "", 0);
    assert_shows(
        &(good.clone() + &bad),
        &[],
        "
1 problem now, 0 over

Now
FAILING      since 10:05  h /x  every run (2), last good 10:00, run 3@10:10:00
                          exit 3: no space left
"
        .trim_start(),
    );
    assert_shows(
        &(good + &bad + &again),
        &[],
        "
0 problems now, 1 over

Over
RECOVERED    10:05–10:10  h /x  2 runs, good since 10:15, run 3@10:10:00
                          exit 3: no space left
"
        .trim_start(),
    );
}

#[test]
fn a_job_that_is_good_and_bad_in_turn_is_flapping() {
    let log: String = (0..12)
        .map(|number| {
            let status = if number % 2 == 0 { 0 } else { 4 };
            let (start, end) = (format!("10:{number:02}:00"), format!("10:{number:02}:01"));
            run(number + 1, &start, &end, "h /x", "", status)
        })
        .collect();
    assert_shows(
        &log,
        &[],
        "
FLAPPING     since 10:01  h /x  6 of 11 runs, last good 10:10, run 12@10:11:00
                          exit 4, no output
",
    );
}

#[test]
fn one_script_that_fails_in_one_way_on_several_hosts_is_one_line() {
    let bad = |pid: u32, host: &str, status| {
        let start = format!("10:00:{pid:02}");
        run(pid, &start, &start, &format!("{host} /x.sh a b"), "oops", status)
    };
    let log = bad(1, "h1", 2) + &bad(2, "h2", 2) + &bad(3, "h3", 2) + &bad(4, "h4", 5);
    assert_shows(
        &log,
        &[],
        "
2 problems now, 0 over

Now
FAILING      since 10:00  /x.sh a b on h1, h2, h3
                          every run (3), no good run before
                          exit 2: oops
FAILING      since 10:00  h4 /x.sh a b
                          1 run, no good run before, run 4@10:00:04
                          exit 5: oops
"
        .trim_start(),
    );
}

const TIMED_OUT: &str = "ssh: connect to host h port 22: Connection timed out";
const DROPPED: &str = "kex_exchange_identification: Connection closed by remote host";

#[test]
fn a_host_that_cannot_be_reached_is_one_line_with_all_causes() {
    let mut log = String::new();
    for minute in 10..30 {
        let time = format!("10:{minute}:00");
        let message = if minute % 4 == 0 { DROPPED } else { TIMED_OUT };
        let job = format!("h /{}", minute % 3);
        log += &run(minute, &time, &time, &job, message, 255);
    }
    let reached: String = (0..3)
        .map(|job| run(90 + job, "10:30:00", "10:30:02", &format!("h /{job}"), "", 0))
        .collect();
    let lines = "UNREACHABLE  10:10–10:29  h
                          20 runs of 3 jobs (15 connection timed out, 5
                          connection dropped by the server)
";
    assert_shows(&(log.clone() + &reached), &[], lines);
    let lines = lines.replace("10:10–10:29", "since 10:10");
    assert_shows(&log, &[], &lines);
}

#[test]
fn a_job_that_alone_does_not_connect_is_failing_and_not_its_host() {
    let mut log = String::new();
    for minute in 10..14 {
        let time = format!("10:{minute}:00");
        log += &run(
            minute,
            &time,
            &time,
            "h /port",
            "ssh: connect to host h port 2: Connection refused",
            255,
        );
        let time = format!("10:{minute}:30");
        log += &run(100 + minute, &time, &time, "h /x", "", 0);
    }
    assert_shows(
        &log,
        &[],
        "
FAILING      since 10:10  h /port
                          every run (4), no good run before, run 13@10:13:00
                          exit 255: connection refused: ssh: connect to host h
                          port 2: Connection refused
",
    );
}

#[test]
fn a_login_that_is_refused_is_told_once_for_the_host() {
    let denied = "root@h: Permission denied (publickey).";
    let log = run(1, "10:00:00", "10:00:01", "h /a", denied, 255)
        + &run(2, "10:01:00", "10:01:01", "h /b", denied, 255);
    assert_shows(
        &log,
        &[],
        "\
LOGIN REFUSED  since 10:00  h  2 runs of 2 jobs (authentication failed)
                            root@h: Permission denied (publickey).
",
    );
}

/// The log of connections that were dropped at these seconds, and of good runs at the others.
fn drops(dropped: &[u32], good: &[u32], message: &str) -> String {
    let time = |minute: usize, second: u32| format!("10:{:02}:{second:02}", minute % 50);
    let mut runs: Vec<String> = Vec::new();
    for (minute, second) in dropped.iter().enumerate() {
        let time = time(minute, *second);
        runs.push(run(1000, &time, &time, &format!("h /{minute}"), message, 255));
        runs.push(run(2000, &time, &time, &format!("h /{}", minute + 50), "", 0));
    }
    for (minute, second) in good.iter().enumerate() {
        let time = time(minute, *second);
        runs.push(run(3000, &time, &time, &format!("h /{}", minute + 50), "", 0));
    }
    runs.push(
        (0..50)
            .map(|number| {
                run(4000 + number, "10:55:30", "10:55:31", &format!("h /{number}"), "", 0)
            })
            .collect(),
    );
    interleaved(&runs)
}

#[test]
fn a_herd_is_where_connections_are_dropped_more_often_than_they_are_started() {
    let dropped = [0, 0, 1, 1, 2, 30];
    let spread: Vec<u32> = (0..40).map(|number| number + 10).collect();
    let herd = drops(&dropped, &spread, DROPPED);
    assert_shows(
        &herd,
        &[],
        "6 connections dropped, 5 at seconds 0 to 2
                          --retries 8 (REMOTEEXE_RETRIES) tries again, --splay
                          20 (REMOTEEXE_SPLAY) spreads the starts
",
    );
    // As often as they are started there, they are dropped by chance.
    let crowd = [0, 0, 0, 0];
    assert!(!screen(&drops(&[0, 1, 2, 30], &crowd, DROPPED), &[]).contains(" at seconds "));
    assert!(screen(&drops(&[0, 1, 2], &crowd, DROPPED), &[]).contains(" at seconds "));
    // There is no herd of two.
    assert!(!screen(&drops(&[0, 0], &spread, DROPPED), &[]).contains(" at seconds "));
    // Nobody was too many for a host that did not answer.
    let timed_out = screen(&drops(&dropped, &spread, TIMED_OUT), &[]);
    assert!(!timed_out.contains(" at seconds ") && !timed_out.contains("--retries"), "{timed_out}");
}

#[test]
fn a_job_that_runs_seldom_and_whose_connection_was_dropped_is_wrong_now() {
    let log = run(1, "01:30:00", "01:30:09", "h /often", "", 0)
        + &run(2, "01:50:00", "01:50:00", "h /often", DROPPED, 255)
        + &run(5, "01:59:00", "01:59:09", "h /other", "", 0)
        + &run(3, "02:00:00", "02:00:00", "h /nightly", DROPPED, 255)
        + &run(4, "02:05:00", "02:05:09", "h /often", "", 0);
    assert_shows(
        &log,
        &[],
        "
Now
DROPPED      02:00  h /nightly
                    1 connection dropped, run 3@02:00:00, not good since
                    --retries 8 (REMOTEEXE_RETRIES) tries again

Over
DROPPED      01:50  h /often  1 connection dropped, run 2@01:50:00
",
    );
}

#[test]
fn a_run_that_has_used_up_its_retries_or_could_have_none_is_not_advised_to_use_them() {
    let begin = "[2026-03-02 02:00:00][3]";
    let again =
        format!("{begin} retry,1/1,255,wait 0.100 s\n{begin} command,ssh root@h /nightly\n");
    let dropped = run(3, "02:00:00", "02:00:00", "h /nightly", DROPPED, 255);
    let drop = format!("{begin} {DROPPED}\n");
    for last in [
        dropped.replace(&drop, &format!("{drop}{again}{drop}")),
        dropped.replace(&drop, &format!("{begin} remoteexe: no retries: why\n{drop}")),
    ] {
        let log = run(5, "01:59:00", "01:59:09", "h /other", "", 0) + &last;
        let log = log + &run(4, "02:05:00", "02:05:09", "h /other", "", 0);
        let screen = screen(&log, &[]);
        assert!(screen.contains("\nDROPPED ") && !screen.contains("--retries"), "{screen}");
    }
}

#[test]
fn of_a_proxy_that_ended_the_words_of_its_own_are_shown_and_not_those_of_ssh_about_it() {
    let closed = "Connection closed by UNKNOWN port 65535\r";
    for (said, reason) in [
        (format!("proxy: token has expired\n{DROPPED}\r"), "proxy: token has expired"),
        (format!("{DROPPED}\r"), DROPPED),
    ] {
        let log = run(1, "10:00:00", "10:00:01", "h /x", &format!("{said}\n{closed}"), 255);
        let found = report(&log, &["--json"]);
        assert_eq!(fields(&found, "reason"), [format!("{reason:?}")]);
        let screen = screen(&log, &[]);
        let own = reason.strip_prefix("proxy: ").unwrap_or_default();
        assert!(screen.contains("\nUNREACHABLE  ") && screen.contains(own), "{screen}");
        assert!(!screen.contains("onnection closed"), "{screen}");
    }
}

#[test]
fn a_host_is_good_again_only_when_each_of_its_jobs_is() {
    let log = run(1, "02:00:00", "02:02:00", "h /nightly", TIMED_OUT, 255)
        + &run(2, "02:05:00", "02:07:00", "h /often", TIMED_OUT, 255)
        + &run(3, "02:10:00", "02:10:09", "h /often", "", 0);
    assert_shows(
        &log,
        &[],
        "
1 problem now, 0 over

Now
UNREACHABLE  02:00–02:07  h
                          2 runs of 2 jobs (connection timed out), not good
                          since: h /nightly
"
        .trim_start(),
    );
    let made_up = run(4, "09:00:00", "09:00:09", "h /nightly", "", 0);
    assert_shows(&(log + &made_up), &[], "0 problems now, 1 over\n");
}

#[test]
fn runs_that_were_lost_together_are_one_and_it_is_said_until_when_nothing_started() {
    // A day before, so that it is known how long the pauses are.
    let mut log = String::new();
    for minute in 0..1720 {
        let (day, hour, minute) = (1 + minute / 1440, minute / 60 % 24, minute % 60);
        let time = format!("2026-03-{day:02} {hour:02}:{minute:02}");
        if time.as_str() >= "2026-03-02 03:12" && time.as_str() < "2026-03-02 03:30" {
            continue;
        }
        for (pid, job) in [(1, "h1 /a"), (2, "h2 /b"), (3, "h3 /c")] {
            let pid = pid + 10 * (hour * 60 + minute);
            let begin = format!("[{time}:0{}][{pid}]", pid % 10);
            let _ = writeln!(log, "{begin} START,-,{job}\n{begin} command,ssh root@{job}");
            if time != "2026-03-02 03:11" {
                let _ = writeln!(log, "[{time}:20][{pid}] END,0,{job}");
            }
        }
    }
    assert_shows(
        &log,
        &["--since", "2026-03-02"],
        "
0 problems now, 1 over

Over
LOST         03:11–03:30  all that was running: 3 runs of 3 jobs
                          nothing started until 03:30
                          none has an END, and no record after 03:11
"
        .trim_start(),
    );
}

#[test]
fn of_one_host_s_lost_runs_it_is_not_said_that_they_were_all_that_was_running() {
    let lost = |pid: u32, time: &str| {
        let begin = format!("[2026-03-02 {time}][{pid}]");
        format!("{begin} START,-,h1 /{pid}\n{begin} command,ssh root@h1 /{pid}\n")
    };
    let log = lost(1, "10:00:30")
        + &lost(2, "10:01:30")
        + "\
[2026-03-02 10:00:00][3] START,-,h2 /x
[2026-03-02 10:00:00][3] command,ssh root@h2 /x
[2026-03-02 12:00:00][3] END,0,h2 /x
";
    for args in [&[][..], &["--host", "h1"]] {
        let view = screen(&log, args);
        assert!(view.contains("LOST         since 10:00"), "{view}");
        assert!(!view.contains("all that was running"), "{view}");
    }
}

/// The screen of a machine that was booted at 03:29, after a pause of 18 minutes. `lost` has the records of a run that
/// was going on before it.
fn booted(lost: &str) -> String {
    let scene = Scene::new();
    let mut log = String::new();
    for minute in 0..1720 {
        let time =
            format!("2026-03-{:02} {:02}:{:02}", 1 + minute / 1440, minute / 60 % 24, minute % 60);
        if !("2026-03-02 03:12".."2026-03-02 03:30").contains(&time.as_str()) {
            let begin = format!("[{time}:01][{}]", 10_000 + minute);
            let _ = write!(
                log,
                "{begin} START,-,h /a\n{begin} command,ssh root@h /a\n{begin} END,0,h /a\n"
            );
        }
        if time == "2026-03-02 03:00" {
            log += lost;
        }
    }
    fs::write(scene.path("a.log"), log).unwrap();
    // 2026-03-02 03:29:00 UTC.
    let mut command = remoteexe_booted_at(&scene, 1_772_422_140);
    command.env("TZ", "UTC");
    command.args(["--report", "--since", "2026-03-02"]);
    let view = printed(&command.arg(scene.path("a.log")).output().unwrap());
    view.splitn(5, '\n').last().unwrap_or_default().to_owned()
}

#[test]
fn a_reboot_is_one_incident_that_names_its_time_whether_or_not_it_killed_a_run() {
    let silent = booted("");
    assert!(
        silent.starts_with(
            "\
0 problems now, 1 over

Over
SILENT       03:11–03:30  all jobs
                          nothing was started, this machine booted 03:29

"
        ),
        "{silent}"
    );
    let lost = booted(
        "\
[2026-03-02 03:00:01][7] START,-,h /night
[2026-03-02 03:00:01][7] command,ssh root@h /night
",
    );
    assert!(
        lost.starts_with(
            "\
1 problem now, 0 over

Now
LOST         03:11–03:30  h /night
                          run 7@03:00:01, this machine booted 03:29, nothing
                          started until 03:30, not good since
                          no END, and no record after 03:11

"
        ),
        "{lost}"
    );
}

#[test]
fn hours_without_failures_are_blank_also_before_the_first() {
    let mut log = run(1, "00:10:00", "00:10:01", "h /x", "", 0);
    log += &run(2, "05:10:00", "05:10:01", "h /x", "", 1);
    log += &run(3, "07:10:00", "07:10:01", "h /x", "", 1);
    assert_shows(&log, &[], "Failures          █ █ by hour, most 1 of 1 at 05:00\n");
}

#[test]
fn dropped_connections_of_jobs_that_run_often_come_after_what_fails_each_time() {
    let mut log = String::new();
    let message = "kex_exchange_identification: Connection closed by remote host";
    for minute in 0..50 {
        for (pid, job) in [(1, "h1 /a"), (2, "h2 /b"), (3, "h3 /c"), (4, "h4 /d")] {
            let time = format!("10:{minute:02}:00");
            let is_dropped = pid < 4 && minute == 49;
            let (status, output) = match (pid, minute) {
                (4, 40..) => (1, "broken"),
                _ if is_dropped => (255, message),
                _ => (0, ""),
            };
            log += &run(10 * minute + pid, &time, &time, job, output, status);
        }
    }
    let view = screen(&log, &[]);
    let (failing, dropped) = (view.find("\nFAILING "), view.find("\nDROPPED "));
    assert!(failing.is_some() && failing < dropped, "{view}");
}

#[test]
fn durations_are_of_good_runs() {
    let log = run(1, "10:00:00", "10:10:00", "h /x", "", 0)
        + &run(2, "10:20:00", "10:30:00", "h /x", "", 0)
        + &run(3, "10:40:00", "10:40:00", "h /x", TIMED_OUT, 255)
        + &run(4, "10:50:00", "10:50:00", "h /x", TIMED_OUT, 255)
        + &run(5, "11:00:00", "11:00:00", "h /x", TIMED_OUT, 255);
    assert_shows(
        &log,
        &["--all"],
        "
Jobs
Runs  Bad  Last start  Last  Last good  Median  Longest  Job
   5    3  11:00:00    255   10:30:00   10m00s   10m00s  h /x

Hosts
Runs  Bad  Not connected  Last reached  Host
   5    3              3  10:30:00      h
",
    );
}

#[test]
fn a_run_that_goes_on_far_longer_than_its_job_ever_took_is_hung() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh("echo ready; exec sleep 1000");
    let child = Running::spawn(command.args(["h", "/x"]));
    scene.wait_for_record("ready");
    // It was started long ago, as far as the log says.
    let pid = child.id();
    let run_of = |pid, time: &str| run(pid, time, time, "h /x", "", 0);
    let good = run_of(1, "07:00:00") + &run_of(2, "07:30:00") + &run_of(3, "08:00:00");
    let begin = format!("[2026-03-02 09:00:00][{pid}]");
    let hung = format!("{begin} START,-,h /x\n{begin} command,ssh root@h /x\n");
    let later = run_of(5, "09:30:00") + &run_of(6, "10:00:00");
    let log = good + &hung + &later;
    assert_shows(
        &log,
        &[],
        &format!(
            "
Now
HUNG         since 09:00  h /x
                          1h00m, usually 0s at most, run {pid}@09:00:00, started
                          again 2 times since

Running      1 run, one of them too long
"
        ),
    );
    let few = hung + &later;
    let view = screen(&few, &[]);
    assert!(view.starts_with("nothing is wrong\n"), "{view}");
    assert!(view.contains("  too few good runs  h /x\n"), "{view}");
}

#[test]
fn a_job_that_takes_longer_than_before_is_slower_and_has_not_failed() {
    let log: String = (10..40)
        .map(|minute| {
            let seconds = if minute < 30 { 5 } else { 25 };
            run(
                minute,
                &format!("10:{minute}:00"),
                &format!("10:{minute}:{seconds:02}"),
                "h /x",
                "",
                0,
            )
        })
        .collect();
    let output = report(&log, &[]);
    assert_eq!(code(&output), 0);
    let view = printed(&output);
    assert!(view.contains("\nSLOWER       since 10:30  h /x  25s instead of 5s\n"), "{view}");
}

#[test]
fn a_script_whose_parameters_change_from_run_to_run_is_one_job() {
    let log: String = (0..60)
        .map(|number| {
            let time = format!("10:{number:02}:00");
            run(number + 1, &time, &time, &format!("h /x.sh --order={number}"), "", 0)
        })
        .collect();
    let view = printed(&report(&log, &["--all"]));
    assert!(view.contains("   1 job, 1 host\n"), "{view}");
    assert!(view.contains("  h /x.sh …\n"), "{view}");
}

#[test]
fn two_hundred_thousand_different_parameters_take_little_memory() {
    let scene = Scene::new();
    let mut log = String::new();
    for number in 0..200_000 {
        let prefix = format!("[2026-03-02 10:{:02}:00][{}]", number / 4000, 1000 + number % 30_000);
        let job = format!(
            "h{} /path/to/starting_sh/order.sh --order={number:09} --date=2026-03-02",
            number % 60
        );
        let _ = write!(
            log,
            "{prefix} START,-,{job}\n{prefix} command,ssh root@{job}\n{prefix} END,0,{job}\n"
        );
    }
    fs::write(scene.path("a.log"), log).unwrap();
    let mut sh = Command::new("sh");
    scene.equip(&mut sh);
    // A row of a table for each took 4.4 kB: 880 MB. The address space of the threads and of an unoptimised
    // program is 80 to 110 MB, now more and now less.
    let script = format!("ulimit -v 200000; exec {REMOTEEXE} --report $DIR/a.log");
    let view = printed(&sh.args(["-c", &script]).output().unwrap());
    assert!(view.contains("   60 jobs, 60 hosts\nruns 200000   ok 200000 "), "{view}");
}

#[test]
fn a_host_s_name_stays_whole_and_the_first_folders_of_a_long_script_are_left_out() {
    let job = "host_user_batch02 /path/to/starting_sh/and/some/more/folders/user_log.sh action";
    let log = run(1, "10:00:00", "10:00:01", job, "", 3);
    assert_shows(&log, &[], "since 10:00  host_user_batch02 …/more/folders/user_log.sh action\n");
    assert_shows(
        &log,
        &["--runs"],
        "10:00:00    1    1s  3    host_user_batch02 …log.sh action: no output\n",
    );
    // Columns are left out first.
    assert_shows(
        &log,
        &["--all"],
        "
Runs  Bad  Last  Last good  Longest  Job
   1    1  3     -                ?  host_user_batch02 …/user_log.sh action
",
    );
    // A name of a megabyte takes no time.
    let huge = format!("h /{}", "x".repeat(1_000_000));
    let view = screen(&run(1, "10:00:00", "10:00:01", &huge, "", 3), &["--all"]);
    assert!(view.lines().all(|line| line.chars().count() <= 80), "{view}");
}

#[test]
fn a_long_host_has_a_line_of_its_own_and_of_long_parameters_the_end_is_shown() {
    let host = "ip-10-0-12-34.ap-southeast-2.compute.internal";
    let job = format!("{host} /srv/app/bin/rotate.sh --from=2026-11-01 --to=2026-11-30 --verbose");
    let log = run(1, "10:00:00", "10:00:01", &job, "", 3);
    assert_shows(
        &log,
        &[],
        "
FAILING      since 10:00  ip-10-0-12-34.ap-southeast-2.compute.internal
                          …/rotate.sh …from=2026-11-01 --to=2026-11-30 --verbose
                          1 run,",
    );
    // In a table the line becomes too long before the name is broken.
    assert_shows(&log, &["--all"], &format!("  {host} …verbose\n"));
}

#[test]
fn of_hosts_that_cannot_be_reached_those_are_named_that_there_is_room_for() {
    let host = |number| format!("ip-10-0-12-{number}.ap-southeast-2.internal");
    let log: String = (10..14)
        .map(|number| {
            let (start, job) = (format!("10:00:{number}"), format!("{} /x", host(number)));
            run(number, &start, &start, &job, TIMED_OUT, 255)
        })
        .collect();
    let line = format!("UNREACHABLE  since 10:00  4 hosts ({}, …)\n", host(10));
    assert_shows(&log, &[], &line);
}

#[test]
fn characters_of_two_columns_are_counted_as_two() {
    let log = run(1, "10:00:00", "10:00:01", "h /x", &"日".repeat(40), 3);
    let (whole, rest) = ("日".repeat(27), "日".repeat(13));
    let shown = format!("\n{0:26}exit 3:\n{0:26}{whole}\n{0:26}{rest}\n", "");
    assert_shows(&log, &[], &shown);
}

#[test]
fn times_of_another_day_have_their_date() {
    let log = "\
[2026-03-01 23:59:59][1] START,-,h /x
[2026-03-01 23:59:59][1] command,ssh root@h /x
[2026-03-02 00:00:01][1] END,3,h /x
";
    assert_shows(
        log,
        &[],
        "
FAILING      since 03-01 23:59  h /x
                                1 run, no good run before, run 1@2026-03-01
                                23:59:59
",
    );
}

#[test]
fn a_terminal_has_colour_unless_no_color_is_set() {
    let view = on_a_terminal(80, "", LOG, "");
    assert!(view.contains("\n\x1b[31m3 problems now, 0 over\x1b[0m\n"), "{view:?}");
    assert!(view.contains("\n\x1b[31mFAILING\x1b[0m      since 18:05  db01  1 run"), "{view:?}");
    assert!(view.contains("\n\x1b[33mDROPPED\x1b[0m      20:53        "), "{view:?}");
    assert_eq!(on_a_terminal(80, "1", LOG, ""), printed(&report(LOG, &[])));
}

#[test]
fn with_failed_only_jobs_and_hosts_that_have_failed_are_listed() {
    let log = run(1, "10:00:00", "10:00:02", "h1 /a", "", 0)
        + &run(2, "10:00:00", "10:00:02", "h2 /a", "", 1);
    assert_shows(
        &log,
        &["--all", "--failed"],
        "
Jobs
Runs  Bad  Last start  Last  Last good  Median  Longest  Job
   1    1  10:00:00    1     -               ?        ?  h2 /a

Hosts
Runs  Bad  Not connected  Last reached  Host
   1    1              0  10:00:02      h2
",
    );
}

#[test]
fn a_host_is_reached_only_where_the_remote_command_has_ended_by_itself() {
    let log = run(1, "10:00:00", "10:05:00", "h1 /x", "", 143)
        + &run(2, "10:00:00", "10:06:00", "h2 /x", "remoteexe: ssh: not found in PATH", 127)
        + &run(3, "10:00:00", "10:07:00", "h3 /x", "", 127);
    assert_shows(
        &log,
        &["--all"],
        "
Hosts
Runs  Bad  Not connected  Last reached  Host
   1    1              0  -             h1
   1    1              0  -             h2
   1    1              0  10:07:00      h3
",
    );
}

/// The pictures were looked at on terminals of these widths, in tmux. To make them anew, remove them.
#[test]
fn a_day_of_300_jobs_looks_as_in_the_pictures() {
    let log = day_of_300_jobs();
    for columns in [80, 120, 200] {
        let view = on_a_terminal(columns, "1", &log, "--since 2026-11-24");
        let picture =
            format!("{}/tests/contract/screens/{columns}.txt", env!("CARGO_MANIFEST_DIR"));
        let Ok(expected) = fs::read_to_string(&picture) else {
            fs::write(&picture, view).unwrap();
            panic!("{picture} is new: look at it");
        };
        assert_eq!(view, expected, "{columns} columns");
    }
}

#[test]
fn hosts_that_were_given_no_script_are_one_problem() {
    let log = run(1, "10:00:00", "10:00:00", "h1", "", 10)
        + &run(2, "10:00:00", "10:00:00", "h2", "", 10);
    assert_shows(&log, &[], "FAILING      since 10:00  (no script) on h1, h2\n");
}

#[test]
fn a_run_has_no_output_only_if_it_printed_nothing() {
    let shown = |output: &str, why: &str| {
        let log = run(8, "10:05:00", "10:05:01", "h /x", output, 3);
        assert_shows(&log, &[], why);
    };
    shown("", "exit 3, no output\n");
    shown("step 1\n-----\n[5]", "exit 3: step 1\n");
    shown("-----\n5", "exit 3: 5\n");
    shown("Warning: Permanently added 'h' (ED25519) to the list of known hosts.", "exit 3\n");
}
