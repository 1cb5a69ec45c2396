//! Options of ssh that would part it from its job: END stays true.

use rustix::process::Signal;

use crate::support::{Running, Sandbox, Scene, send};

#[test]
fn a_setting_of_ssh_config_that_parts_ssh_from_the_job_is_overridden() {
    let sandbox = Sandbox::start();
    for setting in ["ForkAfterAuthentication yes", "SessionType none", "StdinNull yes", "RequestTTY force"] {
        let scene = Scene::new();
        let (input, mut typed) = std::io::pipe().unwrap();
        std::io::Write::write_all(&mut typed, b"typed\n").unwrap();
        drop(typed);
        let mut command = scene.remoteexe();
        sandbox.connect_with_config(&mut command, &scene, setting);
        command.args(["h", "cat; exit 7"]).stdin(input);
        assert_eq!(Running::spawn(&mut command).code(), Some(7), "{setting}");
        let log = scene.log();
        let (_, end) = log.split_once("root@h cat; exit 7\n").unwrap();
        assert_eq!(end, "typed\nEND,7,h cat; exit 7\n", "{setting}");
    }
}

#[test]
fn with_retries_too_such_a_setting_is_overridden() {
    let sandbox = Sandbox::start();
    let scene = Scene::new();
    let mut command = scene.remoteexe();
    command.args(["--retries", "1"]);
    sandbox.connect_with_config(&mut command, &scene, "ForkAfterAuthentication yes");
    command.args(["h", "echo out; exit 7"]);
    assert_eq!(Running::spawn(&mut command).code(), Some(7));
    assert!(scene.log().ends_with("\nout\nEND,7,h echo out; exit 7\n"));
}

#[test]
fn a_silent_ssh_that_a_signal_has_ended_with_0_did_not_do_the_job() {
    for (body, status) in [
        ("", 143),
        // The job has said something, and has ended by itself.
        ("echo out;", 0),
    ] {
        let scene = Scene::new();
        let body = format!("trap 'exit 0' TERM; {body} echo >$DIR/begun; while :; do sleep 0.02; done");
        let mut child = Running::spawn(scene.remoteexe_with_ssh(body).args(["h", "s"]));
        scene.wait_for_file("begun");
        send(&child, Signal::TERM);
        assert_eq!(child.code(), Some(status));
        assert!(scene.log().ends_with(&format!("\nEND,{status},h s\n")));
    }
}
