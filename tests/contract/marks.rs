//! Output that looks like a record of remoteexe, and the mark that it has in the log.

use std::fs;
use std::process::Command;

use crate::support::{
    MARK, REMOTEEXE, Running, Scene, code, files, log_of_h_s, records, run, split_record,
};

/// The job `h s` that prints the lines of `output` with printf(1). Each that begins with `!` must have a mark, and is
/// printed without that.
fn assert_marked(output: &str) {
    let printed = output.replace('!', "").replace('\n', "\\n");
    let logged: String = output
        .split_inclusive('\n')
        .map(|line| match line.strip_prefix('!') {
            Some(line) => format!("{MARK}{line}"),
            None => line.to_owned(),
        })
        .collect();
    let run = run(format!("printf '%b' '{printed}'"));
    assert_eq!(run.records, log_of_h_s(&logged, 0));
}

#[test]
fn a_line_that_looks_like_a_record_stays_as_it_is_behind_a_mark() {
    assert_marked(
        "hello\n!END,0,h s\n!START,-,db01 /srv/nightly.sh\n!command,ssh root@db01 /srv/nightly.sh\n\
         disk full\n!END,1,db01 /srv/nightly.sh\n!wait,5 s\n!retry,1/8,255,wait 0.100 s\n",
    );
    assert_marked(
        "!remoteexe: ssh was killed: not connected after 20.000 s\n!remoteexe: a later version\n\
         !remoteexe: 7 lines lost, the log was full\n!remoteexe: the next line is output\n\
         !remoteexe: the next line is output\nEND\n",
    );
}

#[test]
fn a_line_that_only_resembles_a_record_has_no_mark() {
    assert_marked(
        "error: no such file\nusage: remoteexe target script [parameters]\n START,-,h s\n\
         [2026-11-23 15:09:02][913] START,-,x\nEND,256,h s\nwait,5\nremoteexe is here\n\n",
    );
}

#[test]
fn what_counts_is_the_line_as_it_is_logged() {
    // NUL bytes are dropped, and a carriage return is a part of the text.
    let body = "printf 'EN\\000D,0,h s\\n\\000remoteexe: x\\r\\nEND,0,h s\\r\\nwait,5 s\\r\\nEND,3,no newline'";
    let logged = format!(
        "{MARK}END,0,h s\n{MARK}remoteexe: x\r\n{MARK}END,0,h s\r\nwait,5 s\r\n{MARK}END,3,no newline\n"
    );
    assert_eq!(run(body).records, log_of_h_s(&logged, 0));
}

#[test]
fn each_piece_of_a_long_line_that_looks_like_a_record_has_a_mark() {
    let size = (1 << 20) - 128;
    let long = format!("head -c {size} /dev/zero | tr '\\000' x");
    let run = run(format!("printf START,-,; {long}; printf 'END,0,h s'"));
    let (first, second) = ("x".repeat(size - 8), "x".repeat(8));
    let expected = format!("{MARK}START,-,{first}\n{second}END,0,h s\n");
    assert!(run.records == log_of_h_s(&expected, 0));
    let run = crate::support::run(format!("{long}; printf 'END,0,h s'"));
    let expected = format!("{}\n{MARK}END,0,h s\n", "x".repeat(size));
    assert!(run.records == log_of_h_s(&expected, 0));
}

#[test]
fn what_is_shown_with_tee_has_no_marks() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh("echo 'END,0,h s'");
    let run = scene.run(command.args(["--tee", "always", "h", "s"]));
    assert_eq!(run.stdout, "END,0,h s\n");
    assert_eq!(run.records, log_of_h_s(&format!("{MARK}END,0,h s\n"), 0));
}

/// The lines of a log without its marks. Each that looks like END must have one directly before it.
fn without_marks(log: &str) -> String {
    let mut lines = log.split_inclusive('\n').peekable();
    let mut rest = String::new();
    while let Some(line) = lines.next() {
        let (pid, text) = split_record(line.as_bytes()).expect("a whole record");
        if text != MARK.as_bytes() {
            assert!(!text.starts_with(b"END,0,printed"), "no mark before {line}");
            rest.push_str(line);
            continue;
        }
        let next = lines.peek().and_then(|line| split_record(line.as_bytes()));
        // After a cut a mark may stand at the end of a file.
        if let Some((next_pid, _)) = next {
            assert_eq!(next_pid, pid, "the line of the mark follows");
            rest.push_str(lines.next().expect("a line"));
        }
    }
    rest
}

#[test]
fn of_many_jobs_at_once_no_record_comes_between_a_mark_and_its_line() {
    let scene = Scene::new();
    // With its marks, what one read brings is more than one append may have.
    let body = "seq -f 'END,0,printed %.0f' 40000";
    let jobs: Vec<Running> = (0..4).map(|_| scene.start(body)).collect();
    for mut job in jobs {
        assert_eq!(job.code(), Some(0));
    }
    let log = fs::read_to_string(scene.log_path()).unwrap();
    assert_eq!(without_marks(&log).lines().count(), 4 * 40_003);
}

#[test]
fn where_a_file_takes_no_more_a_mark_goes_on_with_its_line_in_the_next_place() {
    let body = "seq -f 'END,0,printed %.0f' 200; exit 7";
    let lines: Vec<String> = (1..=200)
        .map(|it| format!("END,0,printed {it}\n"))
        .collect();
    let lines = lines.concat();
    for size in (4000..4120).step_by(5) {
        let scene = Scene::new();
        let mut prlimit = Command::new("prlimit");
        scene.equip_with_ssh(&mut prlimit, body);
        let size = format!("--fsize={size}");
        let output = prlimit.args([&size, REMOTEEXE, "h", "s"]).output().unwrap();
        assert_eq!(code(&output), 7);
        let stderr = String::from_utf8(output.stderr).unwrap();
        let (_, rest) = stderr.split_once('\n').unwrap();
        let mut log = String::new();
        for file in files(&scene.path("log")).iter().rev() {
            let text = fs::read_to_string(file).unwrap();
            log.push_str(&without_marks(&text[..=text.rfind('\n').unwrap()]));
        }
        log.push_str(&without_marks(rest));
        assert_eq!(records(&log), log_of_h_s(&lines, 7), "{size}");
    }
}
