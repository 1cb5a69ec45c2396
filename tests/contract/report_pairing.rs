//! `--report`: the assignment of records to runs.

use std::ops::Range;

use chrono::Utc;

use crate::report::{assert_runs, fields, printed, report, reporter};
use crate::support::{Scene, code, stderr};

#[test]
fn a_process_id_is_that_of_one_run_after_the_other() {
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:01][8] START,-,h b
[2026-03-02 10:00:01][8] command,ssh root@h b
[2026-03-02 10:00:02][7] of a
[2026-03-02 10:00:02][8] of b
[2026-03-02 10:00:03][7] END,1,h a
[2026-03-02 10:00:05][7] START,-,h a
[2026-03-02 10:00:05][7] command,ssh root@h a
[2026-03-02 10:00:06][8] END,0,h b
[2026-03-02 10:00:08][8] START,-,h c
[2026-03-02 10:00:08][8] command,ssh root@h c
[2026-03-02 10:00:09][7] END,0,h a
[2026-03-02 10:00:10][8] END,2,h c
",
        "pid job start exit_status duration tail ambiguous",
        &[
            r#"7 "h a" "2026-03-02T10:00:00+00:00" 1 3 ["of a"] false"#,
            r#"8 "h b" "2026-03-02T10:00:01+00:00" 0 5 ["of b"] false"#,
            r#"7 "h a" "2026-03-02T10:00:05+00:00" 0 4 [] false"#,
            r#"8 "h c" "2026-03-02T10:00:08+00:00" 2 2 [] false"#,
        ],
    );
}

#[test]
fn a_run_without_end_is_lost_when_its_process_id_starts_another_one() {
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:01][7] x
[2026-03-02 11:00:00][7] START,-,h b
[2026-03-02 11:00:00][7] command,ssh root@h b
[2026-03-02 11:00:01][7] END,0,h b
[2026-03-02 12:00:00][7] START,-,h c
[2026-03-02 12:00:00][7] command,ssh root@h c
[2026-03-02 12:00:01][7] END,0,h c
",
        "job status tail ambiguous",
        &[r#""h b" "ok" [] false"#, r#""h c" "ok" [] false"#, r#""h a" "lost" ["x"] false"#],
    );
}

#[test]
fn a_process_id_that_comes_again_after_a_boot_is_certainly_another_process() {
    let now = Utc::now().format("%Y-%m-%d %H:%M:%S");
    for (before, is_ambiguous) in [("2000-01-01 00:00:00", false), (&*now.to_string(), true)] {
        let log = format!(
            "[{before}][4194305] START,-,h a\n\
             [{before}][4194305] command,ssh root@h a\n\
             [{now}][4194305] START,-,h b\n\
             [{now}][4194305] command,ssh root@h b\n\
             [{now}][4194305] x\n\
             [{now}][4194305] END,0,h b\n"
        );
        let expected = format!(r#""h b" "ok" ["x"] {is_ambiguous}"#);
        let output = report(log, &["--json"]);
        assert_eq!(fields(&output, "job status tail ambiguous")[0], expected);
    }
}

#[test]
fn a_run_that_was_killed_at_once_is_lost() {
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:01][7] END,0,h a
[2026-03-02 11:00:00][7] START,-,h b
[2026-03-02 12:00:00][7] START,-,h c
[2026-03-02 12:00:00][7] command,ssh root@h c
[2026-03-02 12:00:01][7] END,0,h c
[2026-03-02 12:00:02][7] START,-,h d
",
        "job status duration ambiguous",
        &[
            r#""h a" "ok" 1 false"#,
            r#""h c" "ok" 1 false"#,
            r#""h b" "lost" null false"#,
            r#""h d" "lost" null false"#,
        ],
    );
}

#[test]
fn runs_at_once_under_one_process_id_as_in_two_containers_are_told_apart_by_their_operands() {
    let log = |records: &str| -> String {
        let lines = records.lines();
        let records = lines.map(|text| format!("[2026-03-02 10:00:00][1] {text}\n"));
        records.collect::<Vec<_>>().concat()
    };
    let both = "START,-,h a\ncommand,ssh root@h a\nSTART,-,h b\ncommand,ssh root@h b\n";
    let mixed = "START,-,h a\nSTART,-,h b\ncommand,ssh root@h a\ncommand,ssh root@h b\n";
    let (a, b) = ("END,0,h a\n", "END,3,h b\n");
    let fields = "job exit_status lines ambiguous";
    let run_a = r#""h a" 0 0 false"#;
    let run_b = r#""h b" 3 0 false"#;
    for begin in [both, mixed] {
        assert_runs(log(&[begin, a, b].concat()), fields, &[run_a, run_b]);
        assert_runs(log(&[begin, b, a].concat()), fields, &[run_b, run_a]);
    }
    // Nothing shows whose output this is. It goes to the run that was started last.
    let output = "x\nremoteexe: no retries: y\n";
    assert_runs(
        log(&[both, output, a, b].concat()),
        fields,
        &[r#""h a" 0 0 true"#, r#""h b" 3 2 true"#],
    );
    assert_runs(log(&[both, b, output, a].concat()), fields, &[run_b, r#""h a" 0 2 false"#]);
    // Nor which of two runs of one job an END ends.
    let same = "START,-,h a\ncommand,ssh root@h a\n".repeat(2) + "END,3,h a\nEND,0,h a\n";
    let expected = [r#""h a" 3 0 true"#, r#""h a" 0 0 true"#];
    assert_runs(log(&same), fields, &expected);
}

#[test]
fn a_line_behind_a_mark_is_output() {
    let mark = "[2026-03-02 10:00:00][7] remoteexe: the next line is output";
    let log = format!(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
{mark}
[2026-03-02 10:00:00][7] END,0,h a
{mark}\r
[2026-03-02 10:00:00][7] START,-,h b\r
{mark}
{mark}
{mark}
[2026-03-02 10:00:00][7] retry,1/8,255,wait 0.100 s
[2026-03-02 10:00:00][7] error: x
[2026-03-02 10:00:01][7] END,3,h a
"
    );
    let lines = r#"["END,0,h a","START,-,h b","remoteexe: the next line is output","retry,1/8,255,wait 0.100 s","error: x"]"#;
    let expected = format!("3 5 0 {lines} false");
    let fields = "exit_status lines retries tail ambiguous";
    assert_runs(&log, fields, &[&expected]);
}

#[test]
fn a_mark_whose_line_is_not_there_counts_for_nothing() {
    let mark = "[2026-03-02 10:00:00][7] remoteexe: the next line is output\n";
    for between in [
        "",
        "[2026-03-02 10:00:00][8] x\n",
        "[2026-03-02 10:00:01][7] x\n",
        "[2026-03-02 10:00:0\n",
        "\n",
    ] {
        let log = format!(
            "[2026-03-02 10:00:00][7] START,-,h a\n\
             [2026-03-02 10:00:00][7] command,ssh root@h a\n\
             {mark}{between}\
             [2026-03-02 10:00:01][7] END,3,h a\n"
        );
        let lines = u32::from(between.contains("[7] x"));
        assert_runs(log, "exit_status lines", &[&format!("3 {lines}")]);
    }
}

#[test]
fn a_record_without_a_mark_that_fits_no_run_is_output_and_makes_the_run_ambiguous() {
    for text in ["END,0,h b", "command,ssh root@h b", "wait,1 s"] {
        let log = format!(
            "[2026-03-02 10:00:00][7] START,-,h a\n\
             [2026-03-02 10:00:00][7] command,ssh root@h a\n\
             [2026-03-02 10:00:00][7] {text}\n\
             [2026-03-02 10:00:01][7] END,0,h a\n"
        );
        let expected = format!(r#"0 ["{text}"] true"#);
        assert_runs(&log, "exit_status tail ambiguous", &[&expected]);
        let output = report(&log, &[]);
        let screen = printed(&output);
        assert!(screen.contains("no problem found; not certain: 1 run\n"), "{screen}");
        assert!(screen.contains("\nNot certain  two runs had one process id"), "{screen}");
        for args in [&[][..], &["--json"], &["--tsv"], &["--runs"], &["--html", "page"]] {
            assert_eq!(code(&report(&log, args)), 1, "{args:?}");
        }
    }
}

#[test]
fn of_one_process_id_no_more_than_64_runs_wait_for_their_end() {
    let run = |job: usize| {
        format!(
            "[2026-03-02 10:00:00][7] START,-,h {job}\n\
             [2026-03-02 10:00:00][7] command,ssh root@h {job}\n"
        )
    };
    for (count, first) in [(64, r#""ok" false"#), (65, r#""lost" true"#)] {
        let runs: Vec<String> = (1..=count).map(run).collect();
        let log = runs.concat() + "[2026-03-02 10:00:01][7] END,0,h 1\n";
        let output = report(&log, &["--json", "--job", "h 1"]);
        let found = fields(&output, "status ambiguous");
        assert_eq!(found[0], first, "{count}");
    }
}

#[test]
fn the_end_of_a_run_that_has_ended_is_output_of_the_next() {
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h lost
[2026-03-02 10:00:00][7] command,ssh root@h lost
[2026-03-02 11:00:00][7] START,-,h a
[2026-03-02 11:00:00][7] command,ssh root@h a
[2026-03-02 11:00:01][7] END,0,h a
[2026-03-02 12:00:00][7] START,-,h b
[2026-03-02 12:00:00][7] command,ssh root@h b
[2026-03-02 12:00:01][7] END,1,h a
[2026-03-02 12:00:02][7] END,0,h b
[2026-03-02 13:00:00][7] START,-,h b
[2026-03-02 13:00:00][7] command,ssh root@h b
[2026-03-02 13:00:01][7] END,0,h b
",
        "job status duration tail ambiguous",
        &[
            r#""h a" "ok" 1 [] false"#,
            r#""h b" "ok" 2 ["END,1,h a"] true"#,
            r#""h b" "ok" 1 [] false"#,
            r#""h lost" "lost" null [] true"#,
        ],
    );
}

#[test]
fn the_command_is_the_one_that_ends_with_the_operands() {
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] remoteexe: no retries: x
[2026-03-02 10:00:00][7] command,ssh root@h b
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:01][7] END,0,h a
",
        "command tail",
        &[r#""ssh root@h a" ["remoteexe: no retries: x","command,ssh root@h b"]"#],
    );
}

#[test]
fn output_that_looks_like_end_is_output_where_it_has_other_operands() {
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:01][7] END,0,h
[2026-03-02 10:00:01][7] END,0,h a b
[2026-03-02 10:00:01][7] END,256,h a
[2026-03-02 10:00:01][7] END,x,h a
[2026-03-02 10:00:02][7] END,5,h a
",
        "exit_status duration tail",
        &[r#"5 2 ["END,0,h","END,0,h a b","END,256,h a","END,x,h a"]"#],
    );
}

#[test]
fn where_the_order_does_not_tell_both_runs_are_ambiguous() {
    // One run whose output has a START and a command of its own, or one that was lost and one that was not.
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:01][7] START,-,h a
[2026-03-02 10:00:01][7] command,ssh root@h a
[2026-03-02 10:00:02][7] END,0,h a
",
        "status duration ambiguous",
        &["\"ok\" 1 true", "\"lost\" null true"],
    );
    // The next record would show it, but has not come.
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:01][7] START,-,h b
",
        "job status ambiguous",
        &["\"h a\" \"lost\" false", "\"h b\" \"lost\" false"],
    );
    // A line of a run whose START is in a log that is not here.
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] x
",
        "job status ambiguous",
        &["\"h a\" \"lost\" true"],
    );
}

#[test]
fn a_command_counts_as_one_only_behind_start_or_behind_a_retry() {
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:01][7] command,ssh root@h a
[2026-03-02 10:00:01][7] retry,1/3,255,wait 0.100 s
[2026-03-02 10:00:02][7] command,ssh root@h a
[2026-03-02 10:00:02][7] retry,2/3,255,wait 0.200 s
[2026-03-02 10:00:03][7] command,ssh root@h b
[2026-03-02 10:00:03][7] retry,x
[2026-03-02 10:00:04][7] END,0,h a
",
        "retries lines tail command",
        &[r#"1 3 ["command,ssh root@h b","retry,x"] "ssh root@h a""#],
    );
}

#[test]
fn a_message_of_remoteexe_before_the_command_confirms_the_start_and_is_output() {
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] remoteexe: no retries: /opt/ssh is not a program but a script; put OpenSSH's ssh before it in PATH
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:01][7] END,0,h a
[2026-03-02 10:00:12][7] START,-,--frob h a
[2026-03-02 10:00:12][7] error: unexpected argument '--frob' found
[2026-03-02 10:00:12][7] usage: remoteexe target script [parameters]
[2026-03-02 10:00:12][7] END,10,--frob h a
",
        "job status usage_error lines ambiguous",
        &[
            r#""h a" "ok" false 1 false"#,
            r#""--frob h a" "failed" true 2 false"#,
        ],
    );
}

#[test]
fn operands_may_hold_commas_brackets_blanks_and_anything_else() {
    for operands in [
        "h a,b,END,0,c",
        "h [2026-03-02 10:00:00][7] x",
        "h  a  ",
        "h \\n",
        "h 日本",
        "h -,-",
        "h",
        "",
    ] {
        let log = format!(
            "[2026-03-02 10:00:00][7] START,-,{operands}\n\
             [2026-03-02 10:00:00][7] command,ssh root@{operands}\n\
             [2026-03-02 10:00:01][7] END,0,{operands}\n"
        );
        let expected = format!("{operands:?} \"ok\" 0 false");
        assert_runs(log, "job status lines ambiguous", &[&expected]);
    }
}

#[test]
fn a_run_goes_on_over_midnight_and_in_another_file() {
    // The daily file was taken away from this user, and the next day's has others.
    let scene = Scene::new();
    for (name, log) in [
        (
            "20260302_remoteexe.log",
            "[2026-03-02 23:59:58][7] START,-,h a\n\
             [2026-03-02 23:59:58][7] command,ssh root@h a\n\
             [2026-03-03 00:00:04][8] END,0,h b\n",
        ),
        (
            "20260302_remoteexe.0.log",
            "[2026-03-02 23:59:58][7] one\n\
             [2026-03-02 23:59:59][8] START,-,h b\n\
             [2026-03-02 23:59:59][8] command,ssh root@h b\n\
             [2026-03-03 00:00:02][7] two\n\
             [2026-03-03 00:00:02][7] END,4,h a\n",
        ),
        (
            "20260303_remoteexe.log",
            "[2026-03-03 00:00:01][9] START,-,h c\n\
             [2026-03-03 00:00:01][9] command,ssh root@h c\n\
             [2026-03-03 00:00:03][9] END,0,h c\n\
             [2026-03-03 00:00:03][7] START,-,h a\n\
             [2026-03-03 00:00:03][7] command,ssh root@h a\n\
             [2026-03-03 00:00:05][7] END,0,h a\n",
        ),
    ] {
        let path = scene.path("log").join(name);
        std::fs::write(&path, log).unwrap();
        let uid = rustix::process::geteuid().as_raw();
        std::fs::rename(&path, path.with_file_name(name.replace(".0.", &format!(".{uid}."))))
            .unwrap();
    }
    let mut command = reporter(&scene);
    let output = command.args(["--since", "2026-03-02", "--json"]).output().unwrap();
    printed(&output);
    assert_eq!(
        fields(&output, "pid job exit_status duration tail"),
        [
            r#"7 "h a" 4 4 ["one","two"]"#,
            r#"9 "h c" 0 2 []"#,
            r#"8 "h b" 0 5 []"#,
            r#"7 "h a" 0 2 []"#,
        ]
    );
}

#[test]
fn a_clock_that_was_set_back_gives_no_duration() {
    let log = "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 09:00:00][7] x
[2026-03-02 09:00:01][7] END,0,h a
[2026-03-02 09:00:01][8] START,-,h a
[2026-03-02 09:00:01][8] command,ssh root@h a
[2026-03-02 09:00:01][8] END,0,h a
";
    assert_runs(
        log,
        "start end duration",
        &[
            r#""2026-03-02T10:00:00+00:00" "2026-03-02T09:00:01+00:00" null"#,
            r#""2026-03-02T09:00:01+00:00" "2026-03-02T09:00:01+00:00" 0"#,
        ],
    );
}

/// The offsets and durations of these runs, START and END each, in Berlin.
fn in_berlin(runs: &[(&str, &str)]) -> Vec<String> {
    let scene = Scene::new();
    let log: Vec<String> = runs
        .iter()
        .map(|(start, end)| {
            format!(
                "[{start}][7] START,-,h a\n[{start}][7] command,ssh root@h a\n[{end}][7] END,0,h a\n"
            )
        })
        .collect();
    let log = log.concat();
    std::fs::write(scene.path("a.log"), log).unwrap();
    let mut command = reporter(&scene);
    command.env("TZ", "Europe/Berlin").arg("--json");
    let output = command.arg(scene.path("a.log")).output().unwrap();
    printed(&output);
    fields(&output, "start end duration")
}

#[test]
fn durations_are_right_when_summer_time_begins_and_unknown_in_the_hour_that_comes_twice() {
    assert_eq!(
        in_berlin(&[
            ("2026-03-28 23:00:00", "2026-03-29 01:59:59"),
            // 02:00 to 03:00 is skipped.
            ("2026-03-29 01:59:59", "2026-03-29 03:00:01"),
            ("2026-10-25 01:59:59", "2026-10-25 03:00:01"),
            // Once or twice: 01:00 to 02:00 UTC comes as 02:00 to 03:00 twice.
            ("2026-10-25 02:30:00", "2026-10-25 02:30:10"),
            ("2026-10-25 02:59:59", "2026-10-25 02:00:01"),
            ("2026-10-25 01:00:00", "2026-10-25 02:00:00"),
            // cron's hour again: this comes once.
            ("2026-10-25 03:00:00", "2026-10-25 03:00:01"),
            ("2026-03-29 03:00:00", "2026-03-29 03:00:01"),
            // Such a time there was not.
            ("2026-03-29 02:30:00", "2026-03-29 03:30:00"),
        ]),
        [
            r#""2026-03-28T23:00:00+01:00" "2026-03-29T01:59:59+01:00" 10799"#,
            r#""2026-03-29T01:59:59+01:00" "2026-03-29T03:00:01+02:00" 2"#,
            r#""2026-10-25T01:59:59+02:00" "2026-10-25T03:00:01+01:00" 7202"#,
            r#""2026-10-25T02:30:00+02:00" "2026-10-25T02:30:10+02:00" null"#,
            r#""2026-10-25T02:59:59+02:00" "2026-10-25T02:00:01+02:00" null"#,
            r#""2026-10-25T01:00:00+02:00" "2026-10-25T02:00:00+02:00" null"#,
            r#""2026-10-25T03:00:00+01:00" "2026-10-25T03:00:01+01:00" 1"#,
            r#""2026-03-29T03:00:00+02:00" "2026-03-29T03:00:01+02:00" 1"#,
            r#""2026-03-29T02:30:00+01:00" "2026-03-29T03:30:00+02:00" null"#,
        ]
    );
}

#[test]
fn torn_foreign_and_empty_lines_between_the_records_stop_nothing() {
    let log = b"\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] comm
[2026-03-02 10:00:00][7] command,ssh root@h a

[2026-03-02 10:00:00][7
\xff\x00\xfe
[2026-13-02 10:00:00][7] END,0,h a
[2026-03-02 10:00:00][99999999999] END,0,h a
 [2026-03-02 10:00:00][7] END,0,h a
[2026-03-02 10:00:01][7] END,3,h a
";
    assert_runs(log, "exit_status lines", &["3 1"]);
    let view = printed(&report(log, &[]));
    assert!(
        view.contains("\nunrecognized lines 5   records without START 0   ambiguous runs 1\n"),
        "{view}"
    );
}

#[test]
fn lines_that_end_with_cr_lf_are_records_too_and_are_shown_without_cr() {
    let log = "[2026-03-02 10:00:00][7] START,-,h a\r\n\
               [2026-03-02 10:00:00][7] command,ssh root@h a\r\n\
               [2026-03-02 10:00:00][7] x\r\n\
               [2026-03-02 10:00:01][7] END,3,h a\r\n";
    assert_runs(log, "exit_status duration tail", &[r#"3 1 ["x"]"#]);
}

#[test]
fn the_wait_of_a_splay_is_no_part_of_the_duration() {
    let log = "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] wait,14.200 s
[2026-03-02 10:00:14][7] command,ssh root@h a
[2026-03-02 10:00:14][7] wait,9 s
[2026-03-02 10:00:17][7] END,0,h a
[2026-03-02 10:01:00][8] START,-,h b
[2026-03-02 10:01:00][8] wait,14.200 s
[2026-03-02 10:01:05][8] END,143,h b
";
    assert_runs(log, "exit_status duration lines", &["0 3 1", "143 0 0"]);
}

#[test]
fn the_warnings_of_ssh_about_the_key_exchange_are_not_taken_for_the_last_lines() {
    let begin = "[2026-03-02 10:00:00][7]";
    let log = format!(
        "{begin} START,-,h a\n\
         {begin} command,ssh root@h a\n\
         {begin} ** WARNING: connection is not using a post-quantum key exchange algorithm.\r\n\
         {begin} ** This session may be vulnerable to \"store now, decrypt later\" attacks.\r\n\
         {begin} ** The server may need to be upgraded. See https://openssh.com/pq.html\r\n\
         {begin} disk full\n\
         {begin} END,3,h a\n"
    );
    assert_runs(&log, "lines tail", &[r#"4 ["disk full"]"#]);
}

#[test]
fn a_script_s_own_255_is_no_failed_connection_once_the_log_says_that_it_was_requested() {
    let requested = "remoteexe: ssh returned 255 after it had requested the script";
    let refused = "ssh: connect to host db port 22: Connection refused";
    let lost = "client_loop: send disconnect: Broken pipe";
    for (output, expected) in [
        (refused.to_owned(), r#""connection refused" true"#),
        (
            format!("{refused}\n[2026-03-02 10:00:00][7] {requested}"),
            r#""the script returned 255, or a signal ended it" false"#,
        ),
        (
            format!("{lost}\n[2026-03-02 10:00:00][7] {requested}"),
            r#""connection lost while the job ran" false"#,
        ),
    ] {
        let log = format!(
            "[2026-03-02 10:00:00][7] START,-,h a\n\
             [2026-03-02 10:00:00][7] command,ssh root@h a\n\
             [2026-03-02 10:00:00][7] {output}\n\
             [2026-03-02 10:00:00][7] END,255,h a\n"
        );
        assert_runs(&log, "cause connection_failure", &[expected]);
    }
}

#[test]
fn run_prints_also_what_of_its_output_looks_like_records() {
    let run = "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
MARK[2026-03-02 10:00:01][7] END,0,h a
MARK[2026-03-02 10:00:01][7] START,-,h b
[2026-03-02 10:00:01][7] x
MARK[2026-03-02 10:00:01][7] remoteexe: the next line is output
MARK[2026-03-02 10:00:01][7] retry,1/3,255,wait 0.100 s
[2026-03-02 10:00:04][7] END,2,h a
";
    let mark = "[2026-03-02 10:00:01][7] remoteexe: the next line is output\n";
    let (logged, run) = (run.replace("MARK", mark), run.replace("MARK", ""));
    let other = "\
[2026-03-02 10:00:05][7] START,-,h c
[2026-03-02 10:00:05][7] command,ssh root@h c
";
    let log = format!("[2026-03-02 09:00:00][7] before\nforeign\n{logged}{other}");
    let output = report(&log, &["--run", "7@10:00:00"]);
    assert_eq!(stderr(&output), "");
    assert_eq!(String::from_utf8(output.stdout.clone()).unwrap(), run);
    assert_eq!(code(&output), 1);
    assert_eq!(printed(&report(&log, &["--run", "7@10:00:05"])), other);
    let output = report(&log, &["--json", "--run", "7@10:00:00"]);
    let lines = r#"["END,0,h a","START,-,h b","x","remoteexe: the next line is output","retry,1/3,255,wait 0.100 s"]"#;
    assert_eq!(fields(&output, "output"), [lines]);
}

/// A run of each of `pids`, one after the other.
fn one_run_each(pids: Range<u32>) -> String {
    let run = |pid| {
        format!(
            "[2026-03-02 10:00:00][{pid}] START,-,h {pid}\n\
             [2026-03-02 10:00:00][{pid}] command,ssh root@h {pid}\n\
             [2026-03-02 10:00:00][{pid}] END,0,h {pid}\n"
        )
    };
    pids.map(run).collect()
}

#[test]
fn of_five_thousand_processes_with_one_run_each_none_is_forgotten() {
    let output = report(one_run_each(1..5001), &["--json"]);
    let expected: Vec<String> = (1..=5000).map(|pid| pid.to_string()).collect();
    assert_eq!(fields(&output, "pid"), expected);
}

#[test]
fn runs_come_in_the_order_of_their_ends_also_where_a_process_id_is_used_again_for_a_long_run() {
    let begin = "\
[2026-03-02 10:00:00][7] START,-,h short
[2026-03-02 10:00:00][7] command,ssh root@h short
[2026-03-02 10:00:00][7] END,0,h short
[2026-03-02 10:00:00][7] START,-,h long
[2026-03-02 10:00:00][7] command,ssh root@h long
";
    let end = "[2026-03-02 10:00:00][7] END,0,h long\n";
    let log = [begin, &one_run_each(100..6000), end].concat();
    let jobs = fields(&report(log, &["--json"]), "job");
    assert_eq!(jobs[0], r#""h short""#);
    assert_eq!(jobs[1], r#""h 100""#);
    assert_eq!(jobs.last().unwrap(), r#""h long""#);
}

#[test]
fn the_hour_that_is_skipped_when_summer_time_begins_is_no_silence() {
    let scene = Scene::new();
    // A START each five minutes from the day before on; the clock goes from 02:00 to 03:00.
    let before = (0..24).map(|hour| (28, hour));
    let hours = before.chain([0, 1, 3, 4].map(|hour| (29, hour)));
    let minutes = hours.flat_map(|(day, hour)| (0..60).step_by(5).map(move |it| (day, hour, it)));
    let runs: Vec<String> = minutes
        .map(|(day, hour, minute)| {
            let stamp = format!("[2026-03-{day} {hour:02}:{minute:02}:01][7]");
            format!("{stamp} START,-,h a\n{stamp} command,ssh root@h a\n{stamp} END,0,h a\n")
        })
        .collect();
    let log = runs.concat();
    std::fs::write(scene.path("a.log"), log).unwrap();
    let mut command = reporter(&scene);
    command.env("TZ", "Europe/Berlin").arg(scene.path("a.log"));
    let output = command.output().unwrap();
    assert_eq!((code(&output), stderr(&output)), (0, String::new()));
}
