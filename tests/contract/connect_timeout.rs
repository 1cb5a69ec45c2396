//! `--connect-timeout`: a connection that hangs is ended, and nothing that may have been started is.

use std::fs;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::support::{
    Running, Sandbox, Scene, is_running, log_of_h_s, mask_waits, wait_for, wait_until,
};

/// A port where every connection is accepted, gets `greeting`, and then nothing more.
fn silent_server(greeting: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = move |mut client: TcpStream| {
        client.write_all(greeting)?;
        // Until ssh is killed.
        io::copy(&mut client, &mut io::sink())
    };
    // It ends with the process of the test.
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            thread::spawn(move || serve(client));
        }
    });
    port
}

#[test]
fn a_server_that_is_silent_before_or_in_the_key_exchange_ends_the_run_with_255() {
    for greeting in [b"".as_slice(), b"SSH-2.0-OpenSSH_9.2\r\n"] {
        let scene = Scene::new();
        let port = silent_server(greeting).to_string();
        let mut command = scene.remoteexe();
        command.args(["-F", "/dev/null", "-p", &port, "--connect-timeout", "0.5"]);
        let run = scene.run(command.args(["127.0.0.1", "true"]));
        assert_eq!(run.code, 255);
        assert_eq!(run.stderr, "");
        assert_eq!(
            run.records,
            format!(
                "START,-,127.0.0.1 true\n\
                 command,ssh -F /dev/null -p {port} root@127.0.0.1 true\n\
                 remoteexe: ssh was killed: not connected after 0.500 s\n\
                 END,255,127.0.0.1 true\n"
            )
        );
    }
}

#[test]
fn with_retries_each_attempt_has_the_whole_time() {
    let scene = Scene::new();
    let port = silent_server(b"SSH-2.0-OpenSSH_9.2\r\n").to_string();
    let mut command = scene.remoteexe();
    command.env("REMOTEEXE_CONNECT_TIMEOUT", "0.3");
    command.args(["-F", "/dev/null", "-p", &port]);
    command.args(["--retries", "1", "--retry-delay", "0"]);
    let run = scene.run(command.args(["127.0.0.1", "true"]));
    assert_eq!(run.code, 255);
    let attempt = format!(
        "command,ssh -F /dev/null -p {port} root@127.0.0.1 true\n\
         remoteexe: ssh was killed: not connected after 0.300 s\n"
    );
    assert_eq!(
        mask_waits(&run.records),
        format!(
            "START,-,127.0.0.1 true\n\
             {attempt}retry,1/1,255,wait S s\n\
             {attempt}END,255,127.0.0.1 true\n"
        )
    );
}

#[test]
fn a_job_that_has_connected_may_take_longer() {
    let sandbox = Sandbox::start();
    let scene = Scene::new();
    let mut command = scene.remoteexe();
    command.args(["--connect-timeout", "6"]);
    // The script takes longer than the connection may.
    sandbox.connect(&mut command).args(["h", "sleep 7; exit 3"]);
    let run = scene.run(&mut command);
    assert_eq!(run.code, 3, "{}", run.records);
    assert!(!run.records.contains("remoteexe:"), "{}", run.records);
}

#[test]
fn the_proxy_of_a_connection_that_hangs_is_ended_with_it() {
    let scene = Scene::new();
    let pid = scene.path("pid");
    let proxy = format!("echo $$ >{}; exec sleep 600", pid.display());
    let proxy = format!("ProxyCommand=sh -c '{proxy}'");
    let mut command = scene.remoteexe();
    command.args(["-F", "/dev/null", "-o", &proxy, "--connect-timeout", "1"]);
    let mut child = Running::spawn(command.args(["h", "s"]));
    let pid = wait_for("the proxy", || {
        let pid = fs::read_to_string(&pid).ok()?;
        Some(pid.strip_suffix('\n')?.to_owned())
    });
    assert_eq!(child.code(), Some(255));
    wait_until("the end of the proxy", || !is_running(&pid));
    let log = scene.log();
    assert!(
        log.ends_with("remoteexe: ssh was killed: not connected after 1.000 s\nEND,255,h s\n"),
        "{log}"
    );
}

#[test]
fn no_time_and_an_empty_variable_are_no_limit() {
    for (options, variable) in [
        (&["--connect-timeout", "0"][..], None),
        (&["--connect-timeout", "0"], Some("1")),
        (&[], Some("")),
    ] {
        let scene = Scene::new();
        let mut command = scene.remoteexe_with_ssh(r#"printf '<%s>' "$@"; echo"#);
        if let Some(variable) = variable {
            command.env("REMOTEEXE_CONNECT_TIMEOUT", variable);
        }
        let run = scene.run(command.args(options).args(["h", "s"]));
        assert_eq!(run.records, log_of_h_s("<root@h><s>\n", 0), "{options:?}");
    }
}

#[test]
fn where_ssh_is_a_script_the_job_runs_without_a_limit_and_the_log_says_so() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh("echo out; exit 3");
    command.args(["--connect-timeout", "5", "--retries", "1", "h", "s"]);
    let run = scene.run(&mut command);
    assert_eq!(run.code, 3);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake/ssh");
    let reason =
        format!("{path} is not a program but a script; put OpenSSH's ssh before it in PATH");
    assert_eq!(
        run.records,
        format!(
            "START,-,h s\n\
             remoteexe: no retries: {reason}\n\
             remoteexe: no connect timeout: {reason}\n\
             command,ssh root@h s\nout\nEND,3,h s\n"
        )
    );
}

#[test]
fn the_report_calls_it_a_connection_that_timed_out() {
    let scene = Scene::new();
    let port = silent_server(b"").to_string();
    let mut command = scene.remoteexe();
    command.args(["-F", "/dev/null", "-p", &port, "--connect-timeout", "0.3"]);
    scene.run(command.args(["127.0.0.1", "true"]));
    let mut report = scene.remoteexe();
    let report = report.args(["--report", "--json"]).output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!(document["cause"], "connection timed out");
    assert_eq!(document["connection_failure"], true);
}
