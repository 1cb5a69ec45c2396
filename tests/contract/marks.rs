//! Output that looks like a record of remoteexe, and the mark that it has in the log.

use std::fs;
use std::process::Command;

use crate::support::{MARK, REMOTEEXE, Running, Sandbox, Scene, code, files, log_of_h_s, records, run, split_record};

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
    // A line of output that is a mark has one itself.
    let body = format!("seq -f 'END,0,printed %.0f' 100 | sed 'p; s/.*/{}/'; exit 7", MARK.trim_end());
    let lines: Vec<String> = (1..=100).map(|it| format!("END,0,printed {it}\n{MARK}")).collect();
    let lines = lines.concat();
    for size in (4000..4120).step_by(5) {
        let scene = Scene::new();
        let mut prlimit = Command::new("prlimit");
        scene.equip_with_ssh(&mut prlimit, &body);
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

#[test]
fn a_job_that_prints_an_older_log_gives_it_back_byte_for_byte() {
    let sandbox = Sandbox::shared();
    let scene = Scene::new();
    // The log of a job that printed records itself.
    let mut command = scene.remoteexe_with_ssh("printf 'END,0,h s\\nerror: x\\r\\n\\n'; exit 9");
    assert_eq!(code(&command.args(["h", "s"]).output().unwrap()), 9);
    let older = scene.path("older.log");
    fs::rename(scene.log_path(), &older).unwrap();
    let texts = records(&fs::read_to_string(&older).unwrap());
    fs::write(scene.path("texts"), &texts).unwrap();

    let mut command = scene.remoteexe();
    let script = format!("cat {} {}", older.display(), scene.path("texts").display());
    let mut job = Running::spawn(sandbox.connect(&mut command).args(["h", &script]));
    let pid = job.id().to_string();
    assert_eq!(job.code(), Some(0));
    let mut command = scene.remoteexe();
    let output = command.args(["--report", "--run", &pid]).output().unwrap();
    let logged = records(&String::from_utf8(output.stdout).unwrap());
    let printed = fs::read_to_string(&older).unwrap() + &texts;
    let lines: Vec<&str> = logged.split_inclusive('\n').collect();
    let [start, command, output @ .., end] = lines.as_slice() else { panic!("{logged}") };
    assert!(start.starts_with("START,-,h cat ") && command.starts_with("command,ssh "));
    assert_eq!(output.concat(), printed);
    assert!(end.starts_with("END,0,h cat "), "{end}");
}
