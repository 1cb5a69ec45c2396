//! The log file: its name and mode, who may have made it, and where records go when it is refused.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::{
    REMOTEEXE, Sandbox, Scene, as_ordinary_user, code, files, log_of_h_s, needs_root, records, stderr, texts_in, today,
    wait_for,
};

#[test]
fn the_log_is_named_after_the_local_day() {
    let scene = Scene::new();
    assert_eq!(scene.start("").code(), Some(0));
    assert_eq!(scene.log_path(), scene.daily());
    assert_eq!(scene.log(), log_of_h_s("", 0));

    // These zones are so far apart that they never have the same day.
    let names = ["Pacific/Kiritimati", "Pacific/Pago_Pago"].map(|zone| {
        let scene = Scene::new();
        let mut command = scene.remoteexe_with_ssh("");
        command.env("TZ", zone);
        assert_eq!(scene.run(command.args(["h", "s"])).code, 0);
        scene.log_path().file_name().unwrap().to_owned()
    });
    assert_ne!(names[0], names[1]);
}

#[test]
fn the_default_log_directory_is_tmp_also_with_an_empty_variable() {
    for variable in [None, Some("")] {
        let scene = Scene::new();
        let mut command = scene.remoteexe_in_private_tmp();
        command.envs(variable.map(|value| ("REMOTEEXE_LOG_DIR", value)));
        let run = scene.run(command.args(["h", "s"]));
        assert_eq!(run.code, 0);
        assert_eq!(scene.log_path(), scene.daily());
        assert_eq!(run.records, log_of_h_s("", 0));
    }
}

#[test]
fn the_log_is_created_for_everybody_as_the_umask_allows() {
    for (umask, mode) in [("022", 0o644), ("077", 0o600), ("000", 0o666)] {
        let scene = Scene::new();
        let mut sh = Command::new("sh");
        scene.equip_with_ssh(&mut sh, "umask");
        let status = sh.args(["-c", &format!("umask {umask}; exec {REMOTEEXE} h s")]).status();
        assert!(status.unwrap().success());
        assert_eq!(fs::metadata(scene.log_path()).unwrap().mode() & 0o7777, mode);
        assert!(scene.log().contains(&format!("\n0{umask}\n")), "ssh has the same umask");
    }
}

#[test]
fn runs_of_a_day_are_appended_to_one_file() {
    let scene = Scene::new();
    for _ in 0..2 {
        assert_eq!(scene.start("").code(), Some(0));
    }
    let log = fs::read_to_string(scene.log_path()).unwrap();
    let log: Vec<&str> = log.lines().map(|line| line.rsplit("] ").next().unwrap()).collect();
    assert_eq!(log.join("\n") + "\n", log_of_h_s("", 0).repeat(2));
}

#[test]
fn a_run_over_midnight_stays_in_the_file_of_its_start() {
    // In this zone midnight is a few seconds away. A busy machine needs more of them.
    for seconds in [3, 10, 30, 90] {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let zone = zone_with_midnight_in(seconds, now);
        let scene = Scene::new();
        let mut command = scene.remoteexe_with_ssh("while [ $(date +%H) = 23 ]; do sleep 0.05; done; date +%H");
        let run = scene.run(command.env("TZ", &zone).args(["h", "s"]));
        assert_eq!(run.code, 0);
        assert_eq!(run.records, log_of_h_s("00\n", 0));
        let log = scene.log_bytes();
        let days: Vec<&[u8]> = log.split_inclusive(|&b| b == b'\n').map(|line| &line[1..11]).collect();
        if days[0] != days[3] {
            let first_day = str::from_utf8(days[0]).unwrap().replace('-', "");
            let log = scene.path(format!("log/{first_day}_remoteexe.log"));
            assert_eq!(scene.log_path(), log);
            return;
        }
    }
    panic!("midnight always came before START");
}

/// A zone in POSIX's notation (XBD 8.3, TZ). At `now`, in seconds since 1970, midnight is `seconds` away.
fn zone_with_midnight_in(seconds: u64, now: u64) -> String {
    let west = (now + seconds) % 86400;
    let (hours, minutes, seconds) = (west / 3600, west / 60 % 60, west % 60);
    format!("XXX{hours}:{minutes:02}:{seconds:02}")
}

#[test]
fn a_log_that_is_deleted_or_renamed_during_a_run_is_begun_again() {
    for rename in [false, true] {
        let scene = Scene::new();
        let mut child = scene.start("echo one; until [ -e $DIR/go ]; do sleep 0.01; done; echo two");
        scene.wait_for_record("one");
        let log = scene.log_path();
        if rename {
            fs::rename(&log, scene.path("rotated")).unwrap();
        } else {
            fs::remove_file(&log).unwrap();
        }
        fs::write(scene.path("go"), "").unwrap();
        assert_eq!(child.code(), Some(0));
        assert_eq!(scene.log_path(), log);
        assert_eq!(scene.log(), "two\nEND,0,h s\n");
        if rename {
            let before = "START,-,h s\ncommand,ssh root@h s\none\n";
            assert_eq!(texts_in(&scene.path("rotated")), before);
        }
    }
}

/// Expects the records in the per-user log where the daily log must be refused. Runs a job as the user who
/// runs the tests, and one as an ordinary user to whom everything there belongs.
fn assert_falls_back(scene: &Scene, reason: &str) {
    assert_logs_beside(scene, &mut scene.remoteexe_with_ssh(""), reason);
    assert_logs_beside(scene, &mut scene.ordinary_user_with_ssh(""), reason);
}

fn assert_logs_beside(scene: &Scene, command: &mut Command, reason: &str) {
    let uid = fs::metadata(scene.path("log")).unwrap().uid();
    let per_user = scene.path(format!("log/{}_remoteexe.{uid}.log", today()));
    let _ = fs::remove_file(&per_user);
    let output = command.args(["h", "s"]).output().unwrap();
    assert_eq!(code(&output), 0);
    assert_eq!(
        stderr(&output),
        format!("remoteexe: cannot log to {}: {reason}; logging to {}\n", scene.daily().display(), per_user.display())
    );
    assert_eq!(texts_in(&per_user), log_of_h_s("", 0));
}

#[test]
fn a_symbolic_link_is_refused_and_not_followed() {
    let scene = Scene::new();
    fs::write(scene.path("target"), "untouched").unwrap();
    symlink(scene.path("target"), scene.daily()).unwrap();
    assert_falls_back(&scene, "it is a symbolic link");
    assert_eq!(fs::read_to_string(scene.path("target")).unwrap(), "untouched");
}

#[test]
fn a_symbolic_link_to_another_users_file_is_refused_and_not_followed() {
    needs_root();
    let scene = Scene::new();
    fs::write(scene.path("target"), "untouched").unwrap();
    chown(scene.path("target"), Some(12345), None).unwrap();
    symlink(scene.path("target"), scene.daily()).unwrap();
    assert_falls_back(&scene, "it is a symbolic link");
    assert_eq!(fs::read_to_string(scene.path("target")).unwrap(), "untouched");
}

#[test]
fn a_dangling_symbolic_link_is_refused_and_nothing_created() {
    let scene = Scene::new();
    symlink(scene.path("target"), scene.daily()).unwrap();
    assert_falls_back(&scene, "it is a symbolic link");
    assert!(!scene.path("target").exists());
}

#[test]
fn a_hard_link_is_refused() {
    let scene = Scene::new();
    fs::write(scene.path("target"), "untouched").unwrap();
    fs::hard_link(scene.path("target"), scene.daily()).unwrap();
    assert_falls_back(&scene, "it has more than one hard link");
    assert_eq!(fs::read_to_string(scene.path("target")).unwrap(), "untouched");
}

#[test]
fn a_fifo_is_refused_with_and_without_a_reader() {
    for with_reader in [false, true] {
        let scene = Scene::new();
        assert!(Command::new("mkfifo").arg(scene.daily()).status().unwrap().success());
        let _reader = with_reader.then(|| {
            // Opened for reading and writing, because opening for reading waits for a writer.
            File::options().read(true).write(true).open(scene.daily()).unwrap()
        });
        assert_falls_back(&scene, "it is not a regular file");
    }
}

#[test]
fn a_socket_is_refused() {
    let scene = Scene::new();
    let _socket = UnixListener::bind(scene.daily()).unwrap();
    assert_falls_back(&scene, "it is not a regular file");
}

#[test]
fn a_directory_is_refused() {
    let scene = Scene::new();
    fs::create_dir(scene.daily()).unwrap();
    assert_falls_back(&scene, "Is a directory (os error 21)");
}

#[test]
fn where_both_files_are_refused_the_records_go_to_a_file_of_the_run() {
    let scene = Scene::new();
    fs::create_dir(scene.daily()).unwrap();
    symlink("/dev/null", scene.per_user()).unwrap();
    let mut command = scene.remoteexe_with_ssh("echo out; exit 3");
    let output = command.args(["h", "s"]).output().unwrap();
    assert_eq!(code(&output), 3);
    let log = per_run(&scene);
    assert_eq!(
        stderr(&output),
        format!(
            "remoteexe: cannot log to {}: Is a directory (os error 21); \
             nor to {}: it is a symbolic link; logging to {}\n",
            scene.daily().display(),
            scene.per_user().display(),
            log.display()
        )
    );
    assert_eq!(texts_in(&log), log_of_h_s("out\n", 3));
}

/// The only file of a run.
fn per_run(scene: &Scene) -> PathBuf {
    let mut logs = files(&scene.path("log"));
    logs.retain(|path| *path != scene.daily() && *path != scene.per_user());
    assert_eq!(logs.len(), 1, "{logs:?}");
    logs.remove(0)
}

#[test]
fn a_missing_log_directory_does_not_stop_the_job() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh("touch $DIR/done");
    command.arg("--log-dir").arg(scene.path("missing")).args(["h", "s"]);
    let output = command.output().unwrap();
    assert_eq!(code(&output), 0);
    assert!(scene.path("done").exists());
    assert!(!scene.path("missing").exists());
    let stderr = stderr(&output);
    let (warning, rest) = stderr.split_once('\n').unwrap();
    assert!(warning.contains("missing/") && warning.contains("No such file or directory"));
    assert_eq!(records(rest), log_of_h_s("", 0));
}

#[test]
fn root_does_not_log_to_another_users_file() {
    needs_root();
    let scene = Scene::new();
    File::create(scene.daily()).unwrap();
    chown(scene.daily(), Some(12345), None).unwrap();
    assert_logs_beside(&scene, &mut scene.remoteexe_with_ssh(""), "it belongs to uid 12345, neither to us nor to root");
    assert_eq!(fs::metadata(scene.daily()).unwrap().len(), 0);
}

#[test]
fn an_ordinary_user_logs_beside_the_log_of_root_without_a_word() {
    let sandbox = Sandbox::start_as_ordinary_user();
    let log_dir = sandbox.dir.join("log");
    fs::create_dir(&log_dir).unwrap();
    fs::set_permissions(&log_dir, fs::Permissions::from_mode(0o1777)).unwrap();
    let daily = log_dir.join(format!("{}_remoteexe.log", today()));
    fs::write(&daily, "").unwrap();
    fs::set_permissions(&daily, fs::Permissions::from_mode(0o444)).unwrap();
    let mut command = as_ordinary_user(sandbox.install("remoteexe"));
    command.env("REMOTEEXE_LOG_DIR", &log_dir).current_dir("/");
    let output = sandbox.connect(&mut command).args(["h", "echo hello"]).output().unwrap();
    assert_eq!(code(&output), 0);
    assert_eq!(stderr(&output), "");
    let per_user = wait_for("the per-user log", || files(&log_dir).into_iter().find(|path| *path != daily));
    let log = texts_in(&per_user);
    assert!(log.ends_with("\nhello\nEND,0,h echo hello\n"), "{log}");
    // In a sticky directory the sandbox cannot remove a file of ours.
    fs::remove_dir_all(&log_dir).unwrap();
}
