//! The demonstration, and the shell in which a newcomer tries remoteexe.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{REMOTEEXE, Terminal, code};

const SANDBOX: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/try/sandbox.sh");
const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/demo.sh");

const PROMPT: &str = "(remoteexe sandbox)";

/// The demonstration from its third step on; this program has been installed and built already.
fn demonstration() -> String {
    format!("SANDBOX_SSHD_CONFIG='MaxStartups 10' {SANDBOX} {DEMO} --inside {REMOTEEXE}")
}

/// The directory of the sandbox.
fn sandbox(shown: &str) -> &str {
    let (_, rest) = shown.split_once("cat /tmp/").expect("a log");
    let (name, _) = rest.split_once("/logs/").expect("a log");
    name
}

#[test]
fn without_a_terminal_it_runs_three_jobs_shows_log_report_and_page_and_ends_with_0() {
    let mut bash = Command::new("bash");
    bash.args(["-c", &demonstration()]);
    let output = bash.stdin(Stdio::null()).output().unwrap();
    let shown = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(code(&output), 0, "{shown}");
    for words in [
        "\n$ remoteexe --retries 8 --retry-delay 0.2 host_db01 'echo backup done'\n",
        "] collect user log(action)\n",
        "] END,0,host_user_batch02 /tmp/",
        "] cannot read /data/sum\n",
        "] END,3,host_sum_batch01 /tmp/",
        "] retry,1/8,255,wait ",
        "] END,0,host_db01 echo backup done\n",
        "exit 3: cannot read /data/sum\n",
        "/srv/rotate_orders.sh on 6 hosts",
        "NOT STARTED ",
        "CRON DOWN ",
        " lost, of ",
        "\n== done in ",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let (_, page) = shown.split_once("a page for a browser: ").unwrap();
    assert!(Path::new(page.lines().next().unwrap()).exists(), "{page}");
    let left = Path::new("/tmp").join(sandbox(&shown));
    assert!(!left.exists(), "{}", left.display());
}

#[test]
fn at_a_terminal_a_shell_follows_whose_words_can_be_copied_whole() {
    let mut script = Command::new("script");
    script.env("PAGER", "cat");
    let line = format!("stty cols 200; {}; echo status $?", demonstration());
    let mut terminal = Terminal::start(&mut script, &line);
    let shown = terminal.wait_for(PROMPT).replace('\r', "");
    let (_, words) = shown.split_once("Three commands to try").expect("words");
    let commands = words.lines().filter_map(|line| line.strip_prefix("    "));
    let mut typed = 0;
    for command in commands {
        terminal.enter(&format!("{command}\n"));
        let answer = terminal.wait_for(PROMPT);
        assert!(!answer.contains("syntax error"), "{answer}");
        assert!(answer.contains(["END,3,host01", "FAILING", "DROPPED"][typed]));
        typed += 1;
    }
    assert_eq!(typed, 3, "{words}");
    // The option that leads to the sandbox is none of the user's.
    terminal.enter("remoteexe host01\n");
    let answer = terminal.wait_for("try '--help'");
    assert!(answer.contains("SCRIPT is missing"), "{answer}");
    assert!(!answer.contains("-F"), "{answer}");
    terminal.enter("false\nexit\n");
    terminal.wait_for("status 0");
}
