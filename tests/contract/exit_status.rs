//! The exit status, the same in END and to the caller.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::{ClosedPort, Scene, log_of_h_s};

/// Runs remoteexe with `$DIR/bin` as PATH, where ssh cannot be run.
fn assert_cannot_run(scene: &Scene, expected: i32, reason: &str) {
    let mut command = scene.remoteexe();
    let run = scene.run(command.env("PATH", scene.path("bin")).args(["h", "s"]));
    assert_eq!(run.code, expected);
    let reason = format!("remoteexe: {reason}\n");
    assert_eq!(run.records, log_of_h_s(&reason, expected));
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
        format!("START,-,{host} s\ncommand,ssh root@{host} s\nremoteexe: {reason}\nEND,126,{host} s\n")
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
