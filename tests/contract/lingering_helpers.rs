//! Helpers of a real ssh that outlive it: the job ends with ssh, and its log is complete.

use std::fs;
use std::process::Command;

use crate::support::{Lingering, Running, Sandbox, Scene, wait_for};

#[test]
fn a_control_master_that_the_job_started_does_not_keep_it() {
    let sandbox = Sandbox::shared();
    // Only with -v does the master keep its standard error, which is our pipe. A wrapper might give -v.
    for verbose in [false, true] {
        let scene = Scene::new();
        let mut command =
            if verbose { scene.remoteexe_with_ssh("exec /usr/bin/ssh -v \"$@\"") } else { scene.remoteexe() };
        let path = format!("ControlPath={}", scene.path("master").display());
        sandbox.connect(&mut command);
        command.args(["-o", "ControlMaster=auto", "-o", "ControlPersist=yes"]);
        command.args(["-o", "LogLevel=VERBOSE", "-o", &path]);
        command.args(["h", "echo out; exit 3"]);
        let mut child = Running::spawn(&mut command);
        let pid = wait_for("the master", || master(&path));
        let master = Lingering::new(pid.clone());
        assert_eq!(child.code(), Some(3));
        assert!(master.is_alive());
        let pipe = fs::read_link(format!("/proc/{pid}/fd/2")).unwrap();
        assert_eq!(pipe.to_string_lossy().starts_with("pipe:"), verbose);

        let log = scene.log();
        assert_eq!(log.matches("\nout\n").count(), 1, "{log}");
        assert!(log.ends_with("\nEND,3,h echo out; exit 3\n"), "{log}");
        assert_eq!(log.contains("\ndebug1: "), verbose, "{log}");
    }
}

/// The process id of the control master at `path`, an option of ssh, once it is there.
fn master(path: &str) -> Option<String> {
    let check = ["-F", "/dev/null", "-O", "check", "-o", path, "h"];
    let answer = Command::new("ssh").args(check).output().unwrap().stderr;
    let answer = String::from_utf8(answer).unwrap();
    let pid = answer.trim_end().strip_prefix("Master running (pid=")?;
    Some(pid.strip_suffix(')')?.to_owned())
}
