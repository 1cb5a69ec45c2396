//! `--report`: it reads the right inputs, refuses unsafe ones, and does nothing else.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Output, Stdio};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::ioctl_fionread;

use crate::report::{fields, printed, reporter};
use crate::support::{ORDINARY_USER, Running, Scene, code, run_tool, stderr, today, wait_for, wait_until};

/// The log of one run of this process, that ends at the last second of today.
fn one(pid: u32) -> String {
    let today = today();
    let (month, day) = today[4..].split_at(2);
    from_to(pid, &format!("{}-{month}-{day} 23:59:59", &today[..4]), None)
}

/// The log of one run of this process.
fn from_to(pid: u32, start: &str, end: Option<&str>) -> String {
    let end = end.unwrap_or(start);
    format!(
        "[{start}][{pid}] START,-,h s\n\
         [{start}][{pid}] command,ssh root@h s\n\
         [{end}][{pid}] END,0,h s\n"
    )
}

/// Checks that a report warns of one file and shows the run of process 1 in another nevertheless.
fn assert_unread_beside_one(output: &Output, path: &Path, why: &str) {
    assert_warns_beside_one(output, path, why);
    assert_eq!(code(output), 74);
}

fn assert_warns_beside_one(output: &Output, path: &Path, why: &str) {
    assert_eq!(stderr(output), format!("remoteexe: {}: {why}\n", path.display()));
    assert_eq!(fields(output, "pid"), ["1"]);
}

#[test]
fn without_options_the_logs_of_tmp_are_read() {
    let scene = Scene::new();
    fs::write(scene.daily(), one(1)).unwrap();
    let mut command = scene.remoteexe_in_private_tmp();
    let output = command.args(["--report", "--json"]).output().unwrap();
    printed(&output);
    assert_eq!(fields(&output, "pid"), ["1"]);
}

#[test]
fn a_pipe_is_read_to_its_end_however_slowly_it_comes() {
    let scene = Scene::new();
    let mut command = reporter(&scene);
    command.args(["--json", "-"]);
    let mut child = Running::spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
    let mut stdin = child.stdin.take().unwrap();
    for byte in one(1).bytes() {
        stdin.write_all(&[byte]).unwrap();
    }
    drop(stdin);
    assert_shows_one_run(child);
}

fn assert_shows_one_run(mut child: Running) {
    let mut documents = String::new();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_to_string(&mut documents).unwrap();
    assert_eq!(documents.lines().count(), 1);
    assert_eq!(child.code(), Some(0));
}

#[test]
fn a_named_fifo_is_read_from_its_first_writer_on_until_that_has_gone() {
    let scene = Scene::new();
    let fifo = scene.path("fifo");
    run_tool("mkfifo", &[&fifo.display().to_string()]);
    let mut command = reporter(&scene);
    command.arg("--json").arg(&fifo).stdout(Stdio::piped());
    let child = Running::spawn(&mut command);
    // This fails as long as there is no reader.
    let writer = wait_for("a reader", || open(&fifo, OFlags::WRONLY | OFlags::NONBLOCK, Mode::empty()).ok());
    let mut writer = File::from(writer);
    let log = one(1);
    let (first, second) = log.split_at(100);
    writer.write_all(first.as_bytes()).unwrap();
    wait_until("an empty pipe", || ioctl_fionread(&writer).unwrap() == 0);
    writer.write_all(second.as_bytes()).unwrap();
    drop(writer);
    assert_shows_one_run(child);
}

#[test]
fn a_file_that_may_not_be_read_is_told() {
    let scene = Scene::new();
    fs::write(scene.daily(), one(1)).unwrap();
    let mut command = scene.ordinary_user_with_ssh("");
    fs::write(scene.per_user(), one(2)).unwrap();
    run_tool("chmod", &["000", &scene.per_user().display().to_string()]);
    let output = command.args(["--report", "--json"]).output().unwrap();
    let why = "Permission denied (os error 13)";
    assert_unread_beside_one(&output, &scene.per_user(), why);
}

#[test]
fn a_report_needs_nothing_to_write_to() {
    // In a log directory that may only be read, with nowhere to report errors to.
    let scene = Scene::new();
    let mut command = scene.ordinary_user_with_ssh("");
    fs::write(scene.daily(), one(1)).unwrap();
    let path = scene.path("log").display().to_string();
    if rustix::process::geteuid().is_root() {
        run_tool("chown", &["-R", "root", &path]);
    }
    run_tool("chmod", &["555", &path]);
    let output = command.args(["--report", "--json"]).output().unwrap();
    run_tool("chmod", &["755", &path]);
    printed(&output);
    assert_eq!(fields(&output, "pid"), ["1"], "as {ORDINARY_USER}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let scene = Scene::new();
    let log: String = (1..20_000).map(|pid| from_to(pid, "2026-03-02 10:00:00", None)).collect();
    fs::write(scene.path("a.log"), log).unwrap();
    for form in ["--json", "--tsv", "--failed"] {
        let mut command = reporter(&scene);
        command.arg(form).arg(scene.path("a.log"));
        let mut child = Running::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        drop(child.stdout.take());
        let mut warnings = String::new();
        let mut stderr = child.stderr.take().unwrap();
        stderr.read_to_string(&mut warnings).unwrap();
        assert_eq!(warnings, "");
        assert_eq!(child.code(), Some(0), "{form}");
    }
}
