//! `--tee`: the output is on standard output too, and neither the log nor a signal waits for its reader.

use std::fs;
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write, pipe};
use std::process::{Command, Stdio};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::Signal;

use crate::support::{REMOTEEXE, Running, Scene, code, is_asleep, is_running, log_of_h_s, send, wait_until};

const FLOOD: &str = "echo $$ >$DIR/ssh-pid; while :; do echo flood; done";

#[test]
fn on_a_terminal_the_output_is_shown() {
    let scene = Scene::new();
    let mut script = Command::new("script");
    scene.equip_with_ssh(&mut script, "echo shown; exit 4");
    script.args(["-q", "-e", "-c", &format!("{REMOTEEXE} h s"), "/dev/null"]);
    let output = script.output().unwrap();
    assert_eq!(code(&output), 4);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "shown\r\n");
    assert_eq!(scene.log(), log_of_h_s("shown\n", 4));
}

#[test]
fn a_reader_who_has_gone_harms_nothing() {
    let scene = Scene::new();
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let mut command = scene.remoteexe_with_ssh("echo a; echo b");
    command.args(["--tee", "always", "h", "s"]).stdout(writer);
    assert_eq!(Running::spawn(&mut command).code(), Some(0));
    assert_eq!(scene.log(), log_of_h_s("a\nb\n", 0));
}

#[test]
fn a_reader_who_has_stalled_does_not_keep_signals_from_ending_the_job() {
    let scene = Scene::new();
    let (_reader, writer) = full_pipe();
    let mut command = scene.remoteexe_with_ssh(FLOOD);
    command.args(["--tee", "always", "h", "s"]).stdout(writer);
    let mut child = Running::spawn(&mut command);
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
    let mut command = scene.remoteexe_with_ssh("echo shown; exit 3");
    command.args(["--tee", "always", "h", "s"]).stdout(writer);
    let mut child = Running::spawn(&mut command);
    drop(command);
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
    let mut command = scene.remoteexe_with_ssh("echo shown; exit 3");
    command.args(["--tee", "always", "h", "s"]).stdout(writer);
    let mut child = Running::spawn(&mut command);
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
    let mut command = scene.remoteexe_with_ssh("seq 100000");
    command.args(["--tee", "always", "h", "s"]).stdout(writer);
    let mut child = Running::spawn(&mut command);
    drop(command);
    scene.wait_for_record("1");
    let mut shown = String::new();
    reader.read_to_string(&mut shown).unwrap();
    assert_eq!(child.code(), Some(0));
    let log = scene.log();
    let output = log.strip_prefix("START,-,h s\ncommand,ssh root@h s\n").unwrap();
    assert_eq!(shown.trim_start_matches('x'), output.strip_suffix("END,0,h s\n").unwrap());
}

#[test]
fn standard_error_that_nobody_reads_does_not_stop_a_job_that_cannot_be_logged() {
    let scene = Scene::new();
    let (_reader, writer) = full_pipe();
    let mut command = scene.remoteexe_with_ssh("seq 200000; touch $DIR/done; exit 3");
    command.arg("--log-dir").arg(scene.path("missing")).args(["h", "s"]);
    let mut child = Running::spawn(command.stderr(writer).stdout(Stdio::null()));
    assert_eq!(child.code(), Some(3));
    assert!(fs::exists(scene.path("done")).unwrap());
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
