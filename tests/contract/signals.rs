//! Signals to remoteexe reach ssh, and END is always written.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{
    ENDING, Lingering, REMOTEEXE, Running, Sandbox, Scene, children, is_asleep, is_running, log_of_ended, log_of_h_s,
    received, send, send_to, state, wait_for, wait_until,
};

/// An ssh that runs until it is killed. It says "ready" and leaves its process id in a file.
const WAIT: &str = "echo $$ >$DIR/ssh-pid; echo ready; while :; do sleep 0.02; done";

/// An ssh that no longer ends by itself, because it has caught one signal and ignores it.
///
/// The timer that kills such an ssh runs from that signal on.
fn start_and_signal_once(scene: &Scene, rest: &str) -> Running {
    let body = format!("trap 'echo >$DIR/caught' TERM INT; echo ready; {rest}");
    let child = scene.start(body);
    scene.wait_for_record("ready");
    send(&child, Signal::TERM);
    scene.wait_for_file("caught");
    child
}

/// Expects that more signals, sent by `signal`, end a run before the timer does. `rest` is what ssh does.
fn assert_killed_before_the_timer(rest: &str, signal: impl Fn(&mut Running)) -> String {
    // The timer of this run expires first. So while it runs, the other's has not expired either.
    let beside = Scene::new();
    let mut only_once = start_and_signal_once(&beside, "while :; do sleep 0.02; done");

    let scene = Scene::new();
    let mut child = start_and_signal_once(&scene, rest);
    signal(&mut child);
    assert_eq!(child.code(), Some(143), "the first signal counts");
    assert!(only_once.try_wait().unwrap().is_none(), "killed by the timer");
    scene.log()
}

#[test]
fn another_signal_kills_an_ssh_that_does_not_end() {
    let log = assert_killed_before_the_timer("while :; do sleep 0.02; done", |child| {
        send(child, Signal::INT);
    });
    assert_eq!(log, log_of_ended("ready\n", 143));
}

#[test]
fn another_signal_kills_an_ssh_that_writes_without_pause() {
    let log = assert_killed_before_the_timer("while :; do echo y; done", |child| {
        send(child, Signal::INT);
    });
    assert_flood(&log, "ready\n", 143);
}

#[test]
fn the_same_signal_again_kills_ssh_once_it_is_later_than_a_second() {
    let log = assert_killed_before_the_timer("while :; do sleep 0.02; done", |child| {
        wait_until("a signal that is late enough", || {
            send(child, Signal::TERM);
            child.try_wait().unwrap().is_some()
        });
    });
    assert_eq!(log, log_of_ended("ready\n", 143));
}

#[test]
fn the_same_signal_again_within_a_second_leaves_ssh_the_time_to_clean_up() {
    let body = "trap 'echo >$DIR/caught; until [ -e $DIR/go ]; do sleep 0.01; done
                      echo cleaned; exit 255' TERM
                echo ready; while :; do sleep 0.02; done";
    wait_until("two signals within a second", || {
        let scene = Scene::new();
        let mut child = scene.start(body);
        scene.wait_for_record("ready");
        let first = Instant::now();
        send(&child, Signal::TERM);
        scene.wait_for_file("caught");
        send(&child, Signal::TERM);
        wait_until("remoteexe to look at it", || is_asleep(&child));
        let is_in_time = first.elapsed() < Duration::from_secs(1);
        fs::write(scene.path("go"), "").unwrap();
        let code = child.code();
        if is_in_time {
            assert_eq!(code, Some(143));
            assert_eq!(scene.log(), log_of_ended("ready\ncleaned\n", 143));
        }
        is_in_time
    });
}

#[test]
fn an_ssh_that_does_not_end_is_killed_after_a_while() {
    let scene = Scene::new();
    let body = format!("trap 'echo caught' HUP; {WAIT}");
    let mut child = scene.start(body);
    scene.wait_for_record("ready");
    send(&child, Signal::HUP);
    assert_eq!(child.code(), Some(129));
    assert_eq!(scene.log(), log_of_ended("ready\ncaught\n", 129));
    assert!(!is_running(&scene.wait_for_file("ssh-pid")));
}

#[test]
fn ctrl_c_on_a_terminal_ends_the_job_with_130() {
    let scene = Scene::new();
    // script(1) gives remoteexe and ssh a terminal, and passes on the byte that Ctrl-C types.
    let mut script = Command::new("script");
    scene.equip_with_ssh(&mut script, WAIT);
    let (reader, writer) = std::io::pipe().unwrap();
    script.args(["-q", "-e", "-c", &format!("exec {REMOTEEXE} h s"), "/dev/null"]);
    let mut child = Running::spawn(script.stdin(reader).stdout(std::process::Stdio::null()));
    drop(script);
    scene.wait_for_record("ready");
    std::io::Write::write_all(&mut &writer, b"\x03").unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(130), None));
    assert_eq!(scene.log(), log_of_ended("ready\n", 130));
    assert!(!is_running(&scene.wait_for_file("ssh-pid")));
}

#[test]
fn a_signal_ends_a_real_ssh_and_nothing_stays_behind_here() {
    let sandbox = Sandbox::shared();
    for (signal, status) in ENDING {
        let scene = Scene::new();
        // Killing ssh leaves the remote end running. It ends when the scene goes.
        let script = format!("echo ready; while [ -d {} ]; do sleep 0.05; done", scene.path("log").display());
        let mut command = scene.remoteexe();
        let mut child = Running::spawn(sandbox.connect(&mut command).args(["h", &script]));
        scene.wait_for_record("ready");
        let ssh = children(child.id());
        assert_eq!(ssh.len(), 1);
        send(&child, signal);
        assert_eq!(child.code(), Some(status));
        assert!(scene.log().ends_with(&format!("\n{}END,{status},h {script}\n", received(status))));
        wait_until("ssh to be gone", || !is_running(&ssh[0]));
    }
}

#[test]
fn a_signal_ends_a_real_ssh_that_waits_for_the_server() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    for (signal, status) in ENDING {
        let scene = Scene::new();
        let mut command = scene.remoteexe();
        command.args(["-F", "/dev/null", "-p", &port, "127.0.0.1", "true"]);
        let mut child = Running::spawn(&mut command);
        let (mut connection, _) = wait_for("ssh to connect", || listener.accept().ok());
        connection.set_nonblocking(false).unwrap();
        // The first bytes of ssh's greeting. From here on it waits for an answer.
        connection.read_exact(&mut [0; 8]).unwrap();
        send(&child, signal);
        assert_eq!(child.code(), Some(status));
        assert_eq!(
            scene.log(),
            format!(
                "START,-,127.0.0.1 true\n\
                 command,ssh -F /dev/null -p {port} root@127.0.0.1 true\n\
                 {}END,{status},127.0.0.1 true\n",
                received(status)
            )
        );
    }
}

#[test]
fn a_signal_ends_an_ssh_that_writes_without_pause() {
    for (signal, status) in ENDING {
        let scene = Scene::new();
        let mut child = scene.start("exec yes");
        scene.wait_for_flood();
        send(&child, signal);
        assert_eq!(child.code(), Some(status));
        assert_flood(&scene.log(), "y\n", status);
    }
}

/// Expects `begin`, and then nothing but `y` up to END.
fn assert_flood(log: &str, begin: &str, status: i32) {
    let output = log.strip_prefix("START,-,h s\ncommand,ssh root@h s\n");
    let output = output.unwrap().strip_suffix(&format!("{}END,{status},h s\n", received(status)));
    let mut flood = output.unwrap().strip_prefix(begin).unwrap().lines();
    assert!(flood.all(|line| line == "y"));
}

#[test]
fn a_signal_between_the_exit_of_ssh_and_the_end_record_changes_nothing() {
    // The helper holds the pipe. Once ssh has been waited for, it sends the signals while remoteexe
    // still gives the pipe its grace. On a busy machine it may be late. Then the run is repeated.
    let body = "(while [ -e /proc/$$ ]; do :; done
         kill -TERM $PPID; kill -HUP $PPID; echo signalled) & exit 7";
    wait_until("a signal that came in time", || {
        let scene = Scene::new();
        let mut child = scene.start(body);
        // Until then the process id that the helper signals is remoteexe's and nobody else's.
        assert_eq!(child.code(), Some(7));
        let log = scene.log();
        let rest = log.strip_prefix("START,-,h s\ncommand,ssh root@h s\n");
        match rest.unwrap() {
            "signalled\nEND,7,h s\n" => true,
            rest => {
                assert_eq!(rest, "END,7,h s\n");
                false
            }
        }
    });
}

#[test]
fn a_remoteexe_that_is_stopped_for_a_while_loses_nothing() {
    let scene = Scene::new();
    // More than a pipe holds, so that ssh has to wait too.
    let body = "echo ready; until [ -e $DIR/go ]; do sleep 0.01; done
         echo >$DIR/begun; seq 30000; exit 7";
    let mut child = scene.start(body);
    scene.wait_for_record("ready");
    send(&child, Signal::STOP);
    let pid = child.id().to_string();
    wait_until("remoteexe to stop", || state(&pid) == Some('T'));
    fs::write(scene.path("go"), "").unwrap();
    scene.wait_for_file("begun");
    send(&child, Signal::CONT);
    assert_eq!(child.code(), Some(7));
    assert_counted_to_30000(&scene.log());
}

#[test]
fn an_ssh_that_is_stopped_for_a_while_is_waited_for() {
    let scene = Scene::new();
    let body = "echo $$ >$DIR/ssh-pid; echo ready; until [ -e $DIR/go ]; do sleep 0.01; done
         seq 30000; exit 7";
    let mut child = scene.start(body);
    scene.wait_for_record("ready");
    let ssh = scene.wait_for_file("ssh-pid");
    for _ in 0..2 {
        send_to(&ssh, Signal::STOP);
        wait_until("ssh to stop", || state(&ssh) == Some('T'));
        send_to(&ssh, Signal::CONT);
        wait_until("ssh to go on", || state(&ssh) != Some('T'));
    }
    fs::write(scene.path("go"), "").unwrap();
    assert_eq!(child.code(), Some(7));
    assert_counted_to_30000(&scene.log());
}

fn assert_counted_to_30000(log: &str) {
    let numbers: Vec<String> = (1..=30_000).map(|i| format!("{i}\n")).collect();
    let numbers = numbers.concat();
    let expected = format!("START,-,h s\ncommand,ssh root@h s\nready\n{numbers}END,7,h s\n");
    assert!(log == expected, "{} bytes of log", log.len());
}

/// Traces process `$ARGV[0]` by ptrace(2), without touching its memory, and swallows each of its signals.
const TRACER: &str = r#"
    my ($pid, $ready) = @ARGV;
    my %number = (x86_64 => 101, aarch64 => 117);
    my $ptrace = $number{(split ' ', `uname -m`)[0]} or die "unknown machine\n";
    sub ptrace { syscall($ptrace, $_[0], $pid + 0, 0, $_[1]) != -1 or exit }
    ptrace(16, 0);                            # PTRACE_ATTACH
    waitpid($pid, 0x40000000);                # __WALL
    ptrace(7, 0);                             # PTRACE_CONT
    open(my $file, '>', $ready); print $file "traced\n"; close($file);
    ptrace(7, 0) while waitpid($pid, 0x40000000) == $pid && ($? & 0xff) == 0x7f;
"#;

#[test]
fn a_tracer_that_swallows_sigchld_does_not_hold_the_end() {
    let scene = Scene::new();
    let body = "echo ready; until [ -e $DIR/traced ]; do sleep 0.01; done; sleep 60 & echo $! >$DIR/pid; exit 7";
    let mut child = scene.start(body);
    scene.wait_for_record("ready");
    let pid = child.id().to_string();
    let ready = scene.path("traced");
    let mut tracer = Command::new("perl");
    let tracer = tracer.args(["-e", TRACER, &pid]).arg(&ready);
    let mut tracer = Running::spawn(tracer);
    assert_eq!(child.code(), Some(7));
    assert_eq!(scene.log(), log_of_h_s("ready\n", 7));
    let _background = Lingering::new(scene.wait_for_file("pid"));
    wait_until("the tracer to end", || tracer.try_wait().unwrap().is_some());
}
