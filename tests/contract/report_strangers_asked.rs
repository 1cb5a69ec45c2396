//! `--report --user NAME` of root, and the names in the log directory: what one user has made there costs little, and
//! hides nothing.

use std::fmt::Write;
use std::fs;
use std::process::{Command, Output};

use chrono::TimeDelta;

use crate::report::fields;
use crate::report_strangers::{at, scene, today, with_crontabs, write_crontab};
use crate::support::{ORDINARY_USER, REMOTEEXE, Scene, as_ordinary_user, code, run_tool, stderr};

/// Runs `script` as the ordinary user in the log directory, with the name of today's log of that user as `$1`, and what
/// is to be in it as its standard input.
fn as_stranger(scene: &Scene, script: &str, log: &str) {
    let (_, name) = today();
    let script = format!("set -- \"${{1%log}}$(id -u).log\"; {script}");
    fs::write(scene.path("input"), log).unwrap();
    let mut sh = as_ordinary_user("sh");
    sh.args(["-euc", &script, "sh", &name]).current_dir(scene.path("log"));
    let output = sh.stdin(fs::File::open(scene.path("input")).unwrap()).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

/// `remoteexe --report ARGS` under strace with these options, and the trace.
fn traced(scene: &Scene, options: &[&str], args: &[&str]) -> (Output, String) {
    let mut strace = Command::new("strace");
    scene.equip(&mut strace);
    strace.args(["-f", "-o"]).arg(scene.path("trace")).args(options);
    strace.args([REMOTEEXE, "--report"]).args(args).env("TZ", "UTC");
    let output = strace.current_dir(scene.path("")).output().unwrap();
    (output, fs::read_to_string(scene.path("trace")).unwrap())
}

#[test]
fn a_log_of_terabytes_that_are_nowhere_on_the_disk_is_read_at_once() {
    let scene = scene();
    let (midnight, _) = today();
    let log = at(1, midnight, "h s", 0) + &at(2, midnight, "h s", 3);
    as_stranger(&scene, "cat >$1; truncate -s 8T $1; echo >>$1", &log);
    as_stranger(&scene, "cat >>$1", &at(3, midnight, "h s", 4));
    let args = format!("ulimit -t 20; exec {REMOTEEXE} --report --json --user {ORDINARY_USER}");
    let mut sh = Command::new("sh");
    scene.equip(&mut sh);
    let output = sh.args(["-c", &args]).env("TZ", "UTC").output().unwrap();
    assert_eq!(fields(&output, "exit_status"), ["0", "3", "4"], "{}", stderr(&output));
}

#[test]
fn a_log_of_every_day_since_the_year_1_has_the_directory_listed_no_more_often() {
    let scene = scene();
    let (midnight, _) = today();
    let mut log = String::new();
    for year in 1..50 {
        let start = midnight - TimeDelta::days(365 * year);
        writeln!(log, "[{}][{year}] START,-,h s", start.format("%F %T")).unwrap();
    }
    let script = "cat >$1; for year in $(seq 1 2000); do :>$(printf %04d0101 $year)${1#????????}; done";
    as_stranger(&scene, script, &log);
    let (output, trace) = traced(&scene, &["-e", "trace=openat"], &["--user", ORDINARY_USER]);
    let dir = format!("\"{}\"", scene.path("log").display());
    let listed = trace.lines().filter(|line| line.contains(&dir)).count();
    assert!((1..=5).contains(&listed), "{listed} {}", stderr(&output));
    let opened = trace.lines().filter(|line| line.contains("_remoteexe.")).count();
    assert!(opened < 500, "{opened}");
}

#[test]
fn a_file_that_nobody_may_look_at_hides_no_run_that_was_not_started() {
    let scene = scene();
    let (midnight, name) = today();
    let yesterday = midnight - TimeDelta::days(1);
    let log = scene.path("log");
    fs::write(log.join(&name), at(2, midnight, "h s", 0)).unwrap();
    let before = format!("{}_remoteexe.log", yesterday.format("%Y%m%d"));
    fs::write(log.join(before), at(1, yesterday, "h s", 0)).unwrap();
    write_crontab(&scene, "* * * * * root remoteexe h s\n");
    as_stranger(&scene, ":>$1", "");
    let name = name.replace(".log", ".");
    let hidden = log.read_dir().unwrap().map(|file| file.unwrap().path());
    let mut hidden = hidden.filter(|path| path.to_str().unwrap().contains(&name));
    let hidden = hidden.next().unwrap();
    // As under a file system in user space that the user has mounted there (fuse(4)).
    for error in ["EACCES", "ENOTCONN"] {
        let inject = format!("inject=newfstatat,lstat,statx:error={error}");
        let options = ["-P", hidden.to_str().unwrap(), "-e", &inject];
        let args = ["--since", "yesterday", "--crontab", "crontab"];
        let (output, trace) = traced(&scene, &options, &args);
        assert!(trace.contains("(INJECTED)"), "{trace}");
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        assert!(text.contains("NOT STARTED"), "{text}");
        assert!(stderr(&output).contains("another user may have mounted"), "{}", stderr(&output));
        assert_eq!(code(&output), 1);
    }
}

#[test]
fn a_crontab_of_a_thousand_log_directories_leads_to_a_hundred() {
    let scene = scene();
    let dirs = scene.path("log").join("dirs");
    run_tool("mkdir", &["-p", &dirs.display().to_string()]);
    let mut crontab = String::new();
    for dir in 0..999 {
        fs::create_dir(dirs.join(dir.to_string())).unwrap();
        writeln!(crontab, "* * * * * remoteexe --log-dir /tmp/dirs/{dir} h s").unwrap();
    }
    let args = format!("--report --user {ORDINARY_USER}");
    let script = format!("strace -f -e trace=openat -o /dev/stdout {REMOTEEXE} {args}");
    let output = with_crontabs(&scene, "", &crontab, &script);
    let trace = String::from_utf8(output.stdout).unwrap();
    let listed = trace.lines().filter(|line| line.contains("\"/tmp/dirs/")).count();
    assert!((1..=100).contains(&listed), "{listed}");
}

#[test]
fn jobs_with_names_of_a_megabyte_take_no_more_memory_than_others() {
    let scene = scene();
    let script = r#"for $n (1..120) { $name = "h$n " . "x" x 1000000;
        print "[2026-03-02 10:00:00][$n] START,-,$name\n[2026-03-02 10:00:01][$n] END,0,$name\n" }"#;
    let make = format!("perl -e '{script}' | gzip -1 >a.log.gz");
    let mut sh = Command::new("sh");
    let output = sh.args(["-c", &make]).current_dir(scene.path("")).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let mut report = Command::new("sh");
    scene.equip(&mut report);
    let limited = format!("ulimit -v 120000; exec {REMOTEEXE} --report --run 7 a.log.gz");
    let output = report.args(["-c", &limited]).current_dir(scene.path("")).output().unwrap();
    let records = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(records.lines().count(), 2, "{}", stderr(&output));
}
