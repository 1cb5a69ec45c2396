//! Connections that break or stall: the job's status is ssh's, and ssh is run once.

use std::fs;
use std::net::TcpListener;

use rustix::process::Signal;

use crate::support::{Running, Sandbox, Scene, send_to};

#[test]
fn a_connection_that_breaks_gives_255_and_the_output_until_then_and_is_not_tried_again() {
    let sandbox = Sandbox::shared();
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
fn a_server_that_never_accepts_gives_255_after_the_timeout_of_ssh() {
    // The kernel completes the connection and leaves it in the backlog.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let scene = Scene::new();
    let mut command = scene.remoteexe();
    command.args(["-F", "/dev/null", "-p", &port.to_string(), "-o", "ConnectTimeout=1", "127.0.0.1", "true"]);
    assert_eq!(Running::spawn(&mut command).code(), Some(255));
    let log = scene.log();
    let call = format!("command,ssh -F /dev/null -p {port} -o ConnectTimeout=1 root@127.0.0.1 true\n");
    let reason = log.strip_prefix(&format!("START,-,127.0.0.1 true\n{call}"));
    let reason = reason.unwrap().strip_suffix("END,255,127.0.0.1 true\n");
    assert!(reason.unwrap().contains("timed out"), "{log}");
}
