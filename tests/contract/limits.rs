//! A system that refuses processes, descriptors or the program: the log says so, and nothing is lost.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use crate::support::{
    REMOTEEXE, Sandbox, Scene, as_ordinary_user, code, files, log_of_h_s, needs_root, records, run_tool, stderr,
    texts_in,
};

/// Puts an executable script without a body into `$DIR/bin` as ssh.
fn install_script(scene: &Scene, interpreter: &str) {
    fs::create_dir(scene.path("bin")).unwrap();
    // sh writes the file. A descriptor of this process could be inherited by a child of another test, and
    // while one is open for writing, the file cannot be executed (ETXTBSY).
    let mut sh = Command::new("sh");
    scene.equip(&mut sh);
    let script = r#"printf '#!%s\n' "$0" >$DIR/bin/ssh && chmod 755 $DIR/bin/ssh"#;
    assert!(sh.args(["-c", script, interpreter]).status().unwrap().success());
}

/// Runs remoteexe with `path` as PATH.
fn assert_cannot_run(scene: &Scene, path: &str, status: i32, reason: &str) {
    let mut command = scene.remoteexe();
    command.current_dir(scene.path("log")).env("PATH", path);
    let run = scene.run(command.args(["h", "s"]));
    assert_eq!(run.code, status, "{path}");
    let reason = format!("remoteexe: {reason}\n");
    assert_eq!(run.records, log_of_h_s(&reason, status));
    assert_eq!(run.stderr, "");
}

#[test]
fn an_ssh_that_is_a_directory_gives_126() {
    let scene = Scene::new();
    fs::create_dir_all(scene.path("bin/ssh")).unwrap();
    let path = scene.path("bin");
    let reason = "ssh cannot be run: Permission denied (os error 13)";
    assert_cannot_run(&scene, path.to_str().unwrap(), 126, reason);
}

#[test]
fn an_ssh_whose_interpreter_is_missing_gives_126() {
    let scene = Scene::new();
    install_script(&scene, "/nonexistent/interpreter");
    let path = scene.path("bin");
    let reason = "ssh cannot be run: No such file or directory (os error 2)";
    assert_cannot_run(&scene, path.to_str().unwrap(), 126, reason);
}

#[test]
fn a_path_of_nonsense_gives_127() {
    for path in ["", ":", "/dev/null", "/nonexistent::~:$HOME", "*", "\n"] {
        let reason = "ssh: not found in PATH; add /usr/bin, where it is, to PATH";
        assert_cannot_run(&Scene::new(), path, 127, reason);
    }
}

#[test]
fn a_user_who_may_have_no_more_processes_gets_126() {
    // Root has no such limit.
    let sandbox = Sandbox::start_as_ordinary_user();
    let log = sandbox.dir.join("log");
    let mut command = as_ordinary_user("sh");
    let script = r#"mkdir "$0" && exec prlimit --nproc=0 "$@""#;
    command.args(["-c", script]).arg(&log);
    command.arg(sandbox.install("remoteexe"));
    command.arg("--log-dir").arg(&log).args(["h", "s"]);
    let output = command.current_dir("/").output().unwrap();
    assert_eq!(code(&output), 126);
    assert_eq!(stderr(&output), "");
    let reason = "remoteexe: ssh cannot be run: Resource temporarily unavailable (os error 11)\n";
    assert_eq!(texts_in(&files(&log)[0]), log_of_h_s(reason, 126));
}

#[test]
fn the_copy_on_standard_output_takes_no_process_from_ssh() {
    needs_root();
    let scene = Scene::new();
    // It also installs both programs where any user can run them.
    drop(scene.ordinary_user_with_ssh(""));
    let dir = scene.path("");
    // Of a user without any other process, so that the limit is enough for remoteexe and ssh.
    run_tool("chown", &["-hR", "64321", &dir.display().to_string()]);
    let mut alone = Command::new("setpriv");
    scene.equip_with_ssh(&mut alone, "echo out; exit 3");
    alone
        .env("PATH", format!("{}:/usr/bin:/bin", dir.join("bin").display()))
        .args(["--reuid=64321", "--clear-groups", "prlimit", "--nproc=2"])
        .args(["remoteexe", "--tee", "always", "h", "s"]);
    let run = scene.run(&mut alone);
    assert_eq!(run.records, log_of_h_s("out\n", 3));
    assert_eq!((run.code, run.stdout.as_str()), (3, "out\n"));
}

#[test]
fn however_few_descriptors_there_are_each_record_is_in_the_log_or_on_standard_error() {
    for limit in 4..=32 {
        let scene = Scene::new();
        let output = run_with_descriptors(&scene, limit, "log");
        let stderr = stderr(&output);
        let records = match stderr.split_once('\n') {
            // Nothing was logged: watching for signals left too few descriptors to open the log.
            Some((warning, rest)) if !rest.is_empty() => {
                let held = "Too many open files (os error 24); holding the records until it can";
                assert!(warning.ends_with(held), "{warning}");
                assert_eq!(scene.log(), "");
                records(rest)
            }
            _ => scene.log(),
        };
        if assert_complete(&records, code(&output)) {
            assert!(limit > 4, "four are enough, and so nothing was tried");
            return;
        }
    }
    panic!("the job never ran");
}

#[test]
fn however_few_descriptors_there_are_each_record_is_on_standard_error_where_there_is_no_log() {
    for limit in 4..=32 {
        let scene = Scene::new();
        let output = run_with_descriptors(&scene, limit, "missing");
        let stderr = stderr(&output);
        let (warning, rest) = stderr.split_once('\n').unwrap();
        assert!(warning.starts_with("remoteexe: cannot log to "), "{warning}");
        if assert_complete(&records(rest), code(&output)) {
            return;
        }
    }
    panic!("the job never ran");
}

/// Runs remoteexe with file descriptors below `limit` only, in front of an ssh that prints its
/// arguments and needs none.
fn run_with_descriptors(scene: &Scene, limit: u32, log_dir: &str) -> std::process::Output {
    fs::create_dir(scene.path("bin")).unwrap();
    symlink("/bin/echo", scene.path("bin/ssh")).unwrap();
    let mut sh = Command::new("sh");
    scene.equip(&mut sh);
    // Descriptors that the caller of the tests left open would count.
    let script = format!(
        r#"exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
           PATH=$DIR/bin:$PATH exec prlimit --nofile={limit} "$0" --log-dir $DIR/{log_dir} h s"#
    );
    sh.args(["-c", &script, REMOTEEXE]).stdin(Stdio::null()).output().unwrap()
}

/// Expects all records, and tells whether the job has run.
fn assert_complete(records: &str, status: i32) -> bool {
    if status == 0 {
        assert_eq!(records, log_of_h_s("root@h s\n", 0));
        return true;
    }
    assert_eq!(status, 126, "{records}");
    // If there are too few to watch for signals, remoteexe does not log the command.
    assert_eq!(
        records.replace("command,ssh root@h s\n", ""),
        "START,-,h s\n\
         remoteexe: ssh cannot be run: Too many open files (os error 24)\n\
         END,126,h s\n"
    );
    false
}
