//! `--report` of root: what another user does on the machine costs it nothing, and changes nothing that it says.

use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use chrono::{Days, Local, NaiveDate, NaiveDateTime, TimeDelta};

use crate::report::{fields, printed, reporter, run};
use crate::support::{
    ORDINARY_USER, REMOTEEXE, Running, Scene, as_ordinary_user, code, needs_root, own_mounts, run_tool, stderr,
};

/// Sets its name to remoteexe and its argument area to 2 GiB of memory that it never touches.
const HUGE_ARGUMENTS: &str = r#"
#include <linux/prctl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void) {
    unsigned long size = 2UL << 30, at[8] = {0};
    char *area = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    FILE *stat = fopen("/proc/self/stat", "r");
    unsigned long value;
    int field = 1;
    for (; field <= 3; field++)
        fscanf(stat, field == 3 ? " %*c" : field == 1 ? "%*d" : " %*s");
    for (; field <= 51 && fscanf(stat, "%lu", &value) == 1; field++) {
        if (field == 26) at[0] = value;
        if (field == 27) at[1] = value;
        if (field == 28) at[2] = value;
        if (field >= 45 && field <= 47) at[field - 42] = value;
        if (field >= 50) at[field - 44] = value;
    }
    struct prctl_mm_map map = {
        .start_code = at[0], .end_code = at[1], .start_data = at[3], .end_data = at[4], .start_brk = at[5],
        .brk = (unsigned long)sbrk(0), .start_stack = at[2], .arg_start = (unsigned long)area,
        .arg_end = (unsigned long)area + size, .env_start = at[6], .env_end = at[7], .exe_fd = -1,
    };
    prctl(PR_SET_NAME, "remoteexe", 0, 0, 0);
    if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0) != 0) {
        perror("PR_SET_MM_MAP");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    pause();
}
"#;

/// A scene that the ordinary user can enter.
pub fn scene() -> Scene {
    needs_root();
    let scene = Scene::new();
    run_tool("chmod", &["755", &scene.path("").display().to_string()]);
    run_tool("chmod", &["1777", &scene.path("log").display().to_string()]);
    scene
}

/// A log of root's, of the day 2026-03-02, unless the name is that of another day.
fn write(scene: &Scene, name: &str, log: &str) -> PathBuf {
    let path = scene.path("log").join(name);
    fs::write(&path, log).unwrap();
    path
}

/// Runs a command that writes a line when it is ready.
fn ready(command: &mut Command) -> Running {
    let mut process = Running::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()));
    let mut first = [0];
    let stdout = process.stdout.as_mut().unwrap();
    stdout.read_exact(&mut first).expect("it is ready");
    process
}

/// A report that has as much memory as any day's takes.
fn in_little_memory(scene: &Scene, args: &str) -> Output {
    let mut sh = Command::new("sh");
    scene.equip(&mut sh);
    sh.env("TZ", "UTC").current_dir(scene.path(""));
    let script = format!("ulimit -v 300000; exec {REMOTEEXE} --report {args}");
    sh.args(["-c", &script]).output().unwrap()
}

#[test]
fn a_process_whose_arguments_are_two_gigabytes_costs_the_report_nothing() {
    let scene = scene();
    fs::write(scene.path("huge.c"), HUGE_ARGUMENTS).unwrap();
    let (source, huge) = (scene.path("huge.c"), scene.path("huge"));
    run_tool("gcc", &["-w", "-o", &huge.display().to_string(), &source.display().to_string()]);
    let process = ready(&mut as_ordinary_user(&huge));
    let log = run(process.id(), "10:00:00", "10:00:01", "h s", "", 0);
    let log = log + "[2026-03-02 10:00:05][9] START,-,h s\n";
    let path = write(&scene, "20260302_remoteexe.log", &log);
    let trace = scene.path("trace");
    // If others may write to the log, the process may be the writer.
    for (mode, most) in [("644", 0), ("666", 1 << 20)] {
        run_tool("chmod", &[mode, &path.display().to_string()]);
        for args in [&["--since", "2026-03-02"][..], &["log/20260302_remoteexe.log"]] {
            let mut strace = Command::new("strace");
            scene.equip(&mut strace);
            strace.args(["-f", "-y", "-e", "trace=read", "-o"]).arg(&trace);
            strace.args([REMOTEEXE, "--report", "--json"]).args(args);
            let output = strace.env("TZ", "UTC").current_dir(scene.path("")).output();
            let output = output.unwrap();
            assert_eq!((stderr(&output), code(&output)), (String::new(), 1), "{mode} {args:?}");
            assert_eq!(fields(&output, "status"), ["\"ok\"", "\"lost\""]);
            let trace = fs::read_to_string(&trace).unwrap();
            let file = format!("/proc/{}/cmdline>", process.id());
            let reads = trace.lines().filter(|line| line.contains(&file));
            let bytes = reads.map(|line| line.rsplit("= ").next().unwrap().parse::<u64>().unwrap());
            assert!(bytes.sum::<u64>() <= most, "{mode} {args:?}");
        }
    }
    drop(process);
}

/// Makes and deletes files of these names as the ordinary user, until it is dropped.
fn coming_and_going(scene: &Scene, names: &[&str]) -> Running {
    let script = "$| = 1; print qq(ready\\n); chdir shift or die; \
                  for (my $n = 0; getppid() != 1; $n = ($n + 1) % @ARGV) \
                  { open F, '>', $ARGV[$n]; close F; unlink $ARGV[$n] }";
    let mut perl = as_ordinary_user("perl");
    perl.args(["-e", script]).arg(scene.path("log")).args(names);
    ready(&mut perl)
}

/// A crontab as if it had not been changed for long.
pub fn write_crontab(scene: &Scene, lines: &str) {
    let text = format!("REMOTEEXE_LOG_DIR={}\n{lines}", scene.path("log").display());
    fs::write(scene.path("crontab"), text).unwrap();
    let file = File::options().write(true).open(scene.path("crontab"));
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    file.unwrap().set_modified(long_ago).unwrap();
}

/// The screen without the lines about files that are left out, what is on standard error, and the exit status.
fn said(output: &Output) -> (String, String, i32) {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    // The screen folds long lines.
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ") + " ";
    while let Some(begin) = text.find("left out: ") {
        let end = begin + text[begin..].find("shows the runs ").unwrap();
        text.replace_range(begin..end + "shows the runs ".len(), "");
    }
    (text, stderr(output), code(output))
}

#[test]
fn files_that_come_and_go_hide_nothing_and_forge_nothing() {
    let scene = scene();
    let mut log = run(1, "10:00:01", "10:00:02", "h s", "", 0);
    log += &run(2, "12:00:01", "12:00:02", "h s", "", 0);
    write(&scene, "20260302_remoteexe.log", &log);
    write_crontab(&scene, "0 * * * * root remoteexe h s\n5 * * * * root remoteexe h t\n");
    let report = || {
        let mut command = reporter(&scene);
        command.args(["--since", "2026-03-02", "--until", "2026-03-02 12:30"]);
        command.args(["--crontab", "crontab"]).current_dir(scene.path(""));
        said(&command.output().unwrap())
    };
    let quiet = report();
    assert!(quiet.0.contains("NOT STARTED"), "{}", quiet.0);
    let names =
        ["19780101_remoteexe.log", "19780102_remoteexe.0.log", "20260301_remoteexe.log.1", "20260302_remoteexe.log.7"];
    let _stranger = coming_and_going(&scene, &names);
    for _ in 0..40 {
        assert_eq!(report(), quiet);
    }
}

/// A run a day, which ends after a second, at this time.
pub fn at(pid: u32, start: NaiveDateTime, job: &str, status: u8) -> String {
    let end = start + TimeDelta::seconds(1);
    format!(
        "[{start}][{pid}] START,-,{job}\n[{start}][{pid}] command,ssh root@{job}\n\
         [{end}][{pid}] END,{status},{job}\n"
    )
}

/// Midnight of this day, which may have begun a moment ago, and the name of its log.
pub fn today() -> (NaiveDateTime, String) {
    let today = Local::now().date_naive();
    let name = format!("{}_remoteexe.log", today.format("%Y%m%d"));
    (today.into(), name)
}

#[test]
fn a_clock_that_was_ahead_makes_no_report_end_in_another_year() {
    let scene = scene();
    let (midnight, name) = today();
    let ahead = midnight + Days::new(366);
    let log = [
        at(1, midnight, "h fails", 0),
        at(2, midnight, "h fails", 3),
        at(3, ahead, "h fails", 0),
        at(4, ahead, "h other", 9),
        at(5, midnight, "h s", 0),
    ];
    write(&scene, &name, &log.concat());
    let later = format!("{}_remoteexe.log", ahead.format("%Y%m%d"));
    write(&scene, &later, &at(6, ahead, "h s", 0));
    write_crontab(&scene, "* * * * * root remoteexe h s\n");
    let report = |args: &[&str]| {
        let mut command = scene.remoteexe();
        command.arg("--report").args(args).current_dir(scene.path(""));
        command.output().unwrap()
    };
    let output = report(&["--no-crontab"]);
    let text = printed(&output);
    let year = ahead.format("%Y").to_string();
    assert_eq!(text.matches(&year).count(), 1, "{text}");
    assert!(text.contains("FAILING "), "{text}");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let remark = format!(
        "left out: 9 records of a time that has not come, the last of {}: the clock was ahead",
        ahead + TimeDelta::seconds(1)
    );
    assert!(words.contains(&remark), "{text}");
    let output = report(&["--json", "--no-crontab"]);
    assert_eq!(fields(&output, "pid").len(), 6);
    let output = report(&["--prometheus", "--no-crontab"]);
    assert!(stderr(&output).contains(&remark), "{}", stderr(&output));
    // Since midnight there were slots of this job, but not those of a year.
    let text = printed(&report(&["--crontab", "crontab"]));
    assert!(!text.contains("CRON DOWN"), "{text}");
    assert_eq!(text.matches(&year).count(), 1, "{text}");
}

#[test]
fn a_run_that_ends_while_the_clock_is_ahead_has_its_status_and_no_duration() {
    let scene = scene();
    let (midnight, name) = today();
    let ahead = midnight + Days::new(366);
    let log = format!(
        "[{midnight}][1] START,-,h s\n[{midnight}][1] command,ssh root@h s\n[{ahead}][1] END,3,h s\n\
         [{ahead}][1] START,-,h s\n[{ahead}][1] command,ssh root@h s\n[{ahead}][1] END,0,h s\n"
    );
    write(&scene, &name, &log);
    let output = scene.remoteexe().args(["--report", "--prometheus"]).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let job = "{host=\"h\",script=\"s\"}";
    assert!(text.contains(&format!("last_exit_code{job} 3\n")), "{text}");
    assert!(!text.contains("duration_seconds{"), "{text}");
}

#[test]
fn a_record_of_the_year_9999_makes_no_slots_of_thousands_of_years() {
    let scene = scene();
    let day = |year| NaiveDate::from_ymd_opt(year, 3, 2).unwrap();
    let time = |year, minute| day(year).and_hms_opt(10, minute, 0).unwrap();
    let mut log = at(1, time(1, 0), "h s", 0);
    for minute in [0, 1, 2, 4, 5] {
        log += &at(2 + minute, time(2026, minute), "h s", 0);
    }
    log += &at(9, time(9999, 0), "h s", 0);
    write(&scene, "a.log", &log);
    write_crontab(&scene, "* * * * * root remoteexe h s\n");
    // The crontab's last change is later than the first day.
    let mut output = in_little_memory(&scene, "--json --crontab crontab log/a.log");
    assert_eq!(stderr(&output), "");
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines.lines().filter(|line| line.contains("\"missed\""));
    output.stdout = lines.collect::<Vec<_>>().join("\n").into();
    let expected = fields(&output, "expected");
    assert!(expected.contains(&"\"2026-03-02T10:03:00+00:00\"".to_owned()));
    // What is left of two days, and one slot between.
    assert!(expected.len() < 3 * 24 * 60, "{}", expected.len());
    for form in ["", "--html -", "--runs", "--prometheus"] {
        let output = in_little_memory(&scene, &format!("{form} --crontab crontab log/a.log"));
        assert_ne!(output.stdout, b"", "{form}: {}", stderr(&output));
    }
}

#[test]
fn days_that_come_after_now_take_the_place_of_no_slot_and_stop_no_report() {
    let scene = scene();
    write_crontab(&scene, "* * * * * root remoteexe h s\n");
    let (midnight, _) = today();
    let yesterday = midnight - TimeDelta::days(1);
    let mut log = at(1, yesterday, "h s", 0) + &at(2, midnight, "h s", 0);
    // More days than are judged at 1,440 slots a day.
    for day in 1_000..15_000 {
        log += &at(3, midnight + TimeDelta::days(day), "h s", 0);
    }
    write(&scene, "a.log", &log);
    for form in ["--changed", "--runs --until today"] {
        let mut report = reporter(&scene);
        report.args(form.split(' ')).args(["--crontab", "crontab", "log/a.log"]);
        let output = report.current_dir(scene.path("")).output().unwrap();
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        assert!(text.to_lowercase().contains("not started"), "{form}: {text}{}", stderr(&output));
    }
}

/// `remoteexe --report ARGS` where only this crontab of root's and this one of the ordinary user are installed.
pub fn with_crontabs(scene: &Scene, root: &str, stranger: &str, script: &str) -> Output {
    fs::create_dir_all(scene.path("spool")).unwrap();
    fs::create_dir_all(scene.path("cron.d")).unwrap();
    for (name, text) in [("root", root), (ORDINARY_USER, stranger)] {
        let path = scene.path("spool").join(name);
        fs::write(&path, text).unwrap();
        run_tool("chmod", &["600", &path.display().to_string()]);
        run_tool("chown", &[name, &path.display().to_string()]);
    }
    let mut unshare = own_mounts(&format!(
        "mkdir -p /var/spool/cron/crontabs /etc/cron.d
         mount --bind $DIR/spool /var/spool/cron/crontabs
         mount --bind $DIR/cron.d /etc/cron.d
         ! [ -e /etc/crontab ] || mount --bind /dev/null /etc/crontab
         mount --bind $DIR/log /tmp
         exec {script}"
    ));
    scene.equip(&mut unshare);
    unshare.env_remove("REMOTEEXE_LOG_DIR").env("TZ", "UTC");
    unshare.output().unwrap()
}

#[test]
fn a_stranger_s_path_is_no_path_of_root_s() {
    let scene = scene();
    let (_, name) = today();
    write(&scene, &name, "");
    let stranger = "PATH=/nowhere/of/a/stranger\n* * * * * remoteexe h s\n* * * * * /nowhere/remoteexe h s\n";
    for args in ["", "--check", "--next", "--html -", "--user remoteexe-test"] {
        let script = format!("strace -f -e trace=%file -o /mnt/trace {REMOTEEXE} --report {args}");
        let script = format!("sh -c 'mount -t tmpfs none /mnt; {script} >&2; cat /mnt/trace'");
        let output = with_crontabs(&scene, "1 1 * * * remoteexe h s\n", stranger, &script);
        let trace = String::from_utf8(output.stdout).unwrap();
        assert!(trace.contains("/var/spool/cron/crontabs/root"), "{trace}");
        assert!(!trace.contains("/nowhere"), "{args}: {trace}");
    }
}

#[test]
fn a_crontab_of_198_000_calls_is_read_by_nobody_who_has_not_asked_for_it() {
    let scene = scene();
    let (midnight, name) = today();
    write(&scene, &name, &at(1, midnight, "h s", 0));
    let calls = vec!["remoteexe h s"; 20].join(";");
    let stranger = format!("* * * * * {calls}\n").repeat(9_900);
    let limited = |args: &str| {
        // Each call takes 0.1 ms of an optimized program, and more of another.
        let script = format!("sh -c 'ulimit -t 10; exec {REMOTEEXE} --report {args}'");
        with_crontabs(&scene, "1 1 * * * remoteexe h s\n", &stranger, &script)
    };
    let output = limited("");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(text.contains("9,900 lines not checked"), "{text}{}", stderr(&output));
    for args in ["--check", "--next"] {
        let output = limited(args);
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        let reason = "more than 1000 calls: the others in this crontab are not looked at";
        assert!(text.contains(reason), "{text}{}", stderr(&output));
    }
}

#[test]
fn a_start_after_a_sleep_of_any_length_is_no_start_of_1970_and_stops_no_report() {
    let scene = scene();
    let (midnight, _) = today();
    fs::write(scene.path("a.log"), at(1, midnight, "h s", 0)).unwrap();
    let almost = 8_210_266_876_799 - Local::now().timestamp() - 3_600;
    for seconds in [almost, i64::MAX] {
        let line = format!("* * * * * sleep {seconds}; remoteexe h s\n");
        fs::write(scene.path("crontab"), line.repeat(10)).unwrap();
        for (zone, args) in [("UTC", "--next"), ("Asia/Tokyo", "--next"), ("Asia/Tokyo", "--job s a.log")] {
            let mut report = reporter(&scene);
            report.args(args.split(' ')).args(["--user-crontab", "crontab"]);
            report.env("TZ", zone).current_dir(scene.path(""));
            let output = report.output().unwrap();
            let text = String::from_utf8(output.stdout.clone()).unwrap();
            assert_eq!(code(&output), 0, "{}", stderr(&output));
            assert!(text.contains("never") && !text.contains("1970"), "{text}");
        }
    }
}

#[test]
fn a_time_field_of_any_length_neither_stops_next_nor_widens_its_table() {
    let scene = scene();
    let field = vec!["1,3"; 16_000].join(",");
    let job = "x".repeat(100_000);
    for lines in [
        format!("{field} * * * * remoteexe h s\n2 * * * * remoteexe h t\n"),
        format!("{} * * * * remoteexe h s\n2 * * * * remoteexe h t\n", &field[..20_000]),
        format!("1 * * * * remoteexe h {job}\n2 * * * * remoteexe {job} t\n"),
    ] {
        fs::write(scene.path("crontab"), lines).unwrap();
        for args in [&["--next"][..], &["--check"], &["--all"]] {
            let mut command = reporter(&scene);
            command.args(args).arg("--user-crontab").arg(scene.path("crontab"));
            write(&scene, "20260302_remoteexe.log", "");
            let output = command.output().unwrap();
            assert!(code(&output) < 100, "{}", stderr(&output));
            let text = String::from_utf8(output.stdout).unwrap();
            let longest = text.lines().map(str::len).max().unwrap();
            assert!(longest < 3_000, "{args:?} {longest}");
        }
    }
}

#[test]
fn a_line_of_a_stranger_s_hides_no_notice_about_root_s_job() {
    let scene = scene();
    let (midnight, name) = today();
    let gone = at(1, midnight, "h gone", 0) + &at(2, midnight, "h s", 0);
    write(&scene, &name, &gone);
    let root = "0 0 1 1 * remoteexe h s\n";
    let report = |stranger: &str| {
        let script = format!("{REMOTEEXE} --report");
        let output = with_crontabs(&scene, root, stranger, &script);
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let notice = "h gone: until 00:00, then no more; no line of a crontab that is understood";
    for stranger in ["", "* * * * * remoteexe h gone\n", "#* * * * * remoteexe h gone\n"] {
        let text = report(stranger);
        assert!(text.contains(notice), "{stranger}: {text}");
    }
}

#[test]
fn gauges_are_at_most_as_many_as_the_manual_says() {
    let scene = scene();
    let time = |minute| NaiveDate::from_ymd_opt(2026, 3, 2).unwrap().and_hms_opt(10, minute, 0).unwrap();
    let mut log = at(1, time(0), "planned /x.sh", 0) + &at(2, time(0), "oldest /x.sh", 0);
    for job in 0..12_000 {
        let end = "\u{1b}".repeat(1_500);
        log += &at(3 + job, time(1), &format!("h{job} /x.sh {end}"), 0);
    }
    log += &at(9, time(2), "latest /x.sh", 0);
    write(&scene, "a.log", &log);
    write_crontab(&scene, "* * * * * root remoteexe planned /x.sh\n");
    let mut command = reporter(&scene);
    command.args(["--prometheus", "--crontab", "crontab", "log/a.log"]);
    let output = command.current_dir(scene.path("")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let gauge = "remoteexe_job_last_exit_code{host=\"";
    assert_eq!(text.matches(gauge).count(), 5_000);
    for (host, has) in [("planned", true), ("latest", true), ("oldest", false)] {
        assert_eq!(text.contains(&format!("{gauge}{host}\"")), has, "{host}");
    }
    assert!(text.contains("\nremoteexe_jobs_left_out 7003\n"));
    assert!(text.len() < 80_000_000, "{}", text.len());
}
