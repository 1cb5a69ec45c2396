//! `--report --ok`: exit statuses of scripts that are no failure.

use std::fs;

use crate::report::{fields, printed, report, reporter};
use crate::support::{Scene, code, stderr};

/// A run of each end, and each on its own host.
const LOG: &str = "\
[2026-03-02 10:00:00][1] START,-,h1 /a.sh
[2026-03-02 10:00:00][1] command,ssh root@h1 /a.sh
[2026-03-02 10:00:02][1] END,75,h1 /a.sh
[2026-03-02 10:00:00][2] START,-,h2 /a.sh
[2026-03-02 10:00:00][2] command,ssh root@h2 /a.sh
[2026-03-02 10:00:02][2] END,0,h2 /a.sh
[2026-03-02 10:00:00][3] START,-,h3 /a.sh
[2026-03-02 10:00:00][3] command,ssh root@h3 /a.sh
[2026-03-02 10:00:02][3] END,10,h3 /a.sh
";

#[test]
fn an_accepted_status_is_counted_apart_and_is_no_failure() {
    let output = report(LOG, &["--ok", "10,75"]);
    let view = printed(&output);
    let counts = "\nruns 3   ok 1   ok by --ok 2   failed 0   lost 0   running 0\n";
    assert!(view.contains(counts), "{view}");
    assert_eq!(code(&output), 0);
    let output = report(LOG, &["--ok", " 10, 75", "--json"]);
    assert_eq!(
        fields(&output, "exit_status status accepted cause"),
        [r#"75 "ok" true "ok by --ok""#, r#"0 "ok" false "ok""#, r#"10 "ok" true "ok by --ok""#,]
    );
    assert_eq!(code(&output), 0);
}

#[test]
fn every_other_status_fails_as_ever() {
    let output = report(LOG, &["--ok", "1,75,99", "--json"]);
    let expected = [r#""ok" true"#, r#""ok" false"#, r#""failed" false"#];
    assert_eq!(fields(&output, "status accepted"), expected);
    assert_eq!(code(&output), 1);
    assert_eq!(printed(&report(LOG, &["--ok", "75", "--failed", "--json"])).lines().count(), 1);
}

#[test]
fn the_variable_says_it_for_every_report_and_the_option_wins() {
    let scene = Scene::new();
    fs::write(scene.path("a.log"), LOG).unwrap();
    for (variable, args, status) in
        [("10,75", &[][..], 0), ("", &[], 1), ("10,75", &["--ok", "75"], 1)]
    {
        let mut command = reporter(&scene);
        command.env("REMOTEEXE_OK", variable).args(args);
        let output = command.arg(scene.path("a.log")).output().unwrap();
        assert_eq!(code(&output), status, "{variable} {args:?}");
    }
    let mut command = reporter(&scene);
    let output = command.env("REMOTEEXE_OK", "x").output().unwrap();
    assert_eq!(code(&output), 10);
    let error = "error: invalid value 'x' for REMOTEEXE_OK: expected exit statuses from 1 to 254";
    assert!(stderr(&output).starts_with(error), "{}", stderr(&output));
}

#[test]
fn a_status_that_the_script_did_not_give_is_not_accepted() {
    let log = "\
[2026-03-02 10:00:00][1] START,-,h
[2026-03-02 10:00:00][1] usage: remoteexe target script [parameters]
[2026-03-02 10:00:00][1] END,10,h
[2026-03-02 10:00:00][2] START,-,h /a.sh
[2026-03-02 10:00:00][2] command,ssh root@h /a.sh
[2026-03-02 10:00:00][2] remoteexe: ssh: not found in PATH
[2026-03-02 10:00:00][2] END,127,h /a.sh
";
    let output = report(log, &["--ok", "10,127", "--json"]);
    assert_eq!(fields(&output, "status"), [r#""failed""#, r#""failed""#]);
}

#[test]
fn other_lists_are_usage_errors() {
    for (list, reason) in [
        ("255", "255 is also what ssh gives if the connection failed"),
        ("1,", "expected exit statuses from 1 to 254 with commas between them"),
        ("0", "expected exit statuses from 1 to 254 with commas between them"),
        ("256", "expected exit statuses from 1 to 254 with commas between them"),
        ("-1", "expected exit statuses from 1 to 254 with commas between them"),
        ("1-3", "expected exit statuses from 1 to 254 with commas between them"),
    ] {
        let output = report(LOG, &["--ok", list]);
        assert_eq!(code(&output), 10, "{list}");
        let error = format!("error: invalid value '{list}' for --ok <STATUSES>: {reason}\n");
        assert!(stderr(&output).starts_with(&error), "{}", stderr(&output));
    }
}
