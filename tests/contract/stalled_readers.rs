//! A terminal or a pipe that nobody reads holds neither the log, nor the job's end, nor a signal.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::{Running, Scene, at_once, is_asleep, is_running, send, wait_until};

/// A terminal whose other end, the first, nobody reads.
fn stalled_terminal() -> (OwnedFd, File) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let path = OsStr::from_bytes(name.as_bytes());
    let terminal = File::options().read(true).write(true).open(path).unwrap();
    (master, terminal)
}

/// A pipe that takes no byte more.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    let full = loop {
        if let Err(error) = writer.write(&[b'x'; 4096]) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}

/// Starts the job `h s` in front of an ssh that runs `body`, whose output is shown on `stdout` too.
fn start_with_tee(scene: &Scene, body: &str, stdout: impl Into<Stdio>) -> Running {
    let mut command = scene.remoteexe_with_ssh(body);
    Running::spawn(command.args(["--tee", "always", "h", "s"]).stdout(stdout))
}

/// Starts the same job where nothing can be logged, and standard error has the records.
fn start_without_log(scene: &Scene, body: &str, stderr: impl Into<Stdio>) -> Running {
    let mut command = scene.remoteexe_with_ssh(body);
    command.env("REMOTEEXE_LOG_DIR", scene.path("missing")).args(["h", "s"]);
    Running::spawn(command.stdout(Stdio::null()).stderr(stderr))
}

#[test]
fn a_signal_ends_a_job_whose_terminal_nobody_reads() {
    at_once(0..10, |_| {
        let scene = Scene::new();
        let (_master, terminal) = stalled_terminal();
        let mut child = start_with_tee(&scene, "exec yes", terminal);
        scene.wait_for_flood();
        send(&child, Signal::TERM);
        assert_eq!(child.code(), Some(143));
        scene.wait_for_last_record("END,143,h s");
    });
}

#[test]
fn a_signal_ends_a_job_whose_pipe_nobody_reads() {
    let scene = Scene::new();
    let (_reader, writer) = full_pipe();
    let mut child = start_with_tee(&scene, "echo $$ >$DIR/ssh-pid; while :; do echo flood; done", writer);
    scene.wait_for_record("flood");
    wait_until("remoteexe to wait and not to spin", || is_asleep(&child));
    send(&child, Signal::TERM);
    assert_eq!(child.code(), Some(143));
    assert!(scene.log().ends_with("\nflood\nremoteexe: received signal TERM\nEND,143,h s\n"));
    assert!(!is_running(&scene.wait_for_file("ssh-pid")));
}

#[test]
fn end_is_logged_before_a_reader_who_is_behind_has_read_all() {
    let scene = Scene::new();
    let (mut reader, writer) = full_pipe();
    let mut child = start_with_tee(&scene, "echo shown; exit 3", writer);
    scene.wait_for_record("END,3,h s");
    let mut shown = Vec::new();
    reader.read_to_end(&mut shown).unwrap();
    assert!(shown.ends_with(b"xshown\n"));
    assert_eq!(child.code(), Some(3));
}

#[test]
fn a_reader_who_does_not_come_back_after_end_is_given_up_at_a_signal() {
    let scene = Scene::new();
    let (_reader, writer) = full_pipe();
    let mut child = start_with_tee(&scene, "echo shown; exit 3", writer);
    scene.wait_for_record("END,3,h s");
    wait_until("remoteexe to wait for the reader", || is_asleep(&child));
    send(&child, Signal::TERM);
    assert_eq!(child.code(), Some(3), "the job had ended");
}

#[test]
fn a_non_blocking_standard_output_gets_all_of_the_output() {
    let scene = Scene::new();
    let (mut reader, writer) = full_pipe();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    let mut child = start_with_tee(&scene, "seq 100000", writer);
    scene.wait_for_record("1");
    let mut shown = String::new();
    reader.read_to_string(&mut shown).unwrap();
    assert_eq!(child.code(), Some(0));
    let log = scene.log();
    let output = log.strip_prefix("START,-,h s\ncommand,ssh root@h s\n").unwrap();
    assert_eq!(shown.trim_start_matches('x'), output.strip_suffix("END,0,h s\n").unwrap());
}

#[test]
fn records_on_a_terminal_or_a_pipe_that_nobody_reads_do_not_hold_the_end() {
    let (_master, terminal) = stalled_terminal();
    let (_reader, writer) = full_pipe();
    for stderr in [Stdio::from(terminal), Stdio::from(writer)] {
        let scene = Scene::new();
        let mut child = start_without_log(&scene, "seq 200000; touch $DIR/done; exit 7", stderr);
        assert_eq!(child.code(), Some(7));
        assert!(fs::exists(scene.path("done")).unwrap());
    }
}

#[test]
fn another_writer_on_the_same_standard_error_does_not_hold_the_end() {
    at_once(0..5, |_| {
        let scene = Scene::new();
        let (mut reader, writer) = pipe().unwrap();
        let mut other = Running::spawn(Command::new("yes").stdout(writer.try_clone().unwrap()));
        let mut child = start_without_log(&scene, "seq 100000; exit 7", writer);
        // It reads for a while, so that both find room, and then no more.
        for _ in 0..100 {
            reader.read_exact(&mut [0; 4096]).unwrap();
        }
        assert_eq!(child.code(), Some(7));
        other.kill().unwrap();
    });
}

#[test]
fn a_usage_error_on_a_terminal_that_nobody_reads_ends() {
    let scene = Scene::new();
    let (_master, terminal) = stalled_terminal();
    let mut filler = Running::spawn(Command::new("yes").stdout(terminal.try_clone().unwrap()));
    // It sleeps once the terminal is full.
    wait_until("the terminal to be full", || is_asleep(&filler));
    let mut command = scene.remoteexe_with_ssh("");
    command.arg("h").stderr(terminal);
    assert_eq!(Running::spawn(&mut command).code(), Some(10));
    assert!(scene.log().ends_with("END,10,h\n"));
    filler.kill().unwrap();
}
