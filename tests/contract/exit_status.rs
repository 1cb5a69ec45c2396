//! The exit status, the same in END and to the caller.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::{ClosedPort, Scene, log_of_h_s, run};

/// Expects this exit status where ssh runs `body`.
fn assert_status(body: &str, expected: i32) {
    let run = run(body);
    assert_eq!(run.code, expected, "{body}");
    assert_eq!(run.records, log_of_h_s("", expected));
}

/// Runs remoteexe with `$DIR/bin` as PATH, where ssh cannot be run.
fn assert_cannot_run(scene: &Scene, expected: i32, reason: &str) {
    let mut command = scene.remoteexe();
    let run = scene.run(command.env("PATH", scene.path("bin")).args(["h", "s"]));
    assert_eq!(run.code, expected);
    let reason = format!("remoteexe: {reason}\n");
    assert_eq!(run.records, log_of_h_s(&reason, expected));
}

#[test]
fn the_status_of_ssh_is_the_status_of_the_job() {
    for status in [0, 1, 2, 10, 126, 127, 128, 255] {
        assert_status(&format!("exit {status}"), status);
    }
}

#[test]
fn an_ssh_that_died_by_signal_n_gives_128_plus_n() {
    for (signal, number) in [("TERM", 15), ("KILL", 9), ("SEGV", 11), ("PIPE", 13)] {
        assert_status(&format!("kill -{signal} $$"), 128 + number);
    }
}

#[test]
fn no_ssh_gives_127() {
    let scene = Scene::new();
    let reason = "ssh: not found in PATH; add /usr/bin, where it is, to PATH";
    assert_cannot_run(&scene, 127, reason);
}

#[test]
fn an_ssh_that_may_not_be_executed_gives_126() {
    let scene = Scene::new();
    fs::create_dir(scene.path("bin")).unwrap();
    fs::write(scene.path("bin/ssh"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(scene.path("bin/ssh"), fs::Permissions::from_mode(0o644)).unwrap();
    let reason = "ssh cannot be run: Permission denied (os error 13)";
    assert_cannot_run(&scene, 126, reason);
}

#[test]
fn a_word_that_the_kernel_finds_too_long_gives_126() {
    let scene = Scene::new();
    fs::create_dir(scene.path("bin")).unwrap();
    symlink("/bin/true", scene.path("bin/ssh")).unwrap();
    let reason = "ssh cannot be run: Argument list too long (os error 7)";
    // A word may have 131072 bytes with the NUL behind it (execve(2), MAX_ARG_STRLEN). remoteexe can be
    // given a host of this length. With `root@` before it, the word is too long for ssh.
    let host = "h".repeat(131_071);
    let mut command = scene.remoteexe();
    let run = scene.run(command.env("PATH", scene.path("bin")).args([&host, "s"]));
    assert_eq!(run.code, 126);
    assert_eq!(
        run.records,
        format!(
            "START,-,{host} s\ncommand,ssh root@{host} s\nremoteexe: {reason}\nEND,126,{host} s\n"
        )
    );
}

#[test]
fn an_absent_server_gives_255_and_the_reason_that_ssh_names() {
    let scene = Scene::new();
    let port = ClosedPort::reserve();
    let mut command = scene.remoteexe();
    command.args(["-F", "/dev/null", "-o", "BatchMode=yes"]);
    command.args(["-p", &port.to_string(), "127.0.0.1", "true"]);
    let run = scene.run(&mut command);
    assert_eq!(run.code, 255);
    assert_eq!(
        run.records,
        format!(
            "START,-,127.0.0.1 true\n\
             command,ssh -F /dev/null -p {port} -o BatchMode=yes root@127.0.0.1 true\n\
             ssh: connect to host 127.0.0.1 port {port}: Connection refused\r\n\
             END,255,127.0.0.1 true\n"
        )
    );
}
