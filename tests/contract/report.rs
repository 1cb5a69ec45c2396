//! `--report`: its forms, and its exit status.

use std::fs::{self, File};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{REMOTEEXE, Scene, assert_bytes, code, stderr};

/// A log of the bash original: the output is logged at the end, a run without output has a blank record,
/// and many runs have one process id. At the end two runs overlap, and one has no END.
pub const LOG: &str = "\
[2026-03-02 13:21:01][913] START,-,web01 /opt/jobs/rotate.sh
[2026-03-02 13:21:01][913] command,ssh -i /etc/key root@web01 /opt/jobs/rotate.sh
[2026-03-02 13:21:58][913] \n\
[2026-03-02 13:21:58][913] END,0,web01 /opt/jobs/rotate.sh
[2026-03-02 15:09:02][913] START,-,db01 /opt/jobs/dump.sh daily
[2026-03-02 15:09:02][913] command,ssh -i /etc/key root@db01 /opt/jobs/dump.sh daily
[2026-03-02 15:09:05][913] Warning: Permanently added 'db01,192.0.2.7' (RSA) to the list of known hosts.
[2026-03-02 15:09:05][913] dump(daily)
[2026-03-02 15:09:05][913] END,0,db01 /opt/jobs/dump.sh daily
[2026-03-02 18:05:46][913] START,-,db01
[2026-03-02 18:05:46][913] usage: remoteexe target script [parameters]
[2026-03-02 18:05:46][913] e.g.) remoteexe host_sum_batch01 /path/to/starting_sh/sum.sh
[2026-03-02 18:05:46][913] e.g.) remoteexe host_user_batch02 \"/path/to/starting_sh/user_log.sh action\"
[2026-03-02 18:05:46][913] END,10,db01
[2026-03-02 20:53:01][913] START,-,db01 /opt/jobs/dump.sh daily
[2026-03-02 20:53:01][913] command,ssh -i /etc/key root@db01 /opt/jobs/dump.sh daily
[2026-03-02 20:53:02][913] ssh_exchange_identification: Connection closed by remote host
[2026-03-02 20:53:02][913] END,255,db01 /opt/jobs/dump.sh daily
[2026-03-02 21:00:00][914] START,-,web01 /opt/jobs/rotate.sh
[2026-03-02 21:00:00][914] command,ssh -i /etc/key root@web01 /opt/jobs/rotate.sh
[2026-03-02 21:00:01][915] START,-,web01 /opt/jobs/rotate.sh
[2026-03-02 21:00:01][915] command,ssh -i /etc/key root@web01 /opt/jobs/rotate.sh
[2026-03-02 21:00:03][915] one
[2026-03-02 21:00:03][915] two
[2026-03-02 21:00:03][915] three
[2026-03-02 21:00:03][915] four
[2026-03-02 21:00:04][914] END,0,web01 /opt/jobs/rotate.sh
[2026-03-02 21:00:05][915] END,3,web01 /opt/jobs/rotate.sh
[2026-03-02 21:01:00][4194305] START,-,web01 /opt/jobs/rotate.sh
[2026-03-02 21:01:00][4194305] command,ssh -i /etc/key root@web01 /opt/jobs/rotate.sh
";

/// remoteexe with `--report`, in UTC and without a terminal. It is ended after a minute of the processor's time, which
/// does not pass faster on a busy machine.
pub fn reporter(scene: &Scene) -> Command {
    let mut command = Command::new("/usr/bin/prlimit");
    scene.equip(&mut command);
    command.env("TZ", "UTC");
    command.args(["--cpu=60", REMOTEEXE, "--report"]);
    command
}

/// `remoteexe --report ARGS` of this log.
pub fn report(log: impl AsRef<[u8]>, args: &[&str]) -> Output {
    let scene = Scene::new();
    fs::write(scene.path("a.log"), log).unwrap();
    let mut command = reporter(&scene);
    // The report says what it has read.
    command.args(args).arg("a.log").current_dir(scene.path(""));
    command.output().unwrap()
}

/// The standard output of a report without errors.
pub fn printed(output: &Output) -> String {
    assert_eq!(stderr(output), "");
    assert!([0, 1].contains(&code(output)), "{}", code(output));
    String::from_utf8(output.stdout.clone()).expect("printable text")
}

/// These fields of each document of `--json`, as JSON.
pub fn fields(output: &Output, names: &str) -> Vec<String> {
    let documents = str::from_utf8(&output.stdout).expect("JSON").lines();
    documents
        .map(|document| {
            let document: Value = serde_json::from_str(document).expect("JSON");
            let field = |name: &str| {
                let field = document.get(name);
                let field = field.unwrap_or_else(|| panic!("{name} in {document}"));
                field.to_string()
            };
            let fields: Vec<String> = names.split(' ').map(field).collect();
            fields.join(" ")
        })
        .collect()
}

/// Compares these fields of the runs in a log, as `--json` has them.
pub fn assert_runs(log: impl AsRef<[u8]>, names: &str, expected: &[&str]) {
    let output = report(log, &["--json"]);
    printed(&output);
    assert_eq!(fields(&output, names), expected);
}

/// `remoteexe --report ARGS` of `log` on a terminal of so many columns.
pub fn on_a_terminal(columns: u16, no_color: &str, log: impl AsRef<[u8]>, args: &str) -> String {
    let scene = Scene::new();
    fs::write(scene.path("a.log"), log).unwrap();
    let mut script = Command::new("script");
    scene.equip(&mut script);
    let command = format!("stty cols {columns}; cd $DIR; exec {REMOTEEXE} --report {args} a.log");
    script.env("TZ", "UTC").env("NO_COLOR", no_color);
    script.env("TERM", "xterm").env("PAGER", "");
    script.args(["-qec", &command, "/dev/null"]);
    let output = script.output().unwrap();
    assert_eq!(stderr(&output), "");
    // The terminal driver makes CR LF of each LF.
    String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
}

#[test]
fn a_usage_error_shows_the_reason_that_is_logged_and_not_the_usage_lines() {
    let log = "\
[2026-03-02 10:00:00][1] START,-,a@b /x
[2026-03-02 10:00:00][1] error: invalid value 'a@b' for <HOST>: it contains '@'; tip: give the user with --login
[2026-03-02 10:00:00][1] usage: remoteexe target script [parameters]
[2026-03-02 10:00:00][1] e.g.) remoteexe host_sum_batch01 /path/to/starting_sh/sum.sh
[2026-03-02 10:00:00][1] e.g.) remoteexe host_user_batch02 \"/path/to/starting_sh/user_log.sh action\"
[2026-03-02 10:00:00][1] END,10,a@b /x
";
    let view = printed(&report(log, &[]));
    let shown = "
FAILING      since 10:00  a@b /x  1 run, no good run before, run 1@10:00:00
                          exit 10: usage error: invalid value 'a@b' for <HOST>:
                          it contains '@'; tip: give the user with --login
";
    assert!(view.contains(shown), "{view}");
    assert!(!view.contains("usage: "), "{view}");
    let cause = "usage error: invalid value 'a@b' for <HOST>: it contains '@'; tip: give the user with --login";
    let documents = report(log, &["--json"]);
    assert_eq!(fields(&documents, "cause"), [format!("{cause:?}")]);
    // The tail is as the log has it.
    let tail = r#"["error: invalid value 'a@b' for <HOST>: it contains '@'; tip: give the user with --login","usage: remoteexe target script [parameters]","#;
    assert!(fields(&documents, "tail").concat().starts_with(tail));
}

#[test]
fn a_usage_error_that_the_bash_original_logged_has_no_reason() {
    let log = "\
[2026-03-02 10:00:00][1] START,-,db01
[2026-03-02 10:00:00][1] usage: remoteexe target script [parameters]
[2026-03-02 10:00:00][1] e.g.) remoteexe host_sum_batch01 /path/to/starting_sh/sum.sh
[2026-03-02 10:00:00][1] e.g.) remoteexe host_user_batch02 '/path/to/starting_sh/user_log.sh action'
[2026-03-02 10:00:00][1] END,10,db01
";
    let view = printed(&report(log, &[]));
    assert!(view.contains("                          exit 10: usage error\n"), "{view}");
    assert_runs(log, "cause", &["\"usage error: nothing was run\""]);
}

#[test]
fn a_usage_error_without_a_word_is_on_no_host() {
    let log = "\
[2026-03-02 10:00:00][1] START,-,
[2026-03-02 10:00:00][1] usage: remoteexe target script [parameters]
[2026-03-02 10:00:00][1] END,10,
";
    let view = printed(&report(log, &[]));
    assert!(view.contains("   usage errors 1   "), "{view}");
    assert!(view.contains("   1 job, 0 hosts\n"), "{view}");
    assert!(view.contains("  (no operands)\n"), "{view}");
}

/// A run that ends after so many seconds.
pub fn run(pid: u32, start: &str, end: &str, job: &str, output: &str, status: u8) -> String {
    let begin = format!("[2026-03-02 {start}][{pid}]");
    let finish = format!("[2026-03-02 {end}][{pid}]");
    let output: Vec<String> = output.lines().map(|line| format!("{finish} {line}\n")).collect();
    let output = output.concat();
    format!(
        "{begin} START,-,{job}\n{begin} command,ssh root@{job}\n{output}{finish} END,{status},{job}\n"
    )
}

/// The log of runs that went on at the same time.
pub fn interleaved(runs: &[String]) -> String {
    let mut lines: Vec<&str> = runs.iter().flat_map(|run| run.split_inclusive('\n')).collect();
    lines.sort_by_key(|line| &line[..21]);
    lines.concat()
}

/// What a cloud image runs in place of the script.
const NO_LOGIN: &str = "Please login as the user \"admin\" rather than the user \"root\".";

#[test]
fn a_124_behind_timeout_says_after_how_long_and_what_it_was_doing() {
    for (script, seconds) in
        [("timeout 300 /x", 300), ("timeout -k 10 5m /x", 300), ("/bin/timeout 7 /x", 7)]
    {
        let output = "step 1\nstep 2: copying";
        let log = run(1, "10:00:00", "10:05:00", &format!("h {script}"), output, 124);
        let cause = format!(r#""timed out after {seconds} s" "step 2: copying""#);
        assert_eq!(fields(&report(log, &["--json"]), "cause reason"), [cause]);
    }
    let log = run(1, "10:00:00", "10:05:00", "h /x --on timeout 300", "x", 124);
    assert_eq!(fields(&report(log, &["--json"]), "cause"), [r#""the script failed""#]);
}

#[test]
fn the_cause_of_a_failure_is_told_in_words() {
    let refused = "ssh: connect to host h port 22: Connection refused";
    let lost = "client_loop: send disconnect: Broken pipe";
    for (status, output, cause, is_connection_failure) in [
        (0, refused, "ok", false),
        (1, "x", "the script failed", false),
        (10, "x", "the script failed", false),
        (126, "x", "not executable on the host", false),
        (126, "remoteexe: ssh cannot be run: x", "ssh could not be run", false),
        (127, "x", "not found on the host", false),
        (127, "remoteexe: ssh: not found in PATH; x", "there is no ssh", false),
        (137, "x", "ended by signal KILL", false),
        (143, "x", "ended by signal TERM", false),
        (255, "x", "ssh failed, or the script returned 255", false),
        (255, refused, "connection refused", true),
        (255, lost, "connection lost while the job ran", false),
        (255, "Host key verification failed.", "host key not accepted", true),
        // sshpass takes the terminal away when ssh asks for the password again.
        (129, "Permission denied, please try again.\r", "authentication failed", true),
        (129, "root@h: Permission denied (publickey,password).\r", "authentication failed", true),
        (129, "x", "ended by signal HUP", false),
        // As cloud images do it.
        (142, NO_LOGIN, "login refused by the server", true),
        (0, NO_LOGIN, "login refused by the server", true),
    ] {
        let log = run(1, "10:00:00", "10:00:01", "h /x", output, status);
        let found = report(log, &["--json"]);
        let expected = format!("{cause:?} {is_connection_failure}");
        assert_eq!(fields(&found, "cause connection_failure"), [expected]);
    }
}

#[test]
fn only_what_ssh_says_last_makes_a_255_a_connection_failure() {
    let refused = "ssh: connect to host h port 22: Connection refused";
    for (lines, is_connection_failure) in [("1\n2\n3\n4", true), ("1\n2\n3\n4\n5", false)] {
        let output = format!("{refused}\n{lines}");
        let log = run(1, "10:00:00", "10:00:01", "h /x", &output, 255);
        assert_runs(log, "connection_failure", &[&is_connection_failure.to_string()]);
    }
}

#[test]
fn an_overlap_is_the_same_job_started_while_its_previous_run_was_going_on() {
    let log = "\
[2026-03-02 10:00:00][1] START,-,h /x
[2026-03-02 10:00:00][1] command,ssh root@h /x
[2026-03-02 10:00:00][2] START,-,h /y
[2026-03-02 10:00:00][2] command,ssh root@h /y
[2026-03-02 10:01:00][3] START,-,h /x
[2026-03-02 10:01:00][3] command,ssh root@h /x
[2026-03-02 10:02:00][1] END,0,h /x
[2026-03-02 10:02:00][3] END,0,h /x
[2026-03-02 10:02:00][4] START,-,h /x
[2026-03-02 10:02:00][4] command,ssh root@h /x
[2026-03-02 10:03:00][4] END,0,h /x
[2026-03-02 10:03:00][2] END,0,h /y
";
    assert_runs(log, "pid overlapped", &["1 true", "3 false", "4 false", "2 false"]);
    let view = printed(&report(log, &[]));
    assert!(view.contains("   overlaps 1\n"), "{view}");
    let overlaps = "
Overlaps     started again while still running (flock -n prevents it): h /x (1)
";
    assert!(view.contains(overlaps), "{view}");
}

#[test]
fn lines_that_are_no_records_or_have_no_start_and_ambiguous_runs_are_counted_in_the_header() {
    let log = b"\
[2026-03-02 10:00:00][1] the rest of yesterday's
torn
\x00\x01\xff
[2026-03-02 10:00:00][2] START,-,h /x

[2026-03-02 10:00:00][2] no command
[2026-03-02 10:00:00][2] END,0,h /x
";
    let view = printed(&report(log, &[]));
    assert!(
        view.starts_with(
            "\
2026-03-02 10:00:00 to 2026-03-02 10:00:00   1 job, 0 hosts
runs 1   ok 1   failed 0   lost 0   running 0
connection failures 0   usage errors 0   retried 0   overlaps 0
unrecognized lines 2   records without START 1   ambiguous runs 1
a.log
no problem found; not certain: 1 run
Not certain  two runs had one process id at once,"
        ),
        "{view}"
    );
    assert_eq!(
        printed(&report("torn\n", &[])),
        "no runs\nunrecognized lines 1   records without START 0   ambiguous runs 0\na.log\n"
    );
    assert_eq!(
        printed(&report("[2026-03-02 10:00:00][1] x\n", &[])),
        "no runs\nunrecognized lines 0   records without START 1   ambiguous runs 0\na.log\n"
    );
    assert_eq!(printed(&report("", &[])), "no runs\na.log\n");
}

const HOSTILE: &str = "\
[2026-03-02 10:00:00][1] START,-,h\x1b[2J /x\x07
[2026-03-02 10:00:00][1] command,ssh root@h\x1b[2J /x\x07
[2026-03-02 10:00:01][1] \x1b]0;title\x07 \u{9b}31m \u{202e}x\x7f
[2026-03-02 10:00:01][1] END,3,h\x1b[2J /x\x07
";

#[test]
fn no_control_byte_of_the_log_reaches_a_terminal() {
    let view = on_a_terminal(120, "1", HOSTILE, "");
    let run = on_a_terminal(80, "1", HOSTILE, "--run 1");
    for shown in [&view, &run] {
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
    }
    // A reason has no colours to show, and no title.
    assert!(view.contains(" exit 3: \\u{202e}x\n"), "{view:?}");
    let escaped = "\\x1b]0;title\\x07 \\u{9b}31m \\u{202e}x\\x7f\n";
    assert!(run.contains(escaped), "{run:?}");
    assert!(view.contains("  h\\x1b[2J /x\\x07  1 run"), "{view:?}");
    let head = "exit 3: the script failed: \\u{202e}x\n\n";
    assert!(
        run.starts_with(&format!("{head}[2026-03-02 10:00:00][1] START,-,h\\x1b[2J /x\\x07\n")),
        "{run:?}"
    );
    // A pipe may lead to a terminal too. Only --run gives the bytes themselves.
    for form in [&[][..], &["--tsv"], &["--json"]] {
        let output = printed(&report(HOSTILE, form));
        let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\u{9b}' | '\u{7f}');
        assert!(!output.contains(steers), "{output:?}");
    }
    assert_bytes(&report(HOSTILE, &["--run", "1"]).stdout, HOSTILE.as_bytes());
}

#[test]
fn no_control_byte_of_a_usage_error_s_reason_reaches_a_terminal() {
    let log = "\
[2026-03-02 10:00:00][1] START,-,h
[2026-03-02 10:00:00][1] error: \x1b[2J \u{9b}31m
[2026-03-02 10:00:00][1] END,10,h
";
    let view = on_a_terminal(80, "1", log, "");
    let reason = r"exit 10: usage error: \x1b[2J \u{9b}31m";
    assert!(view.contains(reason), "{view:?}");
    let document = printed(&report(log, &["--json"]));
    let cause = r#""cause":"usage error: \u001b[2J \u009b31m""#;
    assert!(document.contains(cause), "{document}");
}

#[test]
fn a_message_about_a_file_is_printable() {
    let scene = Scene::new();
    let output = reporter(&scene).arg("/no\x1b[2J").output().unwrap();
    assert_eq!(stderr(&output), "remoteexe: /no\\x1b[2J: No such file or directory (os error 2)\n");
}

#[test]
fn run_prints_one_run_whole_out_of_the_interleaved_log() {
    let output = report(LOG, &["--run", "914"]);
    assert_eq!(
        printed(&output),
        "\
[2026-03-02 21:00:00][914] START,-,web01 /opt/jobs/rotate.sh
[2026-03-02 21:00:00][914] command,ssh -i /etc/key root@web01 /opt/jobs/rotate.sh
[2026-03-02 21:00:04][914] END,0,web01 /opt/jobs/rotate.sh
"
    );
    assert_eq!(code(&output), 0);
    let output = report(LOG, &["--run", "4194305"]);
    assert_eq!(
        printed(&output),
        "\
[2026-03-02 21:01:00][4194305] START,-,web01 /opt/jobs/rotate.sh
[2026-03-02 21:01:00][4194305] command,ssh -i /etc/key root@web01 /opt/jobs/rotate.sh
"
    );
    assert_eq!(code(&output), 1);
}

#[test]
fn run_takes_the_last_run_of_a_process_or_that_of_a_time() {
    let last = report(LOG, &["--run", "913"]);
    assert_eq!(
        stderr(&last),
        "remoteexe: process 913 has 4 such runs; this is the last one, started at 2026-03-02 20:53:01; \
         to see another one, give its start time: 913@TIME\n"
    );
    let printed_last = String::from_utf8(last.stdout).unwrap();
    assert!(printed_last.starts_with("[2026-03-02 20:53:01][913] START,"));
    assert!(printed_last.ends_with("[913] END,255,db01 /opt/jobs/dump.sh daily\n"));
    for time in [
        "15:09",
        "15:09:02",
        "2026-03-02 15",
        "2026-03-02 15:09:02",
        // As --json prints it, also in another zone.
        "2026-03-02T15:09:02+00:00",
        "2026-03-02T10:09:02-05:00",
    ] {
        let run = printed(&report(LOG, &["--run", &format!("913@{time}")]));
        let expected: String = LOG
            .lines()
            .filter(|line| line.starts_with("[2026-03-02 15:"))
            .map(|line| line.to_owned() + "\n")
            .collect();
        assert_eq!(run, expected, "{time}");
    }
}

#[test]
fn run_with_json_is_one_document_with_all_output_of_the_run() {
    let log = "\
[2026-03-02 10:00:00][1] START,-,h /x
[2026-03-02 10:00:00][1] remoteexe: no retries: y
[2026-03-02 10:00:00][1] command,ssh root@h /x
[2026-03-02 10:00:00][2] START,-,h /y
[2026-03-02 10:00:01][1] ssh: connect to host h port 22: Connection refused
[2026-03-02 10:00:01][1] retry,1/8,255,wait 0.500 s
[2026-03-02 10:00:02][1] command,ssh root@h /x
[2026-03-02 10:00:02][1]  one
[2026-03-02 10:00:02][1]\x20
[2026-03-02 10:00:02][1] remoteexe: the next line is output
[2026-03-02 10:00:02][1] START,-,h /z
[2026-03-02 10:00:02][1] remoteexe: the next line is output
[2026-03-02 10:00:02][1] command,ssh root@h /x
[2026-03-02 10:00:02][1] remoteexe: the next line is output
[2026-03-02 10:00:02][1] END,0,h /x
[2026-03-02 10:00:02][1] caf\u{e9}
[2026-03-02 10:00:03][1] END,3,h /x
";
    let output = report(log, &["--run", "1", "--json"]);
    assert_eq!(
        fields(&output, "pid status lines output"),
        [
            r#"1 "failed" 8 ["remoteexe: no retries: y","ssh: connect to host h port 22: Connection refused"," one","","START,-,h /z","command,ssh root@h /x","END,0,h /x","café"]"#
        ]
    );
    assert_eq!(code(&output), 1);
    assert!(!printed(&report(log, &["--json"])).contains("output"));
    // Of a run without END, too.
    let lost = &log[..log.rfind("[2026-03-02 10:00:03]").unwrap()];
    let output = report(lost, &["--json", "--run", "1@10:00"]);
    assert!(fields(&output, "output")[0].ends_with(r#","END,0,h /x","café"]"#));
    let missing = report(log, &["--json", "--run", "3"]);
    assert_eq!((code(&missing), missing.stdout.len()), (1, 0));
}

#[test]
fn a_run_that_is_not_there_is_said_to_be_missing() {
    for run in ["5", "913@15:10", "913@2026-03-03"] {
        let output = report(LOG, &["--run", run]);
        assert_eq!(code(&output), 1);
        assert!(output.stdout.is_empty());
        let pid = run.split('@').next().unwrap();
        assert_eq!(
            stderr(&output),
            format!(
                "remoteexe: no such run of process {pid} in these logs; \
                 to read those of other days, add --since\n"
            )
        );
    }
}

#[test]
fn json_is_a_document_a_run_in_the_order_of_their_ends_with_the_lost_ones_last() {
    let log = "\
[2026-03-02 10:00:00][4194305] START,-,h /lost
[2026-03-02 10:00:00][1] START,-,h /x
[2026-03-02 10:00:00][1] command,ssh root@h /x
[2026-03-02 10:01:00][2] START,-,h /y
[2026-03-02 10:01:00][2] command,ssh -i k root@h /y
[2026-03-02 10:01:00][2] ssh: connect to host h port 22: Connection refused
[2026-03-02 10:01:00][2] retry,1/8,255,wait 0.500 s
[2026-03-02 10:01:01][2] command,ssh -i k root@h /y
[2026-03-02 10:01:30][2] caf\u{e9}
[2026-03-02 10:01:30][2] END,143,h /y
[2026-03-02 10:02:00][2] START,-,h /z
[2026-03-02 10:02:00][2] command,ssh root@h /z
[2026-03-02 10:02:01][1] END,0,h /x
[2026-03-02 10:02:02][2] END,1,h /z
";
    let output = report(log, &["--json"]);
    let uid = rustix::process::geteuid().as_raw();
    let name = Command::new("id").arg("-un").output().unwrap().stdout;
    let name = String::from_utf8(name).unwrap();
    let user = format!(r#""uid":{uid},"user":"{}","scheduler":null"#, name.trim_end());
    assert_eq!(
        printed(&output),
        concat!(
            r#"{"pid":2,USER,"host":"h","job":"h /y","start":"2026-03-02T10:01:00+00:00","end":"2026-03-02T10:01:30+00:00","last":"2026-03-02T10:01:30+00:00","dead_by":null,"duration":30,"status":"failed","exit_status":143,"accepted":false,"signal":"TERM","cause":"ended by signal TERM","connection_failure":false,"usage_error":false,"reason":"café","retries":1,"command":"ssh -i k root@h /y","lines":2,"bytes":57,"tail":["café"],"overlapped":false,"ambiguous":false}"#,
            "\n",
            r#"{"pid":1,USER,"host":"h","job":"h /x","start":"2026-03-02T10:00:00+00:00","end":"2026-03-02T10:02:01+00:00","last":"2026-03-02T10:02:01+00:00","dead_by":null,"duration":121,"status":"ok","exit_status":0,"accepted":false,"signal":null,"cause":"ok","connection_failure":false,"usage_error":false,"reason":null,"retries":0,"command":"ssh root@h /x","lines":0,"bytes":0,"tail":[],"overlapped":false,"ambiguous":false}"#,
            "\n",
            r#"{"pid":2,USER,"host":"h","job":"h /z","start":"2026-03-02T10:02:00+00:00","end":"2026-03-02T10:02:02+00:00","last":"2026-03-02T10:02:02+00:00","dead_by":null,"duration":2,"status":"failed","exit_status":1,"accepted":false,"signal":null,"cause":"the script failed","connection_failure":false,"usage_error":false,"reason":null,"retries":0,"command":"ssh root@h /z","lines":0,"bytes":0,"tail":[],"overlapped":false,"ambiguous":false}"#,
            "\n",
            r#"{"pid":4194305,USER,"host":"h","job":"h /lost","start":"2026-03-02T10:00:00+00:00","end":null,"last":"2026-03-02T10:00:00+00:00","dead_by":"2026-03-02T10:02:02+00:00","duration":null,"status":"lost","exit_status":null,"accepted":false,"signal":null,"cause":"lost: no END, and the process is gone","connection_failure":false,"usage_error":false,"reason":null,"retries":0,"command":null,"lines":0,"bytes":0,"tail":[],"overlapped":false,"ambiguous":false}"#,
            "\n",
        )
        .replace("USER", &user)
    );
    assert_eq!(code(&output), 1);
}

#[test]
fn json_marks_bytes_that_are_not_utf_8_and_loses_none_of_them() {
    let log = b"\
[2026-03-02 10:00:00][1] START,-,h /\x93\xfa
[2026-03-02 10:00:00][1] command,ssh root@h /\x93\xfa
[2026-03-02 10:00:00][1] a\xffb
[2026-03-02 10:00:00][1] \"\\ \xe6\x97\xa5
[2026-03-02 10:00:00][1] END,0,h /\x93\xfa
";
    assert_runs(
        log,
        "job tail",
        &[r#"{"bytes":[104,32,47,147,250]} [{"bytes":[97,255,98]},"\"\\ 日"]"#],
    );
}

#[test]
fn the_tail_is_the_last_five_lines_each_cut_to_a_kibibyte() {
    let mut output: Vec<String> = (1..=100).map(|number| format!("{number}\n")).collect();
    output.push("x".repeat(3000));
    let output = output.concat();
    let log = run(1, "10:00:00", "10:00:01", "h /x", &output, 0);
    let expected =
        format!(r#"101 {} ["97","98","99","100","{}"]"#, output.len() + 1, "x".repeat(1024));
    assert_runs(log, "lines bytes tail", &[&expected]);
}

#[test]
fn tsv_has_the_columns_of_the_joblog_of_gnu_parallel() {
    let log = "\
[2026-03-02 10:00:00][1] START,-,h /x\ty
[2026-03-02 10:00:00][1] command,ssh root@h /x\ty
[2026-03-02 10:00:02][1] abc
[2026-03-02 10:00:02][1] END,143,h /x\ty
[2026-03-02 10:00:03][4194305] START,-,h /lost
";
    assert_eq!(
        printed(&report(log, &["--tsv"])),
        "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n\
         1\th\t1772445600.000\t2.000\t0\t4\t143\t15\th /x\\ty\n\
         2\th\t1772445603.000\t-1\t0\t0\t-1\t0\th /lost\n"
    );
}

#[test]
fn a_run_without_operands_has_a_host_in_tsv_because_gnu_parallel_refuses_an_empty_one() {
    let log = "\
[2026-03-02 10:00:00][1] START,-,
[2026-03-02 10:00:00][1] usage: remoteexe target script [parameters]
[2026-03-02 10:00:00][1] END,10,
[2026-03-02 10:00:00][2] START,-, s
[2026-03-02 10:00:00][2] END,10, s
[2026-03-02 10:00:00][3] START,-,h t
";
    // `parallel --resume --joblog` of 20221122 and its --retry-failed want a word for a host, then six numbers.
    assert_eq!(
        printed(&report(log, &["--tsv"])).split_once('\n').unwrap().1,
        "1\t-\t1772445600.000\t0.000\t0\t44\t10\t0\t\n\
         2\t-\t1772445600.000\t0.000\t0\t0\t10\t0\t s\n\
         3\th\t1772445600.000\t-1\t0\t0\t-1\t0\th t\n"
    );
}

#[test]
fn host_and_job_choose_runs() {
    let log = [
        run(1, "10:00:00", "10:00:01", "web1 /x.sh daily", "", 0),
        run(2, "10:00:00", "10:00:02", "web10 /x.sh weekly", "", 0),
        run(3, "10:00:00", "10:00:03", "db1 /y.sh web1 daily", "", 1),
    ]
    .concat();
    for (args, pids, status) in [
        (&["--host", "web1"][..], &["1"][..], 0),
        (&["--host", "web"], &[], 10),
        (&["--job", "web1"], &["1", "2", "3"], 1),
        (&["--job", "sh daily"], &["1"], 0),
        (&["--job", "daily", "--host", "db1"], &["3"], 1),
        (&["--job", "Daily"], &[], 10),
        (&["--failed", "--host", "web1"], &[], 0),
    ] {
        let output = report(&log, &[args, &["--json"]].concat());
        assert_eq!(fields(&output, "pid"), pids, "{args:?}");
        assert_eq!(code(&output), status, "{args:?}");
    }
    let view = printed(&report(&log, &["--host", "web1"]));
    assert!(view.contains("\nruns 1   ok 1 "), "{view}");
}

#[test]
fn a_run_belongs_to_a_period_if_it_was_going_on_in_it() {
    let log = [
        run(1, "10:00:00", "10:00:09", "h /1", "", 0),
        run(2, "10:00:00", "10:00:10", "h /2", "", 0),
        run(3, "10:00:11", "10:00:12", "h /3", "", 0),
        run(4, "10:00:19", "10:00:30", "h /4", "", 0),
        run(5, "10:00:20", "10:00:31", "h /5", "", 0),
    ]
    .concat();
    for (args, pids) in [
        (
            &["--since", "2026-03-02 10:00:10", "--until", "2026-03-02 10:00:20"][..],
            &["2", "3", "4"][..],
        ),
        (&["--since", "2026-03-02 10:00:12"], &["3", "4", "5"]),
        (&["--until", "2026-03-02 10:00"], &[]),
        (&["--until", "2026-03-02 10:01"], &["1", "2", "3", "4", "5"]),
        (&["--until", "2026-03-02"], &["1", "2", "3", "4", "5"]),
        (&["--until", "2026-03-01"], &[]),
        (&["--since", "2026-03-02"], &["1", "2", "3", "4", "5"]),
        (&["--since", "2026-03-03"], &[]),
    ] {
        let output = report(&log, &[args, &["--json"]].concat());
        assert_eq!(fields(&output, "pid"), pids, "{args:?}");
    }
}

#[test]
fn a_time_is_also_how_long_ago_it_was() {
    let ago = |ago: &str| {
        let mut date = Command::new("date");
        date.env("TZ", "UTC").arg(format!("--date={ago} ago"));
        let output = date.arg("+%Y-%m-%d %H:%M:%S").output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    let log: Vec<String> = [
        (1, "10 days"),
        (2, "60 hours"),
        (3, "150 minutes"),
        (4, "90 minutes"),
        (5, "10 minutes"),
        (6, "45 seconds"),
    ]
    .iter()
    .map(|(pid, how_long)| {
        let begin = format!("[{}][{pid}] ", ago(how_long));
        format!("{begin}START,-,h s\n{begin}command,ssh root@h s\n{begin}END,0,h s\n")
    })
    .collect();
    let log = log.concat();
    for (args, pids) in [
        (&["--since", "1w"][..], &["2", "3", "4", "5", "6"][..]),
        (&["--since", "3d"], &["2", "3", "4", "5", "6"]),
        (&["--since", "2h"], &["4", "5", "6"]),
        (&["--since", "30m"], &["5", "6"]),
        (&["--since", "300s"], &["6"]),
        (&["--since", "2d13h"], &["2", "3", "4", "5", "6"]),
        (&["--since", "1h20m", "--until", "now"], &["5", "6"]),
        (&["--since", "3h", "--until", "1h"], &["3", "4"]),
        (&["--until", "2d"], &["1", "2"]),
    ] {
        let output = report(&log, &[args, &["--json"]].concat());
        assert_eq!(fields(&output, "pid"), pids, "{args:?}");
    }
}

#[test]
fn the_exit_status_says_whether_anything_failed_or_was_lost() {
    let ok = run(1, "10:00:00", "10:00:01", "h /x", "", 0);
    let failed = run(2, "10:00:00", "10:00:01", "h /x", "", 1);
    let lost = "[2026-03-02 10:00:00][4194305] START,-,h /x\n";
    for (log, expected) in [
        (String::new(), 0),
        (ok.clone(), 0),
        (format!("{ok}{failed}"), 1),
        (format!("{ok}{lost}"), 1),
    ] {
        for form in ["--json", "--tsv", "--failed"] {
            assert_eq!(code(&report(&log, &[form])), expected, "{form} {log}");
        }
        assert_eq!(code(&report(&log, &[])), expected, "{log}");
    }
}

#[test]
fn a_command_line_that_asks_for_no_report_gives_10_and_logs_nothing() {
    for (args, reason) in [
        (
            &["--since", "noon"][..],
            "error: invalid value 'noon' for --since <TIME>: not a valid time\n",
        ),
        (
            &["--until", "2026-02-30"],
            "error: invalid value '2026-02-30' for --until <TIME>: not a valid time\n",
        ),
        (&["--since", "2x"], "error: invalid value '2x' for --since <TIME>: not a valid time\n"),
        (&["--since", "h"], "error: invalid value 'h' for --since <TIME>: not a valid time\n"),
        (&["--since", "-2h"], "error: "),
        (
            &["--since", "99999999999999999999d"],
            "error: invalid value '99999999999999999999d' for --since <TIME>: not a valid time\n",
        ),
        (
            &["--since", "99999999d"],
            "error: invalid value '99999999d' for --since <TIME>: not a valid time\n",
        ),
        (
            &["--since", "9999999999999999d"],
            "error: invalid value '9999999999999999d' for --since <TIME>: not a valid time\n",
        ),
        (
            &["--run", "x"],
            "error: invalid value 'x' for --run <PID[@TIME]>: expected PID or PID@TIME\n",
        ),
        (
            &["--run", "1@x"],
            "error: invalid value '1@x' for --run <PID[@TIME]>: expected PID or PID@TIME\n",
        ),
        (
            &["--run", "1@"],
            "error: invalid value '1@' for --run <PID[@TIME]>: expected PID or PID@TIME\n",
        ),
        (&["--json", "--tsv"], "error: the argument '--json' cannot be used with '--tsv'\n"),
        (&["--run", "1", "--tsv"], "error: "),
        (&["-", "-"], "error: standard input, -, can be read only once\n"),
        (&["--frobnicate"], "error: unexpected argument '--frobnicate' found\n"),
        (&["--log-dir", ""], "error: "),
        (&[""], "error: "),
    ] {
        let scene = Scene::new();
        let output = reporter(&scene).args(args).output().unwrap();
        assert_eq!(code(&output), 10, "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        let stderr = stderr(&output);
        assert!(stderr.starts_with(reason), "{stderr}");
        assert!(stderr.contains("\n\nUsage: remoteexe --report [OPTIONS] [FILE]...\n"), "{stderr}");
        assert!(scene.log_bytes().is_empty(), "{args:?}");
    }
}

#[test]
fn report_is_one_of_a_job_s_words_where_it_does_not_come_first() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh("echo ran");
    let output = command.args(["h", "--report"]).output().unwrap();
    // A script that begins with a hyphen is refused as ever.
    assert_eq!(code(&output), 10);
    let mut command = scene.remoteexe_with_ssh("echo ran");
    let output = command.args(["h", "s", "--report"]).output().unwrap();
    assert_eq!(code(&output), 0);
    let log = String::from_utf8(scene.log_bytes()).unwrap();
    assert!(log.ends_with("] END,0,h s --report\n"), "{log}");
}

#[test]
fn help_tells_the_exit_statuses_and_gives_0() {
    let scene = Scene::new();
    let help = printed(&reporter(&scene).arg("--help").output().unwrap());
    assert!(
        help.contains(
            "
Exit status:
  0 nothing failed; 1 something failed, was lost or was not started, or
  --check found a fault; 10 usage error; 74 something could not be read
"
        ),
        "{help}"
    );
}

#[test]
fn json_has_an_escape_for_what_steers_a_terminal() {
    let log = "\
[2026-03-02 10:00:00][1] START,-,h /x
[2026-03-02 10:00:00][1] command,ssh root@h /x
[2026-03-02 10:00:00][1] \u{9b}31m\u{7f}\u{202e}\u{61c}\u{1b}
[2026-03-02 10:00:00][1] END,0,h /x
";
    let documents = printed(&report(log, &["--json"]));
    let tail = r#""tail":["\u009b31m\u007f\u202e\u061c\u001b"]"#;
    assert!(documents.contains(tail), "{documents}");
}

#[test]
fn a_report_that_cannot_be_written_is_a_failure() {
    // Short and longer than any buffer.
    let long: String = (0..300)
        .map(|number| run(1, "10:00:00", "10:00:01", &format!("h /{number}"), "", 0))
        .collect();
    for (log, form) in [LOG, &long]
        .into_iter()
        .flat_map(|log| ["--json", "--tsv", "--since=2026-03-02"].map(|form| (log, form)))
    {
        let scene = Scene::new();
        fs::write(scene.path("a.log"), log).unwrap();
        let mut command = scene.remoteexe();
        command.args(["--report", form]).arg(scene.path("a.log"));
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = command.stdout(full).output().unwrap();
        assert_eq!(
            stderr(&output),
            "remoteexe: standard output: No space left on device (os error 28)\n",
            "{form}"
        );
        assert_eq!(code(&output), 74, "{form}");
    }
}

#[test]
fn a_period_that_ends_before_it_begins_is_a_usage_error() {
    let output = report(LOG, &["--since", "2026-03-02", "--until", "2026-03-01"]);
    assert_eq!(code(&output), 10);
    let reason =
        "error: --until 2026-03-02 00:00:00 is not later than --since 2026-03-02 00:00:00\n";
    assert!(stderr(&output).starts_with(reason), "{}", stderr(&output));
}

#[test]
fn a_run_that_ended_just_so_long_ago_is_in_the_period() {
    // The records have whole seconds, the clock has not. The second must not end before the report has read the clock.
    let scene = Scene::new();
    let mut sh = Command::new("sh");
    scene.equip(&mut sh);
    let script = format!(
        "until
             until set -- $(date '+%s %F %T %N') && [ $4 -gt 500000000 ]; do :; done
             printf '[%s %s][1] %s\\n' $2 $3 START,-,h $2 $3 command,root@h $2 $3 END,3,h >$DIR/a.log
             {REMOTEEXE} --report --since 0s $DIR/a.log >$DIR/view; status=$?
             [ $(date +%s) = $1 ]
         do :; done
         cat $DIR/view; exit $status"
    );
    let output = sh.args(["-c", &script]).output().unwrap();
    let view = printed(&output);
    assert!(view.contains("\nruns 1   ok 0   failed 1 "), "{view}");
    assert_eq!(code(&output), 1);
}

#[test]
fn a_run_that_is_named_with_its_day_is_found_in_the_log_of_that_day() {
    let scene = Scene::new();
    fs::write(scene.path("log/20260302_remoteexe.log"), LOG).unwrap();
    let run = |run: &str| {
        let mut command = scene.remoteexe();
        command.args(["--report", "--run", run]).output().unwrap()
    };
    assert_eq!(code(&run("913@20:53")), 1);
    assert!(run("913@20:53").stdout.is_empty());
    assert!(printed(&run("913@2026-03-02 20:53")).contains("][913] END,"));
}
