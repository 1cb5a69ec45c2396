//! `--report`: logs that were rotated or compressed, and the same file by two names.

use std::fs::{self, File, hard_link};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::report::{LOG, fields, printed, report, reporter};
use crate::support::{Scene, code, run_tool, stderr};

/// The log of one run of this process.
fn one(pid: u32) -> String {
    format!(
        "[2026-03-02 10:00:00][{pid}] START,-,h s\n\
         [2026-03-02 10:00:00][{pid}] command,ssh root@h s\n\
         [2026-03-02 10:00:01][{pid}] END,0,h s\n"
    )
}

/// A report of the scene's log directory since the day of [`one`].
fn report_here(scene: &Scene, args: &[&str]) -> Output {
    let mut command = reporter(scene);
    command.args(["--since", "2026-03-02"]).args(args);
    command.output().unwrap()
}

/// `bytes` as the program `tool` compresses them.
fn compressed(tool: &str, args: &[&str], bytes: &[u8]) -> Vec<u8> {
    let scene = Scene::new();
    fs::write(scene.path("x"), bytes).unwrap();
    let mut command = Command::new(tool);
    command.args(args).arg("-c").stdin(File::open(scene.path("x")).unwrap());
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

#[test]
fn rotated_logs_are_read_whatever_logrotate_has_named_them() {
    let scene = Scene::new();
    for (pid, name) in [
        (1, "20260302_remoteexe.log-20260303"),
        (2, "20260302_remoteexe-20260304.log"),
        (3, "20260302_remoteexe.log-20260305-1772668800"),
        (4, "20260302_remoteexe.log.2"),
        (5, "20260302_remoteexe.log.1"),
        (6, "20260302_remoteexe.log"),
        (7, "20260303_remoteexe.0.log.1"),
    ] {
        fs::write(scene.path("log").join(name), one(pid)).unwrap();
    }
    let output = report_here(&scene, &["--json"]);
    printed(&output);
    assert_eq!(fields(&output, "pid"), ["1", "2", "3", "4", "5", "6", "7"]);
}

#[test]
fn a_run_goes_on_in_the_log_that_followed_a_rotation() {
    let scene = Scene::new();
    let log = one(1).replace("10:00:01", "10:00:00");
    let lines: Vec<&str> = log.split_inclusive('\n').collect();
    // Nothing but the names tells their order.
    for (name, line) in ["log.2", "log.1", "log"].iter().zip(lines) {
        fs::write(scene.path(format!("log/20260302_remoteexe.{name}")), line).unwrap();
    }
    let output = report_here(&scene, &["--json"]);
    assert_eq!(printed(&output).lines().count(), 1);
    assert_eq!(fields(&output, "status ambiguous"), [r#""ok" false"#]);
}

#[test]
fn logs_that_gzip_xz_and_zstd_have_compressed_are_read() {
    let scene = Scene::new();
    let whole = printed(&report(LOG, &["--json"]));
    let (first, second) = LOG.split_at(LOG.find("[2026-03-02 18:05:46]").unwrap());
    for (tool, args, name) in [
        ("gzip", &[][..], "a.gz"),
        ("xz", &[], "a.xz"),
        ("xz", &["-9", "--check=sha256"], "a.xz"),
        ("zstd", &[], "a.zst"),
        ("zstd", &["-19", "--no-check"], "a.zst"),
        // The content decides, not the name.
        ("zstd", &[], "a.log"),
    ] {
        // As `cat` of two files.
        let pieces = [first, second].map(|piece| compressed(tool, args, piece.as_bytes()));
        fs::write(scene.path(name), pieces.concat()).unwrap();
        let mut command = reporter(&scene);
        let output = command.arg("--json").arg(scene.path(name)).output();
        assert_eq!(printed(&output.unwrap()), whole, "{tool} {args:?}");
    }
    for (pid, name, tool) in [
        (1, "20260302_remoteexe.log.2.zst", "zstd"),
        (2, "20260302_remoteexe.log.1.xz", "xz"),
        (3, "20260302_remoteexe.log-20260304.gz", "gzip"),
    ] {
        let bytes = compressed(tool, &[], one(pid).as_bytes());
        fs::write(scene.path("log").join(name), bytes).unwrap();
    }
    let output = report_here(&scene, &["--json"]);
    printed(&output);
    let mut pids = fields(&output, "pid");
    pids.sort();
    assert_eq!(pids, ["1", "2", "3"]);
}

#[test]
fn a_frame_of_zstd_that_holds_no_log_is_skipped() {
    let scene = Scene::new();
    let frame = b"\x50\x2a\x4d\x18\x04\x00\x00\x00skip";
    let bytes = compressed("zstd", &[], one(1).as_bytes());
    let bytes = [frame, bytes.as_slice(), frame].concat();
    fs::write(scene.path("a.zst"), bytes).unwrap();
    let mut command = reporter(&scene);
    let output = command.arg("--json").arg(scene.path("a.zst")).output();
    assert_eq!(printed(&output.unwrap()).lines().count(), 1);
}

#[test]
fn a_damaged_file_of_each_compression_is_read_as_far_as_it_goes_and_told() {
    let long: String = (1..2000).map(one).collect();
    for tool in ["gzip", "xz", "zstd"] {
        let whole = compressed(tool, &[], long.as_bytes());
        let mut checksum = whole.clone();
        let last = match tool {
            "gzip" => checksum.len() - 8,
            // Before the index and the footer of the stream.
            "xz" => checksum.len() - 40,
            _ => checksum.len() - 1,
        };
        checksum[last] ^= 1;
        let cut = &whole[..whole.len() / 2];
        for (what, bytes) in [("checksum", &checksum[..]), ("cut", cut), ("header", &whole[..7])] {
            let scene = Scene::new();
            let path = scene.path("a");
            fs::write(&path, bytes).unwrap();
            let output = reporter(&scene).arg("--json").arg(&path).output().unwrap();
            assert_eq!(code(&output), 74, "{tool} {what}");
            let warning = format!(
                "remoteexe: {}: the compressed data ends too early or is damaged; the runs up to there are shown, \
                 for the others get the file once more\n",
                path.display()
            );
            assert_eq!(stderr(&output), warning, "{tool} {what}");
        }
    }
}

#[test]
fn a_compression_that_is_not_read_is_named_with_its_remedy() {
    let scene = Scene::new();
    let path = scene.path("log/20260302_remoteexe.log.1.bz2");
    fs::write(&path, b"BZh91AY&SY").unwrap();
    fs::write(scene.path("log/20260302_remoteexe.log"), one(1)).unwrap();
    let output = report_here(&scene, &["--json"]);
    assert_eq!(
        stderr(&output),
        format!(
            "remoteexe: {}: compressed in a way that is not read here; first undo it: bzip2 -d\n",
            path.display()
        )
    );
    assert_eq!(code(&output), 74);
    assert_eq!(fields(&output, "pid"), ["1"]);
}

/// How many runs `--json FILES` prints.
fn count(scene: &Scene, files: &[&Path]) -> usize {
    let output = reporter(scene).arg("--json").args(files).output().unwrap();
    printed(&output).lines().count()
}

#[test]
fn the_same_file_counts_once_by_whatever_names_it_is_given() {
    let scene = Scene::new();
    let path = |name: &str| scene.path(name);
    fs::write(path("a.log"), one(1)).unwrap();
    symlink(path("a.log"), path("link.log")).unwrap();
    hard_link(path("a.log"), path("hard.log")).unwrap();
    fs::copy(path("a.log"), path("copy.log")).unwrap();
    let [a, link, hard] = ["a.log", "link.log", "hard.log"].map(path);
    assert_eq!(count(&scene, &[&a, &a]), 1);
    assert_eq!(count(&scene, &[&link, &a, &hard]), 1);
    assert_eq!(count(&scene, &[&a, &path("copy.log")]), 2);
    let mut command = reporter(&scene);
    command.args(["--json", "-"]).arg(&a);
    let output = command.stdin(File::open(&a).unwrap()).output().unwrap();
    assert_eq!(printed(&output).lines().count(), 1);
    // In the log directory, too.
    fs::write(path("log/20260302_remoteexe.log"), one(1)).unwrap();
    let live = path("log/20260302_remoteexe.log");
    hard_link(live, path("log/20260302_remoteexe.log.1")).unwrap();
    let view = printed(&report_here(&scene, &[]));
    assert!(view.contains("\nruns 1   ok 1 "), "{view}");
    assert!(view.contains("/log, 1 file, since 2026-03-02 00:00:00\n"), "{view}");
}

#[test]
fn a_log_of_another_owner_or_kind_is_refused_under_a_rotated_name_too() {
    let scene = Scene::new();
    fs::write(scene.path("log/20260302_remoteexe.log"), one(1)).unwrap();
    let fifo = scene.path("log/20260302_remoteexe.log.1");
    run_tool("mkfifo", &[&fifo.display().to_string()]);
    let output = report_here(&scene, &["--json"]);
    let message = format!("remoteexe: {}: not a regular file or a pipe\n", fifo.display());
    assert_eq!(stderr(&output), message);
    assert_eq!(fields(&output, "pid"), ["1"]);
}
