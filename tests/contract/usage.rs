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
fn a_bad_value_of_an_option_is_refused_and_no_part_of_the_job() {
    for (option, value, argument, fault, remedy) in [
        (
            "-p",
            "0",
            "-p <PORT>",
            "it is not a port",
            "give a number from 1 to 65535",
        ),
        (
            "-p",
            "65536",
            "-p <PORT>",
            "it is not a port",
            "give a number from 1 to 65535",
        ),
        (
            "-p",
            "ssh",
            "-p <PORT>",
            "it is not a port",
            "give a number from 1 to 65535",
        ),
        (
            "-l",
            "",
            "--login <USER>",
            "it is empty",
            "give a user name with --login",
        ),
        ("-o", "", "-o <OPTION>", "it is empty", "give KEYWORD=VALUE"),
        ("-i", "", "--identity <FILE>", "it is empty", "give a path"),
        ("-F", "", "-F <FILE>", "it is empty", "give a path"),
        (
            "--tee",
            "maybe",
            "--tee <WHEN>",
            "it is not a choice",
            "give auto, always or never",
        ),
    ] {
        let reason = format!("invalid value '{value}' for {argument}: {fault}");
        assert_refused(
            &[option, value, "host", "/x.sh"],
            "host /x.sh",
            &reason,
            remedy,
        );
    }
}

#[test]
fn a_number_of_retries_or_a_delay_that_is_none_is_refused_also_in_a_variable() {
    let not_a_number = ("--retries <N>", "it is not such a number");
    let no_time = ("--retry-delay <SECONDS>", "it is no such time");
    for (option, variable, (argument, fault), values, remedy) in [
        (
            "--retries",
            "REMOTEEXE_RETRIES",
            not_a_number,
            &["x", "-1", "101", "1.5", " 1", "4294967296"][..],
            "give a whole number from 0 to 100",
        ),
        (
            "--retry-delay",
            "REMOTEEXE_RETRY_DELAY",
            no_time,
            &["x", "-1", "3600.1", "1s", "nan", "inf", "1e300", "1,5"],
            "give seconds from 0 to 3600, such as 1 or 0.5",
        ),
    ] {
        let reason = |value: &str| format!("invalid value '{value}' for {argument}: {fault}");
        // Empty is a mistake on the command line, and unset in a variable.
        for value in values.iter().chain(&[""]) {
            let option = format!("{option}={value}");
            assert_refused(&[&option, "h", "s"], "h s", &reason(value), remedy);
        }
        for value in values {
            let scene = Scene::new();
            let mut command = scene.remoteexe_with_ssh("touch $DIR/ssh-was-run");
            let output = command.env(variable, value).args(["h", "s"]).output();
            let output = output.unwrap();
            assert_eq!(code(&output), 10);
            let reason = reason(value);
            // In the log a reason is one line, its white space folded.
            let logged = reason.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(
                scene.log(),
                format!("START,-,h s\nerror: {logged}\n{USAGE_RECORDS}END,10,h s\n")
            );
            assert!(stderr(&output).starts_with(&format!("error: {reason}\n")));
            assert!(!scene.path("ssh-was-run").exists());
        }
    }
}

#[test]
fn the_largest_and_smallest_retries_and_delays_are_taken() {
    for options in [
        ["--retries=0", "--retry-delay=0"],
        ["--retries=100", "--retry-delay=3600"],
        ["--retries=1", "--retry-delay=0.5"],
    ] {
        let scene = Scene::new();
        let mut command = scene.remoteexe_with_ssh("exit 4");
        let output = command.args(options).args(["h", "s"]).output().unwrap();
        assert_eq!(code(&output), 4, "{options:?}");
    }
}

#[test]
fn an_option_without_its_value_is_refused() {
    assert_refused(
        &["-l"],
        "-l",
        "a value is required for '--login <USER>' but none was supplied",
        "For more information, try '--help'.",
    );
}

#[test]
fn an_empty_log_directory_is_refused_and_the_refusal_logged_in_the_default_one() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_in_private_tmp();
    command.args(["--log-dir", "", "h", "s"]);
    let output = command.output().unwrap();
    assert_eq!(code(&output), 10);
    assert!(stderr(&output).contains("invalid value '' for --log-dir <DIR>: it is empty"));
    assert!(scene.log().ends_with("END,10,h s\n"));
}

#[test]
fn a_login_that_a_shell_or_ssh_would_take_for_something_else_is_refused() {
    for (login, fault) in [
        ("a b", "it contains ' '"),
        ("a\nb", r"it contains '\n'"),
        ("a;b", "it contains ';'"),
        ("`id`", "it contains '`'"),
        (
            "-b",
            "it starts with '-', which ssh would take for an option",
        ),
    ] {
        let scene = Scene::new();
        let mut command = scene.remoteexe_with_ssh("touch $DIR/ssh-was-run");
        command.env("REMOTEEXE_LOGIN", login);
        let output = command
            .args(["-o", "X=y", "host", "/x.sh"])
            .output()
            .unwrap();
        assert_eq!(code(&output), 10);
        let login = login.replace('\n', r"\n");
        let reason = format!("error: invalid value '{login}' for --login <USER>: {fault}\n");
        assert_eq!(
            scene.log(),
            format!("START,-,host /x.sh\n{reason}{USAGE_RECORDS}END,10,host /x.sh\n")
        );
        assert!(stderr(&output).starts_with(&reason));
        assert!(stderr(&output).contains("give a user name with --login or REMOTEEXE_LOGIN"));
        assert!(!scene.path("ssh-was-run").exists());
    }
}

#[test]
fn what_is_quoted_on_standard_error_cannot_steer_a_terminal() {
    for option in ["--tee=a\x1b[31mb", "--\x1b[31mb"] {
        let scene = Scene::new();
        let output = scene
            .remoteexe_with_ssh("")
            .args([option, "h", "s"])
            .output()
            .unwrap();
        assert_eq!(code(&output), 10);
        assert!(
            stderr(&output).contains(r"\x1b[31mb"),
            "{}",
            stderr(&output)
        );
        assert!(!stderr(&output).contains('\x1b'));
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
        ("--help", "[env: REMOTEEXE_RETRIES]"),
        ("--help", "[env: REMOTEEXE_RETRY_DELAY]"),
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
fn a_usage_error_is_logged_in_the_directory_that_the_command_line_or_the_variable_names() {
    for arguments in [
        &["--tee", "maybe", "--log-dir", "{}", "h", "s"][..],
        &["--log-dir={}", "-p", "0", "h", "s"],
        &["--log-dir", "{}", "--frobnicate", "h", "s"],
        &["--log-dir", "{}", "h"],
    ] {
        let scene = Scene::new();
        let other = scene.path("other");
        fs::create_dir(&other).unwrap();
        let other = other.to_str().unwrap();
        let arguments = arguments.iter().map(|word| word.replace("{}", other));
        assert_eq!(
            code(&scene.remoteexe().args(arguments).output().unwrap()),
            10
        );
        assert_eq!(fs::read_dir(scene.path("log")).unwrap().count(), 0);
        assert_eq!(fs::read_dir(other).unwrap().count(), 1);
    }
    for arguments in [
        &["--frobnicate", "h", "s"][..],
        &["--tee", "x", "h", "s"],
        &["-l"],
        &["-F", "a", "-F", "b"],
    ] {
        let scene = Scene::new();
        assert_eq!(
            code(&scene.remoteexe().args(arguments).output().unwrap()),
            10
        );
        assert!(scene.log().contains("END,10,"), "{arguments:?}");
    }
}
