//! `--report`: colours, width and the pager.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::report::{LOG, printed, report, reporter};
use crate::support::{REMOTEEXE, Scene, code, stderr};

/// `remoteexe --report ARGS a.log` on a terminal with these variables. `$DIR/bin` is in the PATH.
fn on_a_terminal(scene: &Scene, variables: &[(&str, &str)], args: &str) -> String {
    fs::write(scene.path("a.log"), LOG).unwrap();
    let mut script = Command::new("script");
    scene.equip(&mut script);
    script.env("TZ", "UTC").env("TERM", "xterm");
    script.env("PATH", format!("{}:/usr/bin:/bin", scene.path("bin").display()));
    script.envs(variables.iter().copied());
    let command = format!("stty cols 80; cd $DIR; {REMOTEEXE} --report {args} a.log; echo exit $?");
    let output = script.args(["-qec", &command, "/dev/null"]).output();
    let shown = String::from_utf8(output.unwrap().stdout).unwrap();
    // The terminal driver makes CR LF of each LF.
    shown.replace("\r\n", "\n")
}

/// A program `name` in `$DIR/bin`.
fn program(scene: &Scene, name: &str, body: &str) {
    fs::create_dir_all(scene.path("bin")).unwrap();
    let path = scene.path("bin").join(name);
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

const BOLD: &str = "\x1b[1m";

#[test]
fn colours_are_for_terminals_that_know_them_unless_the_caller_decides() {
    let scene = Scene::new();
    let no_pager = ("PAGER", "");
    for (variables, args, is_coloured) in [
        (&[][..], "", true),
        (&[("NO_COLOR", "1")], "", false),
        (&[("NO_COLOR", "")], "", true),
        (&[("TERM", "dumb")], "", false),
        (&[("TERM", "")], "", false),
        (&[], "--color never", false),
        (&[("NO_COLOR", "1")], "--color always", true),
    ] {
        let variables = [&[no_pager], variables].concat();
        let shown = on_a_terminal(&scene, &variables, args);
        assert_eq!(shown.contains(BOLD), is_coloured, "{variables:?} {args}");
    }
    assert!(!printed(&report(LOG, &["--color", "auto"])).contains(BOLD));
    assert!(printed(&report(LOG, &["--color", "always"])).contains(BOLD));
    let output = report(LOG, &["--color", "red"]);
    assert_eq!(code(&output), 10);
    let error = "error: invalid value 'red' for --color <WHEN>: expected auto, always or never\n";
    assert!(stderr(&output).starts_with(error), "{}", stderr(&output));
}

#[test]
fn columns_gives_the_width_also_of_a_pipe() {
    let scene = Scene::new();
    fs::write(scene.path("a.log"), LOG).unwrap();
    let lines = |columns: &str| {
        let mut command = reporter(&scene);
        command.env("COLUMNS", columns).arg(scene.path("a.log"));
        printed(&command.output().unwrap()).lines().count()
    };
    assert!(lines("200") < lines("80"));
    assert_eq!(lines("80"), lines("wide"));
    assert_eq!(lines("80"), lines("0"));
}

/// A pager that names itself and its settings before the first line of the text.
const PAGER: &str = r#"read -r line; echo "$0 $* LESS=$LESS: $line"; cat >/dev/null"#;

#[test]
fn a_terminal_gets_the_report_through_less_or_the_pager_of_the_environment() {
    let scene = Scene::new();
    for name in ["less", "mine"] {
        program(&scene, name, PAGER);
    }
    let bin = scene.path("bin").display().to_string();
    let first = "2026-03-02 13:21:01 to 2026-03-02 21:01:00   3 jobs, 2 hosts";
    for (variables, expected) in [
        (&[][..], format!("{bin}/less  LESS=FRX: {first}")),
        (&[("LESS", "S")], format!("{bin}/less  LESS=S: {first}")),
        (&[("PAGER", "mine -a  b")], format!("{bin}/mine -a b LESS=FRX: {first}")),
        // Only this one needs a shell.
        (&[("PAGER", "X=1 mine 'a b'")], format!("{bin}/mine a b LESS=FRX: {first}")),
    ] {
        let shown = on_a_terminal(&scene, variables, "--color never");
        assert_eq!(shown, format!("{expected}\nexit 1\n"), "{variables:?}");
    }
}

#[test]
fn there_is_no_pager_where_it_is_not_wanted_or_not_there() {
    let scene = Scene::new();
    program(&scene, "less", "echo paged");
    let plain = printed(&report(LOG, &[])) + "exit 1\n";
    for (variables, args) in [
        (&[("PAGER", "")][..], ""),
        (&[("PAGER", "cat")], ""),
        (&[("PAGER", "no-such-pager -x")], ""),
        (&[("TERM", "dumb")], ""),
        (&[], "--no-pager"),
    ] {
        let args = format!("--color never {args}");
        let shown = on_a_terminal(&scene, variables, &args);
        assert_eq!(shown, plain, "{variables:?} {args}");
    }
    // A shell says that there is none, and the report is shown nevertheless.
    let shown = on_a_terminal(&scene, &[("PAGER", "X=1 no-such-pager")], "--color never");
    assert!(shown.ends_with(&plain), "{shown}");
    let mut command = reporter(&scene);
    command.env("TERM", "xterm").current_dir(scene.path(""));
    command.arg("a.log");
    assert_eq!(printed(&command.output().unwrap()) + "exit 1\n", plain);
}

#[test]
fn a_person_who_leaves_the_pager_early_has_seen_enough() {
    let scene = Scene::new();
    program(&scene, "quitter", "echo seen");
    for args in ["", "--json", "--tsv", "--run 915"] {
        let shown = on_a_terminal(&scene, &[("PAGER", "quitter")], args);
        assert_eq!(shown, "seen\nexit 1\n", "{args}");
    }
}

#[test]
fn ctrl_c_is_for_the_pager() {
    let scene = Scene::new();
    // The terminal would send it to both.
    let body = "trap '' INT; kill -INT $PPID; cat >/dev/null; echo read all";
    program(&scene, "interrupter", body);
    let shown = on_a_terminal(&scene, &[("PAGER", "interrupter")], "");
    assert_eq!(shown, "read all\nexit 1\n");
}

#[test]
fn standard_output_that_is_open_only_for_reading_is_an_error() {
    let scene = Scene::new();
    fs::write(scene.path("a.log"), LOG).unwrap();
    for form in [&[][..], &["--json"], &["--tsv"], &["--run", "915"]] {
        let mut command = reporter(&scene);
        command.args(form).arg(scene.path("a.log"));
        let output = command.stdout(File::open("/dev/null").unwrap()).output();
        let output = output.unwrap();
        let message = "remoteexe: standard output: Bad file descriptor (os error 9)\n";
        assert_eq!(stderr(&output), message, "{form:?}");
        assert_eq!(code(&output), 74, "{form:?}");
    }
}
