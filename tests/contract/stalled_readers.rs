//! A terminal or a pipe that nobody reads holds neither the job's end nor a signal.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::{Running, Scene, is_asleep, send, wait_until};

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

/// An ssh that writes for ever.
const FLOOD: &str = "echo >$DIR/begun; exec yes";

#[test]
fn a_signal_ends_a_job_whose_terminal_nobody_reads() {
    for _ in 0..10 {
        let scene = Scene::new();
        let (_master, terminal) = stalled_terminal();
        let mut command = scene.remoteexe_with_ssh(FLOOD);
        command.args(["--tee", "always", "h", "s"]).stdout(terminal);
        let mut child = Running::spawn(&mut command);
        drop(command);
        scene.wait_for_file("begun");
        scene.wait_for_flood();
        send(&child, Signal::TERM);
        assert_eq!(child.code(), Some(143));
        scene.wait_for_last_record("END,143,h s");
    }
}

#[test]
fn records_on_a_terminal_that_nobody_reads_do_not_hold_the_end() {
    let scene = Scene::new();
    let (_master, terminal) = stalled_terminal();
    let mut command = scene.remoteexe_with_ssh("seq 100000; exit 7");
    command.env("REMOTEEXE_LOG_DIR", scene.path("missing"));
    command.args(["h", "s"]).stderr(terminal);
    assert_eq!(Running::spawn(&mut command).code(), Some(7));
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

#[test]
fn another_writer_on_the_same_standard_error_does_not_hold_the_end() {
    for _ in 0..5 {
        let scene = Scene::new();
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut other = Running::spawn(Command::new("yes").stdout(writer.try_clone().unwrap()));
        let mut command = scene.remoteexe_with_ssh("seq 100000; exit 7");
        command.env("REMOTEEXE_LOG_DIR", scene.path("missing"));
        let mut child = Running::spawn(command.args(["h", "s"]).stderr(Stdio::from(writer)));
        drop(command);
        // It reads for a while, so that both find room, and then no more.
        for _ in 0..100 {
            std::io::Read::read(&mut reader, &mut [0; 4096]).unwrap();
        }
        assert_eq!(child.code(), Some(7));
        other.kill().unwrap();
    }
}
