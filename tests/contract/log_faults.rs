//! Faults of the log and its directory, for root and for an ordinary user, before and during a run.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::support::{
    REMOTEEXE, Run, Running, Scene, code, log_of_h_s, needs_root, records, run_tool, stderr,
    texts_in,
};

/// Runs a job without output.
fn run_in(scene: &Scene) -> Run {
    scene.run(scene.remoteexe_with_ssh("").args(["h", "s"]))
}

/// Waits for `$DIR/go` between two lines.
const TWO_LINES: &str = "echo one; until [ -e $DIR/go ]; do sleep 0.01; done; echo two";

/// Asserts that a run left its records on standard error, behind a warning that holds `reason`.
fn assert_on_standard_error(output: &Output, reason: &str) {
    assert_eq!(code(output), 0);
    let stderr = stderr(output);
    let (warning, rest) = stderr.split_once('\n').unwrap();
    assert!(
        warning.starts_with("remoteexe: cannot log to "),
        "{warning}"
    );
    assert_eq!(
        warning.matches(reason).count(),
        2,
        "for both files: {warning}"
    );
    assert_eq!(records(rest), log_of_h_s("", 0));
}

#[test]
fn a_log_directory_that_may_not_be_written_does_not_stop_an_ordinary_users_job() {
    for mode in [0o000, 0o555] {
        let scene = Scene::new();
        fs::set_permissions(scene.path("log"), Permissions::from_mode(mode)).unwrap();
        let output = scene
            .ordinary_user_with_ssh("")
            .args(["h", "s"])
            .output()
            .unwrap();
        assert_on_standard_error(&output, "Permission denied (os error 13)");
    }
}

#[test]
fn a_log_directory_that_may_be_written_but_not_listed_is_as_good_as_any() {
    let scene = Scene::new();
    fs::set_permissions(scene.path("log"), Permissions::from_mode(0o300)).unwrap();
    let output = scene
        .ordinary_user_with_ssh("")
        .args(["h", "s"])
        .output()
        .unwrap();
    assert_eq!(code(&output), 0);
    fs::set_permissions(scene.path("log"), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(scene.log(), log_of_h_s("", 0));
}

#[test]
fn a_read_only_filesystem_does_not_stop_a_job() {
    needs_root();
    let scene = Scene::new();
    let mut unshare = Command::new("unshare");
    scene.equip_with_ssh(&mut unshare, "");
    unshare.args(["--mount", "sh", "-euc"]).arg(format!(
        "mount --bind $DIR/log $DIR/log; mount -o remount,bind,ro $DIR/log; exec {REMOTEEXE} h s"
    ));
    let output = unshare.output().unwrap();
    assert_on_standard_error(&output, "Read-only file system (os error 30)");
}

#[test]
fn a_log_directory_that_is_a_file_does_not_stop_a_job() {
    let scene = Scene::new();
    File::create(scene.path("file")).unwrap();
    let mut command = scene.remoteexe_with_ssh("");
    command.env("REMOTEEXE_LOG_DIR", scene.path("file"));
    let output = command.args(["h", "s"]).output().unwrap();
    assert_on_standard_error(&output, "Not a directory (os error 20)");
}

#[test]
fn an_immutable_log_is_left_alone() {
    needs_root();
    let scene = Scene::new();
    let daily = scene.daily();
    File::create(&daily).unwrap();
    run_tool("chattr", &["+i", daily.to_str().unwrap()]);
    let run = run_in(&scene);
    run_tool("chattr", &["-i", daily.to_str().unwrap()]);
    assert_eq!(run.code, 0);
    assert!(
        run.stderr
            .contains("Operation not permitted (os error 1); logging to ")
    );
    assert_eq!(texts_in(&scene.per_user()), log_of_h_s("", 0));
    assert_eq!(fs::metadata(daily).unwrap().len(), 0);
}

#[test]
fn an_append_only_log_is_appended_to() {
    needs_root();
    let scene = Scene::new();
    let daily = scene.daily();
    File::create(&daily).unwrap();
    run_tool("chattr", &["+a", daily.to_str().unwrap()]);
    let run = run_in(&scene);
    run_tool("chattr", &["-a", daily.to_str().unwrap()]);
    assert_eq!(run.code, 0);
    assert_eq!(run.stderr, "");
    assert_eq!(texts_in(&daily), log_of_h_s("", 0));
}

#[test]
fn a_device_is_refused() {
    needs_root();
    let scene = Scene::new();
    run_tool("mknod", &[scene.daily().to_str().unwrap(), "c", "1", "3"]);
    let run = run_in(&scene);
    assert_eq!(run.code, 0);
    assert!(
        run.stderr
            .contains(": it is not a regular file; logging to ")
    );
    assert_eq!(texts_in(&scene.per_user()), log_of_h_s("", 0));
}

/// `fs.protected_regular` in the hands of one test. When this goes, the old value is put back.
struct ProtectedRegular {
    before: String,
    _alone: MutexGuard<'static, ()>,
}

impl ProtectedRegular {
    const PATH: &str = "/proc/sys/fs/protected_regular";

    fn keep() -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        Self {
            before: fs::read_to_string(Self::PATH).unwrap(),
            _alone: alone,
        }
    }

    fn set(value: &str) {
        fs::write(Self::PATH, value).unwrap();
    }
}

impl Drop for ProtectedRegular {
    fn drop(&mut self) {
        Self::set(&self.before);
    }
}

#[test]
fn in_a_sticky_directory_another_users_file_is_refused_whatever_the_kernel_protects() {
    needs_root();
    let _kept = ProtectedRegular::keep();
    for protection in ["0", "1", "2"] {
        ProtectedRegular::set(protection);
        let scene = Scene::new();
        fs::set_permissions(scene.path("log"), Permissions::from_mode(0o1777)).unwrap();
        File::create(scene.daily()).unwrap();
        fs::set_permissions(scene.daily(), Permissions::from_mode(0o666)).unwrap();
        chown(scene.daily(), Some(12345), None).unwrap();
        let run = run_in(&scene);
        assert_eq!(run.code, 0);
        let reason = ": it belongs to uid 12345, neither to us nor to root; logging to ";
        assert!(run.stderr.contains(reason), "{protection}: {}", run.stderr);
        assert_eq!(texts_in(&scene.per_user()), log_of_h_s("", 0));
        assert_eq!(fs::metadata(scene.daily()).unwrap().len(), 0);
    }
}

#[test]
fn in_a_sticky_directory_an_ordinary_user_logs_to_a_file_of_roots_that_lets_it() {
    needs_root();
    let _kept = ProtectedRegular::keep();
    for protection in ["0", "1", "2"] {
        ProtectedRegular::set(protection);
        let scene = Scene::new();
        let mut command = scene.ordinary_user_with_ssh("");
        chown(scene.path("log"), Some(0), Some(0)).unwrap();
        fs::set_permissions(scene.path("log"), Permissions::from_mode(0o1777)).unwrap();
        File::create(scene.daily()).unwrap();
        fs::set_permissions(scene.daily(), Permissions::from_mode(0o666)).unwrap();
        let output = command.args(["h", "s"]).output().unwrap();
        assert_eq!(code(&output), 0);
        assert_eq!(stderr(&output), "");
        assert_eq!(scene.log(), log_of_h_s("", 0));
    }
}

#[test]
fn a_log_that_may_be_written_but_not_read_is_appended_to() {
    needs_root();
    let scene = Scene::new();
    let mut command = scene.ordinary_user_with_ssh("");
    File::create(scene.daily()).unwrap();
    fs::set_permissions(scene.daily(), Permissions::from_mode(0o622)).unwrap();
    let output = command.args(["h", "s"]).output().unwrap();
    assert_eq!(code(&output), 0);
    assert_eq!(stderr(&output), "");
    assert_eq!(scene.log(), log_of_h_s("", 0));
}

#[test]
fn a_fifo_that_may_be_written_but_not_read_is_refused_without_waiting_for_a_reader() {
    needs_root();
    let scene = Scene::new();
    let mut command = scene.ordinary_user_with_ssh("");
    run_tool("mkfifo", &["-m", "622", scene.daily().to_str().unwrap()]);
    command
        .args(["h", "s"])
        .stderr(File::create(scene.path("stderr")).unwrap());
    assert_eq!(Running::spawn(&mut command).code(), Some(0));
    let stderr = fs::read_to_string(scene.path("stderr")).unwrap();
    assert!(
        stderr.contains(": it is not a regular file; logging to "),
        "{stderr}"
    );
}

#[test]
fn a_log_that_is_truncated_during_a_run_goes_on() {
    let scene = Scene::new();
    let mut child = scene.start(TWO_LINES);
    scene.wait_for_record("one");
    File::create(scene.log_path()).unwrap();
    fs::write(scene.path("go"), "").unwrap();
    assert_eq!(child.code(), Some(0));
    assert_eq!(scene.log(), "two\nEND,0,h s\n");
}

#[test]
fn a_log_that_is_replaced_during_a_run_is_gone_on_with_or_refused_like_any_other() {
    let scene = Scene::new();
    let mut child = scene.start(TWO_LINES);
    scene.wait_for_record("one");
    let log = scene.log_path();
    fs::write(scene.path("other"), "").unwrap();
    fs::rename(scene.path("other"), &log).unwrap();
    fs::write(scene.path("go"), "").unwrap();
    assert_eq!(child.code(), Some(0));
    assert_eq!(scene.log(), "two\nEND,0,h s\n");

    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh(TWO_LINES);
    let stderr = File::create(scene.path("stderr")).unwrap();
    let mut child = Running::spawn(command.args(["h", "s"]).stderr(stderr));
    scene.wait_for_record("one");
    let log = scene.log_path();
    fs::rename(&log, scene.path("rotated")).unwrap();
    symlink(scene.path("rotated"), &log).unwrap();
    fs::write(scene.path("go"), "").unwrap();
    assert_eq!(child.code(), Some(0));
    assert_eq!(
        texts_in(&scene.path("rotated")),
        "START,-,h s\ncommand,ssh root@h s\none\n"
    );
    assert_eq!(texts_in(&scene.per_user()), "two\nEND,0,h s\n");
    let stderr = fs::read_to_string(scene.path("stderr")).unwrap();
    assert!(stderr.contains(": it is a symbolic link; "), "{stderr}");
}

#[test]
fn a_log_directory_that_vanishes_during_a_run_costs_no_record() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh(TWO_LINES);
    command
        .args(["h", "s"])
        .stderr(File::create(scene.path("stderr")).unwrap());
    let mut child = Running::spawn(&mut command);
    scene.wait_for_record("one");
    fs::rename(scene.path("log"), scene.path("gone")).unwrap();
    fs::write(scene.path("go"), "").unwrap();
    assert_eq!(child.code(), Some(0));
    let stderr = fs::read_to_string(scene.path("stderr")).unwrap();
    let (warning, rest) = stderr.split_once('\n').unwrap();
    assert!(warning.contains("No such file or directory"), "{warning}");
    assert_eq!(records(rest), "two\nEND,0,h s\n");
}
