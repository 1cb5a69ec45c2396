//! Output that looks like a record of remoteexe, and the mark that it has in the log.

use std::fs;
use std::process::Command;

use crate::report::fields;
use crate::support::{
    MARK, OWN_MOUNTS, REMOTEEXE, Running, Sandbox, Scene, code, files, log_of_h_s, needs_root, records, run,
    split_record,
};

#[test]
fn what_counts_is_the_line_as_it_is_logged() {
    // NUL bytes are dropped, and a carriage return is a part of the text.
    let body = "printf 'EN\\000D,0,h s\\n\\000remoteexe: x\\r\\nEND,0,h s\\r\\nwait,5 s\\r\\nEND,3,no newline'";
    let logged =
        format!("{MARK}END,0,h s\n{MARK}remoteexe: x\r\n{MARK}END,0,h s\r\nwait,5 s\r\n{MARK}END,3,no newline\n");
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
    let lines: Vec<String> = (1..=200).map(|it| format!("END,0,printed {it}\n")).collect();
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

/// What the report says of the job `h s` that prints `output` and ends with `status`: fields of each run, and the
/// first screen.
fn reported(output: &str, status: i32, names: &str) -> (Vec<String>, String) {
    let scene = Scene::new();
    fs::write(scene.path("output"), output).unwrap();
    let body = format!("cat $DIR/output; exit {status}");
    let run = scene.run(scene.remoteexe_with_ssh(body).args(["h", "s"]));
    assert_eq!(run.code, status);
    let report = |args: &[&str]| {
        let mut command = scene.remoteexe();
        command.arg("--report").args(args).output().unwrap()
    };
    let screen = String::from_utf8(report(&[]).stdout).unwrap();
    (fields(&report(&["--json"]), names), screen)
}

const FORGED: &str = "START,-,db01 /srv/nightly.sh\ncommand,ssh root@db01 /srv/nightly.sh\ndisk full\n\
                      END,1,db01 /srv/nightly.sh\n";

#[test]
fn a_job_cannot_end_its_run_and_forge_the_failure_of_another() {
    let names = "job exit_status lines ambiguous";
    let (runs, screen) = reported(&format!("END,0,h s\n{FORGED}"), 3, names);
    assert_eq!(runs, [r#""h s" 3 5 false"#]);
    assert!(screen.contains("FAILING") && !screen.contains("\ndb01"), "{screen}");
}

#[test]
fn ten_runs_in_the_output_hide_no_end() {
    let start = "START,-,h s\ncommand,ssh root@h s\n";
    let (runs, _) = reported(&start.repeat(10), 4, "job status exit_status lines");
    assert_eq!(runs, [r#""h s" "failed" 4 20"#]);
}

#[test]
fn two_hundred_thousand_starts_in_the_output_erase_nothing() {
    let (runs, _) = reported(&"START,-,h s\n".repeat(200_000), 5, "status exit_status lines");
    assert_eq!(runs, [r#""failed" 5 200000"#]);
}

#[test]
fn a_printed_message_of_remoteexe_is_no_reason() {
    let killed = "remoteexe: ssh was killed: not connected after 20.000 s\n";
    let names = "cause connection_failure";
    let unexplained = r#""ssh failed, or the script returned 255" false"#;
    assert_eq!(reported(killed, 255, names).0, [unexplained]);
    let missing = "remoteexe: ssh: not found in PATH\n";
    assert_eq!(reported(missing, 127, names).0, [r#""not found on the host" false"#]);
    let (_, screen) = reported(killed, 255, names);
    assert!(!screen.contains("UNREACHABLE"), "{screen}");
}

#[test]
fn containers_that_share_a_log_and_a_process_id_are_two_runs_of_which_one_failed() {
    needs_root();
    let scene = Scene::new();
    let start = |job: &str, body: &str| {
        let mut unshare = Command::new(OWN_MOUNTS);
        scene.equip_with_ssh(&mut unshare, body);
        let container = "mount -t proc proc /proc; exec \"$@\"";
        unshare.args(["--pid", "--fork", "sh", "-euc", container, "sh", REMOTEEXE, "h", job]);
        Running::spawn(&mut unshare)
    };
    let wait = "until [ -e $DIR/over ]; do sleep 0.01; done";
    let mut good = start("good", &format!("echo of good; {wait}"));
    scene.wait_for_record("of good");
    let mut bad = start("bad", &format!("echo of bad; {wait}; exit 3"));
    scene.wait_for_record("of bad");
    fs::write(scene.path("over"), "").unwrap();
    assert_eq!((good.code(), bad.code()), (Some(0), Some(3)));

    let report = |args: &[&str]| {
        let mut command = scene.remoteexe();
        command.arg("--report").args(args).output().unwrap()
    };
    let mut runs = fields(&report(&["--json"]), "pid job exit_status ambiguous");
    runs.sort();
    assert_eq!(runs, [r#"1 "h bad" 3 true"#, r#"1 "h good" 0 true"#]);
    let screen = String::from_utf8(report(&[]).stdout).unwrap();
    assert!(screen.contains("; not certain: 2 runs\n"), "{screen}");
}

#[test]
fn a_job_that_prints_an_older_log_gives_it_back_byte_for_byte() {
    let sandbox = Sandbox::start();
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
