//! `--connect-timeout`: a connection that hangs is ended, and nothing that may have been started is.

use std::fs;
use std::process::Command;

use rustix::process::Signal;

use crate::support::{REMOTEEXE, Running, Sandbox, Scene, children, job, send_to, state, wait_for, wait_until};

/// An sshd that is stopped, until this is dropped: it accepts connections, and is silent.
struct Silent(String);

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
    sandbox.connect(command.args(["--connect-timeout", "6"]));
    // The script takes longer than the connection may.
    assert_eq!(job(&scene, &mut command, "sleep 7; exit 3"), "call | 3, ran 1");
}

#[test]
fn a_job_runs_once_if_somebody_makes_its_ssh_go_on_at_the_end_of_its_time() {
    let sandbox = Sandbox::start();
    let scene = Scene::new();
    let mut command = Command::new("strace");
    scene.equip(&mut command);
    // The search for the children of the ssh that is stopped takes so long. With -D the child is remoteexe, and strace a
    // grandchild.
    command.args(["-D", "-qq", "-o", "/dev/null", "-e", "inject=getdents64:delay_enter=5000000:when=1"]);
    command.args([REMOTEEXE, "--connect-timeout", "1", "--retries", "1"]);
    let script = format!("echo run >>{}; exit 3", scene.path("runs").display());
    sandbox.connect(&mut command).args(["h", &script]);
    let silent = Silent(sandbox.sshd().to_string());
    send_to(&silent.0, Signal::STOP);
    let mut child = Running::spawn(&mut command);
    let is_ssh = |pid: &String| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "ssh\n");
    let ssh = wait_for("ssh", || children(child.id()).into_iter().find(is_ssh));
    wait_until("the end of its time", || state(&ssh) == Some('T'));
    drop(silent);
    send_to(&ssh, Signal::CONT);
    assert_eq!(child.code(), Some(3), "{}", scene.log());
    assert_eq!(fs::read_to_string(scene.path("runs")).unwrap(), "run\n");
    assert!(!scene.log().contains("remoteexe:"), "{}", scene.log());
}
