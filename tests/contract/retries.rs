//! `--retries`: when a job is tried again, when it is not, and what the log says.

use std::fs::{self, File};
use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::{
    Cut, LOOK_ALIKE, Proxy, Running, SOME_VERSION, Sandbox, Scene, assert_fits, compile_ssh, forge_ssh, job,
    log_of_h_s, send, waits,
};

/// A stand-in for ssh that does `job`, and fails as OpenSSH would.
fn stand_in(job: &str) -> String {
    format!("{job} puts(\"{LOOK_ALIKE}\"); return 255;")
}

/// The records of the job `h s` with these retries, by the ssh in the directory `bin`, which fails.
fn fail(scene: &Scene, bin: &str, retries: &str) -> String {
    let mut command = scene.remoteexe();
    command.env("PATH", bin).args(["--retries", retries, "--retry-delay", "0", "h", "s"]);
    let run = scene.run(&mut command);
    assert_eq!(run.code, 255);
    run.records
}

#[test]
fn a_job_whose_first_connections_are_dropped_runs_once_and_ends_with_its_own_status() {
    let sandbox = Sandbox::shared();
    // Without a word of ssh about it, which is hidden by LogLevel ERROR from OpenSSH 8.5 on, the log says why.
    for level in ["INFO", "ERROR"] {
        let scene = Scene::new();
        let proxy = Proxy::start(sandbox.port(), vec![Cut::after(0), Cut::after(1000)]);
        let port = proxy.port();
        let mut command = scene.remoteexe();
        sandbox.connect_with_config(&mut command, &scene, &format!("LogLevel {level}\nPort {port}"));
        let left = job(&scene, command.args(["--retries", "5", "--retry-delay", "0.02"]), "exit 7");
        assert_eq!(proxy.finish(), 3);
        let closed = format!("Connection closed by 127.0.0.1 port {port}");
        let first = if level == "INFO" { format!("{closed} | ") } else { "…".to_owned() };
        let retries = format!("{first}retry,1/5,255,wait S s | call | {closed} | retry,2/5,255,wait S s");
        assert_fits(&left, &format!("call | {retries} | call | 7, ran 1"), level);
    }
}

#[test]
fn standard_input_reaches_the_remote_also_after_a_failed_try() {
    let sandbox = Sandbox::shared();
    let input = "line\n".repeat(100_000);
    for is_pipe in [false, true] {
        let scene = Scene::new();
        let proxy = Proxy::start(sandbox.port(), vec![Cut::after(0), Cut::after(1300)]);
        let mut command = scene.remoteexe();
        command.args(["-p", &proxy.port().to_string()]);
        command.args(["--retries", "5", "--retry-delay", "0.02"]);
        sandbox.connect(&mut command).args(["h", "wc", "-c"]);
        fs::write(scene.path("input"), &input).unwrap();
        command.stdin(if is_pipe { Stdio::piped() } else { File::open(scene.path("input")).unwrap().into() });
        let mut child = Running::spawn(&mut command);
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes()).unwrap();
        }
        assert_eq!(child.code(), Some(0));
        let log = scene.log();
        assert_eq!(waits(&log).len(), 2, "{log}");
        assert!(log.ends_with("\n500000\nEND,0,h wc -c\n"), "{log}");
    }
}

#[test]
fn the_marker_is_seen_neither_in_the_log_nor_in_the_copy_of_the_output() {
    let scene = Scene::new();
    // A last line without a newline comes right before the marker.
    for banner in ["", "Authorized users only", "one\ntwo\n"] {
        fs::write(scene.path("banner"), banner).unwrap();
        let banner = format!("Banner {}", scene.path("banner").display());
        let sandbox = Sandbox::start_with_sshd_config(&banner);
        let script = "echo out; exit 3";
        let run = |retries: &str| {
            let scene = Scene::new();
            let mut command = scene.remoteexe();
            command.args(["--retries", retries, "--tee", "always"]);
            let run = scene.run(sandbox.connect(&mut command).args(["h", script]));
            assert_eq!(run.code, 3);
            (run.records, run.stdout)
        };
        let (log, shown) = run("0");
        assert!(shown.ends_with("out\n"), "{shown}");
        assert_eq!(run("3"), (log, shown));
    }
}

#[test]
fn a_try_that_says_after_a_signal_that_the_connection_failed_is_not_followed_by_another() {
    let scene = Scene::new();
    // The stand-in fails at the moment of the signal, as ssh itself does only by chance. After 20 s it
    // fails without a signal.
    let job = r#"sigset_t term; int number; sigemptyset(&term); sigaddset(&term, SIGTERM);
                 sigprocmask(SIG_BLOCK, &term, NULL); puts("ready"); fflush(stdout);
                 alarm(20); sigwait(&term, &number);"#;
    let bin = forge_ssh(&scene, SOME_VERSION, &stand_in(job));
    let mut command = scene.remoteexe();
    command.env("PATH", &bin);
    command.args(["--retries", "5", "--retry-delay", "0", "h", "s"]);
    let mut child = Running::spawn(&mut command);
    scene.wait_for_record("ready");
    send(&child, Signal::TERM);
    assert_eq!(child.code(), Some(143));
    let output = format!("ready\n{LOOK_ALIKE}\nremoteexe: received signal TERM\n");
    assert_eq!(scene.log(), log_of_h_s(&output, 143));
}

#[test]
fn an_ssh_that_says_nothing_is_tried_again_if_it_would_name_any_other_reason() {
    // ERROR of 9.5 and later says nothing of a closed connection. `ssh -G` calls QUIET so.
    for (level, is_retried) in [("ERROR", true), ("INFO", true), ("VERBOSE", true), ("FATAL", false), ("SILENT", false)]
    {
        let scene = Scene::new();
        let main = format!(
            "for (int i = 1; i < argc; i++) {{
                 if (!strcmp(argv[i], \"-G\")) {{ puts(\"host h\\nloglevel {level}\"); return 0; }}
             }}
             return 255;"
        );
        let log = fail(&scene, &forge_ssh(&scene, "OpenSSH_9.6p1", &main), "2");
        assert_eq!(waits(&log).len(), if is_retried { 2 } else { 0 }, "{level}");
        assert_eq!(log.contains("no retry"), !is_retried, "{level}");
    }
}

#[test]
fn a_server_that_closes_the_connection_at_the_login_is_asked_four_times_only() {
    let sandbox = Sandbox::shared();
    for (cut, attempts) in [(Cut::after(1000), 4), (Cut::after(0), 6)] {
        let scene = Scene::new();
        let proxy = Proxy::start(sandbox.port(), vec![cut; 6]);
        let mut command = scene.remoteexe();
        command.args(["-p", &proxy.port().to_string()]);
        command.args(["--retries", "5", "--retry-delay", "0.01"]);
        let run = scene.run(sandbox.connect(&mut command).args(["h", "true"]));
        assert_eq!(run.code, 255);
        assert_eq!(proxy.finish(), attempts, "{}", run.records);
        let waits = waits(&run.records);
        assert_eq!(waits.len(), attempts - 1);
        let refused = "remoteexe: no more retries: the server closes the connection at the login, \
                       as it does to refuse it\nEND,255,h true\n";
        assert_eq!(run.records.ends_with(refused), attempts == 4);
        if attempts == 4 {
            // Ten times the delay.
            let shortest = Duration::from_millis(100);
            assert!(waits.iter().all(|wait| *wait >= shortest), "{waits:?}");
        }
    }
}

#[test]
fn a_program_that_is_no_openssh_or_an_old_one_gets_the_job_once_and_the_log_says_why() {
    for (version, reason) in [
        (None, "is not known as OpenSSH's own ssh; put that before it in PATH"),
        (Some("OpenSSH_7.3p1"), "is older than OpenSSH 7.4: OpenSSH_7.3p1"),
    ] {
        let scene = Scene::new();
        let main = stand_in(r#"printf("called with %d words\n", argc - 1);"#);
        let (bin, words) = match version {
            None => (compile_ssh(&scene, &main), 2),
            // -T is as old as RequestTTY.
            Some(version) => (forge_ssh(&scene, version, &main), 3),
        };
        assert_eq!(
            fail(&scene, &bin, "5"),
            format!(
                "START,-,h s\n\
                 remoteexe: no retries: {bin}/ssh {reason}\n\
                 command,ssh root@h s\n\
                 called with {words} words\n\
                 {LOOK_ALIKE}\n\
                 END,255,h s\n"
            )
        );
    }
}

#[test]
fn an_ssh_from_before_the_option_remote_command_is_tried_again_without_it() {
    for (version, has_option) in [("OpenSSH_7.4p1", false), ("OpenSSH_7.5p1", false), ("OpenSSH_7.6p1", true)] {
        let scene = Scene::new();
        let show = "for (int i = 1; i < argc; i++) puts(argv[i]);";
        let log = fail(&scene, &forge_ssh(&scene, version, &stand_in(show)), "1");
        assert_eq!(waits(&log).len(), 1, "{log}");
        let options = log.matches("\n-oRemoteCommand=none\n").count();
        assert_eq!(options, if has_option { 2 } else { 0 }, "{version}");
    }
}
