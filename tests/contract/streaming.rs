//! Output is logged when it comes, in the order in which it came.

use std::fs;

use crate::support::{Running, Sandbox, Scene, code};

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
    assert_eq!(
        scene.log(),
        "START,-,h s\ncommand,ssh root@h s\nfirst\nsecond\nEND,0,h s\n"
    );
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
    assert!(
        scene
            .log()
            .ends_with(&format!("\nfirst\nsecond\nEND,0,h {script}\n"))
    );
}

#[test]
fn a_line_is_stamped_with_the_time_when_it_came() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh(
        "echo first; now=$(date +%s); until [ $(date +%s) -gt $((now + 1)) ]; do sleep 0.05; done
         echo second",
    );
    assert_eq!(code(&command.args(["h", "s"]).output().unwrap()), 0);
    let log = scene.log_bytes();
    let stamps: Vec<&[u8]> = log
        .split_inclusive(|&byte| byte == b'\n')
        .map(|line| &line[..21])
        .collect();
    let [start, command, first, second, end] = stamps.as_slice() else {
        panic!("five records")
    };
    assert!(start <= command && command <= first && first < second && second <= end);
}

#[test]
fn half_a_line_is_logged_once_and_whole() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh(
        "echo begun; printf half; until [ -e $DIR/go ]; do sleep 0.01; done; echo ' and half'",
    );
    let mut child = Running::spawn(command.args(["h", "s"]));
    scene.wait_for_record("begun");
    fs::write(scene.path("go"), "").unwrap();
    assert_eq!(child.code(), Some(0));
    assert_eq!(
        scene.log(),
        "START,-,h s\ncommand,ssh root@h s\nbegun\nhalf and half\nEND,0,h s\n"
    );
}

#[test]
fn standard_output_and_standard_error_keep_the_order_in_which_they_were_written() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh(
        "i=0; while [ $i -lt 1000 ]; do echo o$i; echo e$i >&2; i=$((i + 1)); done",
    );
    assert_eq!(code(&command.args(["h", "s"]).output().unwrap()), 0);
    let output: Vec<String> = (0..1000).map(|i| format!("o{i}\ne{i}\n")).collect();
    assert_eq!(
        scene.log(),
        format!(
            "START,-,h s\ncommand,ssh root@h s\n{}END,0,h s\n",
            output.concat()
        )
    );
}

#[test]
fn the_command_is_logged_before_ssh_is_started() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh("cat $DIR/log/*");
    assert_eq!(code(&command.args(["h", "s"]).output().unwrap()), 0);
    let log = scene.log();
    let output: Vec<&str> = log.lines().skip(2).take(2).collect();
    assert!(output[0].ends_with("] START,-,h s"), "{log}");
    assert!(output[1].ends_with("] command,ssh root@h s"), "{log}");
}
