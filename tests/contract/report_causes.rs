//! `--report`: what has one cause is one incident, and what is no failure is none.

use std::fs;

use chrono::{Days, Local, NaiveDateTime, TimeDelta};

use crate::report::{fields, printed, report, reporter, run};
use crate::support::{REMOTEEXE, Scene, code, needs_root, own_mounts, stderr};

/// The rows of incidents, each as one line.
fn rows(log: &str, args: &[&str]) -> Vec<String> {
    rows_of(&printed(&report(log, args)))
}

fn rows_of(screen: &str) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for line in screen.lines() {
        let is_state = line.starts_with(|it: char| it.is_ascii_uppercase()) && line.contains("  ");
        if is_state && line.split("  ").next().is_some_and(|it| it == it.to_uppercase()) {
            rows.push(String::new());
        } else if !line.starts_with("   ") {
            continue;
        }
        if let Some(row) = rows.last_mut() {
            *row += &line.split_whitespace().collect::<Vec<_>>().join(" ");
            row.push(' ');
        }
    }
    rows.iter().map(|row| row.trim_end().to_owned()).collect()
}

/// Runs at these minutes after ten o'clock, each of a second.
fn runs(job: &str, minutes: &[u32], output: &str, status: u8) -> String {
    let runs = minutes.iter().map(|minute| {
        let pid = 100 * minute + u32::try_from(job.len()).unwrap();
        run(pid, &format!("10:{minute:02}:00"), &format!("10:{minute:02}:01"), job, output, status)
    });
    runs.collect()
}

#[test]
fn the_scripts_of_a_host_that_name_one_state_of_it_are_one_incident() {
    let log = runs("db07 /a.sh", &[10], "tar: x: Cannot write: No space left on device", 2)
        + &runs("db07 /b.py", &[11], "OSError: [Errno 28] No space left on device: '/data/9'", 1)
        + &runs("db08 /a.sh", &[12], "tar: x: Cannot write: No space left on device", 2)
        + &runs("db07 /other", &[13], "assertion failed", 1);
    let rows = rows(&log, &[]);
    assert_eq!(rows.len(), 3, "{rows:#?}");
    assert!(rows[0].contains("db07: 2 jobs (/a.sh, /b.py)"), "{rows:#?}");
    assert!(rows[0].contains("No space left on device"), "{rows:#?}");
}

#[test]
fn a_service_that_does_not_answer_is_one_incident_for_all_jobs_that_name_it() {
    let words = |number| format!("connect to pgmaster port 5432 failed: refused (attempt {number})");
    let log = runs("h1 /a", &[10], &words(1), 1)
        + &runs("h2 /bb", &[11], &words(2), 1)
        + &runs("h3 /ccc", &[12], "connect to redis port 6379 failed: refused", 1);
    let rows = rows(&log, &[]);
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert!(rows[0].contains("2 jobs on h1, h2"), "{rows:#?}");
}

#[test]
fn one_script_that_fails_for_two_reasons_is_two_incidents() {
    let log = runs("h1 /x.sh", &[10], "disk h1-a is full", 1)
        + &runs("h22 /x.sh", &[10], "disk h22-b is full", 1)
        + &runs("h333 /x.sh", &[10], "no such table", 1)
        + &runs("h1 --x /y", &[11], "error: --x is wrong", 10).replace("command,", "error: a ")
        + &runs("h1 --zz /y", &[11], "error: --zz is wrong", 10).replace("command,", "error: b ");
    let rows = rows(&log, &[]);
    assert_eq!(rows.len(), 4, "{rows:#?}");
}

#[test]
fn a_key_that_was_changed_is_one_incident_and_a_host_key_is_no_matter_of_the_network() {
    let denied = "Permission denied (publickey).";
    let mut log = String::new();
    for host in ["h1", "h22", "h333"] {
        let job = format!("{host} /x");
        log += &runs(&job, &[10, 15], "", 0);
        log += &runs(&job, &[20, 25], &format!("root@{host}: {denied}"), 255);
    }
    // It was refused long before.
    log += &runs("h4444 /x", &[2, 7, 12, 17], &format!("root@h4444: {denied}"), 255);
    log += &runs("h55555 /x", &[10], "Host key verification failed.", 255);
    let rows = rows(&log, &[]);
    assert_eq!(rows.len(), 3, "{rows:#?}");
    let has = |start: &str, part: &str| rows.iter().any(|row| row.starts_with(start) && row.contains(part));
    assert!(has("LOGIN REFUSED since 10:20 h1, h22, h333", "6 runs of 3 jobs"), "{rows:#?}");
    assert!(has("LOGIN REFUSED since 10:02 h4444", "(publickey)"), "{rows:#?}");
    assert!(has("HOST KEY since 10:10 h55555 /x", "verification failed"), "{rows:#?}");
}

#[test]
fn a_host_that_comes_and_goes_is_one_incident_also_while_it_is_away() {
    let lost = "ssh: connect to host h port 22: Connection timed out";
    let log: String = (0..10)
        .map(|number| {
            let (output, status) = if number % 2 == 0 { ("", 0) } else { (lost, 255) };
            runs("h /x", &[10 + number], output, status)
        })
        .collect();
    let rows = rows(&log, &[]);
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert!(rows[0].starts_with("UNREACHABLE since 10:11 h 5 times, 5 runs"), "{rows:#?}");
}

#[test]
fn what_no_later_run_makes_up_for_comes_first_and_is_never_left_out() {
    let mut log = String::new();
    for number in 0..400 {
        let job = format!("h{number} /often-{number}.sh");
        for minute in [0, 10, 20, 30, 40, 50] {
            for hour in 10..12 {
                let time = format!("{hour}:{minute:02}:00");
                log += &run(1000 + number, &time, &time, &job, &format!("bad {number}x"), 1);
            }
        }
    }
    log = format!("{}{log}", run(1, "01:00:00", "01:00:01", "a /nightly.sh", "", 0));
    log += &run(2, "11:55:00", "11:55:01", "a /nightly.sh", "no tape", 3);
    let screen = printed(&report(&log, &[]));
    let rows = rows_of(&screen);
    assert!(rows[0].contains("a /nightly.sh") && rows[0].contains("no tape"), "{screen}");
    assert!(screen.lines().count() < 150, "{}", screen.lines().count());
    let more = screen.lines().find(|line| line.starts_with("and ")).unwrap();
    let (number, kinds) = more.strip_prefix("and ").unwrap().split_once(" more: ").unwrap();
    assert_eq!(kinds, format!("{number} FAILING (exit 1) (--all lists them)"));
}

#[test]
fn a_skip_behind_flock_is_counted_apart_and_with_output_it_is_a_failure() {
    let job = "h flock -n /run/x /srv/a.sh";
    let log = runs(job, &[10], "", 0) + &runs(job, &[11, 12], "", 1);
    let output = report(&log, &[]);
    assert_eq!(code(&output), 0);
    assert!(printed(&output).contains("skipped (flock -n) 2\n"), "{}", printed(&output));
    assert_eq!(fields(&report(&log, &["--json"]), "status")[1..], ["\"skipped\""; 2]);
    for (job, status, is_skip) in [
        ("h /usr/bin/flock -nE 9 /run/x /srv/a.sh", 1, false),
        ("h flock --nonblock -E 75 /run/x /srv/a.sh", 75, true),
        ("h flock -w 5 /run/x /srv/a.sh", 1, false),
        ("h /srv/a.sh flock -n", 1, false),
    ] {
        let output = report(runs(job, &[10], "", status), &[]);
        assert_eq!(code(&output), i32::from(!is_skip), "{job}");
    }
    assert_eq!(code(&report(runs(job, &[10], "no such lock", 1), &[])), 1);
}

#[test]
fn killed_on_the_host_and_a_silent_255_are_explained_as_far_as_is_known() {
    let rows = rows(&runs("h /a", &[10], "x.sh: line 3: 71 Killed  sort big", 137), &[]);
    assert!(rows[0].contains("killed, perhaps for lack of memory"), "{rows:#?}");
    let rows = rows_of(&printed(&report(runs("h /a", &[10], "", 255), &[])));
    assert!(rows[0].contains("LogLevel QUIET would hide ssh's"), "{rows:#?}");
}

#[test]
fn a_run_that_waits_for_a_connection_does_not_overlap() {
    let refused = "ssh: connect to host h port 22: Connection refused";
    let begin = |pid, time: &str| format!("[2026-03-02 {time}][{pid}]");
    let (one, two) = (begin(1, "10:00:00"), begin(2, "10:05:00"));
    let log = format!(
        "{one} START,-,h /x\n{one} command,ssh root@h /x\n{one} {refused}\n\
         {one} retry,1/8,255,wait 400.000 s\n\
         {two} START,-,h /x\n{two} command,ssh root@h /x\n{two} END,0,h /x\n"
    ) + &format!("{0} command,ssh root@h /x\n{0} END,0,h /x\n", begin(1, "10:06:40"));
    let screen = printed(&report(&log, &[]));
    assert!(screen.contains("overlaps 0\n") && screen.contains("retried 1"), "{screen}");
}

/// The report of a log directory with a crontab, and its exit status.
fn with_crontab(log: &str, crontab: &str, args: &[&str]) -> (String, i32) {
    let scene = Scene::new();
    let head = format!("REMOTEEXE_LOG_DIR={}\n", scene.path("log").display());
    fs::write(scene.path("crontab"), head + crontab).unwrap();
    let old = fs::File::options().write(true).open(scene.path("crontab")).unwrap();
    old.set_modified(std::time::UNIX_EPOCH).unwrap();
    fs::write(scene.path("log/20260302_remoteexe.log"), log).unwrap();
    let mut command = reporter(&scene);
    command.args(["--since", "2026-03-02", "--until", "2026-03-02 10:59", "--log-dir"]);
    command.arg(scene.path("log")).arg("--crontab").arg(scene.path("crontab")).args(args);
    let output = command.output().unwrap();
    (String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output), code(&output))
}

#[test]
fn accepted_statuses_stand_in_the_crontab_and_hold_for_the_lines_below() {
    let log = runs("h1 /a", &[10], "", 75) + &runs("h2 /bb", &[11], "", 75);
    let line = |job| format!("0 0 1 1 * root remoteexe {job}\n");
    let crontab = line("h1 /a") + "REMOTEEXE_OK=1,75\n" + &line("h2 /bb");
    let (screen, status) = with_crontab(&log, &crontab, &[]);
    assert_eq!(status, 1);
    assert!(screen.contains("ok by --ok 1") && screen.contains("failed 1 "), "{screen}");
    let (screen, status) = with_crontab(&log, &crontab, &["--compare"]);
    assert_eq!(status, 1);
    assert!(screen.contains("h1 /a") && !screen.contains("h2 /bb"), "{screen}");
    for (args, of_tsv) in [(&["--run", "1106"][..], false), (&["--tsv", "--host", "h2"], true)] {
        let (output, status) = with_crontab(&log, &crontab, args);
        assert_eq!(status, 0, "{output}");
        assert_eq!(output.contains("Exitval"), of_tsv, "{output}");
    }
    assert_eq!(with_crontab(&log, &crontab, &["--run", "1005"]).1, 1);
}

#[test]
fn a_name_on_a_line_of_a_crontab_is_no_wrong_word_though_it_has_not_run() {
    let log = runs("h1 /a", &[10], "", 0);
    let crontab = "0 0 1 1 * root remoteexe db07 /monthly.sh\n";
    for args in [["--job", "monthly"], ["--host", "db07"]] {
        let (screen, status) = with_crontab(&log, crontab, &args);
        assert_eq!(status, 0, "{screen}");
        assert!(!screen.contains("no job with") && !screen.contains("no host"), "{screen}");
    }
    let (screen, status) = with_crontab(&log, crontab, &["--host", "db7"]);
    assert_eq!(status, 10);
    assert!(screen.ends_with("no host 'db7' in these logs or crontabs; the nearest: db07\n"));
    let (screen, _) = with_crontab(&log, crontab, &["--host", "DB07"]);
    assert!(screen.ends_with("the nearest: db07\n"), "{screen}");
    // Both are there, and not together.
    let (screen, status) = with_crontab(&log, crontab, &["--host", "h1", "--job", "monthly"]);
    assert_eq!(status, 10, "{screen}");
}

#[test]
fn where_the_log_took_no_lines_nobody_says_that_a_job_was_not_started() {
    let mut log = runs("h1 /a", &[0, 10], "", 0);
    // A run that had begun before notes it.
    log.insert_str(
        0,
        "[2026-03-02 10:10:30][7] START,-,h2 /long\n[2026-03-02 10:10:30][7] command,ssh root@h2 /long\n",
    );
    log +=
        "[2026-03-02 10:40:05][7] remoteexe: 8 lines lost, the log was full\n[2026-03-02 10:40:06][7] END,0,h2 /long\n";
    log += &runs("h1 /a", &[50, 59], "", 0);
    let crontab = "*/10 * * * * root remoteexe h1 /a\n";
    let (screen, _) = with_crontab(&log, crontab, &[]);
    let row = "LOG FULL     10:20–10:40  3 runs of 1 job without a START";
    assert!(screen.contains(row), "{screen}");
    assert!(!screen.contains("NOT STARTED"), "{screen}");
}

#[test]
fn where_the_filesystem_of_the_log_is_full_now_the_jobs_may_have_run() {
    needs_root();
    let scene = Scene::new();
    let now = Local::now().naive_local();
    let runs = (20..60).rev().map(|minutes| {
        let start = (now - TimeDelta::minutes(minutes)).format("%F %H:%M:00");
        let begin = format!("[{start}][{}]", 4_000_000 + minutes);
        format!("{begin} START,-,h /x\n{begin} command,ssh root@h /x\n{begin} END,0,h /x\n")
    });
    fs::write(scene.path("old.log"), runs.collect::<String>()).unwrap();
    let log = scene.path("log").display().to_string();
    let crontab = format!("REMOTEEXE_LOG_DIR={log}\n* * * * * root remoteexe h /x\n");
    fs::write(scene.path("crontab"), crontab).unwrap();
    let old = fs::File::options().write(true).open(scene.path("crontab")).unwrap();
    old.set_modified(std::time::UNIX_EPOCH).unwrap();
    for (fill, state) in [("cat /dev/zero >fill 2>&- || :", "LOG FULL "), (":", "NOT STARTED ")] {
        let mut command = own_mounts(&format!(
            "mount -t tmpfs -o size=64k none $DIR/log; cd $DIR/log
             cp -p ../old.log $(date +%Y%m%d)_remoteexe.log; {fill}
             exec {REMOTEEXE} --report --log-dir $DIR/log --crontab $DIR/crontab"
        ));
        scene.equip(&mut command);
        let screen = printed(&command.output().unwrap());
        let states = ["LOG FULL ", "NOT STARTED ", "CRON DOWN "];
        let shown: Vec<&str> = states.into_iter().filter(|it| screen.contains(it)).collect();
        assert_eq!(shown, [state], "{screen}");
    }
}

#[test]
fn an_end_without_start_in_a_log_directory_is_a_log_that_was_moved() {
    let log = "[2026-03-02 10:00:00][7] END,0,h /x\n".to_owned() + &runs("h /x", &[10], "", 0);
    let (screen, status) = with_crontab(&log, "", &[]);
    assert_eq!(status, 1);
    assert!(screen.contains("1 END without START: a log was moved, removed or cut"), "{screen}");
    // Of a FILE the one before may not have been given.
    assert_eq!(code(&report(&log, &[])), 0);
}

/// Writes the log of a day, as if at its noon.
fn write_at(scene: &Scene, day: &str, log: &str) {
    let path = scene.path(format!("log/{day}_remoteexe.log"));
    fs::write(&path, log).unwrap();
    let noon = NaiveDateTime::parse_from_str(&format!("{day} 12:00"), "%Y%m%d %H:%M").unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(noon.and_utc().into()).unwrap();
}

#[test]
fn the_history_of_a_job_that_runs_seldom_comes_from_older_logs_too() {
    let scene = Scene::new();
    let today = Local::now().date_naive();
    for week in 1..=5 {
        let day = today - Days::new(week * 7);
        let log = run(7, "02:00:00", "02:10:00", "h /weekly", "", 0);
        let log = log.replace("2026-03-02", &day.to_string());
        write_at(&scene, &day.format("%Y%m%d").to_string(), &log);
    }
    let other = run(8, "00:00:00", "00:00:00", "h /often", "", 0);
    let other = other.replace("2026-03-02", &today.to_string());
    write_at(&scene, &today.format("%Y%m%d").to_string(), &other);
    let mut command = reporter(&scene);
    let output = command.args(["--no-crontab", "--job", "h /weekly"]).arg("--log-dir");
    let output = output.arg(scene.path("log")).output().unwrap();
    let screen = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(screen.contains("Duration     10m00s, 10m00s at most (of 5 good runs)"), "{screen}");
    assert!(screen.contains("Last 5 of 5 runs"), "{screen}{}", stderr(&output));
}

#[test]
fn what_began_and_has_recovered_in_the_period_stands_under_ended() {
    let log = runs("h /x", &[10], "", 0) + &runs("h /x", &[20], "no tape", 3) + &runs("h /x", &[30], "", 0);
    let output = report(&log, &["--changed", "--since", "2026-03-02 10:00"]);
    let screen = printed(&output);
    assert!(screen.contains("\nEnded\nRECOVERED "), "{screen}");
    assert!(!screen.contains("Began"), "{screen}");
    // It has failed all the same.
    assert_eq!(code(&output), 1);
}

#[test]
fn cron_was_down_until_the_lines_that_missed_a_slot_have_started_again() {
    let jobs: Vec<String> = (0..12).map(|number| format!("h{number:02} /often")).collect();
    let mut log = String::new();
    for job in &jobs {
        let minutes: Vec<u32> = (0..59).filter(|minute| !(12..30).contains(minute)).collect();
        log += &runs(job, &minutes, "", 0);
    }
    let mut lines: Vec<&str> = log.lines().collect();
    lines.sort_by_key(|line| &line[..21]);
    let log = lines.join("\n") + "\n";
    let line = |job: &String| format!("* * * * * root remoteexe {job}\n");
    let lines = jobs.iter().map(line).collect::<Vec<_>>().concat();
    let crontab = lines.clone() + "15 10 2 * * root remoteexe db /monthly\n";
    let (screen, _) = with_crontab(&log, &crontab, &[]);
    let row = rows_of(&screen).into_iter().find(|row| row.starts_with("CRON DOWN"));
    let row = row.unwrap_or_else(|| panic!("{screen}"));
    assert!(row.contains("not good since: db /monthly"), "{screen}");
    assert!(screen.contains("\n1 problem now, 0 over\n"), "{screen}");
    let (screen, _) = with_crontab(&log, &lines, &[]);
    assert!(screen.contains("\n0 problems now, 1 over\n"), "{screen}");
}
