//! The whole way, through the system's ssh to a real sshd.

use std::fs::{self, File};
use std::process::Stdio;
use std::thread;

use crate::support::{Sandbox, Scene, as_ordinary_user, assert_bytes, code, files, stderr, texts};

#[test]
fn every_exit_status_comes_back() {
    let sandbox = Sandbox::start();
    let check = |status: i32| {
        let scene = Scene::new();
        let mut command = scene.remoteexe();
        let script = format!("exit {status}");
        let output = sandbox
            .connect(&mut command)
            .args(["h", &script])
            .output()
            .unwrap();
        assert_eq!(code(&output), status);
        assert!(
            scene
                .log()
                .ends_with(&format!("\nEND,{status},h {script}\n")),
            "{}",
            scene.log()
        );
    };
    let check = &check;
    thread::scope(|scope| {
        for worker in 0..4 {
            scope.spawn(move || (worker..256).step_by(4).for_each(check));
        }
    });
}

#[test]
fn output_and_standard_error_of_the_remote_are_logged() {
    let sandbox = Sandbox::start();
    let scene = Scene::new();
    let mut command = scene.remoteexe();
    let script = "echo out; echo err >&2; printf 'no newline'; exit 3";
    let output = sandbox
        .connect(&mut command)
        .args(["host_sum_batch01", script])
        .output()
        .unwrap();
    assert_eq!(code(&output), 3);
    assert_eq!(stderr(&output), "");
    let config = sandbox.dir.join("ssh_config");
    let login = &sandbox.login;
    let log = scene.log();
    let (head, tail) = log.split_at(log.find("\nout\n").expect("the output") + 1);
    assert_eq!(
        head.replace("err\n", ""),
        format!(
            "START,-,host_sum_batch01 {script}\n\
             command,ssh -F {} {login}@host_sum_batch01 {script}\n",
            config.display()
        )
    );
    // sshd sends the two as separate streams, so between them there is no order to keep.
    let mut lines: Vec<&str> = log.lines().skip(2).collect();
    assert_eq!(
        lines.pop(),
        Some(format!("END,3,host_sum_batch01 {script}").as_str())
    );
    assert!(tail.contains("no newline"));
    lines.sort_unstable();
    assert!(
        lines == ["err", "no newline", "out"] || lines == ["no newlineerr", "out"],
        "{log}"
    );
}

#[test]
fn twenty_megabytes_of_output_are_complete_to_the_byte() {
    for sandbox in Sandbox::both() {
        let scene = Scene::new();
        let sent: Vec<u8> = (0..320_000_u32)
            .flat_map(|i| format!("{i:08} {}\n", "0123456789".repeat(i as usize % 11)).into_bytes())
            .collect();
        assert!(sent.len() > 18_000_000);
        fs::write(scene.path("sent"), &sent).unwrap();
        let script = format!("cat {}", scene.path("sent").display());
        let mut command = scene.remoteexe();
        assert_eq!(
            code(
                &sandbox
                    .connect(&mut command)
                    .args(["h", &script])
                    .output()
                    .unwrap()
            ),
            0
        );
        let log = texts(&scene.log_bytes());
        let start = log
            .windows(9)
            .position(|window| window == b"00000000 ")
            .unwrap();
        let end = log.len() - format!("END,0,h {script}\n").len();
        assert!(
            log[start..end] == sent,
            "the output differs from what was sent"
        );
    }
}

#[test]
fn standard_input_reaches_the_remote() {
    for sandbox in Sandbox::both() {
        let scene = Scene::new();
        fs::write(scene.path("input"), "line\n".repeat(100_000)).unwrap();
        let mut command = scene.remoteexe();
        command.stdin(File::open(scene.path("input")).unwrap());
        assert_eq!(
            code(
                &sandbox
                    .connect(&mut command)
                    .args(["h", "wc", "-c"])
                    .output()
                    .unwrap()
            ),
            0
        );
        assert!(
            scene.log().ends_with("\n500000\nEND,0,h wc -c\n"),
            "{}",
            scene.log()
        );
    }
}

#[test]
fn words_are_joined_by_single_spaces_and_parsed_by_the_remote_shell() {
    for sandbox in Sandbox::both() {
        let scene = Scene::new();
        let mut command = scene.remoteexe();
        sandbox.connect(&mut command).args([
            "h",
            "printf '<%s>'",
            "--help  -v",
            "'a  b'",
            "$((1+1))",
        ]);
        assert_eq!(code(&command.output().unwrap()), 0);
        assert!(
            scene.log().contains("\n<--help><-v><a  b><2>\n"),
            "{}",
            scene.log()
        );
    }
}

#[test]
fn output_in_any_encoding_comes_through() {
    for sandbox in Sandbox::both() {
        let scene = Scene::new();
        let mut command = scene.remoteexe();
        let script = r"printf '\223\372\226\173\n\306\374\313\334\n'";
        assert_eq!(
            code(
                &sandbox
                    .connect(&mut command)
                    .args(["h", script])
                    .output()
                    .unwrap()
            ),
            0
        );
        let log = texts(&scene.log_bytes());
        let end = format!("END,0,h {script}\n");
        let output = log.strip_suffix(end.as_bytes()).unwrap();
        assert_bytes(
            &output[output.len() - 10..],
            b"\x93\xfa\x96\x7b\n\xc6\xfc\xcb\xdc\n",
        );
    }
}

#[test]
fn a_remote_script_that_is_killed_gives_255() {
    for sandbox in Sandbox::both() {
        let scene = Scene::new();
        let mut command = scene.remoteexe();
        let output = sandbox
            .connect(&mut command)
            .args(["h", "echo before; kill -KILL $$"])
            .output();
        assert_eq!(code(&output.unwrap()), 255);
        assert!(
            scene
                .log()
                .ends_with("\nbefore\nEND,255,h echo before; kill -KILL $$\n")
        );
    }
}

#[test]
fn a_refused_key_gives_255_and_the_reason() {
    for sandbox in Sandbox::both() {
        let scene = Scene::new();
        let mut command = scene.remoteexe();
        sandbox.connect(&mut command).args([
            "-o",
            "IdentityFile=/nonexistent",
            "-o",
            "IdentityAgent=none",
        ]);
        fs::write(sandbox.dir.join("id"), "").unwrap();
        assert_eq!(code(&command.args(["h", "true"]).output().unwrap()), 255);
        assert!(
            scene.log().contains("Permission denied (publickey)"),
            "{}",
            scene.log()
        );
    }
}

#[test]
fn an_ordinary_user_runs_a_job_as_itself() {
    let sandbox = Sandbox::start_as_ordinary_user();
    let log = sandbox.dir.join("log");
    let mut command = as_ordinary_user("sh");
    let log_dir = log.display();
    command.args(["-c", &format!("mkdir {log_dir}; exec \"$@\""), "sh"]);
    command
        .arg(sandbox.install("remoteexe"))
        .current_dir("/")
        .stdin(Stdio::null());
    command.env("REMOTEEXE_LOG_DIR", &log);
    let output = sandbox
        .connect(&mut command)
        .args(["h", "id -un; exit 6"])
        .output()
        .unwrap();
    assert_eq!(code(&output), 6);
    assert_eq!(stderr(&output), "");
    let logs = files(&log);
    assert_eq!(logs.len(), 1);
    let log = String::from_utf8(texts(&fs::read(&logs[0]).unwrap())).unwrap();
    assert!(
        log.ends_with(&format!("\n{}\nEND,6,h id -un; exit 6\n", sandbox.login)),
        "{log}"
    );
}

#[test]
fn an_identity_file_is_used_where_the_configuration_names_none() {
    let sandbox = Sandbox::start();
    let scene = Scene::new();
    let config = fs::read_to_string(sandbox.dir.join("ssh_config")).unwrap();
    let config: Vec<&str> = config
        .lines()
        .filter(|line| !line.contains("IdentityFile"))
        .collect();
    fs::write(scene.path("config"), config.join("\n")).unwrap();
    let mut command = scene.remoteexe();
    command
        .env("REMOTEEXE_IDENTITY", sandbox.dir.join("id"))
        .env("REMOTEEXE_LOGIN", &sandbox.login);
    command
        .arg("-F")
        .arg(scene.path("config"))
        .args(["h", "echo in"]);
    assert_eq!(code(&command.output().unwrap()), 0);
    assert!(scene.log().ends_with("\nin\nEND,0,h echo in\n"));
}
