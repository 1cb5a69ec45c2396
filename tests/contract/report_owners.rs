//! `--report`: whose logs it believes, and what it does with those of others.

use std::fs::{self, File};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use crate::report::{fields, printed, reporter};
use crate::support::{
    ORDINARY_USER, REMOTEEXE, Running, Scene, as_ordinary_user, code, needs_root, run_tool, send, stderr, wait_until,
};

/// The user `nobody`, to whom a test gives files.
const NOBODY: u32 = 65534;

/// A run of process 7 in `log/20260302_remoteexe.log`, which is root's, and the period that it is in.
const FAILED: &str = "\
[2026-03-02 10:00:00][7] START,-,h s
[2026-03-02 10:00:00][7] command,ssh root@h s
[2026-03-02 10:00:01][7] END,3,h s
";
const LOST: &str = "\
[2026-03-02 10:00:00][7] START,-,h s
[2026-03-02 10:00:00][7] command,ssh root@h s
";
const OK: &str = "\
[2026-03-02 10:00:00][7] START,-,h s
[2026-03-02 10:00:00][7] command,ssh root@h s
[2026-03-02 10:00:01][7] END,0,h s
";

/// Writes a log into the log directory and gives it to the user.
fn give(scene: &Scene, name: &str, uid: u32, log: impl AsRef<[u8]>) -> PathBuf {
    needs_root();
    let path = scene.path("log").join(name);
    fs::write(&path, log).unwrap();
    chown(&path, Some(uid), Some(uid)).unwrap();
    path
}

/// `remoteexe --report --since 2026-03-02 ARGS` of the log directory.
fn report_here(scene: &Scene, args: &[&str]) -> Output {
    let mut command = reporter(scene);
    command.args(["--since", "2026-03-02"]).args(args);
    command.output().unwrap()
}

/// These fields of the runs that `--json ARGS` shows of the log directory.
fn runs(scene: &Scene, names: &str, args: &[&str]) -> Vec<String> {
    let args = [&["--json"], args].concat();
    fields(&report_here(scene, &args), names)
}

/// The user who runs the report where that is not root.
fn ordinary_uid() -> u32 {
    let id = Command::new("id").args(["-u", ORDINARY_USER]).output();
    let id = String::from_utf8(id.unwrap().stdout).unwrap();
    id.trim_end().parse().unwrap()
}

/// `remoteexe --report` as an ordinary user. The scene stays root's, but all can read it.
fn as_ordinary_user_with_report(scene: &Scene) -> Command {
    let dir = scene.path("").display().to_string();
    run_tool("chmod", &["755", &dir]);
    run_tool("cp", &[REMOTEEXE, &dir]);
    let mut command = as_ordinary_user(scene.path("remoteexe"));
    scene.equip(&mut command);
    command.env("TZ", "UTC").arg("--report").current_dir("/");
    command
}

#[test]
fn an_ordinary_user_reads_root_s_log_and_his_own_and_complains_of_others() {
    let scene = Scene::new();
    let uid = ordinary_uid();
    give(&scene, "20260302_remoteexe.log", 0, OK);
    let own = format!("20260302_remoteexe.{uid}.log");
    let own_path = give(&scene, &own, uid, FAILED);
    give(&scene, &format!("20260302_remoteexe.{NOBODY}.log"), NOBODY, OK);
    let mut command = as_ordinary_user_with_report(&scene);
    command.args(["--since", "2026-03-02", "--json"]);
    let output = command.output().unwrap();
    let users = fields(&output, "uid status");
    assert_eq!(users, ["0 \"ok\"".to_owned(), format!("{uid} \"failed\"")]);
    assert_eq!(code(&output), 1);
    // His own fallback, which he cannot write to now.
    chown(own_path, Some(NOBODY), None).unwrap();
    let output = command.output().unwrap();
    assert_eq!(fields(&output, "uid status"), ["0 \"ok\""]);
    assert!(stderr(&output).contains(".log: belongs to nobody (uid 65534), "));
    assert_eq!(code(&output), 74);
}

#[test]
fn a_start_of_a_job_in_the_reader_s_own_log_is_not_missing_though_the_line_is_root_s() {
    let scene = Scene::new();
    let uid = ordinary_uid();
    give(&scene, "20260302_remoteexe.log", uid, OK);
    let crontab = format!("REMOTEEXE_LOG_DIR={}\n0 10 * * * root remoteexe h s\n", scene.path("log").display());
    fs::write(scene.path("crontab"), crontab).unwrap();
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    File::options().write(true).open(scene.path("crontab")).unwrap().set_modified(changed).unwrap();
    let mut command = as_ordinary_user_with_report(&scene);
    command.arg("--crontab").arg(scene.path("crontab")).arg("--log-dir").arg(scene.path("log"));
    command.args(["--since", "2026-03-02", "--until", "2026-03-02 12:00", "--json"]);
    assert_eq!(fields(&command.output().unwrap(), "status start"), [r#""ok" "2026-03-02T10:00:00+00:00""#]);
}

#[test]
fn a_sparse_file_of_20_gb_of_another_user_costs_nothing() {
    let scene = Scene::new();
    give(&scene, "20260302_remoteexe.log", 0, OK);
    let name = format!("20260302_remoteexe.{NOBODY}.log");
    let path = give(&scene, &name, NOBODY, "");
    File::options().write(true).open(&path).unwrap().set_len(20 << 30).unwrap();
    let mut strace = Command::new("strace");
    scene.equip(&mut strace);
    let trace = scene.path("trace");
    strace.args(["-f", "-e", "trace=%file", "-o"]).arg(&trace);
    let output = strace.args([REMOTEEXE, "--report", "--since", "2026-03-02"]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let view = printed(&output);
    assert!(view.contains("runs 1   ok 1 "), "{view}");
    assert!(view.contains("21474836480 bytes"), "{view}");
    let trace = fs::read_to_string(trace).unwrap();
    let opens = |name: &str| trace.lines().any(|line| line.contains("open") && line.contains(name));
    assert!(opens("20260302_remoteexe.log"), "{trace}");
    assert!(!opens(&name), "{trace}");
}

#[test]
fn a_lease_on_the_file_of_another_user_holds_no_report_up() {
    let scene = Scene::new();
    give(&scene, "20260302_remoteexe.log", 0, OK);
    let name = format!("20260302_remoteexe.{NOBODY}.log");
    let path = give(&scene, &name, NOBODY, FAILED);
    let mut perl = Command::new("setpriv");
    perl.args(["--reuid=65534", "--clear-groups", "perl", "-e"])
        // F_SETLEASE, F_WRLCK: an open without O_NONBLOCK waits, and the holder does not let go.
        .arg(
            "$SIG{IO} = 'IGNORE'; open F, '+<', shift; fcntl F, 1024, 1 or die; print qq(held\\n); \
              close STDOUT; <STDIN>",
        )
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    run_tool("chmod", &["755", &scene.path("").display().to_string()]);
    let mut holder = Running::spawn(&mut perl);
    let mut held = String::new();
    std::io::Read::read_to_string(&mut holder.stdout.take().unwrap(), &mut held).unwrap();
    assert_eq!(held, "held\n");
    let output = report_here(&scene, &[]);
    assert!(printed(&output).contains("runs 1   ok 1 "));
    assert_eq!(code(&output), 0);
    // Asked for, it is not waited for either.
    let output = report_here(&scene, &["--user", "nobody"]);
    assert_eq!(
        stderr(&output),
        format!("remoteexe: {}: Resource temporarily unavailable (os error 11)\n", path.display())
    );
    assert_eq!(code(&output), 74);
    drop(holder.stdin.take());
}

#[test]
fn a_flood_of_starts_takes_little_memory_and_costs_no_other_user_a_run() {
    let scene = Scene::new();
    let daily = give(&scene, "20260302_remoteexe.log", 0, LOST);
    // More than the report keeps of processes, and of runs of one process, each with a job of its own.
    let processes = (1..=250_000).map(|pid| format!("[2026-03-02 10:00:00][{pid}] START,-,h {pid}\n"));
    let runs = (1..=250_000).map(|job| {
        format!(
            "[2026-03-02 10:00:01][9] START,-,g {job}\n\
             [2026-03-02 10:00:01][9] command,ssh root@g {job}\n"
        )
    });
    let flood: String = processes.chain(runs).collect();
    let name = format!("20260302_remoteexe.{NOBODY}.log");
    let eve = give(&scene, &name, NOBODY, flood);
    let mut sh = Command::new("sh");
    scene.equip(&mut sh);
    // What a thread reserves of addresses, and does not use, is no data.
    let script = format!("ulimit -d 205000; exec {REMOTEEXE} --report --json $0 $1");
    let output = sh.args(["-c", &script]).args([&daily, &eve]).output().unwrap();
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let warning = stderr(&output);
    let (forgotten, rest) =
        warning.strip_prefix("remoteexe: left out: the ").and_then(|rest| rest.split_once(' ')).unwrap();
    assert_eq!(rest, "oldest runs without END; there are too many to keep\n");
    let shown = fields(&output, "uid pid status");
    assert!(shown.contains(&"0 7 \"lost\"".to_owned()));
    let forgotten: usize = forgotten.parse().unwrap();
    assert_eq!(forgotten + shown.len(), 500_001);
}

#[test]
fn a_file_of_another_user_that_comes_and_goes_is_no_failure() {
    let scene = Scene::new();
    give(&scene, "20260302_remoteexe.log", 0, OK);
    let is_over = AtomicBool::new(false);
    thread::scope(|threads| {
        threads.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                for uid in 1..100 {
                    let name = format!("20260302_remoteexe.{uid}.0123456789abcdef.log");
                    let path = scene.path("log").join(name);
                    fs::write(&path, "").unwrap();
                    chown(&path, Some(uid), None).unwrap();
                    fs::remove_file(&path).unwrap();
                }
            }
        });
        let codes: Vec<i32> = (0..300).map(|_| code(&report_here(&scene, &[]))).collect();
        is_over.store(true, Ordering::Relaxed);
        assert!(codes.iter().all(|&code| code == 0), "{codes:?}");
    });
}

/// The status of a run without END in root's log of this mode, while its process id is that of a process with
/// its operands that is called remoteexe and has been started by `setpriv OPTIONS`.
fn status_beside(options: &[&str], mode: &str) -> String {
    let scene = Scene::new();
    let path = scene.path("remoteexe");
    run_tool("chmod", &["755", &scene.path("").display().to_string()]);
    run_tool("cp", &["/bin/sleep", &path.display().to_string()]);
    let mut command = Command::new("setpriv");
    command.args(options).arg("--clear-groups");
    // sleep takes several times, and adds them.
    let process = Running::spawn(command.arg(&path).args(["1000", "2000"]));
    let pid = process.id().to_string();
    let comm = Path::new("/proc").join(&pid).join("comm");
    wait_until("exec", || fs::read(&comm).unwrap() == b"remoteexe\n");
    let log = LOST.replace("[7]", &format!("[{pid}]"));
    let log = log.replace("h s", "1000 2000");
    let daily = give(&scene, "20260302_remoteexe.log", 0, log);
    run_tool("chmod", &[mode, &daily.display().to_string()]);
    let status = runs(&scene, "status", &[]).concat();
    send(&process, Signal::KILL);
    status
}

#[test]
fn a_lost_run_does_not_run_because_another_user_has_its_process_id_and_words() {
    let user = format!("--reuid={ORDINARY_USER}");
    assert_eq!(status_beside(&["--reuid=0"], "644"), "\"running\"");
    assert_eq!(status_beside(&[&user], "644"), "\"lost\"");
    // As of a set-user-ID program under the name of remoteexe.
    let real = format!("--ruid={ORDINARY_USER}");
    assert_eq!(status_beside(&[&real], "644"), "\"lost\"");
    // The user may have written to it himself.
    assert_eq!(status_beside(&[&user], "666"), "\"running\"");
}
