//! Signals to remoteexe reach ssh, and END is written whatever comes.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use rustix::process::Signal;

use crate::support::{REMOTEEXE, Running, Sandbox, Scene, is_running, send, wait_until};

/// An ssh that is there until it is killed, and says so with its process id.
const WAIT: &str = "echo $$ >$DIR/ssh-pid; echo ready; while :; do sleep 0.02; done";

const ENDING: [(Signal, i32); 4] = [
    (Signal::TERM, 143),
    (Signal::INT, 130),
    (Signal::HUP, 129),
    (Signal::QUIT, 131),
];

#[test]
fn a_signal_ends_ssh_and_gives_128_plus_n() {
    for (signal, status) in ENDING {
        let scene = Scene::new();
        let mut child = Running::spawn(scene.remoteexe_with_ssh(WAIT).args(["h", "s"]));
        scene.wait_for_record("ready");
        send(&child, signal);
        assert_eq!(child.code(), Some(status));
        assert_eq!(
            scene.log(),
            format!("START,-,h s\ncommand,ssh root@h s\nready\nEND,{status},h s\n")
        );
        assert!(!is_running(&scene.wait_for_file("ssh-pid")));
    }
}

#[test]
fn a_signal_that_ssh_turns_into_255_still_gives_128_plus_n() {
    for (signal, status) in ENDING {
        let scene = Scene::new();
        let body = format!("trap 'echo killed; exit 255' TERM INT HUP QUIT; {WAIT}");
        let mut child = Running::spawn(scene.remoteexe_with_ssh(body).args(["h", "s"]));
        scene.wait_for_record("ready");
        send(&child, signal);
        assert_eq!(child.code(), Some(status));
        assert_eq!(
            scene.log(),
            format!("START,-,h s\ncommand,ssh root@h s\nready\nkilled\nEND,{status},h s\n")
        );
    }
}

#[test]
fn a_job_that_ends_by_itself_in_spite_of_a_signal_keeps_its_own_status() {
    let scene = Scene::new();
    let body = format!("trap 'exit 7' TERM; {WAIT}");
    let mut child = Running::spawn(scene.remoteexe_with_ssh(body).args(["h", "s"]));
    scene.wait_for_record("ready");
    send(&child, Signal::TERM);
    assert_eq!(child.code(), Some(7));
    assert!(scene.log().ends_with("\nEND,7,h s\n"));
}

#[test]
fn a_second_signal_kills_an_ssh_that_does_not_end() {
    let scene = Scene::new();
    let body = format!("trap 'echo caught' TERM INT; {WAIT}");
    let mut child = Running::spawn(scene.remoteexe_with_ssh(body).args(["h", "s"]));
    scene.wait_for_record("ready");
    send(&child, Signal::TERM);
    scene.wait_for_record("caught");
    send(&child, Signal::INT);
    assert_eq!(child.code(), Some(143), "the first signal counts");
    assert!(scene.log().ends_with("\nEND,143,h s\n"));
    assert!(!is_running(&scene.wait_for_file("ssh-pid")));
}

#[test]
fn an_ssh_that_does_not_end_is_killed_after_a_while() {
    let scene = Scene::new();
    let body = format!("trap 'echo caught' HUP; {WAIT}");
    let mut child = Running::spawn(scene.remoteexe_with_ssh(body).args(["h", "s"]));
    scene.wait_for_record("ready");
    send(&child, Signal::HUP);
    assert_eq!(child.code(), Some(129));
    assert_eq!(
        scene.log(),
        "START,-,h s\ncommand,ssh root@h s\nready\ncaught\nEND,129,h s\n"
    );
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
    assert_eq!(
        standard_signals(&scene.wait_for_file("ignored")),
        1,
        "HUP and only HUP"
    );
    fs::write(scene.path("go"), "").unwrap();
    assert_eq!(child.code(), Some(0));
    assert_eq!(
        scene.log(),
        "START,-,h s\ncommand,ssh root@h s\nready\nunharmed\nEND,0,h s\n"
    );
}

#[test]
fn ssh_starts_with_no_signal_ignored_or_blocked() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh("grep -E 'Sig(Ign|Blk)' /proc/self/status");
    assert!(command.args(["h", "s"]).status().unwrap().success());
    let log = scene.log();
    let masks: Vec<&str> = log.lines().filter(|line| line.starts_with("Sig")).collect();
    assert_eq!(
        masks
            .iter()
            .map(|mask| standard_signals(mask))
            .collect::<Vec<_>>(),
        [0, 0]
    );
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
    script.args([
        "-q",
        "-e",
        "-c",
        &format!("exec {REMOTEEXE} h s"),
        "/dev/null",
    ]);
    let mut child = Running::spawn(script.stdin(reader).stdout(std::process::Stdio::null()));
    drop(script);
    scene.wait_for_record("ready");
    std::io::Write::write_all(&mut &writer, b"\x03").unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(130), None));
    assert_eq!(
        scene.log(),
        "START,-,h s\ncommand,ssh root@h s\nready\nEND,130,h s\n"
    );
    assert!(!is_running(&scene.wait_for_file("ssh-pid")));
}

#[test]
fn a_signal_ends_a_real_ssh_and_nothing_stays_behind_here() {
    let sandbox = Sandbox::start();
    for (signal, status) in ENDING {
        let scene = Scene::new();
        // The remote end goes with the scene: killing ssh leaves it running.
        let script = format!(
            "echo ready; while [ -d {} ]; do sleep 0.05; done",
            scene.path("log").display()
        );
        let mut command = scene.remoteexe();
        let mut child = Running::spawn(sandbox.connect(&mut command).args(["h", &script]));
        scene.wait_for_record("ready");
        let ssh = children(child.id());
        assert_eq!(ssh.len(), 1);
        send(&child, signal);
        assert_eq!(child.code(), Some(status));
        assert!(
            scene
                .log()
                .ends_with(&format!("\nEND,{status},h {script}\n"))
        );
        wait_until("ssh to be gone", || !is_running(&ssh[0]));
    }
}

/// The process ids of the children of process `parent`.
fn children(parent: u32) -> Vec<String> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
    children.split_whitespace().map(str::to_owned).collect()
}
