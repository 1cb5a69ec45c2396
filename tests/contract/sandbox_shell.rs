//! The shell in which a newcomer tries remoteexe.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{REMOTEEXE, code};

const SANDBOX: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sandbox.sh");
const SHELL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shell.sh");

/// What a user sees who gives these commands to the shell.
fn told(commands: &str) -> String {
    // With job control bash would stop when it is not in the terminal's foreground.
    let script = format!("printf '%s\\nexit 0\\n' \"$0\" | {SHELL} --inside {REMOTEEXE} 2>&1");
    let mut shell = Command::new("setsid");
    shell.args(["-w", SANDBOX, "bash", "-c", &script, commands]);
    let output = shell.stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(code(&output), 0, "{told}");
    told
}

#[test]
fn it_says_where_one_is_and_how_to_leave_and_has_a_prompt() {
    let told = told("true");
    assert!(told.contains("You are in the remoteexe sandbox."));
    assert!(told.contains("\"exit\" leaves"));
    assert!(told.contains("(remoteexe sandbox)"));
}

#[test]
fn its_three_commands_show_a_log_and_reports_and_leave_nothing_in_tmp() {
    let told = told(
        "remoteexe host01 'uname -sr; exit 3' </dev/null; cat logs/*\n\
         remoteexe --report\n\
         remoteexe --report --log-dir history --crontab history/crontab --since 1d",
    );
    let mut lines = told.lines();
    let line = lines.find(|line| line.starts_with("/tmp/remoteexe-sandbox."));
    let (sandbox, _) = line.unwrap().split_once("/logs, 1 file").unwrap();
    assert!(!Path::new(sandbox).exists(), "{sandbox}");
    assert!(
        told.contains("] END,3,host01 uname -sr; exit 3\n"),
        "{told}"
    );
    for words in [
        "exit 3: Linux ",
        "/srv/rotate_orders.sh on 6 hosts",
        "NOT STARTED ",
        "SLOWER ",
        "UNREACHABLE ",
        "DROPPED ",
        "CRON DOWN ",
        " lost, of ",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}
