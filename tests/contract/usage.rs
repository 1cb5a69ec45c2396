//! Usage errors: exit 10, and the log says so.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::support::{Scene, code, stderr};

const USAGE_RECORDS: &str = "\
usage: remoteexe target script [parameters]
e.g.) remoteexe host_sum_batch01 /path/to/starting_sh/sum.sh
e.g.) remoteexe host_user_batch02 \"/path/to/starting_sh/user_log.sh action\"
";

/// Runs remoteexe with `args`, which must be refused for `reason` without ssh being run.
fn assert_refused<A: AsRef<OsStr>>(args: &[A], operands: &str, reason: &str, remedy: &str) {
    let scene = Scene::new();
    let output = scene
        .remoteexe_with_ssh("touch $DIR/ssh-was-run")
        .args(args)
        .output()
        .unwrap();
    assert_eq!(code(&output), 10);
    assert_eq!(
        scene.log(),
        format!("START,-,{operands}\nerror: {reason}\n{USAGE_RECORDS}END,10,{operands}\n")
    );
    let stderr = stderr(&output);
    assert!(
        stderr.starts_with(&format!("error: {reason}\n")),
        "{stderr}"
    );
    assert!(stderr.contains(remedy), "{stderr}");
    assert!(
        stderr.contains("\n\nUsage: remoteexe [OPTIONS] <HOST> <SCRIPT> [PARAMETERS]...\n"),
        "{stderr}"
    );
    assert!(!scene.path("ssh-was-run").exists());
}

#[test]
fn fewer_than_two_operands_log_what_the_bash_original_logged() {
    for (args, operands) in [(&[][..], ""), (&["host_sum_batch01"], "host_sum_batch01")] {
        let scene = Scene::new();
        let output = scene
            .remoteexe_with_ssh("exit 1")
            .args(args)
            .output()
            .unwrap();
        assert_eq!(code(&output), 10);
        assert_eq!(
            scene.log(),
            format!("START,-,{operands}\n{USAGE_RECORDS}END,10,{operands}\n")
        );
        assert_eq!(
            stderr(&output),
            "error: HOST and SCRIPT are required\n\n\
             Usage: remoteexe [OPTIONS] <HOST> <SCRIPT> [PARAMETERS]...\n\n\
             For more information, try '--help'.\n"
        );
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn an_empty_host_or_script_is_refused() {
    let host = "give a host name, an address or an alias of ssh_config";
    let script = "give a script by its path";
    assert_refused(
        &["", "/x.sh"],
        " /x.sh",
        "invalid value '' for <HOST>: it is empty",
        host,
    );
    assert_refused(
        &["host", ""],
        "host ",
        "invalid value '' for <SCRIPT>: it is empty",
        script,
    );
    // Alone it would run standard input in a login shell.
    assert_refused(
        &["host", "", "x"],
        "host  x",
        "invalid value '' for <SCRIPT>: it is empty",
        script,
    );
    assert_refused(
        &["host", " \t"],
        r"host  \t",
        r"invalid value ' \t' for <SCRIPT>: it is empty",
        script,
    );
}

#[test]
fn an_unknown_option_is_refused() {
    assert_refused(
        &["--frobnicate", "host", "/x.sh"],
        "--frobnicate host /x.sh",
        "unexpected argument '--frobnicate' found",
        "tip: options of ssh are given as -o KEYWORD=VALUE",
    );
    assert_refused(
        &["--logn", "bob", "host", "/x.sh"],
        "--logn bob host /x.sh",
        "unexpected argument '--logn' found",
        "tip: a similar argument exists: '--login'",
    );
}

#[test]
fn a_bad_value_of_an_option_is_refused() {
    for (args, reason) in [
        (
            ["-p", "0"],
            "invalid value '0' for '-p <PORT>': 0 is not in 1..=65535",
        ),
        (
            ["-p", "65536"],
            "invalid value '65536' for '-p <PORT>': 65536 is not in 1..=65535",
        ),
        (
            ["-p", "ssh"],
            "invalid value 'ssh' for '-p <PORT>': invalid digit found in string",
        ),
        (
            ["-l", ""],
            "invalid value '' for '--login <USER>': it is empty; \
             give a user name with --login or REMOTEEXE_LOGIN",
        ),
        (
            ["-o", ""],
            "invalid value '' for '-o <OPTION>': it is empty",
        ),
        (
            ["-i", ""],
            "a value is required for '--identity <FILE>' but none was supplied",
        ),
        (
            ["-F", ""],
            "a value is required for '-F <FILE>' but none was supplied",
        ),
    ] {
        let operands = format!("{} {} host /x.sh", args[0], args[1]);
        let args = [args[0], args[1], "host", "/x.sh"];
        assert_refused(&args, &operands, reason, "For more information");
    }
}

#[test]
fn a_reason_of_several_lines_is_one_record() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh("");
    let output = command.args(["--tee", "maybe", "h", "s"]).output().unwrap();
    assert_eq!(code(&output), 10);
    let reason =
        "error: invalid value 'maybe' for '--tee <WHEN>' [possible values: auto, always, never]";
    assert_eq!(
        scene.log(),
        format!("START,-,--tee maybe h s\n{reason}\n{USAGE_RECORDS}END,10,--tee maybe h s\n")
    );
}

#[test]
fn a_login_that_a_shell_or_ssh_would_take_for_something_else_is_refused() {
    for (login, fault) in [
        ("a b", "it contains ' '"),
        ("a\nb", r"it contains '\n'"),
        ("a;b", "it contains ';'"),
        ("`id`", "it contains '`'"),
    ] {
        let scene = Scene::new();
        let mut command = scene.remoteexe_with_ssh("touch $DIR/ssh-was-run");
        let output = command
            .env("REMOTEEXE_LOGIN", login)
            .args(["host", "/x.sh"])
            .output()
            .unwrap();
        assert_eq!(code(&output), 10);
        let remedy = "give a user name with --login or REMOTEEXE_LOGIN";
        assert!(
            stderr(&output).contains(&format!("{fault}; {remedy}")),
            "{}",
            stderr(&output)
        );
        assert!(!scene.path("ssh-was-run").exists());
    }
}

#[test]
fn a_host_that_is_more_than_a_name_is_refused() {
    let remedy =
        "give a host name, an address or an alias of ssh_config, and the user with --login";
    for character in [
        ' ', '@', '\'', '"', '`', '$', '\\', ';', '&', '|', '<', '>', '(', ')', '{', '}', '[', ']',
        '*', '?', '!', '#', '~', '\u{a0}',
    ] {
        let host = format!("a{character}b");
        let reason = format!("invalid value '{host}' for <HOST>: it contains {character:?}");
        // In the log a reason is one line, its white space folded.
        let logged = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        let scene = Scene::new();
        let mut command = scene.remoteexe_with_ssh("touch $DIR/ssh-was-run");
        let output = command.args([&host, "/x.sh"]).output().unwrap();
        assert_eq!(code(&output), 10, "{character:?}");
        assert_eq!(
            scene.log(),
            format!("START,-,{host} /x.sh\nerror: {logged}\n{USAGE_RECORDS}END,10,{host} /x.sh\n")
        );
        assert_eq!(
            stderr(&output).lines().next(),
            Some(format!("error: {reason}").as_str())
        );
        assert!(stderr(&output).contains(remedy));
        assert!(!scene.path("ssh-was-run").exists());
    }
}

#[test]
fn a_control_character_in_a_refused_operand_is_shown_escaped() {
    assert_refused(
        &["a\nb\x1b[2J", "/x.sh"],
        r"a\nb\x1b[2J /x.sh",
        r"invalid value 'a\nb\x1b[2J' for <HOST>: it contains '\n'",
        "give a host name",
    );
}

#[test]
fn a_host_or_script_that_ssh_would_take_for_an_option_is_refused() {
    assert_refused(
        &["--", "-oProxyCommand=touch ssh-was-run", "/x.sh"],
        "-oProxyCommand=touch ssh-was-run /x.sh",
        "invalid value '-oProxyCommand=touch ssh-was-run' for <HOST>: \
         it starts with '-', which ssh would take for an option",
        "give a host name",
    );
    for script in [
        "-oProxyCommand=touch ssh-was-run",
        "-h",
        "--help",
        "--tee",
        "--",
    ] {
        assert_refused(
            &["host", script, "always"],
            &format!("host {script} always"),
            &format!(
                "invalid value '{script}' for <SCRIPT>: \
                 it starts with '-', which ssh would take for an option"
            ),
            "options go before HOST",
        );
    }
}

#[test]
fn addresses_and_names_in_any_script_are_hosts() {
    let hosts: [&[u8]; 6] = [
        b"10.0.0.1",
        b"fe80::1%eth0",
        b"host_sum_batch01",
        b"a-b.example",
        "山".as_bytes(),
        b"\x8e\x52",
    ];
    for host in hosts {
        let scene = Scene::new();
        let mut command = scene.remoteexe_with_ssh("exit 0");
        let output = command
            .arg(OsStr::from_bytes(host))
            .arg("/x.sh")
            .output()
            .unwrap();
        assert_eq!(code(&output), 0, "{}", host.escape_ascii());
    }
}

#[test]
fn logins_of_directory_services_are_logins() {
    for login in [r"EXAMPLE\bob", "host$", "bob@example.org", "bob-1"] {
        let scene = Scene::new();
        let mut command = scene.remoteexe_with_ssh(r#"printf '%s\n' "$1""#);
        let output = command
            .args(["-l", login, "host", "/x.sh"])
            .output()
            .unwrap();
        assert_eq!(code(&output), 0);
        assert_eq!(
            scene.log(),
            format!(
                "START,-,host /x.sh\ncommand,ssh {login}@host /x.sh\n{login}@host\nEND,0,host /x.sh\n"
            )
        );
    }
}

#[test]
fn help_and_version_exit_0_and_log_nothing() {
    for (option, text) in [
        (
            "-h",
            "Usage: remoteexe [OPTIONS] <HOST> <SCRIPT> [PARAMETERS]...",
        ),
        ("--help", "[env: REMOTEEXE_IDENTITY]"),
        ("-V", "remoteexe 0.1.0\n"),
        ("--version", "remoteexe 0.1.0\n"),
    ] {
        let scene = Scene::new();
        let output = scene.remoteexe().arg(option).output().unwrap();
        assert_eq!(code(&output), 0);
        assert!(String::from_utf8_lossy(&output.stdout).contains(text));
        assert!(output.stderr.is_empty());
        assert_eq!(fs::read_dir(scene.path("log")).unwrap().count(), 0);
    }
}

#[test]
fn a_usage_error_is_logged_in_the_directory_that_the_command_line_names() {
    let scene = Scene::new();
    fs::create_dir(scene.path("other")).unwrap();
    let mut command = scene.remoteexe();
    command
        .arg("--log-dir")
        .arg(scene.path("other"))
        .args(["--tee", "maybe", "host", "/x.sh"]);
    assert_eq!(code(&command.output().unwrap()), 10);
    assert_eq!(fs::read_dir(scene.path("log")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(scene.path("other")).unwrap().count(), 1);
}
