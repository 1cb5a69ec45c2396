//! Signals to remoteexe reach ssh, and END is always written. `cases/signals` has what needs no clock and no real sshd.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Running, Sandbox, Scene, at_once, children, is_asleep, is_running, log_of_h_s, send, wait_until};

const SLEEPS: &str = "while :; do sleep 0.02; done";

/// An ssh that no longer ends by itself, because it has caught one signal and ignores it; `rest` is what it does.
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

#[test]
fn another_signal_or_the_same_one_a_second_later_kills_an_ssh_that_does_not_end() {
    let interrupt: fn(&mut Running) = |child| send(child, Signal::INT);
    let send_the_same_again: fn(&mut Running) = |child| {
        wait_until("a signal that is a second later", || {
            send(child, Signal::TERM);
            child.try_wait().unwrap().is_some()
        });
    };
    let writes = "while :; do echo y; done";
    at_once([(SLEEPS, interrupt), (writes, interrupt), (SLEEPS, send_the_same_again)], |(rest, signal)| {
        // The timer of this run expires first. So while it runs, the other's has not expired either.
        let beside = Scene::new();
        let mut only_once = start_and_signal_once(&beside, SLEEPS);

        let scene = Scene::new();
        let mut child = start_and_signal_once(&scene, rest);
        signal(&mut child);
        assert_eq!(child.code(), Some(143), "the first signal counts");
        assert!(only_once.try_wait().unwrap().is_none(), "killed by the timer");
        assert_eq!(scene.log().replace("\ny", ""), log_of_h_s("ready\nremoteexe: received signal TERM\n", 143));
    });
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
            assert_eq!(scene.log(), log_of_h_s("ready\ncleaned\nremoteexe: received signal TERM\n", 143));
        }
        is_in_time
    });
}

#[test]
fn a_signal_ends_a_real_ssh_and_nothing_stays_behind_here() {
    let sandbox = Sandbox::shared();
    for (signal, name, status) in
        [(Signal::TERM, "TERM", 143), (Signal::INT, "INT", 130), (Signal::HUP, "HUP", 129), (Signal::QUIT, "QUIT", 131)]
    {
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
        assert!(scene.log().ends_with(&format!("\nremoteexe: received signal {name}\nEND,{status},h {script}\n")));
        wait_until("ssh to be gone", || !is_running(&ssh[0]));
    }
}
