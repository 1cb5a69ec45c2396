//! The whole way, through the system's ssh to a real sshd.

use std::fs;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use crate::report::reported;
use crate::support::{Running, Sandbox, Scene, as_ordinary_user, at_once, code, files, send_to, stderr, texts_in};

#[test]
fn every_exit_status_comes_back() {
    let sandbox = Sandbox::start();
    // All jobs share one connection, because a new one for each takes ten times as long.
    let shared = Scene::new();
    let control = format!("ControlPath {}", shared.path("master").display());
    let _master = sandbox.master(&shared, &control);
    let check = |status: i32| {
        let scene = Scene::new();
        let mut command = scene.remoteexe();
        let script = format!("exit {status}");
        sandbox.connect_with_config(&mut command, &scene, &control);
        let run = scene.run(command.args(["h", &script]));
        assert_eq!(run.code, status);
        let end = format!("\nEND,{status},h {script}\n");
        assert!(run.records.ends_with(&end), "{}", run.records);
    };
    at_once(0..4, |worker| (worker..256).step_by(4).for_each(check));
    let log = fs::read_to_string(sandbox.dir.join("sshd.log")).unwrap();
    assert_eq!(log.matches("Accepted publickey").count(), 1, "one connection");
}

#[test]
fn output_and_standard_error_of_the_remote_are_logged_and_an_empty_environment_is_enough() {
    let sandbox = Sandbox::shared();
    let script = "echo out; echo err >&2; printf 'no newline'; exit 3";
    for home in [None, Some("/nonexistent"), Some("/dev/null")] {
        let scene = Scene::new();
        let mut command = scene.remoteexe();
        command.env_clear().envs(home.map(|home| ("HOME", home))).arg("--log-dir").arg(scene.path("log"));
        let run = scene.run(sandbox.connect(&mut command).args(["h", script]));
        assert_eq!((run.code, run.stderr.as_str()), (3, ""));
        let config = sandbox.dir.join("ssh_config");
        let call = format!("command,ssh -F {} {}@h {script}", config.display(), sandbox.login);
        // sshd sends the two as separate streams, so between them there is no order to keep.
        let possible = ["out\nerr\nno newline\n", "out\nno newlineerr\n", "err\nout\nno newline\n"];
        let possible = possible.map(|output| format!("START,-,h {script}\n{call}\n{output}END,3,h {script}\n"));
        assert!(possible.contains(&run.records), "{}", run.records);
    }
}

#[test]
fn twenty_megabytes_of_output_are_complete_to_the_byte() {
    for sandbox in [Sandbox::start(), Sandbox::start_as_ordinary_user()] {
        let scene = Scene::new();
        let sent: Vec<u8> = (0..320_000_u32)
            .flat_map(|i| format!("{i:08} {}\n", "0123456789".repeat(i as usize % 11)).into_bytes())
            .collect();
        assert!(sent.len() > 18_000_000);
        fs::write(scene.path("sent"), &sent).unwrap();
        let script = format!("cat {}", scene.path("sent").display());
        let run = scene.run(sandbox.connect(&mut scene.remoteexe()).args(["h", &script]));
        assert_eq!(run.code, 0);
        let log = run.records.into_bytes();
        let start = log.windows(9).position(|window| window == b"00000000 ").unwrap();
        let end = log.len() - format!("END,0,h {script}\n").len();
        assert!(log[start..end] == sent, "the output differs from what was sent");
    }
}

/// The report of a run with the key `id`, after the shell script `spoil` has changed it.
fn run_with_key(sandbox: &Sandbox, spoil: &str, options: &[&str]) -> Value {
    let scene = Scene::new();
    let mut shell = Command::new("sh");
    shell.args(["-ec", spoil]).current_dir(scene.path("")).env("KEY", sandbox.dir.join("id"));
    assert!(shell.stdout(Stdio::null()).status().unwrap().success());
    let mut command = scene.remoteexe();
    command.args(options).arg("-i").arg(scene.path("key"));
    command.args(["-o", "IdentityAgent=none"]);
    fs::rename(sandbox.dir.join("id"), sandbox.dir.join("away")).unwrap();
    let run = scene.run(sandbox.connect(&mut command).args(["h", "true"]));
    fs::rename(sandbox.dir.join("away"), sandbox.dir.join("id")).unwrap();
    assert_eq!(run.code, 255, "{}", run.records);
    reported(&scene)
}

#[test]
fn a_key_that_ssh_cannot_use_is_named_also_behind_a_banner() {
    let scene = Scene::new();
    fs::write(scene.path("banner"), "Authorized users only\n".repeat(20)).unwrap();
    let sandbox = Sandbox::start_with_sshd_config(&format!("Banner {}", scene.path("banner").display()));
    for (spoil, words) in [
        ("cp $KEY key; chmod 600 key; ssh-keygen -q -p -N secret -f key", "has a passphrase"),
        ("cp $KEY key; chmod 644 key", "are too open"),
        ("head -c 200 $KEY >key; chmod 600 key", "Load key"),
    ] {
        for options in [&[][..], &["--retries", "2"]] {
            let run = run_with_key(&sandbox, spoil, options);
            assert!(run["reason"].is_string() && run.to_string().contains(words), "{run}");
            assert_eq!(run["cause"], "the key cannot be used", "{run}");
        }
    }
}

#[test]
fn an_ordinary_user_runs_a_job_as_itself_also_where_the_current_directory_is_unreadable_or_gone() {
    let sandbox = Sandbox::start_as_ordinary_user();
    let remoteexe = sandbox.install("remoteexe");
    for (name, spoil) in [("good", "true"), ("closed", "chmod 000"), ("gone", "rmdir")] {
        let log = sandbox.dir.join(format!("log-{name}"));
        let script = format!(r#"mkdir "$0" {name} && cd {name} && {spoil} ../{name} && exec "$@""#);
        let mut command = as_ordinary_user("sh");
        command.args(["-c", &script]).arg(&log).arg(&remoteexe);
        command.stdin(Stdio::null()).env("REMOTEEXE_LOG_DIR", &log);
        sandbox.connect(&mut command).args(["h", "id -un; exit 6"]);
        let output = command.current_dir(&sandbox.dir).output().unwrap();
        assert_eq!((code(&output), stderr(&output).as_str()), (6, ""), "{name}");
        let logs = files(&log);
        assert_eq!(logs.len(), 1);
        let log = texts_in(&logs[0]);
        assert!(log.ends_with(&format!("\n{}\nEND,6,h id -un; exit 6\n", sandbox.login)), "{log}");
    }
}

#[test]
fn an_identity_file_is_used_where_the_configuration_names_none() {
    let sandbox = Sandbox::shared();
    let scene = Scene::new();
    let config = fs::read_to_string(sandbox.dir.join("ssh_config")).unwrap();
    let config: Vec<&str> = config.lines().filter(|line| !line.contains("IdentityFile")).collect();
    fs::write(scene.path("config"), config.join("\n")).unwrap();
    let mut command = scene.remoteexe();
    command.env("REMOTEEXE_IDENTITY", sandbox.dir.join("id")).env("REMOTEEXE_LOGIN", &sandbox.login);
    command.arg("-F").arg(scene.path("config"));
    let run = scene.run(command.args(["h", "echo in"]));
    assert_eq!(run.code, 0);
    assert!(run.records.ends_with("\nin\nEND,0,h echo in\n"));
}

#[test]
fn a_connection_that_breaks_gives_255_and_the_output_until_then_and_is_not_tried_again() {
    let sandbox = Sandbox::shared();
    let scene = Scene::new();
    // The remote shell is the child of the one sshd process that serves this connection.
    let script = format!(
        "cd {} && echo $PPID >>sessions && seq 2000 && echo ready; while [ -e log ]; do sleep 0.05; done",
        scene.path("").display()
    );
    let mut command = scene.remoteexe();
    let mut child = Running::spawn(sandbox.connect(&mut command).args(["h", &script]));
    scene.wait_for_record("ready");
    let session = scene.wait_for_file("sessions");
    send_to(&session, Signal::KILL);
    assert_eq!(child.code(), Some(255));

    let log = scene.log();
    let output = log.split_once("\n1\n").expect("the output").1;
    let numbers: Vec<String> = (2..=2000).map(|i| format!("{i}\n")).collect();
    let numbers = numbers.concat();
    let end = output.strip_prefix(&format!("{numbers}ready\n")).unwrap();
    assert!(end.ends_with(&format!("END,255,h {script}\n")), "{end}");
    assert!(end.contains("closed by remote host"), "{end}");
    assert_eq!(fs::read_to_string(scene.path("sessions")).unwrap(), format!("{session}\n"));
}
