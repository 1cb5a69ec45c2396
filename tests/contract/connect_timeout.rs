//! `--connect-timeout`: a connection that hangs is ended, and nothing that may have been started is.

use std::fs;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use rustix::process::Signal;

use crate::report::fields;
use crate::support::{
    REMOTEEXE, Running, Sandbox, Scene, as_of_ssh_9_5, children, has_ended, mask_waits, needs_root, own_mounts,
    run_tool, send_to, state, wait_for, wait_until,
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

/// A port where every connection is accepted, gets `greeting`, and then nothing more.
fn silent_server(greeting: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = move |mut client: TcpStream| {
        client.write_all(greeting)?;
        // Until ssh is killed.
        io::copy(&mut client, &mut io::sink())
    };
    // It ends with the process of the test.
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            thread::spawn(move || serve(client));
        }
    });
    port
}

#[test]
fn a_server_that_is_silent_before_or_in_the_key_exchange_ends_the_run_with_255() {
    for greeting in [b"".as_slice(), b"SSH-2.0-OpenSSH_9.2\r\n"] {
        let scene = Scene::new();
        let port = silent_server(greeting).to_string();
        let mut command = scene.remoteexe();
        command.args(["-F", "/dev/null", "-p", &port, "--connect-timeout", "0.5"]);
        let run = scene.run(command.args(["127.0.0.1", "true"]));
        assert_eq!(run.code, 255);
        assert_eq!(run.stderr, "");
        assert_eq!(
            run.records,
            format!(
                "START,-,127.0.0.1 true\n\
                 command,ssh -F /dev/null -p {port} root@127.0.0.1 true\n\
                 remoteexe: ssh was killed: not connected after 0.500 s\n\
                 END,255,127.0.0.1 true\n"
            )
        );
        let report = scene.remoteexe().args(["--report", "--json"]).output().unwrap();
        assert_eq!(fields(&report, "cause connection_failure"), ["\"connection timed out\" true"]);
    }
}

#[test]
fn with_retries_each_attempt_has_the_whole_time() {
    let scene = Scene::new();
    let port = silent_server(b"SSH-2.0-OpenSSH_9.2\r\n").to_string();
    let mut command = scene.remoteexe();
    command.env("REMOTEEXE_CONNECT_TIMEOUT", "0.3");
    command.args(["-F", "/dev/null", "-p", &port]);
    command.args(["--retries", "1", "--retry-delay", "0"]);
    let run = scene.run(command.args(["127.0.0.1", "true"]));
    assert_eq!(run.code, 255);
    let attempt = format!(
        "command,ssh -F /dev/null -p {port} root@127.0.0.1 true\n\
         remoteexe: ssh was killed: not connected after 0.300 s\n"
    );
    assert_eq!(
        mask_waits(&run.records),
        format!(
            "START,-,127.0.0.1 true\n\
             {attempt}retry,1/1,255,wait S s\n\
             {attempt}END,255,127.0.0.1 true\n"
        )
    );
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
fn what_a_proxy_has_started_is_ended_too() {
    let scene = Scene::new();
    let pids = scene.path("pids");
    let proxy = format!(
        "ProxyCommand=sleep 600 & echo $! >{}; sh -c 'sleep 600 & echo $! >>{}; wait'",
        pids.display(),
        pids.display()
    );
    let mut command = scene.remoteexe();
    command.args(["-F", "/dev/null", "-o", &proxy, "--connect-timeout", "1"]);
    let mut child = Running::spawn(command.args(["h", "s"]));
    let pids = wait_for("the children of the proxy", || {
        let pids = fs::read_to_string(&pids).ok()?;
        (pids.matches('\n').count() == 2).then_some(pids)
    });
    assert_eq!(child.code(), Some(255));
    for pid in pids.lines() {
        wait_until("the end of a child", || has_ended(pid));
    }
}

#[test]
fn an_ssh_that_ends_by_itself_at_the_end_of_its_time_was_not_killed() {
    let scene = Scene::new();
    // ssh ends between the end of the time and the signal that stops it. The first signal is for the shell that is
    // checked.
    let mut command = remoteexe_with("inject=kill:delay_enter=4000000:when=2", &scene);
    command.args(["-F", "/dev/null", "-o", "ProxyCommand=sleep 2"]);
    let run = scene.run(command.args(["--connect-timeout", "1", "h", "s"]));
    assert_eq!(run.code, 255);
    assert_eq!(
        as_of_ssh_9_5(&run.records),
        "START,-,h s\n\
         command,ssh -F /dev/null -o ProxyCommand=sleep 2 root@h s\n\
         Connection closed by UNKNOWN port 65535\r\n\
         END,255,h s\n"
    );
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
