//! Helpers of ssh that outlive it: the job ends with ssh, and its log is complete.

use std::fs;
use std::process::Command;

use rustix::process::Signal;

use crate::support::{Lingering, Running, Sandbox, Scene, log_of_h_s, run, send, state, wait_for, wait_until};

#[test]
fn a_helper_that_keeps_the_pipe_open_does_not_keep_the_job() {
    let scene = Scene::new();
    let body = "sleep 1000 & echo $! >$DIR/helper; echo mine; exit 3";
    let mut child = scene.start(body);
    let helper = Lingering::new(scene.wait_for_file("helper"));
    assert_eq!(child.code(), Some(3));
    assert!(helper.is_alive());
    assert_eq!(scene.log(), log_of_h_s("mine\n", 3));
}

#[test]
fn a_helper_that_writes_without_pause_does_not_keep_the_job() {
    let scene = Scene::new();
    // It ignores SIGPIPE, and so goes on writing after remoteexe has gone.
    let body = "echo mine
         (trap '' PIPE; while :; do echo helper; done) 2>/dev/null & echo $! >$DIR/helper; exit 3";
    let mut child = scene.start(body);
    let helper = Lingering::new(scene.wait_for_file("helper"));
    assert_eq!(child.code(), Some(3));
    assert!(helper.is_alive());
    let log = scene.log();
    let output = log.strip_prefix("START,-,h s\ncommand,ssh root@h s\nmine\n");
    let output = output.unwrap().strip_suffix("END,3,h s\n").unwrap();
    assert!(output.lines().all(|line| "helper".starts_with(line)));
}

#[test]
fn all_that_ssh_wrote_is_in_the_log_though_a_helper_holds_the_pipe() {
    let scene = Scene::new();
    // Because remoteexe is stopped, all of the output is still in the pipe when ssh exits.
    let body = "echo $$ >$DIR/ssh-pid; sleep 1000 & echo $! >$DIR/helper
         kill -STOP $PPID; seq -w 10000; printf 'no newline'; exit 3";
    let mut child = scene.start(body);
    let _helper = Lingering::new(scene.wait_for_file("helper"));
    let ssh = scene.wait_for_file("ssh-pid");
    wait_until("ssh to exit", || state(&ssh) == Some('Z'));
    send(&child, Signal::CONT);
    assert_eq!(child.code(), Some(3));
    let numbers: Vec<String> = (1..=10_000).map(|i| format!("{i:05}\n")).collect();
    let numbers = numbers.concat();
    assert_eq!(numbers.len(), 60_000);
    let expected = log_of_h_s(&format!("{numbers}no newline\n"), 3);
    assert!(scene.log() == expected, "{}", scene.log());
}

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

#[test]
fn a_proxy_command_that_lingers_does_not_keep_the_job() {
    let sandbox = Sandbox::shared();
    let scene = Scene::new();
    // ssh ends it with HUP and does not wait for it. Its standard error is ssh's, which is our pipe.
    let script = format!(
        "trap '' HUP TERM; echo $$ >{}
         /usr/sbin/sshd -i -f {}/sshd_config
         while :; do sleep 0.1; done",
        scene.path("proxy-pid").display(),
        sandbox.dir.display()
    );
    fs::write(scene.path("proxy"), script).unwrap();
    let proxy = format!("ProxyCommand=sh {}", scene.path("proxy").display());
    let mut command = scene.remoteexe();
    sandbox.connect(&mut command);
    command.args(["-o", &proxy, "h", "echo out; exit 3"]);
    let mut child = Running::spawn(&mut command);
    let proxy = Lingering::new(scene.wait_for_file("proxy-pid"));
    assert_eq!(child.code(), Some(3));
    assert!(proxy.is_alive());
    let log = scene.log();
    assert!(log.ends_with("\nout\nEND,3,h echo out; exit 3\n"), "{log}");
}

#[test]
fn what_a_helper_says_right_after_ssh_has_exited_is_still_logged() {
    // The helper speaks once ssh has been reaped. On a busy machine some of them are late.
    let body = "(while kill -0 $$ 2>/dev/null; do :; done; echo late) & echo out";
    let heard = (0..20).filter(|_| {
        let log = run(body).records;
        let is_heard = log == log_of_h_s("out\nlate\n", 0);
        assert!(is_heard || log == log_of_h_s("out\n", 0), "{log}");
        is_heard
    });
    assert!(heard.count() >= 5);
}
