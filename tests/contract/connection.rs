//! Connections that break, stall or carry much: the job's status is ssh's, and ssh is run once.

use std::fs;
use std::net::TcpListener;

use rustix::process::Signal;

use crate::support::{Running, Sandbox, Scene, send_to, split_record, wait_until};

#[test]
fn a_connection_that_breaks_gives_255_and_the_output_until_then_and_is_not_tried_again() {
    let sandbox = Sandbox::start();
    let scene = Scene::new();
    // The remote shell is the child of the one sshd process that serves this connection.
    let script = format!(
        "cd {} && echo $PPID >>sessions && seq 2000 && echo ready; while [ -e log ]; do sleep 0.05; done",
        scene.path("").display()
    );
    let mut command = scene.remoteexe();
    let mut child = Running::spawn(sandbox.connect(&mut command).args(["h", &script]));
    scene.wait_for_record("ready");
    let session = scene.wait_for_file("sessions");
    send_to(&session, Signal::KILL);
    assert_eq!(child.code(), Some(255));

    let log = scene.log();
    let output = log.split_once("\n1\n").expect("the output").1;
    let numbers: Vec<String> = (2..=2000).map(|i| format!("{i}\n")).collect();
    let numbers = numbers.concat();
    let end = output.strip_prefix(&format!("{numbers}ready\n")).unwrap();
    assert!(end.ends_with(&format!("END,255,h {script}\n")), "{end}");
    assert!(end.contains("closed by remote host"), "{end}");
    assert_eq!(fs::read_to_string(scene.path("sessions")).unwrap(), format!("{session}\n"));
}

#[test]
fn a_job_that_returns_255_is_not_tried_again() {
    let sandbox = Sandbox::start();
    let scene = Scene::new();
    let script = format!("echo run >>{}; exit 255", scene.path("runs").display());
    let run = scene.run(sandbox.connect(&mut scene.remoteexe()).args(["h", &script]));
    assert_eq!(run.code, 255);
    assert!(run.records.ends_with(&format!("\nEND,255,h {script}\n")));
    assert_eq!(fs::read_to_string(scene.path("runs")).unwrap(), "run\n");
}

/// Expects ssh's own timeout to end a job on `port`, where nobody answers.
fn assert_times_out(port: u16) {
    let scene = Scene::new();
    let mut command = scene.remoteexe();
    command.args(["-F", "/dev/null", "-p", &port.to_string()]);
    command.args(["-o", "ConnectTimeout=1", "127.0.0.1", "true"]);
    assert_eq!(Running::spawn(&mut command).code(), Some(255));
    let log = scene.log();
    let reason = log.strip_prefix(&format!(
        "START,-,127.0.0.1 true\n\
         command,ssh -F /dev/null -p {port} -o ConnectTimeout=1 root@127.0.0.1 true\n"
    ));
    let reason = reason.unwrap().strip_suffix("END,255,127.0.0.1 true\n");
    assert!(reason.unwrap().contains("timed out"), "{log}");
}

#[test]
fn a_server_that_accepts_and_says_nothing_gives_255_after_the_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::scope(|scope| {
        let run = scope.spawn(move || assert_times_out(port));
        let mut accepted = None;
        wait_until("the connection or the end", || {
            accepted = listener.accept().ok();
            accepted.is_some() || run.is_finished()
        });
        // Open until ssh has given up.
        run.join().unwrap();
        drop(accepted.expect("ssh has connected"));
    });
}

#[test]
fn a_server_that_never_accepts_gives_255_after_the_timeout() {
    // The kernel completes the connection and leaves it in the backlog.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    assert_times_out(listener.local_addr().unwrap().port());
}

#[test]
fn fifty_megabytes_as_fast_as_the_remote_can_write_are_complete() {
    let sandbox = Sandbox::start();
    let scene = Scene::new();
    let script = "seq -f %0199.0f 250000";
    let run = scene.run(sandbox.connect(&mut scene.remoteexe()).args(["h", script]));
    assert_eq!(run.code, 0);
    let log = scene.log_bytes();
    let mut texts = log
        .split_inclusive(|&byte| byte == b'\n')
        .map(|line| split_record(line).expect("a whole record").1)
        .skip_while(|text| !text.starts_with(b"0"));
    for number in 1..=250_000 {
        assert_eq!(texts.next(), Some(format!("{number:0199}\n").as_bytes()));
    }
    let end = format!("END,0,h {script}\n");
    assert_eq!(texts.next(), Some(end.as_bytes()));
    assert_eq!(texts.next(), None);
}
