//! `--report`: the assignment of records to runs.

use std::ops::Range;

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
        &[
            // All that follows may be its output.
            r#""h b" "ok" [] true"#,
            r#""h c" "ok" [] true"#,
            r#""h a" "lost" ["x"] true"#,
        ],
    );
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
fn output_that_looks_like_start_is_output_where_no_command_follows_it() {
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:01][7] START,-,x
[2026-03-02 10:00:01][7] more
[2026-03-02 10:00:02][7] START,-,h a
[2026-03-02 10:00:03][7] END,0,h a
",
        "job status duration lines tail ambiguous",
        &[r#""h a" "ok" 3 3 ["START,-,x","more","START,-,h a"] false"#],
    );
}

#[test]
fn output_that_looks_like_a_whole_run_is_output_once_the_end_of_the_true_one_comes() {
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:01][7] START,-,h b
[2026-03-02 10:00:01][7] command,ssh root@h b
[2026-03-02 10:00:02][7] of b
[2026-03-02 10:00:02][7] END,3,h b
[2026-03-02 10:00:03][7] END,0,h a
",
        "job status duration lines bytes tail",
        &[r#""h a" "ok" 3 4 48 ["START,-,h b","command,ssh root@h b","of b","END,3,h b"]"#],
    );
}

#[test]
fn each_command_of_a_run_that_was_output_is_a_line_of_output() {
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:01][7] START,-,h b
[2026-03-02 10:00:01][7] command,ssh root@h b
[2026-03-02 10:00:01][7] retry,1/8,255,wait 1.000 s
[2026-03-02 10:00:02][7] command,ssh root@h b
[2026-03-02 10:00:02][7] of b
[2026-03-02 10:00:03][7] END,0,h a
",
        "job retries lines tail",
        &[r#""h a" 0 4 ["START,-,h b","command,ssh root@h b","command,ssh root@h b","of b"]"#],
    );
}

#[test]
fn runs_at_once_under_one_process_id_as_in_two_containers_are_ambiguous() {
    // Nobody can tell whose output is whose, nor whether the second run is output of the first.
    let fields = "job status ambiguous";
    assert_runs(
        "\
[2026-03-02 10:00:00][1] START,-,h a
[2026-03-02 10:00:00][1] command,ssh root@h a
[2026-03-02 10:00:01][1] START,-,h b
[2026-03-02 10:00:01][1] command,ssh root@h b
[2026-03-02 10:00:02][1] END,3,h b
[2026-03-02 10:00:03][1] END,0,h a
",
        fields,
        &[r#""h a" "ok" true"#],
    );
    assert_runs(
        "\
[2026-03-02 10:00:00][1] START,-,h a
[2026-03-02 10:00:00][1] command,ssh root@h a
[2026-03-02 10:00:01][1] START,-,h b
[2026-03-02 10:00:01][1] command,ssh root@h b
[2026-03-02 10:00:02][1] END,0,h a
[2026-03-02 10:00:03][1] END,3,h b
",
        fields,
        &[r#""h a" "lost" true"#],
    );
    assert_runs(
        "\
[2026-03-02 10:00:00][1] START,-,h a
[2026-03-02 10:00:00][1] START,-,h b
[2026-03-02 10:00:00][1] command,ssh root@h a
[2026-03-02 10:00:00][1] command,ssh root@h b
[2026-03-02 10:00:02][1] END,3,h b
[2026-03-02 10:00:03][1] END,0,h a
",
        fields,
        &[r#""h a" "ok" true"#],
    );
    assert_runs(
        "\
[2026-03-02 10:00:00][1] START,-,h a
[2026-03-02 10:00:00][1] command,ssh root@h a
[2026-03-02 10:00:01][1] START,-,h a
[2026-03-02 10:00:01][1] command,ssh root@h a
[2026-03-02 10:00:02][1] END,3,h a
[2026-03-02 10:00:03][1] END,0,h a
",
        fields,
        &[r#""h a" "ok" true"#, r#""h a" "lost" true"#],
    );
}

#[test]
fn a_start_in_the_output_of_a_lost_run_is_output_too() {
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:01][7] START,-,x
[2026-03-02 10:00:01][7] START,-,y
[2026-03-02 10:00:01][7] command,ssh root@z
",
        "job status lines tail",
        &[r#""h a" "lost" 3 ["START,-,x","START,-,y","command,ssh root@z"]"#],
    );
}

#[test]
fn runs_within_runs_are_output_to_some_depth() {
    let run = |within: String, job: usize| {
        format!(
            "[2026-03-02 10:00:00][7] START,-,h {job}\n\
             [2026-03-02 10:00:00][7] command,ssh root@h {job}\n\
             {within}\
             [2026-03-02 10:00:00][7] END,0,h {job}\n"
        )
    };
    let log = (1..=7).fold(String::new(), run);
    assert_runs(log, "job status lines", &[r#""h 7" "ok" 18"#]);
    let beside = run(String::new(), 1) + &run(String::new(), 2);
    assert_runs(run(beside, 3), "job status lines", &[r#""h 3" "ok" 6"#]);
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
            r#""h a" "ok" 1 [] true"#,
            r#""h b" "ok" 2 ["END,1,h a"] true"#,
            r#""h b" "ok" 1 [] true"#,
            r#""h lost" "lost" null [] true"#,
        ],
    );
}

/// A job that prints records, as somebody who would hide a failure may let it do.
const FORGED: &str = "\
[2026-03-02 10:00:01][7] START,-,payroll_db /pay.sh
[2026-03-02 10:00:01][7] command,ssh root@payroll_db /pay.sh
[2026-03-02 10:00:01][7] END,9,payroll_db /pay.sh
";

/// The runs of a log in which a job prints [`FORGED`] between its START and `end`.
fn assert_forged(before: &str, after: &str, expected: &[&str]) {
    let begin = "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
";
    let log = [begin, before, FORGED, after].concat();
    assert_runs(log, "job status exit_status ambiguous", expected);
}

#[test]
fn a_run_in_the_output_of_one_that_never_ended_is_ambiguous() {
    let expected = [
        r#""payroll_db /pay.sh" "failed" 9 true"#,
        r#""h a" "lost" null true"#,
    ];
    assert_forged("", "", &expected);
    assert_forged("[2026-03-02 10:00:01][7] of a\n", "", &expected);
}

#[test]
fn a_run_that_begins_just_after_another_of_its_process_id_is_ambiguous() {
    let end = "[2026-03-02 10:00:00][7] END,0,h a\n";
    assert_forged(
        end,
        "",
        &[
            r#""h a" "ok" 0 true"#,
            r#""payroll_db /pay.sh" "failed" 9 true"#,
        ],
    );
    // The true END of a run that pretends to be another one of the same job.
    let again = "\
[2026-03-02 10:00:01][7] START,-,h a
[2026-03-02 10:00:01][7] command,ssh root@h a
[2026-03-02 10:09:00][7] END,7,h a
";
    assert_forged(
        end,
        again,
        &[
            r#""h a" "ok" 0 true"#,
            r#""payroll_db /pay.sh" "failed" 9 true"#,
            r#""h a" "failed" 7 true"#,
        ],
    );
}

#[test]
fn a_run_that_ends_again_after_another_of_its_process_id_makes_both_ambiguous() {
    // Later than a process id that comes back.
    let log = |last: &str| {
        format!(
            "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:01][7] END,0,h a
[2026-03-02 10:00:05][7] START,-,payroll_db /pay.sh
[2026-03-02 10:00:05][7] command,ssh root@payroll_db /pay.sh
[2026-03-02 10:00:05][7] END,9,payroll_db /pay.sh
[2026-03-02 10:00:06][7] END,7,h a
{last}"
        )
    };
    let fields = "job status ambiguous";
    assert_runs(
        log(""),
        fields,
        &[r#""h a" "ok" true"#, r#""payroll_db /pay.sh" "lost" true"#],
    );
    let next = "\
[2026-03-02 11:00:00][7] START,-,h c
[2026-03-02 11:00:00][7] command,ssh root@h c
[2026-03-02 11:00:00][7] END,0,h c
";
    assert_runs(
        log(next),
        fields,
        &[
            r#""h a" "ok" true"#,
            r#""h c" "ok" true"#,
            r#""payroll_db /pay.sh" "lost" true"#,
        ],
    );
    // Nothing of the first run could follow its END: here it was output of the second.
    let end = "[2026-03-02 10:00:07][7] END,3,payroll_db /pay.sh\n";
    assert_runs(
        log(end),
        fields,
        &[
            r#""h a" "ok" false"#,
            r#""payroll_db /pay.sh" "failed" false"#,
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
fn output_that_looks_like_its_own_end_is_output_where_more_of_it_follows() {
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:01][7] END,0,h a
[2026-03-02 10:00:01][8] START,-,h b
[2026-03-02 10:00:01][8] command,ssh root@h b
[2026-03-02 10:00:01][8] END,0,h b
[2026-03-02 10:00:02][7] END,1,h a
[2026-03-02 10:00:03][7] START,-,h c
[2026-03-02 10:00:03][7] and more
[2026-03-02 10:00:04][7] END,2,h a
",
        "job exit_status duration tail",
        &[
            r#""h b" 0 0 []"#,
            r#""h a" 2 4 ["END,0,h a","END,1,h a","START,-,h c","and more"]"#,
        ],
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
    // The next record would tell, but has not come.
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:01][7] START,-,h b
",
        "job status ambiguous",
        &["\"h a\" \"lost\" true", "\"h b\" \"lost\" true"],
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
fn a_retry_that_no_failed_connection_explains_is_ambiguous() {
    let refused = "ssh: connect to host h port 22: Connection refused\r";
    let killed = "remoteexe: ssh was killed: not connected after 5.000 s";
    let both = format!("retry,1/3,255,wait 0.100 s\n{refused}\nretry,2/3,255,wait 0.100 s");
    for (output, expected) in [
        // The script may have printed these two lines.
        ("retry,1/3,255,wait 0.100 s".to_owned(), "1 true"),
        ("hello\nretry,1/3,255,wait 0.100 s".to_owned(), "1 true"),
        (format!("{refused}\nretry,1/3,255,wait 0.100 s"), "1 false"),
        (format!("{killed}\nretry,1/3,255,wait 1.999 s"), "1 false"),
        // Not the next one, one too many, and one that did not wait.
        (format!("{refused}\nretry,2/3,255,wait 0.100 s"), "1 true"),
        (format!("{refused}\nretry,1/0,255,wait 0.100 s"), "1 true"),
        (format!("{refused}\nretry,1/3,255,wait 2.001 s"), "1 true"),
        (format!("{refused}\n{both}"), "1 true"),
    ] {
        let begin = "[2026-03-02 10:00:00][7]";
        let lines = output.lines().map(|line| format!("{begin} {line}\n"));
        let lines: String = lines.collect();
        let log = format!(
            "{begin} START,-,h a\n{begin} command,ssh root@h a\n{lines}\
             [2026-03-02 10:00:01][7] command,ssh root@h a\n\
             [2026-03-02 10:00:01][7] END,0,h a\n"
        );
        assert_runs(log, "retries ambiguous", &[expected]);
    }
}

#[test]
fn a_retry_comes_after_no_end() {
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:01][7] END,0,h a
[2026-03-02 10:00:01][7] retry,1/3,255,wait 0.100 s
[2026-03-02 10:00:02][7] command,ssh root@h a
[2026-03-02 10:00:03][7] END,1,h a
",
        "exit_status duration retries lines",
        &["1 3 1 1"],
    );
    assert_runs(
        "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:01][7] END,0,h a
[2026-03-02 10:00:01][7] retry,1/3,255,wait 0.100 s
",
        "status lines",
        &["\"lost\" 1"],
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
        std::fs::rename(
            &path,
            path.with_file_name(name.replace(".0.", &format!(".{uid}."))),
        )
        .unwrap();
    }
    let mut command = reporter(&scene);
    let output = command
        .args(["--since", "2026-03-02", "--json"])
        .output()
        .unwrap();
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
[2026-03-02 10:00:01][7] END,0,h a
[2026-03-02 10:00:01][7] START,-,h b
[2026-03-02 10:00:01][7] x
[2026-03-02 10:00:02][7] retry,1/3,255,wait 0.100 s
[2026-03-02 10:00:02][7] START,-,h b
[2026-03-02 10:00:02][7] command,ssh root@h b
[2026-03-02 10:00:03][7] END,1,h b
[2026-03-02 10:00:04][7] END,2,h a
";
    let other = "\
[2026-03-02 10:00:05][7] START,-,h c
[2026-03-02 10:00:05][7] command,ssh root@h c
";
    let log = format!("[2026-03-02 09:00:00][7] before\nforeign\n{run}{other}");
    let output = report(&log, &["--run", "7@10:00:00"]);
    assert_eq!(stderr(&output), "");
    assert_eq!(String::from_utf8(output.stdout.clone()).unwrap(), run);
    assert_eq!(code(&output), 1);
    assert_eq!(printed(&report(&log, &["--run", "7@10:00:05"])), other);
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
fn an_end_can_turn_out_to_be_output_until_4096_others_have_come() {
    let begin = "\
[2026-03-02 10:00:00][7] START,-,h a
[2026-03-02 10:00:00][7] command,ssh root@h a
[2026-03-02 10:00:00][7] END,0,h a
[2026-03-02 10:00:00][7] START,-,h b
[2026-03-02 10:00:00][7] command,ssh root@h b
[2026-03-02 10:00:00][7] END,0,h b
";
    let end = "\
[2026-03-02 10:00:00][7] more
[2026-03-02 10:00:00][7] END,1,h b
";
    for (others, expected) in [(4095, r#"1 ["END,0,h b","more"]"#), (4096, "0 []")] {
        let log = [begin, &one_run_each(100..100 + others), end].concat();
        let output = report(log, &["--json"]);
        let runs = fields(&output, "job exit_status tail");
        let expected = format!(r#""h b" {expected}"#);
        assert!(runs.contains(&expected), "{others}");
        assert_eq!(runs.len(), usize::try_from(others).unwrap() + 2);
    }
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
