//! `--generate airflow`: the lines of crontabs as DAGs.
//!
//! `tests/release/airflow.sh` runs such DAGs in the real Airflow, beside a real cron.

use std::fs::{self, File};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{
    ORDINARY_USER, REMOTEEXE, Running, Scene, code, needs_root, own_mounts, send, stderr, wait_until, with_seeds,
};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract/airflow");

/// The file of DAGs of a crontab.
struct Dags {
    code: i32,
    text: String,
    stderr: String,
    scene: Scene,
}

/// The DAGs of the system's crontab `text`, in the zone `zone`.
fn dags_in(zone: &str, option: &str, text: &[u8]) -> Dags {
    let scene = Scene::new();
    fs::write(scene.path("jobs.crontab"), text).unwrap();
    let crontab = File::options().append(true).open(scene.path("jobs.crontab"));
    let changed = UNIX_EPOCH + Duration::from_secs(1_796_000_000);
    crontab.unwrap().set_modified(changed).unwrap();
    let mut command = scene.remoteexe();
    command.env("TZ", zone).current_dir(scene.path(""));
    let output = command.args(["--generate", "airflow", option, "jobs.crontab"]).output();
    let output = output.unwrap();
    fs::write(scene.path("dags.py"), &output.stdout).unwrap();
    Dags { code: code(&output), stderr: stderr(&output), text: String::from_utf8(output.stdout).unwrap(), scene }
}

fn dags(text: &str) -> Dags {
    dags_in("Europe/Berlin", "--crontab", text.as_bytes())
}

/// What a program prints that ends well.
fn stdout_of(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

impl Dags {
    /// What stands between the template's parts.
    fn table(&self) -> &str {
        let (_, table) = self.text.split_once("\n# fmt: off\n").expect("a table");
        table.split_once("# fmt: on\n").expect("its end").0
    }

    /// The names of the DAGs.
    fn ids(&self) -> Vec<String> {
        let rows = self.table().lines().filter_map(|row| row.strip_prefix("    Line(\""));
        rows.map(|row| row.split('"').next().unwrap().to_owned()).collect()
    }

    /// What stands for Airflow, with these arguments behind the name of the file.
    fn engine(&self, args: &[&str]) -> Command {
        let mut command = Command::new("python3");
        self.scene.equip(&mut command);
        command.arg(format!("{DATA}/engine.py")).arg(self.scene.path("dags.py"));
        command.args(args);
        command
    }

    /// The lines, as Python has them.
    fn lines(&self) -> Vec<Value> {
        let list = stdout_of(&mut self.engine(&["list"]));
        let list: Value = serde_json::from_str(&list).unwrap();
        list["lines"].as_array().unwrap().clone()
    }

    /// Runs the first DAG, and gives what the task has logged, with the way in which it ended as the last line.
    fn run(&self, slot: &str) -> String {
        let id = &self.ids()[0];
        let args = ["run", id, slot];
        let args = &args[..if slot.is_empty() { 2 } else { 3 }];
        stdout_of(&mut self.engine(args))
    }
}

#[test]
fn the_lines_of_a_crontab_become_a_table_of_dags() {
    let crontab = fs::read_to_string(format!("{DATA}/jobs.crontab")).unwrap();
    let expected = fs::read_to_string(format!("{DATA}/table.txt")).unwrap();
    let found = dags(&crontab);
    assert_eq!(found.table(), expected);
    assert_eq!(found.code, 1, "@reboot is left out");
    assert_eq!(found.text, dags(&crontab).text, "the same crontab makes the same file");
    assert_eq!(found.lines().len(), found.ids().len());
}

#[test]
fn a_dag_keeps_its_name_when_lines_move_and_times_and_variables_change() {
    let before = dags(
        "0 1 * * * root remoteexe h /srv/a.sh\n\
         0 2 * * * root remoteexe h /srv/b.sh\n\
         0 3 * * * root remoteexe h /srv/c.sh\n\
         0 4 * * * root remoteexe h /srv/c.sh\n",
    );
    let after = dags(
        "0 4 * * * root remoteexe h /srv/c.sh\n\
         # a comment\n\
         */7 * * * * root remoteexe new /srv/new.sh\n\
         X=1\n\
         */5 3 * * * root remoteexe h /srv/b.sh\n\
         @daily root remoteexe h /srv/a.sh\n",
    );
    let mut names = before.ids();
    assert_eq!(names.len(), 4);
    let moved = [&after.ids()[2..], &before.ids()[2..]].concat();
    assert_eq!(after.ids()[2..], [names[1].clone(), names[0].clone()]);
    assert_eq!(moved.len(), 4);
    // Another user or another parameter is another job.
    for line in ["nobody remoteexe h /srv/a.sh", "root remoteexe h /srv/a.sh x"] {
        let other = dags(&format!("0 1 * * * {line}\n")).ids()[0].clone();
        assert!(!names.contains(&other), "{line}");
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 4);
}

#[test]
fn what_cannot_be_carried_over_is_left_out_with_its_reason_and_a_remedy() {
    for (line, problem, remedy) in [
        (
            "@reboot root remoteexe h s",
            "@reboot: no other scheduler knows when this machine boots",
            "leave the line in a crontab that cron reads",
        ),
        (
            "0~9 * * * * root remoteexe h s",
            "cron takes what is before ~ for the whole",
            "give a number; --splay spreads the jobs",
        ),
        (
            "0 0 30 2 * root remoteexe h s",
            "no time ever matches",
            "give a range its smaller number first, and a day that exists",
        ),
        ("99 * * * * root remoteexe h s", "minute '99' is out of range", "give numbers from 0 to 59"),
        ("* * * * * remoteexe h s", "no user before the command", "write the user, such as root"),
        ("* * * * * root", "no user or no command", "give a user and a command after the time"),
        (
            "X=1 2 # 3\n5/10 * * * * root remoteexe h s",
            "minute '5/10' has a step without a range",
            "give numbers from 0 to 59",
        ),
        ("X = 'a' # b", "neither a variable nor a time", "write NAME=value"),
    ] {
        let found = dags(&format!("0 1 * * * root remoteexe good s\n{line}\n0 2 * * * root remoteexe fine s\n"));
        assert_eq!((found.code, found.ids().len()), (1, 2), "{line}");
        let number = 2 + line.matches('\n').count();
        let expected = format!("remoteexe: jobs.crontab:{number}: left out: {problem}; tip: {remedy}");
        assert!(found.stderr.starts_with(&expected), "{line}: {}", found.stderr);
        assert!(found.table().contains(&format!("    # left out: {problem}\n")), "{line}");
    }
}

#[test]
fn what_is_not_utf_8_is_left_out_where_it_counts() {
    for (text, problem) in [
        (&b"# caf\xe9\n0 1 * * * root remoteexe h \xe9\n"[..], "the command is not UTF-8"),
        (b"A=1\n0 1 * * * root remoteexe h s%\xe9\n", "the input is not UTF-8"),
        (b"X=\xe9\n0 1 * * * root remoteexe h s\n", "the value of X is not UTF-8"),
        (b"X=\xe9\n0 1 * * * r\xe9 remoteexe h s\n", "the user is not UTF-8"),
    ] {
        let found = dags_in("UTC", "--crontab", text);
        let expected = format!("remoteexe: jobs.crontab:2: left out: {problem}; tip: convert the crontab with iconv");
        assert!(found.stderr.starts_with(&expected), "{}", found.stderr);
        assert_eq!((found.code, found.ids().len()), (1, 0));
    }
    // A comment does not count, nor does a value that is replaced before the line.
    let found = dags_in("UTC", "--crontab", b"# caf\xe9\n0 1 * * * root remoteexe h s\n");
    assert_eq!((found.code, found.ids().len()), (0, 1));
}

#[test]
fn a_zone_without_a_name_leaves_all_lines_out() {
    let found = dags_in("XYZ-3", "--crontab", b"0 1 * * * root remoteexe h s\n");
    assert_eq!(found.code, 1);
    let expected = "remoteexe: jobs.crontab:1: left out: the time zone of this machine has no name in \
                    /usr/share/zoneinfo; tip: put TZ=ZONE before remoteexe, such as TZ=Europe/Berlin\n";
    assert!(found.stderr.starts_with(expected), "{}", found.stderr);
}

#[test]
fn what_will_differ_is_a_warning() {
    let mail = "Airflow sends no mail to MAILTO=op; the output is in the task's log";
    let flock = "flock -n ends with 1 if the lock is taken: the task then fails";
    let pipe = "the exit status is not that of remoteexe, which is in a pipe or in the background: a failed job is a task that succeeds";
    let half = "cron reads the hour as 9 and ignores '\u{2013}17'";
    let zone = "CRON_TZ has no effect: only cronie knows it";
    for (text, place, problem) in [
        ("MAILTO=op\n0 1 * * * root remoteexe h s\n", ":2", mail),
        ("MAILTO=\"\"\n0 1 * * * root remoteexe h s\n", "", ""),
        ("0 1 * * * root flock -n /l remoteexe h s\n", ":1", flock),
        ("0 1 * * * root /usr/bin/flock -w 5 /l remoteexe h s\n", ":1", flock),
        ("0 1 * * * root flock -n -E 0 /l remoteexe h s\n", "", ""),
        ("0 1 * * * root flock /l remoteexe h -n\n", "", ""),
        ("0 1 * * * root remoteexe h s 2>&1 | logger\n", ":1", pipe),
        ("0 1 * * * root remoteexe h s &\n", ":1", pipe),
        ("0 1 * * * root echo x | remoteexe h 's | t'\n", "", ""),
        ("CRON_TZ=Asia/Tokyo\n0 1 * * * root remoteexe h s\n", ":1", zone),
        ("0 9\u{2013}17 * * * root remoteexe h s\n", ":1", half),
        ("0 1 * * * nobody remoteexe h s\n", "", "1 line runs as nobody"),
    ] {
        let found = dags_in("UTC", "--crontab", text.as_bytes());
        assert_eq!(found.code, 0, "{text}");
        let expected = format!("remoteexe: jobs.crontab{place}: warning: {problem}");
        let is_of_root = |line: &&str| {
            line.contains("1 line runs as root; tip: let the worker run as root, or allow it sudo -n -u root /bin/sh")
        };
        let said = found.stderr.lines().filter(|line| !is_of_root(line));
        let said: Vec<&str> = said.filter(|line| line.contains("warning:")).collect();
        match problem {
            "" => assert_eq!(said, [""; 0], "{text}"),
            _ => assert!(said.len() == 1 && said[0].starts_with(&expected), "{text}: {said:?}"),
        }
    }
}

#[test]
fn the_hours_in_which_the_clock_changes_are_foretold_with_what_will_happen() {
    for (time, forward, back) in [
        (
            "30 2 * * *",
            "only cron starts it at 03:00, and only Airflow starts it at 03:30",
            "only cron starts it at 02:30 (the first), and only Airflow starts it at 02:30 (the second)",
        ),
        (
            "0,30 2 * * *",
            "only cron starts it at 03:00 (once more)",
            "only cron starts it at 02:00 (the first), 02:30 (the first), and only Airflow starts it at 02:00 (the second), 02:30 (the second)",
        ),
        ("30 3 * * *", "", ""),
        ("*/5 * * * *", "", ""),
        ("*/5 * * * mon-fri", "", ""),
        ("0 * * * 1", "", ""),
    ] {
        let found = dags(&format!("{time} root remoteexe h s\n"));
        let said = found.stderr.lines().filter(|line| line.contains("when the clock goes"));
        let said: Vec<&str> = said.collect();
        for (change, expected) in [("from 02:00 to 03:00", forward), ("from 03:00 to 02:00", back)] {
            let about = said.iter().find(|line| line.contains(change));
            match (about, expected) {
                (None, "") => {}
                (Some(line), expected) if !expected.is_empty() => {
                    assert!(line.contains(&format!(", {expected}; tip: ")), "{time}: {line}");
                }
                other => panic!("{time}: {other:?}"),
            }
        }
    }
}

#[test]
fn the_runs_of_a_day_and_their_cost_are_foretold() {
    for (lines, expected) in [
        (
            "* * * * * root remoteexe h s\n",
            "1 line makes 1440 runs a day, which cost Airflow about 14 min of CPU time (0.57 s each)",
        ),
        (
            "*/5 * * * * root remoteexe h s\n0 1 * * 7 root remoteexe h t\n",
            "2 lines make 288 runs a day, which cost Airflow about 3 min of CPU time (0.57 s each)",
        ),
    ] {
        let found = dags(lines);
        assert_eq!(found.stderr.lines().last(), Some(&*format!("remoteexe: {expected}")));
    }
}

#[test]
fn a_crontab_that_cannot_be_read_makes_no_file() {
    let scene = Scene::new();
    fs::write(scene.path("good"), "0 1 * * * root remoteexe h s\n").unwrap();
    let mut command = scene.remoteexe();
    command.current_dir(scene.path("")).args(["--generate", "airflow"]);
    let output = command.args(["--crontab", "good", "--user-crontab", "none"]).output().unwrap();
    assert_eq!((code(&output), &*output.stdout), (74, &b""[..]));
    let expected =
        "remoteexe: left out: none: No such file or directory (os error 2); tip: give the path of a crontab\n";
    assert_eq!(stderr(&output), expected);
}

#[test]
fn no_line_is_a_file_without_a_dag() {
    let found = dags("SHELL=/bin/sh\n# 0 1 * * * root remoteexe h s\n");
    assert_eq!((found.code, &*found.stderr, found.lines().len()), (0, "", 0));
}

#[test]
fn a_crontab_that_cron_reads_too_is_named() {
    needs_root();
    let scene = Scene::new();
    fs::write(scene.path("crontab"), "0 1 * * * root remoteexe h s\n").unwrap();
    let mut command = own_mounts(&format!(
        "mount --bind $DIR/crontab /etc/crontab; exec {REMOTEEXE} --generate airflow --crontab /etc/crontab"
    ));
    scene.equip(&mut command);
    let output = command.output().unwrap();
    let expected =
        "remoteexe: /etc/crontab: warning: cron reads this file too, and each job runs twice; tip: move the lines";
    assert!(stderr(&output).starts_with(expected), "{}", stderr(&output));
}

/// A text of characters that are special somewhere on the way.
fn random_text(random: &mut fastrand::Rng, special: &[char]) -> String {
    let letters =
        ['a', 'b', ' ', '\\', '"', '\'', '{', '}', '%', '$', '@', '\t', '\r', '\u{c}', 'é', '\u{202e}', '🦀', '\u{1}'];
    let all = [&letters[..], special].concat();
    (0..random.usize(1..40)).map(|_| *random.choice(&all).unwrap()).collect()
}

#[test]
fn python_has_each_byte_of_the_command_and_the_variables() {
    with_seeds(20, |seed| {
        let mut random = fastrand::Rng::with_seed(seed);
        let lines = (0..20).map(|_| {
            // Debian's cron unescapes \% and \\ in a command, so none of them is in it.
            let command = format!("x{}x", random_text(&mut random, &[]).replace(['\\', '%'], "#"));
            let value = random_text(&mut random, &[]).replace(['"', '\''], "#");
            (command, value)
        });
        let lines: Vec<(String, String)> = lines.collect();
        let text = lines.iter().map(|(command, value)| format!("V=\"{value}\"\n0 1 * * * {command}\n"));
        let found = dags_in("UTC", "--user-crontab", text.collect::<String>().as_bytes());
        assert_eq!(found.code, 0, "{}", found.stderr);
        let read = found.lines();
        let read = read.iter().map(|line| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&line["command"]), text(&line["variables"]["V"]))
        });
        assert_eq!(read.collect::<Vec<_>>(), lines);
    });
}

#[test]
fn a_task_runs_its_line_with_the_environment_of_cron() {
    let found = dags_in(
        "UTC",
        "--user-crontab",
        br#"LOGNAME=somebody
A="1  $A "
PATH=/usr/bin:/bin:/opt
0 1 * * * env; umask; pwd; cat; echo "$0 'q' {{ run_id }}"; exit 99%in \% put%two
"#,
    );
    let log = found.run("");
    let (_, log) = log.split_once('\n').unwrap();
    let is_of_the_machine = |line: &&str| !["LANG=", "LC_", "LANGUAGE="].iter().any(|name| line.starts_with(name));
    let lines: Vec<&str> = log.lines().filter(is_of_the_machine).collect();
    let home = std::env::var("HOME").unwrap_or("/root".to_owned());
    let user = stdout_of(Command::new("id").arg("-un"));
    let expected = [
        &*format!("HOME={home}"),
        "SHELL=/bin/sh",
        "PATH=/usr/bin:/bin:/opt",
        &*format!("LOGNAME={}", user.trim()),
        "A=1  $A ",
        &*format!("PWD={home}"),
        "0022",
        &*home,
        "in % put",
        "two",
        "/bin/sh 'q' {{ run_id }}",
        "failed: exit status 99",
    ];
    let mut sorted = (lines.clone(), expected.to_vec());
    sorted.0.sort_unstable();
    sorted.1.sort_unstable();
    assert_eq!(sorted.0, sorted.1);
    assert_eq!(lines[lines.len() - 6..], expected[6..]);
}

#[test]
fn a_status_that_remoteexe_ok_accepts_skips_the_task() {
    for (text, end) in [
        (
            "REMOTEEXE_OK=3,75\n* * * * * remoteexe -h >/dev/null; exit 75\n",
            "skipped: exit status 75, which REMOTEEXE_OK accepts",
        ),
        ("REMOTEEXE_OK=3,75\n* * * * * remoteexe -h >/dev/null; exit 4\n", "failed: exit status 4"),
        (
            "REMOTEEXE_OK=3\n* * * * * remoteexe -h >/dev/null; REMOTEEXE_OK=4 remoteexe h s; exit 4\n",
            "skipped: exit status 4, which REMOTEEXE_OK accepts",
        ),
        ("REMOTEEXE_OK=3,255\n* * * * * remoteexe -h >/dev/null; exit 3\n", "failed: exit status 3"),
        ("REMOTEEXE_OK=3\n* * * * * exit 3\n", "failed: exit status 3"),
    ] {
        let log = dags_in("UTC", "--user-crontab", text.as_bytes()).run("");
        assert!(log.ends_with(&format!("{end}\n")), "{text}{log}");
    }
}

#[test]
fn a_task_of_root_runs_the_line_of_another_user_as_that_user() {
    needs_root();
    let found = dags_in(
        "UTC",
        "--crontab",
        format!("X=\"y z\"\n0 1 * * * {ORDINARY_USER} id -un; echo \"$LOGNAME $X\"; cat\n").as_bytes(),
    );
    let log = found.run("");
    let expected = format!("\n{ORDINARY_USER}\n{ORDINARY_USER} y z\nsuccess\n");
    assert!(log.ends_with(&expected), "{log}");
    let found = dags_in("UTC", "--crontab", b"0 1 * * * no-such-user id\n");
    assert_eq!(found.run(""), "failed: this worker has no user no-such-user\n");
}

#[test]
fn a_run_that_is_late_or_not_due_is_skipped() {
    // 30 November 2026 is a Monday. All of 2026 is long ago, and 2999 is not late.
    let found = dags_in("UTC", "--user-crontab", b"0 6 */2 * fri echo ran\n");
    for (slot, end) in [
        ("2020-01-03T06:00:00+00:00", "skipped: missed: it was due at 2020-01-03 06:00:00+00:00\n"),
        ("2999-11-01T06:00:00+00:00", "success\n"),
        ("2999-11-08T06:00:00+00:00", "skipped: not due: day 8 of the month\n"),
    ] {
        let log = found.run(slot);
        assert!(log.ends_with(end), "{slot}: {log}");
        assert_eq!(log.contains("\nran\n"), end == "success\n", "{slot}: {log}");
    }
}

#[test]
fn a_run_that_a_killed_scheduler_may_have_started_is_not_started_again() {
    let found = dags_in("UTC", "--user-crontab", b"0 6 * * * echo ran\n");
    let id = &found.ids()[0];
    let args = ["run", id, "2999-11-01T06:00:00+00:00", "2"];
    let log = stdout_of(&mut found.engine(&args));
    assert_eq!(log, "failed: the scheduler was killed, and may have started this before\n");
}

#[test]
fn a_task_that_is_cleared_ends_all_processes_of_its_line() {
    let scene = dags_in(
        "UTC",
        "--user-crontab",
        b"0 1 * * * sh -c 'trap \"echo got TERM; exit 5\" TERM; echo ready >&2; while :; do sleep 1; done'; echo not this\n",
    );
    let log = File::create(scene.scene.path("task.log")).unwrap();
    let id = scene.ids()[0].clone();
    let mut task = Running::spawn(scene.engine(&["run", &id]).stdout(log));
    let read = || fs::read_to_string(scene.scene.path("task.log")).unwrap();
    wait_until("the line to run", || read().contains("\nready\n"));
    send(&task, Signal::TERM);
    wait_until("the task to end", || task.try_wait().unwrap().is_some());
    assert!(read().contains("\ngot TERM\n"), "{}", read());
    assert!(read().ends_with("failed: exit status 143\n"), "{}", read());
}

#[test]
fn a_command_line_that_asks_for_no_crontab_or_for_another_text_is_refused() {
    for (args, reason, tip) in [
        (
            &["airflow"][..],
            "the crontab is missing",
            "give the crontab whose lines Airflow is to run, with --crontab FILE",
        ),
        (&["man", "--crontab", "x"], "--crontab and --user-crontab are for airflow only", "take them out"),
        (&["airflow", "--crontab="], "invalid value '' for --crontab <FILE>: it is empty", "give a path"),
        (&["airflow", "x"], "unexpected argument 'x' found", "give one word, and options of airflow only"),
    ] {
        let scene = Scene::new();
        let output = scene.remoteexe().arg("--generate").args(args).output().unwrap();
        let expected = format!("error: {reason}\n\n  tip: {tip}\n\nUsage: remoteexe --generate <WHAT> [OPTIONS]\n");
        assert_eq!(code(&output), 10);
        assert!(stderr(&output).starts_with(&expected), "{}", stderr(&output));
    }
}
