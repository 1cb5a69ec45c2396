//! Signals that few people send: END is written for each that can be caught.

use std::process::Command;

use crate::support::{Lingering, REMOTEEXE, Running, Scene, is_running, run_tool, send, wait_until};
use rustix::process::Signal;

/// An ssh that is there until it is ended, and says so with its process id.
const WAIT: &str = "echo $$ >$DIR/ssh-pid; echo ready; while :; do sleep 0.02; done";

/// TERM, INT, HUP and QUIT are in `signals.rs`. The first real-time signal that is free is 34 (signal(7)).
const ENDING: [i32; 21] = [4, 5, 6, 7, 8, 10, 11, 12, 14, 16, 24, 26, 27, 29, 30, 31, 34, 35, 50, 63, 64];

#[test]
fn each_signal_that_can_be_caught_ends_ssh_by_term_and_gives_128_plus_n() {
    for number in ENDING {
        let scene = Scene::new();
        let body = format!("trap 'echo term; exit 255' TERM; {WAIT}");
        let mut child = Running::spawn(scene.remoteexe_with_ssh(body).args(["h", "s"]));
        scene.wait_for_record("ready");
        // kill(1) of procps need not be there, and that of a shell need not know the number.
        let kill = "kill $ARGV[0], $ARGV[1] or die";
        run_tool("perl", &["-e", kill, &number.to_string(), &child.id().to_string()]);
        let status = 128 + number;
        assert_eq!(child.code(), Some(status));
        let log = scene.log();
        assert!(log.starts_with("START,-,h s\ncommand,ssh root@h s\nready\nterm\nremoteexe: received signal "));
        assert!(log.ends_with(&format!("\nEND,{status},h s\n")));
        assert!(!is_running(&scene.wait_for_file("ssh-pid")));
    }
}

#[test]
fn the_alarm_of_a_perl_wrapper_ends_the_job() {
    let scene = Scene::new();
    let mut perl = Command::new("perl");
    scene.equip_with_ssh(&mut perl, WAIT);
    perl.args(["-e", "alarm 1; exec @ARGV", REMOTEEXE, "h", "s"]);
    assert_eq!(Running::spawn(&mut perl).code(), Some(142));
    assert!(scene.log().ends_with("\nEND,142,h s\n"));
    assert!(!is_running(&scene.wait_for_file("ssh-pid")));
}

#[test]
fn a_signal_that_means_nothing_to_a_job_changes_nothing() {
    let scene = Scene::new();
    let body = "echo ready; until [ -e $DIR/go ]; do sleep 0.01; done; exit 7";
    let mut child = Running::spawn(scene.remoteexe_with_ssh(body).args(["h", "s"]));
    scene.wait_for_record("ready");
    for signal in [Signal::CHILD, Signal::CONT, Signal::WINCH, Signal::URG, Signal::PIPE, Signal::XFSZ] {
        send(&child, signal);
    }
    std::fs::write(scene.path("go"), "").unwrap();
    assert_eq!(child.code(), Some(7));
    assert_eq!(scene.log(), "START,-,h s\ncommand,ssh root@h s\nready\nEND,7,h s\n");
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
    let mut child = Running::spawn(scene.remoteexe_with_ssh(body).args(["h", "s"]));
    scene.wait_for_record("ready");
    let pid = child.id().to_string();
    let ready = scene.path("traced");
    let mut tracer = Command::new("perl");
    let tracer = tracer.args(["-e", TRACER, &pid]).arg(&ready);
    let mut tracer = Running::spawn(tracer);
    assert_eq!(child.code(), Some(7));
    assert_eq!(scene.log(), "START,-,h s\ncommand,ssh root@h s\nready\nEND,7,h s\n");
    let _background = Lingering::new(scene.wait_for_file("pid"));
    wait_until("the tracer to end", || tracer.try_wait().unwrap().is_some());
}
