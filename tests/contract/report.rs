//! `--report`: its forms, and its exit status.

use std::fmt::Write;
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

/// remoteexe with `--report`, in UTC and without a terminal.
pub fn reporter(scene: &Scene) -> Command {
    let mut command = scene.remoteexe();
    command.env("TZ", "UTC").arg("--report");
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
fn on_a_terminal(columns: u16, no_color: &str, log: impl AsRef<[u8]>, args: &str) -> String {
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
    String::from_utf8(output.stdout)
        .unwrap()
        .replace("\r\n", "\n")
}

#[test]
fn the_view_has_failures_first_and_fits_80_columns() {
    let output = report(LOG, &[]);
    assert_eq!(
        printed(&output),
        "\
2026-03-02 13:21:01 to 2026-03-02 21:01:00
runs 7   ok 3   failed 3   lost 1   running 0
connection failures 1   usage errors 1   retried 0   overlaps 1
a.log

Newest failures (4 of 4)
Time                 Failure and last lines of output
2026-03-02 21:01:00  lost: no END, and the process is gone (run
                     4194305@21:01:00)
                     web01 /opt/jobs/rotate.sh
2026-03-02 21:00:05  3: the script's own status (run 915@21:00:01)
                     web01 /opt/jobs/rotate.sh
                     | two
                     | three
                     | four
2026-03-02 20:53:02  255: connection dropped by the server (run 913@20:53:01)
                     db01 /opt/jobs/dump.sh daily
                     | ssh_exchange_identification: Connection closed by
                     remote host
2026-03-02 18:05:46  10: usage error: nothing was run (run 913@18:05:46)
                     db01

Jobs
Runs  Failed  Last start  Last  Last ok   Median  p95  Longest
web01 /opt/jobs/rotate.sh: 3 x1, lost x1
   4       2  21:01:00    lost  21:00:04      4s  57s      57s
db01: 10 x1
   1       1  18:05:46    10    -             0s   0s       0s
db01 /opt/jobs/dump.sh daily: 255 x1
   2       1  20:53:01    255   15:09:05      1s   3s       3s

Hosts
Host   Runs  Failed  Not connected  Last reached  Last reason
db01      2       1              1  15:09:05      connection dropped by the
                                                  server
web01     4       2              0  21:00:05

Started again while still running (flock -n prevents it)
Times  Job
    1  web01 /opt/jobs/rotate.sh
"
    );
    assert_eq!(code(&output), 1);
}

#[test]
fn with_failed_the_view_shows_only_jobs_and_hosts_that_have_failed_and_still_counts_all() {
    let log = "\
[2026-03-02 10:00:00][1] START,-,h1 /a.sh
[2026-03-02 10:00:00][1] command,ssh root@h1 /a.sh
[2026-03-02 10:00:02][1] END,0,h1 /a.sh
[2026-03-02 10:00:00][2] START,-,h2 /a.sh
[2026-03-02 10:00:00][2] command,ssh root@h2 /a.sh
[2026-03-02 10:00:02][2] END,1,h2 /a.sh
";
    assert_eq!(
        printed(&report(log, &["--failed"])),
        "\
2026-03-02 10:00:00 to 2026-03-02 10:00:02
runs 2   ok 1   failed 1   lost 0   running 0
connection failures 0   usage errors 0   retried 0   overlaps 0
a.log, only what failed or was lost

Newest failures (1 of 1)
Time                 Failure and last lines of output
2026-03-02 10:00:02  1: the script's own status (run 2@10:00:00)
                     h2 /a.sh

Jobs
Runs  Failed  Last start  Last  Last ok  Median  p95  Longest
h2 /a.sh: 1 x1
   1       1  10:00:00    1     -            2s   2s       2s

Hosts
Host  Runs  Failed  Not connected  Last reached  Last reason
h2       1       1              0  10:00:02
"
    );
    let failed = |form| fields(&report(log, &["--failed", form]), "pid exit_status");
    assert_eq!(failed("--json"), ["2 1"]);
    let tsv = printed(&report(log, &["--failed", "--tsv"]));
    assert_eq!(tsv.lines().count(), 2);
    assert!(
        tsv.ends_with("\n1\th2\t1772445600.000\t2.000\t0\t0\t1\t0\th2 /a.sh\n"),
        "{tsv}"
    );
}

#[test]
fn failures_and_the_period_are_by_time_also_where_a_run_was_lost() {
    let log = "\
[2026-03-02 09:00:00][4194305] START,-,h /lost
[2026-03-02 09:00:00][4194305] command,ssh root@h /lost
[2026-03-02 08:59:59][1] START,-,h /x
[2026-03-02 08:59:59][1] command,ssh root@h /x
[2026-03-02 09:30:00][2] START,-,h /y
[2026-03-02 09:30:00][2] command,ssh root@h /y
[2026-03-02 09:59:00][2] END,0,h /y
[2026-03-02 10:02:03][1] END,1,h /x
";
    let view = printed(&report(log, &[]));
    assert!(
        view.starts_with(
            "\
2026-03-02 08:59:59 to 2026-03-02 10:02:03
runs 3   ok 1   failed 1   lost 1   running 0
connection failures 0   usage errors 0   retried 0   overlaps 0
a.log

Newest failures (2 of 2)
Time                 Failure and last lines of output
2026-03-02 10:02:03  1: the script's own status (run 1@08:59:59)
                     h /x
2026-03-02 09:00:00  lost: no END, and the process is gone (run
                     4194305@09:00:00)
                     h /lost
"
        ),
        "{view}"
    );
    // And hours are shown as such.
    assert!(
        view.contains("\n   1       1  08:59:59    1     -          1h02m   1h02m    1h02m\n"),
        "{view}"
    );
}

/// The failures in the view, without the heading and the titles.
fn failures(log: &str) -> String {
    let view = printed(&report(log, &[]));
    let failures = view.split("\n\n").nth(1).expect("failures");
    let lines: Vec<&str> = failures.lines().skip(2).collect();
    lines.join("\n")
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
    assert_eq!(
        failures(log),
        "\
2026-03-02 10:00:00  10: usage error: invalid value 'a@b' for <HOST>: it
                     contains '@'; tip: give the user with --login (run
                     1@10:00:00)
                     a@b /x"
    );
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
    assert_eq!(
        failures(log),
        "\
2026-03-02 10:00:00  10: usage error: nothing was run (run 1@10:00:00)
                     db01"
    );
    assert_runs(log, "cause", &["\"usage error: nothing was run\""]);
}

#[test]
fn a_script_that_prints_an_error_and_its_usage_is_no_usage_error() {
    let output = "error: no FILE\nusage: remoteexe target script [parameters]";
    assert_eq!(
        failures(&run(1, "10:00:00", "10:00:01", "h /x", output, 10)),
        "\
2026-03-02 10:00:01  10: the script's own status (run 1@10:00:00)
                     h /x
                     | error: no FILE
                     | usage: remoteexe target script [parameters]"
    );
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
    assert!(!view.contains("\nHosts\n"), "{view}");
}

#[test]
fn the_newest_ten_failures_are_shown_the_newest_first_with_three_lines_of_each() {
    let mut log = String::new();
    for minute in 10..30 {
        let prefix = format!("[2026-03-02 10:{minute}:00][{minute}]");
        let texts = "START,-,h /x\ncommand,ssh root@h /x\na\nb\nc\nd\nEND,9,h /x";
        for text in texts.lines() {
            let _ = writeln!(log, "{prefix} {text}");
        }
    }
    let view = printed(&report(log, &[]));
    let failures = view.split("\n\n").nth(1).unwrap();
    let expected: Vec<String> = (20..30)
        .rev()
        .map(|minute| {
            format!(
                "\n2026-03-02 10:{minute}:00  9: the script's own status (run {minute}@10:{minute}:00)
                     h /x
                     | b
                     | c
                     | d"
            )
        })
        .collect();
    let expected = expected.concat();
    assert_eq!(
        failures,
        format!(
            "Newest failures (10 of 20)\nTime                 Failure and last lines of output{expected}"
        )
    );
}

/// A run that ends after so many seconds.
fn run(pid: u32, start: &str, end: &str, job: &str, output: &str, status: u8) -> String {
    let begin = format!("[2026-03-02 {start}][{pid}]");
    let finish = format!("[2026-03-02 {end}][{pid}]");
    let output: Vec<String> = output
        .lines()
        .map(|line| format!("{finish} {line}\n"))
        .collect();
    let output = output.concat();
    format!(
        "{begin} START,-,{job}\n{begin} command,ssh root@{job}\n{output}{finish} END,{status},{job}\n"
    )
}

/// The log of runs that went on at the same time.
fn interleaved(runs: &[String]) -> String {
    let mut lines: Vec<&str> = runs
        .iter()
        .flat_map(|run| run.split_inclusive('\n'))
        .collect();
    lines.sort_by_key(|line| &line[..21]);
    lines.concat()
}

#[test]
fn a_job_has_the_median_the_95th_percentile_and_the_longest_of_its_known_durations() {
    // By the nearest rank, of 40: the 20th, the 38th, and the last.
    let mut log: String = (0..40)
        .map(|number| {
            let end = format!("10:{number:02}:{number:02}");
            run(1, "10:00:00", &end, "h /x", "", 0)
        })
        .collect();
    // The clock was set back: nobody knows how long that took.
    log += &run(1, "11:00:00", "08:00:00", "h /x", "", 0);
    let view = printed(&report(log, &[]));
    assert!(
        view.contains(
            "
Runs  Failed  Last start  Last  Last ok   Median     p95  Longest
h /x
  41       0  11:00:00    0     10:39:39  19m19s  37m37s   39m39s
"
        ),
        "{view}"
    );
    let view = printed(&report(run(1, "11:00:00", "08:00:00", "h /x", "", 0), &[]));
    assert!(
        view.contains("\n   1       0  11:00:00    0     08:00:00       ?    ?        ?\n"),
        "{view}"
    );
}

#[test]
fn a_job_has_its_failures_by_exit_status_and_the_status_of_the_run_that_started_last() {
    let log = interleaved(&[
        run(1, "10:00:00", "10:09:00", "h /x", "", 4),
        run(2, "10:01:00", "10:02:00", "h /x", "", 0),
        run(3, "10:03:00", "10:04:00", "h /x", "", 4),
        run(4, "10:05:00", "10:06:00", "h /x", "", 143),
    ]);
    let view = printed(&report(log, &[]));
    assert!(
        view.contains(
            "
h /x: 4 x2, 143 x1
   4       3  10:05:00    143   10:02:00   1m00s  9m00s    9m00s
"
        ),
        "{view}"
    );
}

#[test]
fn a_report_of_several_days_shows_dates_with_its_times() {
    let log = "\
[2026-03-02 23:59:59][1] START,-,h /x
[2026-03-02 23:59:59][1] command,ssh root@h /x
[2026-03-03 00:00:01][1] END,0,h /x
";
    let output = report(log, &[]);
    assert_eq!(
        printed(&output),
        "\
2026-03-02 23:59:59 to 2026-03-03 00:00:01
runs 1   ok 1   failed 0   lost 0   running 0
connection failures 0   usage errors 0   retried 0   overlaps 0
a.log

Jobs
Runs  Failed  Last start   Last  Last ok      Median  p95  Longest
h /x
   1       0  03-02 23:59  0     03-03 00:00      2s   2s       2s

Hosts
Host  Runs  Failed  Not connected  Last reached  Last reason
h        1       0              0  03-03 00:00
"
    );
    assert_eq!(code(&output), 0);
}

#[test]
fn the_cause_of_a_failure_is_told_in_words() {
    let refused = "ssh: connect to host h port 22: Connection refused";
    let lost = "client_loop: send disconnect: Broken pipe";
    for (status, output, cause, is_connection_failure) in [
        (0, refused, "ok", false),
        (1, "x", "the script's own status", false),
        (10, "x", "the script's own status", false),
        (126, "x", "not executable on the host", false),
        (
            126,
            "remoteexe: ssh cannot be run: x",
            "ssh could not be run",
            false,
        ),
        (127, "x", "not found on the host", false),
        (
            127,
            "remoteexe: ssh: not found in PATH; x",
            "there is no ssh",
            false,
        ),
        (137, "x", "ended by signal KILL", false),
        (143, "x", "ended by signal TERM", false),
        (255, "x", "ssh failed, or the script returned 255", false),
        (255, refused, "connection refused", true),
        (255, lost, "connection lost while the job ran", false),
        (
            255,
            "Host key verification failed.",
            "host key not accepted",
            true,
        ),
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
        assert_runs(
            log,
            "connection_failure",
            &[&is_connection_failure.to_string()],
        );
    }
}

#[test]
fn a_host_has_its_connection_failures_the_last_reason_and_when_it_was_last_reached() {
    let log = interleaved(&[
        // Ends after the next one, although it started before.
        run(
            1,
            "10:00:00",
            "10:09:00",
            "h /a",
            "ssh: connect to host h port 22: No route to host",
            255,
        ),
        run(
            2,
            "10:01:00",
            "10:02:00",
            "h /b",
            "Host key verification failed.",
            255,
        ),
        run(3, "10:03:00", "10:04:00", "h /c", "", 7),
        run(4, "10:03:00", "10:05:00", "g /a", "", 0),
    ]);
    let view = printed(&report(log, &[]));
    assert!(
        view.ends_with(
            "
Host  Runs  Failed  Not connected  Last reached  Last reason
h        3       3              2  10:04:00      host unreachable
g        1       0              0  10:05:00
"
        ),
        "{view}"
    );
}

const DROPPED: &str = "kex_exchange_identification: Connection closed by remote host";

/// The view's section on connection failures, if it has one, of jobs that started at these seconds.
fn cluster(seconds: &[u32], message: &str) -> Option<String> {
    let runs = seconds.iter().zip(1..).map(|(second, pid)| {
        let time = format!("10:{:02}:{second:02}", pid % 60);
        run(pid, &time, &time, "h /x", message, 255)
    });
    let reached = run(1000, "11:00:30", "11:00:30", "h /x", "", 0);
    let view = printed(&report(runs.collect::<String>() + &reached, &[]));
    let (_, cluster) = view.split_once("\nStarts and connection failures")?;
    Some(cluster.to_owned())
}

#[test]
fn connection_failures_that_cluster_are_shown_beside_the_starts_with_advice() {
    assert_eq!(
        cluster(&[0, 0, 0, 0, 0, 0, 1, 1, 1, 30], DROPPED).as_deref(),
        Some(
            " by the second of the minute
starts    █▄                            ▃                              6
failures  █▄                            ▂                              6
          0         10        20        30        40        50         most
9 of 10 transient connection failures are of jobs that started in seconds 0 to
2. Retry them (REMOTEEXE_RETRIES=8 at the top of the crontab, or --retries 8),
or spread the starts over the minute.
"
        )
    );
    // Also over the turn of the minute.
    let over_the_turn = cluster(&[58, 59, 0, 0], DROPPED).unwrap();
    assert!(
        over_the_turn.contains(
            "4 of 4 transient connection failures are of jobs that started in seconds 58 to\n0."
        ),
        "{over_the_turn}"
    );
    assert_eq!(cluster(&[0, 0], DROPPED), None);
    assert_eq!(cluster(&[0, 10, 20, 30, 40, 50, 5, 15], DROPPED), None);
    // To try again would not help.
    assert_eq!(
        cluster(&[0, 0, 0, 0], "Host key verification failed."),
        None
    );
}

#[test]
fn a_long_name_is_cut_because_a_table_takes_time_by_the_square_of_its_length() {
    // Not cut, a name of this length takes the table minutes.
    let name = format!("h {}", "x".repeat(1_000_000));
    let log = format!(
        "[2026-03-02 10:00:00][7] START,-,{name}\n\
         [2026-03-02 10:00:00][7] command,ssh root@{name}\n\
         [2026-03-02 10:00:01][7] END,3,{name}\n"
    );
    let view = printed(&report(log, &[]));
    // Once among the failures, and once among the jobs; both wrapped.
    assert_eq!(view.matches('…').count(), 2, "{view}");
    assert_eq!(
        view.matches('x').count(),
        2 * 1022 + " x1 /x ".matches("x1").count()
    );
}

#[test]
fn ten_thousand_starts_in_a_second_still_fit_80_columns() {
    let dropped = "kex_exchange_identification: Connection closed by remote host";
    let failed = run(1, "10:00:00", "10:00:00", "h /x", dropped, 255).repeat(3);
    let log = failed + &run(1, "10:00:00", "10:00:00", "h /x", "", 0).repeat(10_000);
    let view = printed(&report(log, &[]));
    assert!(view.contains("\nstarts    █"), "{view}");
    let widest = view.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{view}");
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
    assert_runs(
        log,
        "pid overlapped",
        &["1 true", "3 false", "4 false", "2 false"],
    );
    let view = printed(&report(log, &[]));
    assert!(view.contains("   overlaps 1\n"), "{view}");
    assert!(
        view.ends_with(
            "
Started again while still running (flock -n prevents it)
Times  Job
    1  h /x
"
        ),
        "{view}"
    );
}

#[test]
fn a_line_of_output_like_start_is_no_overlap_and_hides_none() {
    let log = "\
[2026-03-02 10:00:00][1] START,-,h /x
[2026-03-02 10:00:00][1] command,ssh root@h /x
[2026-03-02 10:00:00][2] START,-,h /y
[2026-03-02 10:00:00][2] command,ssh root@h /y
[2026-03-02 10:01:00][2] START,-,h /x
[2026-03-02 10:01:00][2] no command
[2026-03-02 10:01:00][1] START,-,inner
[2026-03-02 10:01:00][1] command,ssh root@inner
";
    let end = "\
[2026-03-02 10:02:00][1] END,0,h /x
[2026-03-02 10:02:00][2] END,0,h /y
";
    let third = "\
[2026-03-02 10:01:00][3] START,-,h /x
[2026-03-02 10:01:00][3] command,ssh root@h /x
[2026-03-02 10:01:00][3] END,0,h /x
";
    assert_runs(
        format!("{log}{end}"),
        "pid overlapped",
        &["1 false", "2 false"],
    );
    assert_runs(
        format!("{log}{third}{end}"),
        "pid overlapped",
        &["3 false", "1 true", "2 false"],
    );
}

#[test]
fn two_lines_of_output_like_start_at_the_same_time_hide_no_overlap() {
    // The run of process 1 is overlapped by that of process 3. Later 1 and 2 both print a START of its job.
    let log = "\
[2026-03-02 10:00:00][1] START,-,h /x
[2026-03-02 10:00:00][1] command,ssh root@h /x
[2026-03-02 10:00:00][2] START,-,h /y
[2026-03-02 10:00:00][2] command,ssh root@h /y
[2026-03-02 10:01:00][3] START,-,h /x
[2026-03-02 10:01:00][3] command,ssh root@h /x
[2026-03-02 10:01:00][3] END,0,h /x
[2026-03-02 10:01:01][1] START,-,h /x
[2026-03-02 10:01:01][2] START,-,h /x
[2026-03-02 10:01:01][1] no command
[2026-03-02 10:01:01][2] no command
[2026-03-02 10:02:00][1] END,0,h /x
[2026-03-02 10:02:00][2] END,0,h /y
";
    assert_runs(log, "pid overlapped", &["3 false", "1 true", "2 false"]);
}

#[test]
fn a_lost_run_is_no_overlap() {
    let log = "\
[2026-03-02 10:00:00][4194305] START,-,h /x
[2026-03-02 10:00:00][4194305] command,ssh root@h /x
[2026-03-02 10:01:00][3] START,-,h /x
[2026-03-02 10:01:00][3] command,ssh root@h /x
[2026-03-02 10:02:00][3] END,0,h /x
";
    let view = printed(&report(log, &[]));
    assert!(view.contains("   overlaps 0\n"), "{view}");
    assert!(!view.contains("Started again"), "{view}");
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
2026-03-02 10:00:00 to 2026-03-02 10:00:00
runs 1   ok 1   failed 0   lost 0   running 0
connection failures 0   usage errors 0   retried 0   overlaps 0
unrecognized lines 2   records without START 1   ambiguous runs 1
a.log

"
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

const LONG_LINE: &str =
    "a line that is too long for what eighty columns leave to it beside the time";

#[test]
fn a_wider_terminal_is_used_and_has_colour() {
    let log = run(1, "10:00:00", "10:00:01", "h /x", LONG_LINE, 3);
    assert_eq!(
        on_a_terminal(200, "", log, ""),
        format!(
            "\
\x1b[1m2026-03-02 10:00:00 to 2026-03-02 10:00:01\x1b[0m
runs 1   ok 0   \x1b[31mfailed 1\x1b[0m   lost 0   running 0
connection failures 0   usage errors 0   retried 0   overlaps 0
a.log

\x1b[1mNewest failures (1 of 1)\x1b[0m
Time                 Failure and last lines of output
2026-03-02 10:00:01  3: the script's own status (run 1@10:00:00)
                     h /x
                     | {LONG_LINE}

\x1b[1mJobs\x1b[0m
Runs  Failed  Last start  Last  Last ok  Median  p95  Longest  Job and its failures
   1       1  10:00:00    3     -            1s   1s       1s  h /x: 3 x1

\x1b[1mHosts\x1b[0m
Host  Runs  Failed  Not connected  Last reached  Last reason
h        1       1              0  10:00:01
"
        )
    );
}

#[test]
fn characters_of_two_columns_are_counted_as_two() {
    let log = run(1, "10:00:00", "10:00:01", "h /x", &"日".repeat(40), 3);
    let view = printed(&report(log, &[]));
    let (first, second) = ("日".repeat(27), "日".repeat(13));
    let indent = " ".repeat(21);
    let expected = format!("\n{indent}| {first}\n{indent}{second}\n");
    assert!(view.contains(&expected), "{view}");
}

#[test]
fn with_no_color_a_terminal_gets_what_a_pipe_gets() {
    let terminal = on_a_terminal(80, "1", LOG, "");
    assert_eq!(terminal, printed(&report(LOG, &[])));
}

#[test]
fn no_job_is_lost_on_a_narrow_terminal() {
    let log: String = (1..5)
        .map(|pid| run(pid, "10:00:00", "10:10:00", &format!("h /x{pid}"), "", 0))
        .collect();
    let view = on_a_terminal(45, "1", log, "");
    let jobs = view.split("\n\n").nth(1).unwrap();
    assert_eq!(
        jobs,
        "\
Jobs
Runs  Failed  Last start  Last  Last ok   Median     p95  Longest
h /x1
   1       0  10:00:00    0     10:10:00  10m00s  10m00s   10m00s
h /x2
   1       0  10:00:00    0     10:10:00  10m00s  10m00s   10m00s
h /x3
   1       0  10:00:00    0     10:10:00  10m00s  10m00s   10m00s
h /x4
   1       0  10:00:00    0     10:10:00  10m00s  10m00s   10m00s"
    );
}

const HOSTILE: &str = "\
[2026-03-02 10:00:00][1] START,-,h\x1b[2J /x\x07
[2026-03-02 10:00:00][1] command,ssh root@h\x1b[2J /x\x07
[2026-03-02 10:00:01][1] \x1b]0;title\x07 \u{9b}31m \u{202e}x\x7f
[2026-03-02 10:00:01][1] END,3,h\x1b[2J /x\x07
";

#[test]
fn no_control_byte_of_the_log_reaches_a_terminal() {
    let view = on_a_terminal(80, "1", HOSTILE, "");
    let run = on_a_terminal(80, "1", HOSTILE, "--run 1");
    for shown in [&view, &run] {
        assert!(
            !shown.chars().any(|c| c.is_control() && c != '\n'),
            "{shown:?}"
        );
        assert!(
            shown.contains("\\x1b]0;title\\x07 \\u{9b}31m \\u{202e}x\\x7f\n"),
            "{shown:?}"
        );
    }
    assert!(view.contains("\nh\\x1b[2J /x\\x07: 3 x1\n"), "{view:?}");
    assert!(view.contains("\nh\\x1b[2J     1 "), "{view:?}");
    assert!(
        run.starts_with("[2026-03-02 10:00:00][1] START,-,h\\x1b[2J /x\\x07\n"),
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
    let reason = r"10: usage error: \x1b[2J \u{9b}31m (run 1@10:00:00)";
    assert!(view.contains(reason), "{view:?}");
    let document = printed(&report(log, &["--json"]));
    let cause = r#""cause":"usage error: \u001b[2J \u009b31m""#;
    assert!(document.contains(cause), "{document}");
}

#[test]
fn a_message_about_a_file_is_printable() {
    let scene = Scene::new();
    let output = reporter(&scene).arg("/no\x1b[2J").output().unwrap();
    assert_eq!(
        stderr(&output),
        "remoteexe: /no\\x1b[2J: No such file or directory (os error 2)\n"
    );
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
[2026-03-02 10:00:02][1] START,-,h /z
[2026-03-02 10:00:02][1] command,ssh root@h /x
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
    let user = format!(
        r#""uid":{uid},"user":"{}","scheduler":null"#,
        name.trim_end()
    );
    assert_eq!(
        printed(&output),
        concat!(
            r#"{"pid":2,USER,"host":"h","job":"h /y","start":"2026-03-02T10:01:00+00:00","end":"2026-03-02T10:01:30+00:00","duration":30,"status":"failed","exit_status":143,"accepted":false,"signal":"TERM","cause":"ended by signal TERM","connection_failure":false,"usage_error":false,"retries":1,"command":"ssh -i k root@h /y","lines":2,"bytes":57,"tail":["café"],"overlapped":false,"ambiguous":false}"#,
            "\n",
            r#"{"pid":1,USER,"host":"h","job":"h /x","start":"2026-03-02T10:00:00+00:00","end":"2026-03-02T10:02:01+00:00","duration":121,"status":"ok","exit_status":0,"accepted":false,"signal":null,"cause":"ok","connection_failure":false,"usage_error":false,"retries":0,"command":"ssh root@h /x","lines":0,"bytes":0,"tail":[],"overlapped":false,"ambiguous":false}"#,
            "\n",
            r#"{"pid":2,USER,"host":"h","job":"h /z","start":"2026-03-02T10:02:00+00:00","end":"2026-03-02T10:02:02+00:00","duration":2,"status":"failed","exit_status":1,"accepted":false,"signal":null,"cause":"the script's own status","connection_failure":false,"usage_error":false,"retries":0,"command":"ssh root@h /z","lines":0,"bytes":0,"tail":[],"overlapped":false,"ambiguous":false}"#,
            "\n",
            r#"{"pid":4194305,USER,"host":"h","job":"h /lost","start":"2026-03-02T10:00:00+00:00","end":null,"duration":null,"status":"lost","exit_status":null,"accepted":false,"signal":null,"cause":"lost: no END, and the process is gone","connection_failure":false,"usage_error":false,"retries":0,"command":null,"lines":0,"bytes":0,"tail":[],"overlapped":false,"ambiguous":false}"#,
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
    let expected = format!(
        r#"101 {} ["97","98","99","100","{}"]"#,
        output.len() + 1,
        "x".repeat(1024)
    );
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
        printed(&report(log, &["--tsv"]))
            .split_once('\n')
            .unwrap()
            .1,
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
        (&["--host", "web"], &[], 0),
        (&["--job", "web1"], &["1", "2", "3"], 1),
        (&["--job", "sh daily"], &["1"], 0),
        (&["--job", "daily", "--host", "db1"], &["3"], 1),
        (&["--job", "Daily"], &[], 0),
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
            &[
                "--since",
                "2026-03-02 10:00:10",
                "--until",
                "2026-03-02 10:00:20",
            ][..],
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
fn a_lost_run_was_going_on_until_its_last_record_of_any_kind() {
    let log = "\
[2026-03-02 10:00:00][4194305] START,-,h /x
[2026-03-02 10:00:00][4194305] command,ssh root@h /x
[2026-03-02 10:00:10][4194305] retry,1/8,255,wait 9.412 s
[2026-03-02 10:00:20][4194305] command,ssh root@h /x
";
    for (since, expected) in [("10:00:20", 1), ("10:00:21", 0)] {
        let since = format!("2026-03-02 {since}");
        let output = report(log, &["--json", "--since", &since]);
        assert_eq!(fields(&output, "pid").len(), expected, "{since}");
    }
    let view = printed(&report(log, &[]));
    assert!(
        view.starts_with("2026-03-02 10:00:00 to 2026-03-02 10:00:20\n"),
        "{view}"
    );
}

#[test]
fn a_time_is_also_how_long_ago_it_was() {
    let ago = |ago: &str| {
        let mut date = Command::new("date");
        date.env("TZ", "UTC").arg(format!("--date={ago} ago"));
        let output = date.arg("+%Y-%m-%d %H:%M:%S").output().unwrap();
        String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()
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
        (
            &["--since", "2x"],
            "error: invalid value '2x' for --since <TIME>: not a valid time\n",
        ),
        (
            &["--since", "h"],
            "error: invalid value 'h' for --since <TIME>: not a valid time\n",
        ),
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
        (
            &["--json", "--tsv"],
            "error: the argument '--json' cannot be used with '--tsv'\n",
        ),
        (&["--run", "1", "--tsv"], "error: "),
        (
            &["-", "-"],
            "error: standard input, -, can be read only once\n",
        ),
        (
            &["--frobnicate"],
            "error: unexpected argument '--frobnicate' found\n",
        ),
        (&["--log-dir", ""], "error: "),
        (&[""], "error: "),
    ] {
        let scene = Scene::new();
        let output = reporter(&scene).args(args).output().unwrap();
        assert_eq!(code(&output), 10, "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        let stderr = stderr(&output);
        assert!(stderr.starts_with(reason), "{stderr}");
        assert!(
            stderr.contains("\n\nUsage: remoteexe --report [OPTIONS] [FILE]...\n"),
            "{stderr}"
        );
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
        help.ends_with(
            "
Exit status:
  0 nothing failed; 1 something failed or was lost, or --check found a
  fault; 10 usage error; 74 something could not be read
"
        ),
        "{help}"
    );
}

#[test]
fn a_host_is_reached_only_where_the_remote_command_has_ended_by_itself() {
    let log = "\
[2026-03-02 10:00:00][1] START,-,h1 /x
[2026-03-02 10:00:00][1] command,ssh root@h1 /x
[2026-03-02 10:05:00][1] END,143,h1 /x
[2026-03-02 10:00:00][2] START,-,h2 /x
[2026-03-02 10:00:00][2] command,ssh root@h2 /x
[2026-03-02 10:06:00][2] remoteexe: ssh: not found in PATH
[2026-03-02 10:06:00][2] END,127,h2 /x
[2026-03-02 10:00:00][3] START,-,h3 /x
[2026-03-02 10:00:00][3] command,ssh root@h3 /x
[2026-03-02 10:07:00][3] END,127,h3 /x
";
    let view = printed(&report(log, &[]));
    let hosts = "\
Host  Runs  Failed  Not connected  Last reached  Last reason
h1       1       1              0  -
h2       1       1              0  -
h3       1       1              0  10:07:00
";
    assert!(view.ends_with(hosts), "{view}");
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
    // The records have whole seconds, the clock has not.
    let scene = Scene::new();
    let mut sh = Command::new("sh");
    scene.equip(&mut sh);
    let script = format!(
        "until set -- $(date '+%s %F %T %N') && [ $4 -gt 500000000 ]; do :; done
         printf '[%s %s][1] %s\\n' $2 $3 START,-,h $2 $3 command,root@h $2 $3 END,3,h >$DIR/a.log
         exec {REMOTEEXE} --report --since $(($(date +%s) - $1))s $DIR/a.log"
    );
    let output = sh.args(["-c", &script]).output().unwrap();
    assert!(printed(&output).contains("\nruns 1   ok 0   failed 1 "));
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
