//! Signals to remoteexe reach ssh, and END is always written.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{
    ENDING, REMOTEEXE, Running, Sandbox, Scene, children, code, is_asleep, is_running, log_of_ended, log_of_h_s,
    received, run, send, send_to, state, wait_for, wait_until,
};

/// An ssh that runs until it is killed. It says "ready" and leaves its process id in a file.
const WAIT: &str = "echo $$ >$DIR/ssh-pid; echo ready; while :; do sleep 0.02; done";

#[test]
fn a_signal_ends_ssh_and_gives_128_plus_n() {
    for (signal, status) in ENDING {
        let scene = Scene::new();
        let mut child = scene.start(WAIT);
        scene.wait_for_record("ready");
        send(&child, signal);
        assert_eq!(child.code(), Some(status));
        assert_eq!(scene.log(), log_of_ended("ready\n", status));
        assert!(!is_running(&scene.wait_for_file("ssh-pid")));
    }
}

#[test]
fn a_signal_that_ssh_turns_into_255_still_gives_128_plus_n() {
    for (signal, status) in ENDING {
        let scene = Scene::new();
        let body = format!("trap 'echo killed; exit 255' TERM INT HUP QUIT; {WAIT}");
        let mut child = scene.start(body);
        scene.wait_for_record("ready");
        send(&child, signal);
        assert_eq!(child.code(), Some(status));
        assert_eq!(scene.log(), log_of_ended("ready\nkilled\n", status));
    }
}

#[test]
fn a_job_that_ends_by_itself_in_spite_of_a_signal_keeps_its_own_status() {
    let scene = Scene::new();
    let body = format!("trap 'exit 7' TERM; {WAIT}");
    let mut child = scene.start(body);
    scene.wait_for_record("ready");
    send(&child, Signal::TERM);
    assert_eq!(child.code(), Some(7));
    assert!(scene.log().ends_with("\nEND,7,h s\n"));
}

#[test]
fn the_two_signals_of_timeout_are_one_and_leave_ssh_the_time_to_clean_up() {
    let scene = Scene::new();
    let mut timeout = Command::new("timeout");
    // timeout(1) signals its child, and then its process group, to which the child belongs too.
    scene.equip_with_ssh(
        &mut timeout,
        // The shell would say that its `sleep`, of the same group, was terminated.
        format!("exec 2>/dev/null; trap 'sleep 0.3; echo cleaned; exit 255' TERM; {WAIT}"),
    );
    let mut child = Running::spawn(timeout.args(["1", REMOTEEXE, "h", "s"]));
    assert_eq!(child.code(), Some(124));
    assert_eq!(scene.log(), log_of_ended("ready\ncleaned\n", 143));
}

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
fn a_signal_that_was_ignored_at_the_start_stays_ignored_by_remoteexe_and_by_ssh() {
    let scene = Scene::new();
    let mut nohup = Command::new("sh");
    scene.equip_with_ssh(
        &mut nohup,
        "grep SigIgn /proc/self/status >$DIR/ignored; echo ready
         until [ -e $DIR/go ]; do sleep 0.01; done; echo unharmed",
    );
    nohup.args(["-c", "trap '' HUP; exec \"$0\" h s", REMOTEEXE]);
    let mut child = Running::spawn(&mut nohup);
    scene.wait_for_record("ready");
    send(&child, Signal::HUP);
    assert_eq!(standard_signals(&scene.wait_for_file("ignored")), 1, "HUP and only HUP");
    fs::write(scene.path("go"), "").unwrap();
    assert_eq!(child.code(), Some(0));
    assert_eq!(scene.log(), log_of_h_s("ready\nunharmed\n", 0));
}

#[test]
fn ssh_starts_with_no_signal_ignored_or_blocked() {
    let log = run("grep -E 'Sig(Ign|Blk)' /proc/self/status").records;
    let masks = log.lines().filter(|line| line.starts_with("Sig"));
    assert_eq!(masks.map(standard_signals).collect::<Vec<_>>(), [0, 0]);
}

/// The signals 1 to 31 of a mask in /proc/PID/status: bit N-1 stands for signal N.
fn standard_signals(line: &str) -> u64 {
    let (_, mask) = line.split_once('\t').unwrap();
    u64::from_str_radix(mask, 16).unwrap() & 0x7fff_ffff
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
fn a_signal_that_is_waiting_at_the_start_ends_the_job_before_ssh_is_started() {
    for (name, status) in [("TERM", 143), ("INT", 130), ("HUP", 129), ("QUIT", 131)] {
        let scene = Scene::new();
        let mut env = Command::new("env");
        scene.equip_with_ssh(&mut env, "touch $DIR/ssh-was-run");
        env.arg(format!("--block-signal={name}"));
        env.args(["sh", "-c", r#"kill -$1 $$; exec "$0" h s"#, REMOTEEXE, name]);
        assert_eq!(code(&env.output().unwrap()), status);
        assert_eq!(scene.log(), log_of_ended("", status));
        assert!(!scene.path("ssh-was-run").exists());
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
fn signals_that_are_blocked_at_the_start_work_all_the_same() {
    let blocked = |scene: &Scene, body: &str| {
        let mut env = Command::new("env");
        scene.equip_with_ssh(&mut env, body);
        env.args(["--block-signal", REMOTEEXE, "h", "s"]);
        Running::spawn(&mut env)
    };

    let scene = Scene::new();
    let body = "grep SigBlk /proc/self/status >$DIR/blocked; exit 7";
    assert_eq!(blocked(&scene, body).code(), Some(7));
    assert_eq!(scene.log(), log_of_h_s("", 7));
    assert_eq!(standard_signals(&scene.wait_for_file("blocked")), 0, "ssh has none blocked");

    for (signal, status) in ENDING {
        let scene = Scene::new();
        let mut child = blocked(&scene, WAIT);
        scene.wait_for_record("ready");
        send(&child, signal);
        assert_eq!(child.code(), Some(status));
        assert_eq!(scene.log(), log_of_ended("ready\n", status));
    }
}

#[test]
fn with_every_signal_ignored_at_the_start_the_exit_status_still_comes_through() {
    let scene = Scene::new();
    let mut env = Command::new("env");
    // SIGCHLD is among them. It must not stay ignored for ssh, which waits for children of its own.
    let body = "echo ready; until [ -e $DIR/go ]; do sleep 0.01; done; sh -c 'exit 7'; exit $?";
    scene.equip_with_ssh(&mut env, body);
    let mut child = Running::spawn(env.args(["--ignore-signal", REMOTEEXE, "h", "s"]));
    scene.wait_for_record("ready");
    for (signal, _) in ENDING {
        send(&child, signal);
    }
    fs::write(scene.path("go"), "").unwrap();
    assert_eq!(child.code(), Some(7));
    assert_eq!(scene.log(), log_of_h_s("ready\n", 7));
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
