//! `--report`: it reads the right inputs, refuses unsafe ones, and does nothing else.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::ioctl_fionread;

use crate::report::{LOG, fields, printed, report, reporter};
use crate::support::{
    ORDINARY_USER, REMOTEEXE, Running, Scene, code, files, needs_root, run_tool, stderr, today,
    wait_for, wait_until,
};

/// The log of one run of this process, that ends at the last second of today.
fn one(pid: u32) -> String {
    let today = today();
    let (month, day) = today[4..].split_at(2);
    from_to(pid, &format!("{}-{month}-{day} 23:59:59", &today[..4]), None)
}

/// The log of one run of this process.
fn from_to(pid: u32, start: &str, end: Option<&str>) -> String {
    let end = end.unwrap_or(start);
    format!(
        "[{start}][{pid}] START,-,h s\n\
         [{start}][{pid}] command,ssh root@h s\n\
         [{end}][{pid}] END,0,h s\n"
    )
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Whose runs `--json ARGS` prints.
fn pids(scene: &Scene, args: &[&str]) -> Vec<String> {
    let output = reporter(scene).arg("--json").args(args).output().unwrap();
    printed(&output);
    fields(&output, "pid")
}

/// Checks that a report warns of one file and shows the run of process 1 in another nevertheless.
fn assert_unread_beside_one(output: &Output, path: &Path, why: &str) {
    assert_warns_beside_one(output, path, why);
    assert_eq!(code(output), 74);
}

fn assert_warns_beside_one(output: &Output, path: &Path, why: &str) {
    assert_eq!(stderr(output), format!("remoteexe: {}: {why}\n", path.display()));
    assert_eq!(fields(output, "pid"), ["1"]);
}

const KIND: &str = "not a regular file or a pipe";

#[test]
fn without_a_file_what_was_going_on_today_is_read_from_the_logs_and_their_per_user_fallbacks() {
    let scene = Scene::new();
    fs::write(scene.daily(), one(1)).unwrap();
    fs::write(scene.per_user(), one(2)).unwrap();
    // Another day's file may have a run that was going on today.
    let of_its_day = from_to(3, "2026-03-02 10:00:00", None);
    fs::write(scene.path("log/20260302_remoteexe.log"), of_its_day + &one(4)).unwrap();
    for other in [
        format!("{}_remoteexe.log.bak", today()),
        format!("{}_remoteexe.x.log", today()),
        format!("{}_remoteexe", today()),
        format!("{}_other.log", today()),
        "_remoteexe.log".to_owned(),
    ] {
        fs::write(scene.path("log").join(other), one(3)).unwrap();
    }
    let output = reporter(&scene).env_remove("TZ").arg("--json").output();
    let output = output.unwrap();
    assert_eq!(fields(&output, "pid"), ["4", "1", "2"]);
    // One of those that are almost logs, and how many more there are.
    let left_out = stderr(&output);
    let begin = format!("remoteexe: left out: {}/", scene.path("log").display());
    assert!(left_out.starts_with(&begin), "{left_out}");
    let end = " and 1 more, not named as logs are; as a FILE it is read\n";
    assert!(left_out.ends_with(end), "{left_out}");
    assert_eq!(code(&output), 0);
}

#[test]
fn log_dir_says_where_the_logs_are() {
    let scene = Scene::new();
    fs::write(scene.daily(), one(1)).unwrap();
    let dir = scene.path("log").display().to_string();
    let mut command = reporter(&scene);
    command.env("REMOTEEXE_LOG_DIR", "/nonexistent").env_remove("TZ");
    let output = command.args(["--json", "--log-dir", &dir]).output();
    assert_eq!(fields(&output.unwrap(), "pid"), ["1"]);

    let output = reporter(&scene).args(["--log-dir", "/nonexistent"]).output();
    let output = output.unwrap();
    assert_eq!(code(&output), 74);
    assert_eq!(
        stderr(&output),
        "remoteexe: /nonexistent: No such file or directory (os error 2)\n"
    );
}

#[test]
fn without_options_the_logs_of_tmp_are_read() {
    let scene = Scene::new();
    fs::write(scene.daily(), one(1)).unwrap();
    let mut command = scene.remoteexe_in_private_tmp();
    let output = command.args(["--report", "--json"]).output().unwrap();
    printed(&output);
    assert_eq!(fields(&output, "pid"), ["1"]);
}

#[test]
fn with_a_period_the_files_that_can_have_records_of_it_are_chosen() {
    let scene = Scene::new();
    let dir = scene.path("log");
    // All records are of the same days: only the choice of files makes a difference.
    for (pid, name, modified) in [
        (1, "20260301_remoteexe.log", "2026-03-01 23:59:59"),
        // A run of that day went on for another day.
        (2, "20260302_remoteexe.log.gz", "2026-03-03 12:00:00"),
        (3, "20260303_remoteexe.log", "2026-03-03 23:00:00"),
        (4, "20260304_remoteexe.log", "2026-03-04 23:00:00"),
        (5, "20260303_other.log", "2026-03-03 23:00:00"),
    ] {
        let path = dir.join(name);
        let log = from_to(pid, "2026-03-01 00:00:00", Some("2026-03-09 00:00:00"));
        let is_compressed = path.extension().is_some_and(|extension| extension == "gz");
        let log = if is_compressed { gzip(log.as_bytes()) } else { log.into_bytes() };
        fs::write(&path, log).unwrap();
        let modified = format!("--date={modified} UTC");
        run_tool("touch", &[&modified, &path.display().to_string()]);
    }
    let period = |args: &[&str]| pids(&scene, args).concat();
    assert_eq!(period(&["--since", "2026-03-03"]), "234");
    // What went on in the period may have been silent since the day before.
    assert_eq!(period(&["--since", "2026-03-03 23:59"]), "234");
    assert_eq!(period(&["--since", "2026-03-04"]), "234");
    assert_eq!(period(&["--since", "2026-03-05"]), "4");
    assert_eq!(period(&["--until", "2026-03-02 23:59"]), "12");
    assert_eq!(period(&["--until", "2026-03-02"]), "123");
    assert_eq!(period(&["--since", "2026-03-02", "--until", "2026-03-03 01:00"]), "123");
    assert_eq!(period(&["--since", "2026-03-06"]), "");
}

#[test]
fn files_may_be_compressed_in_several_pieces_and_standard_input() {
    let (first, second) = LOG.split_at(LOG.find("[2026-03-02 18:05:46]").unwrap());
    let whole = printed(&report(LOG, &["--json"]));
    let scene = Scene::new();
    let pieces = [gzip(first.as_bytes()), gzip(second.as_bytes())];
    fs::write(scene.path("pieces"), pieces.concat()).unwrap();
    fs::write(scene.path("first"), first).unwrap();
    fs::write(scene.path("second.gz"), &pieces[1]).unwrap();
    for (files, stdin) in [
        (&["pieces"][..], "first"),
        (&["first", "second.gz"], "first"),
        (&["second.gz", "first"], "first"),
        (&["-", "second.gz"], "first"),
        (&["first", "-"], "second.gz"),
        (&["-"], "pieces"),
    ] {
        let mut command = reporter(&scene);
        command.arg("--json").current_dir(scene.path(""));
        command.args(files);
        command.stdin(File::open(scene.path(stdin)).unwrap());
        assert_eq!(printed(&command.output().unwrap()), whole, "{files:?}");
    }
}

#[test]
fn a_compressed_log_is_not_read_beside_the_plain_one() {
    let scene = Scene::new();
    let path = scene.path("log/20260302_remoteexe.log");
    fs::write(&path, one(1)).unwrap();
    fs::write(path.with_extension("log.gz"), gzip(one(1).as_bytes())).unwrap();
    assert_eq!(pids(&scene, &["--since", "2026-03-02"]), ["1"]);
    fs::remove_file(path).unwrap();
    assert_eq!(pids(&scene, &["--since", "2026-03-02"]), ["1"]);
}

#[test]
fn a_pipe_is_read_to_its_end_however_slowly_it_comes() {
    let scene = Scene::new();
    let mut command = reporter(&scene);
    command.args(["--json", "-"]);
    let mut child = Running::spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
    let mut stdin = child.stdin.take().unwrap();
    for byte in one(1).bytes() {
        stdin.write_all(&[byte]).unwrap();
    }
    drop(stdin);
    assert_shows_one_run(child);
}

fn assert_shows_one_run(mut child: Running) {
    let mut documents = String::new();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_to_string(&mut documents).unwrap();
    assert_eq!(documents.lines().count(), 1);
    assert_eq!(child.code(), Some(0));
}

#[test]
fn a_named_fifo_is_read_from_its_first_writer_on_until_that_has_gone() {
    let scene = Scene::new();
    let fifo = scene.path("fifo");
    run_tool("mkfifo", &[&fifo.display().to_string()]);
    let mut command = reporter(&scene);
    command.arg("--json").arg(&fifo).stdout(Stdio::piped());
    let child = Running::spawn(&mut command);
    // This fails as long as there is no reader.
    let writer =
        wait_for("a reader", || open(&fifo, OFlags::WRONLY | OFlags::NONBLOCK, Mode::empty()).ok());
    let mut writer = File::from(writer);
    let log = one(1);
    let (first, second) = log.split_at(100);
    writer.write_all(first.as_bytes()).unwrap();
    wait_until("an empty pipe", || ioctl_fionread(&writer).unwrap() == 0);
    writer.write_all(second.as_bytes()).unwrap();
    drop(writer);
    assert_shows_one_run(child);
}

#[test]
fn an_input_that_is_neither_a_file_nor_a_pipe_is_not_opened_and_the_others_are_read() {
    let scene = Scene::new();
    fs::write(scene.path("a.log"), one(1)).unwrap();
    let _socket = UnixListener::bind(scene.path("socket")).unwrap();
    symlink("/dev/zero", scene.path("link")).unwrap();
    // To open a socket fails, and so it shows that this is not tried.
    for name in ["/dev/zero", "/dev/null", "/dev/tty", "socket", "link", "."] {
        let path = scene.path(name);
        let mut command = reporter(&scene);
        command.arg("--json").arg(&path).arg(scene.path("a.log"));
        assert_unread_beside_one(&command.output().unwrap(), &path, KIND);
    }
}

#[test]
fn a_device_without_a_driver_is_not_opened() {
    needs_root();
    let scene = Scene::new();
    let path = scene.path("device");
    run_tool("mknod", &[&path.display().to_string(), "c", "240", "255"]);
    let output = reporter(&scene).arg(&path).output().unwrap();
    assert_eq!(stderr(&output), format!("remoteexe: {}: {KIND}\n", path.display()));
    assert_eq!(code(&output), 74);
}

#[test]
fn standard_input_that_is_a_terminal_or_a_device_is_refused() {
    let scene = Scene::new();
    let output = reporter(&scene).arg("-").output().unwrap();
    assert_eq!(code(&output), 74);
    assert_eq!(stderr(&output), format!("remoteexe: standard input: {KIND}\n"));

    let mut script = Command::new("script");
    scene.equip(&mut script);
    let command = format!("{REMOTEEXE} --report -");
    let output = script.args(["-qec", &command, "/dev/null"]).output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout.clone()).unwrap(),
        format!("no runs\r\nstandard input, 0 files\r\nremoteexe: standard input: {KIND}\r\n")
    );
    assert_eq!(code(&output), 74);
}

#[test]
fn a_missing_file_is_said_to_be_missing() {
    let scene = Scene::new();
    fs::write(scene.path("a.log"), one(1)).unwrap();
    let path = scene.path("missing");
    let mut command = reporter(&scene);
    command.arg("--json").arg(&path).arg(scene.path("a.log"));
    let why = "No such file or directory (os error 2)";
    assert_unread_beside_one(&command.output().unwrap(), &path, why);
}

#[test]
fn a_fifo_in_the_log_directory_is_not_waited_for() {
    let scene = Scene::new();
    run_tool("mkfifo", &[&scene.per_user().display().to_string()]);
    assert_refused_here(&scene, KIND);
}

#[test]
fn a_symbolic_link_in_the_log_directory_is_not_followed() {
    let scene = Scene::new();
    fs::write(scene.path("secret"), one(2)).unwrap();
    symlink(scene.path("secret"), scene.per_user()).unwrap();
    assert_refused_here(&scene, KIND);
    // A link that the command line names is its caller's own choice.
    assert_eq!(pids(&scene, &[&scene.per_user().display().to_string()]), ["2"]);
}

#[test]
fn a_directory_in_the_log_directory_is_not_read() {
    let scene = Scene::new();
    fs::create_dir(scene.per_user()).unwrap();
    assert_refused_here(&scene, KIND);
}

/// Checks that a report warns of the user's log of today in the log directory, and that this is no
/// failure: anybody may have put it there.
fn assert_refused_here(scene: &Scene, why: &str) {
    // The names are of today in local time.
    fs::write(scene.daily(), one(1)).unwrap();
    let output = reporter(scene).env_remove("TZ").arg("--json").output();
    let output = output.unwrap();
    assert_warns_beside_one(&output, &scene.per_user(), why);
    assert_eq!(code(&output), 0);
}

#[test]
fn a_per_user_log_that_belongs_to_somebody_else_is_not_believed() {
    let scene = Scene::new();
    let uid = rustix::process::geteuid().as_raw();
    let path = scene.path(format!("log/{}_remoteexe.{}.log", today(), uid + 1));
    fs::write(&path, one(2)).unwrap();
    fs::write(scene.daily(), one(1)).unwrap();
    let output = reporter(&scene).env_remove("TZ").arg("--json").output();
    let why = format!("owned by uid {uid}, not by the uid in its name");
    let output = output.unwrap();
    assert_warns_beside_one(&output, &path, &why);
    assert_eq!(code(&output), 0);
    assert_eq!(pids(&scene, &[&path.display().to_string()]), ["2"]);
}

#[test]
fn a_file_that_may_not_be_read_is_told() {
    let scene = Scene::new();
    fs::write(scene.daily(), one(1)).unwrap();
    let mut command = scene.ordinary_user_with_ssh("");
    fs::write(scene.per_user(), one(2)).unwrap();
    run_tool("chmod", &["000", &scene.per_user().display().to_string()]);
    let output = command.args(["--report", "--json"]).output().unwrap();
    let why = "Permission denied (os error 13)";
    assert_unread_beside_one(&output, &scene.per_user(), why);
}

#[test]
fn a_corrupt_file_is_reported_as_far_as_it_can_be_decompressed() {
    let long: String = (1..2000).map(one).collect();
    let compressed = gzip(long.as_bytes());
    let mut flipped = compressed.clone();
    let middle = flipped.len() / 2;
    flipped[middle..middle + 20].fill(0);
    let mut checksum = compressed.clone();
    let last = checksum.len() - 8;
    checksum[last] ^= 1;
    for (what, bytes) in [
        ("cut short", &compressed[..middle]),
        ("cut short in its header", &compressed[..5]),
        ("overwritten", &flipped),
        ("of another checksum", &checksum),
        ("of two bytes", b"\x1f\x8b"),
        ("no gzip but for its name", b"\x1f\x8bnot gzip at all"),
    ] {
        let scene = Scene::new();
        let path = scene.path("a.gz");
        fs::write(&path, bytes).unwrap();
        fs::write(scene.path("b.log"), one(1_000_000)).unwrap();
        let mut command = reporter(&scene);
        command.arg("--json").arg(&path).arg(scene.path("b.log"));
        let output = command.output().unwrap();
        assert_eq!(code(&output), 74, "{what}");
        // Why is the decompressor's to say.
        let warning = format!("remoteexe: {}: ", path.display());
        assert!(stderr(&output).starts_with(&warning), "{what}");
        assert_eq!(stderr(&output).lines().count(), 1, "{what}");
        let runs = fields(&output, "pid status");
        assert!(runs.contains(&"1000000 \"ok\"".to_owned()), "{what}");
        let is_begun = bytes.len() > 1000;
        assert_eq!(runs.contains(&"1 \"ok\"".to_owned()), is_begun, "{what}");
    }
}

/// The paths and contents of the files in `dir`.
fn contents(dir: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let with_content = |path: std::path::PathBuf| {
        let content = fs::read(&path).unwrap();
        (path, content)
    };
    files(dir).into_iter().map(with_content).collect()
}

#[test]
fn a_report_runs_nothing_and_writes_nothing() {
    let scene = Scene::new();
    fs::write(scene.daily(), LOG).unwrap();
    fs::create_dir(scene.path("empty")).unwrap();
    let before = contents(&scene.path("log"));
    for args in [
        &[][..],
        &["--json"],
        &["--tsv"],
        &["--run", "913"],
        &["--help"],
        &["--frob"],
        &["--since", "1d"],
    ] {
        let mut command = scene.remoteexe_with_ssh("touch $DIR/ssh-was-run");
        command.env("REMOTEEXE_RETRIES", "3").current_dir(scene.path("empty"));
        command.arg("--report").args(args).output().unwrap();
    }
    assert_eq!(contents(&scene.path("log")), before);
    assert!(files(&scene.path("empty")).is_empty());
    assert!(!scene.path("ssh-was-run").exists());
}

#[test]
fn a_report_needs_nothing_to_write_to() {
    // In a log directory that may only be read, with nowhere to report errors to.
    let scene = Scene::new();
    let mut command = scene.ordinary_user_with_ssh("");
    fs::write(scene.daily(), one(1)).unwrap();
    let path = scene.path("log").display().to_string();
    if rustix::process::geteuid().is_root() {
        run_tool("chown", &["-R", "root", &path]);
    }
    run_tool("chmod", &["555", &path]);
    let output = command.args(["--report", "--json"]).output().unwrap();
    run_tool("chmod", &["755", &path]);
    printed(&output);
    assert_eq!(fields(&output, "pid"), ["1"], "as {ORDINARY_USER}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let scene = Scene::new();
    let log: String = (1..20_000).map(|pid| from_to(pid, "2026-03-02 10:00:00", None)).collect();
    fs::write(scene.path("a.log"), log).unwrap();
    for form in ["--json", "--tsv", "--failed"] {
        let mut command = reporter(&scene);
        command.arg(form).arg(scene.path("a.log"));
        let mut child = Running::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        drop(child.stdout.take());
        let mut warnings = String::new();
        let mut stderr = child.stderr.take().unwrap();
        stderr.read_to_string(&mut warnings).unwrap();
        assert_eq!(warnings, "");
        assert_eq!(child.code(), Some(0), "{form}");
    }
}

#[test]
fn a_year_of_logs_needs_few_descriptors() {
    let scene = Scene::new();
    for month in 1..=12 {
        for day in 1..=28 {
            let log = from_to(1, &format!("2024-{month:02}-{day:02} 10:00:00"), None);
            let name = format!("log/2024{month:02}{day:02}_remoteexe.log");
            fs::write(scene.path(name), log).unwrap();
        }
    }
    let mut sh = Command::new("sh");
    scene.equip(&mut sh);
    let command = format!("ulimit -n 32; exec {REMOTEEXE} --report --since 2024-01-01");
    let output = sh.args(["-c", &command]).output().unwrap();
    assert_eq!(stderr(&output), "");
    assert!(printed(&output).contains("\nruns 336   ok 336 "));
}

#[test]
fn a_long_read_shows_on_a_terminal_how_far_it_is_and_only_there() {
    let scene = Scene::new();
    // 64 MiB is long.
    for (size, is_long) in [(65 << 20, true), (63 << 20, false)] {
        let log = scene.path("a.log");
        fs::write(&log, vec![b'\n'; size]).unwrap();
        let mut script = Command::new("script");
        scene.equip(&mut script);
        script.env("TERM", "xterm");
        let command = format!("{REMOTEEXE} --report {} >/dev/null", log.display());
        script.args(["-qec", &command, "/dev/null"]);
        let shown = script.output().unwrap().stdout;
        let shown = String::from_utf8_lossy(&shown);
        let of_all = "MiB/65.00 MiB ";
        assert_eq!(shown.contains(of_all), is_long, "{shown}");
        let output = reporter(&scene).arg(&log).output().unwrap();
        assert_eq!(stderr(&output), "");
    }
}
