//! Output is logged when it comes, in the order in which it came.

use std::fs;
use std::io::{Read, pipe};

use crate::support::{Running, Sandbox, Scene, log_of_h_s, run};

/// Prints a line, waits for `$GO`, prints another.
const LINE_WAIT_LINE: &str = "echo first; until [ -e $GO ]; do sleep 0.01; done; echo second";

#[test]
fn a_line_is_in_the_log_before_the_job_goes_on() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh(LINE_WAIT_LINE);
    let mut child = Running::spawn(command.env("GO", scene.path("go")).args(["h", "s"]));
    scene.wait_for_record("first");
    assert_eq!(scene.log(), "START,-,h s\ncommand,ssh root@h s\nfirst\n");
    fs::write(scene.path("go"), "").unwrap();
    assert_eq!(child.code(), Some(0));
    assert_eq!(scene.log(), log_of_h_s("first\nsecond\n", 0));
}

#[test]
fn a_line_of_a_real_remote_script_is_in_the_log_before_the_script_goes_on() {
    let sandbox = Sandbox::start();
    let scene = Scene::new();
    let mut command = scene.remoteexe();
    let script = format!("GO={}; {LINE_WAIT_LINE}", scene.path("go").display());
    let mut child = Running::spawn(sandbox.connect(&mut command).args(["h", &script]));
    scene.wait_for_record("first");
    fs::write(scene.path("go"), "").unwrap();
    assert_eq!(child.code(), Some(0));
    assert!(scene.log().ends_with(&format!("\nfirst\nsecond\nEND,0,h {script}\n")));
}

#[test]
fn a_line_is_stamped_with_the_time_when_it_came() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh(
        "echo first; now=$(date +%s); until [ $(date +%s) -gt $((now + 1)) ]; do sleep 0.05; done
         echo second",
    );
    assert_eq!(scene.run(command.args(["h", "s"])).code, 0);
    let log = scene.log_bytes();
    let stamps: Vec<&[u8]> = log.split_inclusive(|&byte| byte == b'\n').map(|line| &line[..21]).collect();
    let [start, command, first, second, end] = stamps.as_slice() else { panic!("five records") };
    assert!(start <= command && command <= first && first < second && second <= end);
}

#[test]
fn half_a_line_is_logged_once_and_whole() {
    let scene = Scene::new();
    let (mut shown, writer) = pipe().unwrap();
    let mut command =
        scene.remoteexe_with_ssh("printf half; until [ -e $DIR/go ]; do sleep 0.01; done; echo ' and half'");
    command.args(["--tee", "always", "h", "s"]).stdout(writer);
    let mut child = Running::spawn(&mut command);
    // remoteexe has read what it shows.
    shown.read_exact(&mut [0; "half".len()]).unwrap();
    fs::write(scene.path("go"), "").unwrap();
    assert_eq!(child.code(), Some(0));
    assert_eq!(scene.log(), log_of_h_s("half and half\n", 0));
}

#[test]
fn standard_output_and_standard_error_keep_the_order_in_which_they_were_written() {
    let run = run("i=0; while [ $i -lt 1000 ]; do echo o$i; echo e$i >&2; i=$((i + 1)); done");
    let output: Vec<String> = (0..1000).map(|i| format!("o{i}\ne{i}\n")).collect();
    assert_eq!(run.records, log_of_h_s(&output.concat(), 0));
}

#[test]
fn the_command_is_logged_before_ssh_is_started() {
    let log = run("cat $DIR/log/*").records;
    let output: Vec<&str> = log.lines().skip(2).take(2).collect();
    assert!(output[0].ends_with("] START,-,h s"), "{log}");
    assert!(output[1].ends_with("] command,ssh root@h s"), "{log}");
}
