//! `--connect-timeout`: a connection that hangs is ended, and nothing that may have been started is.

use std::fs;
use std::process::Command;

use rustix::process::Signal;

use crate::support::{
    REMOTEEXE, Running, Sandbox, Scene, children, needs_root, own_mounts, run_tool, send_to, state, wait_for,
    wait_until,
};

/// remoteexe under a strace that does `inject` to its system calls.
fn remoteexe_with(inject: &str, scene: &Scene) -> Command {
    let mut strace = Command::new("strace");
    scene.equip(&mut strace);
    // With -D the child is remoteexe, and strace a grandchild.
    strace.args(["-D", "-qq", "-o", "/dev/null", "-e", inject, REMOTEEXE]);
    strace
}

/// The process id of the ssh of this remoteexe.
fn ssh_of(remoteexe: u32) -> String {
    wait_for("ssh", || {
        let mut children = children(remoteexe).into_iter();
        children.find(|pid| {
            let name = fs::read_to_string(format!("/proc/{pid}/comm"));
            name.is_ok_and(|name| name == "ssh\n")
        })
    })
}

/// An sshd that is stopped, until this is dropped: it accepts connections, and is silent.
struct Silent(String);

impl Silent {
    fn new(sandbox: &Sandbox) -> Self {
        let sshd = sandbox.sshd().to_string();
        send_to(&sshd, Signal::STOP);
        Self(sshd)
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        send_to(&self.0, Signal::CONT);
    }
}

#[test]
fn a_job_that_has_connected_may_take_longer() {
    let sandbox = Sandbox::shared();
    let scene = Scene::new();
    let mut command = scene.remoteexe();
    command.args(["--connect-timeout", "6"]);
    // The script takes longer than the connection may.
    sandbox.connect(&mut command).args(["h", "sleep 7; exit 3"]);
    let run = scene.run(&mut command);
    assert_eq!(run.code, 3, "{}", run.records);
    assert!(!run.records.contains("remoteexe:"), "{}", run.records);
}

#[test]
fn a_job_runs_once_if_somebody_makes_its_ssh_go_on_at_the_end_of_its_time() {
    let sandbox = Sandbox::start();
    let scene = Scene::new();
    // The search for the children of the ssh that is stopped takes so long.
    let mut command = remoteexe_with("inject=getdents64:delay_enter=5000000:when=1", &scene);
    command.args(["--connect-timeout", "1", "--retries", "1"]);
    let script = format!("echo run >>{}; exit 3", scene.path("runs").display());
    sandbox.connect(&mut command).args(["h", &script]);
    let silent = Silent::new(&sandbox);
    let mut child = Running::spawn(&mut command);
    let ssh = ssh_of(child.id());
    wait_until("the end of its time", || state(&ssh) == Some('T'));
    drop(silent);
    send_to(&ssh, Signal::CONT);
    assert_eq!(child.code(), Some(3), "{}", scene.log());
    assert_eq!(fs::read_to_string(scene.path("runs")).unwrap(), "run\n");
    assert!(!scene.log().contains("remoteexe:"), "{}", scene.log());
}

#[test]
fn a_job_runs_on_if_the_shell_that_prints_the_marker_cannot_be_run() {
    needs_root();
    let sandbox = Sandbox::start();
    let scene = Scene::new();
    let mut command = own_mounts("exec \"$@\"");
    scene.equip(&mut command);
    command.args([REMOTEEXE, "--connect-timeout", "6", "--retries", "1"]);
    // The script takes longer than the connection may.
    sandbox.connect(&mut command).args(["h", "sleep 7; exit 3"]);
    let silent = Silent::new(&sandbox);
    let mut child = Running::spawn(&mut command);
    // It has checked the shell, and waits for sshd.
    let ssh = ssh_of(child.id());
    run_tool("nsenter", &["-t", &ssh, "-m", "-r", "mount", "--bind", "/etc/passwd", "/bin/sh"]);
    drop(silent);
    assert_eq!(child.code(), Some(3), "{}", scene.log());
    let log = scene.log();
    assert!(log.contains("\nCouldn't execute /bin/sh -c "), "{log}");
    assert!(!log.contains("\nremoteexe:"), "{log}");
}
