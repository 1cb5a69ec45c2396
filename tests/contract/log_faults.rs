//! Faults of the log and its directory, for root and for an ordinary user, before and during a run.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::support::{
    REMOTEEXE, Run, Running, Scene, as_ordinary_user, code, files, is_asleep, log_of_h_s, needs_root, own_mounts,
    records, run_tool, stderr, texts_in, wait_until,
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
    assert!(warning.starts_with("remoteexe: cannot log to "), "{warning}");
    assert_eq!(warning.matches(reason).count(), 2, "for both files: {warning}");
    assert_eq!(records(rest), log_of_h_s("", 0));
}

#[test]
fn a_log_directory_that_may_not_be_written_does_not_stop_an_ordinary_users_job() {
    for mode in [0o000, 0o555] {
        let scene = Scene::new();
        fs::set_permissions(scene.path("log"), Permissions::from_mode(mode)).unwrap();
        let output = scene.ordinary_user_with_ssh("").args(["h", "s"]).output().unwrap();
        assert_on_standard_error(&output, "Permission denied (os error 13)");
    }
}

#[test]
fn a_log_directory_that_may_be_written_but_not_listed_is_as_good_as_any() {
    let scene = Scene::new();
    fs::set_permissions(scene.path("log"), Permissions::from_mode(0o300)).unwrap();
    let output = scene.ordinary_user_with_ssh("").args(["h", "s"]).output().unwrap();
    assert_eq!(code(&output), 0);
    fs::set_permissions(scene.path("log"), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(scene.log(), log_of_h_s("", 0));
}

#[test]
fn a_read_only_filesystem_does_not_stop_a_job() {
    needs_root();
    let scene = Scene::new();
    let mut unshare =
        own_mounts(&format!("mount --bind $DIR/log $DIR/log; mount -o remount,bind,ro $DIR/log; exec {REMOTEEXE} h s"));
    scene.equip_with_ssh(&mut unshare, "");
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
fn the_name_of_a_log_directory_cannot_steer_a_terminal() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh("");
    command.env("REMOTEEXE_LOG_DIR", "/missing\n\u{1b}[31m");
    let run = scene.run(command.args(["h", "s"]));
    let (warning, rest) = run.stderr.split_once('\n').unwrap();
    let shown = r"remoteexe: cannot log to /missing\n\x1b[31m/";
    assert!(warning.starts_with(shown), "{warning}");
    assert_eq!(records(rest), log_of_h_s("", 0));
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
    assert!(run.stderr.contains("Operation not permitted (os error 1); logging to "));
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
    assert!(run.stderr.contains(": it is not a regular file; logging to "));
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
        Self { before: fs::read_to_string(Self::PATH).unwrap(), _alone: alone }
    }

    /// Calls `check` with each value set.
    fn each(check: impl Fn(&str)) {
        needs_root();
        let _kept = Self::keep();
        for protection in ["0", "1", "2"] {
            Self::set(protection);
            check(protection);
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
    ProtectedRegular::each(|protection| {
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
    });
}

#[test]
fn nobody_can_make_the_log_of_root_vanish_by_taking_its_names() {
    ProtectedRegular::each(|_| {
        let scene = Scene::new();
        fs::set_permissions(scene.path("log"), Permissions::from_mode(0o1777)).unwrap();
        for taken in [scene.daily(), scene.per_user()] {
            let mut touch = as_ordinary_user("touch");
            assert!(touch.arg(taken).status().unwrap().success());
        }
        // Output makes more appends: all go to one file.
        let mut command = scene.remoteexe_with_ssh("echo one; sleep 0.1; echo two");
        let output = command.args(["h", "s"]).output().unwrap();
        assert_eq!(code(&output), 0);
        let mut logs = files(&scene.path("log"));
        logs.retain(|path| *path != scene.daily() && *path != scene.per_user());
        let [log] = logs.as_slice() else { panic!("{logs:?}") };
        assert_eq!(texts_in(log), "START,-,h s\ncommand,ssh root@h s\none\ntwo\nEND,0,h s\n");
        assert_eq!(fs::metadata(log).unwrap().uid(), 0);
        let stderr = stderr(&output);
        assert!(stderr.ends_with(&format!("; logging to {}\n", log.display())));
        assert_eq!(stderr.matches("neither to us nor to root").count(), 2);
    });
}

#[test]
fn an_ordinary_user_keeps_one_run_in_one_file_whatever_the_umask() {
    for mask in ["0222", "0277", "0777"] {
        let scene = Scene::new();
        // For the directory that it prepares.
        scene.ordinary_user_with_ssh("");
        let mut sh = as_ordinary_user("sh");
        scene.equip_with_ssh(&mut sh, "echo out");
        sh.env("PATH", format!("{}:/usr/bin:/bin", scene.path("bin").display()))
            .current_dir("/")
            .args(["-c", &format!("umask {mask}; exec remoteexe h s")]);
        let output = sh.output().unwrap();
        assert_eq!(stderr(&output), "", "{mask}");
        assert_eq!(code(&output), 0);
        assert_eq!(scene.log(), "START,-,h s\ncommand,ssh root@h s\nout\nEND,0,h s\n");
    }
}

/// remoteexe in a mount namespace that `mounts` has set up.
fn behind_mounts(scene: &Scene, mounts: &str) -> Command {
    needs_root();
    let mut unshare = own_mounts(&format!("{mounts}; exec {REMOTEEXE} h s"));
    scene.equip_with_ssh(&mut unshare, "echo out; exit 3");
    unshare
}

#[test]
fn a_start_behind_a_torn_line_is_a_record_also_where_fallocate_is_not_supported() {
    let scene = Scene::new();
    let daily = scene.daily();
    let daily = daily.display();
    needs_root();
    // The namespace goes with its last process: that shows the log.
    let mut command =
        own_mounts(&format!("mount -t ramfs none $DIR/log; printf torn >{daily}; {REMOTEEXE} h s || cat {daily}"));
    scene.equip_with_ssh(&mut command, "echo out; exit 3");
    let log = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let (torn, log) = log.split_once('\n').unwrap();
    assert_eq!(torn, "torn");
    assert_eq!(records(log), "START,-,h s\ncommand,ssh root@h s\nout\nEND,3,h s\n");
}

#[test]
fn a_directory_out_of_inodes_sends_the_records_on_at_once() {
    let scene = Scene::new();
    let mounts = "mount -t tmpfs -o nr_inodes=2 none $DIR/log; : >$DIR/log/last";
    let output = behind_mounts(&scene, mounts).output().unwrap();
    assert_eq!(code(&output), 3);
    let stderr = stderr(&output);
    let (warning, log) = stderr.split_once('\n').unwrap();
    assert!(
        warning.ends_with(".0.log: cannot create it: No space left on device (os error 28); the records follow"),
        "{warning}"
    );
    assert_eq!(records(log), "START,-,h s\ncommand,ssh root@h s\nout\nEND,3,h s\n");
}

#[test]
fn a_filesystem_that_takes_nothing_and_calls_it_no_error_does_not_hold_the_job() {
    let scene = Scene::new();
    let mut strace = Command::new("strace");
    scene.equip_with_ssh(&mut strace, "echo out; exit 3");
    let daily = scene.daily();
    strace
        .args(["-qq", "-o", "/dev/null", "-e", "inject=write:retval=0", "-P"])
        .arg(&daily)
        .args([REMOTEEXE, "h", "s"]);
    File::create(&daily).unwrap();
    let output = strace.output().unwrap();
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("_remoteexe.log: write zero; logging to "), "{}", stderr(&output));
    assert_eq!(texts_in(&scene.per_user()), "START,-,h s\ncommand,ssh root@h s\nout\nEND,3,h s\n");
}

/// Mounts a /dev that has `null` and, as `log`, the socket at `$DIR/syslog`.
const PRIVATE_DEV: &str = "mount -t tmpfs none /mnt; : >/mnt/null; : >/mnt/log
    mount --bind /dev/null /mnt/null; mount --bind $DIR/syslog /mnt/log; mount --rbind /mnt /dev";

/// The messages that a syslogd has got of a run in front of `mounts`.
fn syslog_of(owner: u32, mounts: &str) -> (Vec<String>, Output) {
    let scene = Scene::new();
    let socket = UnixDatagram::bind(scene.path("syslog")).unwrap();
    chown(scene.path("syslog"), Some(owner), None).unwrap();
    socket.set_nonblocking(true).unwrap();
    let output = behind_mounts(&scene, &format!("{PRIVATE_DEV}; {mounts}")).output();
    let mut messages = Vec::new();
    let mut buffer = [0; 8192];
    while let Ok(length) = socket.recv(&mut buffer) {
        messages.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
    }
    (messages, output.unwrap())
}

const READ_ONLY: &str = "mount --bind $DIR/log $DIR/log; mount -o remount,bind,ro $DIR/log";

#[test]
fn where_no_file_takes_the_records_start_command_and_end_go_to_syslog() {
    for mounts in [READ_ONLY, "export REMOTEEXE_LOG_DIR=/nowhere", "mount -t tmpfs -o nr_inodes=1 none $DIR/log"] {
        let (messages, output) = syslog_of(0, mounts);
        assert_eq!(code(&output), 3);
        let texts = messages.iter().map(|message| {
            let (header, text) = message.split_once("]: ").unwrap();
            // Facility cron, severity notice.
            assert!(header.starts_with("<77>remoteexe["), "{message}");
            text
        });
        let texts: Vec<_> = texts.collect();
        assert_eq!(texts, ["START,-,h s", "command,ssh root@h s", "END,3,h s"], "{mounts}");
        let stderr = stderr(&output);
        let (_, log) = stderr.split_once('\n').unwrap();
        assert_eq!(records(log), "START,-,h s\ncommand,ssh root@h s\nout\nEND,3,h s\n");
    }
}

#[test]
fn a_run_that_a_file_takes_does_not_go_to_syslog() {
    let (messages, output) = syslog_of(0, "true");
    assert_eq!(code(&output), 3);
    assert_eq!(messages, [""; 0]);
}

#[test]
fn a_socket_that_is_not_roots_gets_no_record() {
    let (messages, output) = syslog_of(12345, READ_ONLY);
    assert_eq!(code(&output), 3);
    assert_eq!(messages, [""; 0]);
}

#[test]
fn in_a_sticky_directory_an_ordinary_user_logs_to_a_file_of_roots_that_lets_it() {
    ProtectedRegular::each(|_| {
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
    });
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
    command.args(["h", "s"]).stderr(File::create(scene.path("stderr")).unwrap());
    assert_eq!(Running::spawn(&mut command).code(), Some(0));
    let stderr = fs::read_to_string(scene.path("stderr")).unwrap();
    assert!(stderr.contains(": it is not a regular file; logging to "), "{stderr}");
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
    assert_eq!(texts_in(&scene.path("rotated")), "START,-,h s\ncommand,ssh root@h s\none\n");
    assert_eq!(texts_in(&scene.per_user()), "two\nEND,0,h s\n");
    let stderr = fs::read_to_string(scene.path("stderr")).unwrap();
    assert!(stderr.contains(": it is a symbolic link; "), "{stderr}");
}

#[test]
fn a_log_directory_that_vanishes_during_a_run_costs_no_record() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh(TWO_LINES);
    command.args(["h", "s"]).stderr(File::create(scene.path("stderr")).unwrap());
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

#[test]
fn a_record_that_standard_error_has_taken_in_part_is_whole_in_a_log_that_can_be_written_again() {
    let scene = Scene::new();
    fs::remove_dir(scene.path("log")).unwrap();
    let (_unread, stderr) = std::io::pipe().unwrap();
    let body = "seq 20000; echo >$DIR/begun; until [ -e $DIR/go ]; do sleep 0.01; done";
    let mut command = scene.remoteexe_with_ssh(body);
    let mut child = Running::spawn(command.args(["h", "s"]).stderr(stderr));
    scene.wait_for_file("begun");
    wait_until("the output to be read", || is_asleep(&child));
    fs::create_dir(scene.path("log")).unwrap();
    fs::write(scene.path("go"), "").unwrap();
    assert_eq!(child.code(), Some(0));
    // It checks that each line is a record.
    let log = scene.log();
    assert!(log.ends_with("\n20000\nEND,0,h s\n"));
}
