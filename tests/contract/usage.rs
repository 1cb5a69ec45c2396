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

const HOST_TIP: &str = "give a host name, an address or an alias of ssh_config, and the user with --login";
const SCRIPT_TIP: &str = "options go before HOST; give a script by its path, if need be as ./SCRIPT";
const OPTION_TIP: &str = "options of ssh are given as -o KEYWORD=VALUE, those of SCRIPT after SCRIPT";
const LOGIN_TIP: &str = "give a user name with --login or REMOTEEXE_LOGIN";

/// A command line that must be refused.
struct Refused<'a> {
    variable: Option<(&'a str, &'a str)>,
    args: Vec<&'a OsStr>,
}

fn args<'a, A: AsRef<OsStr> + ?Sized>(args: &'a [&'a A]) -> Refused<'a> {
    Refused { variable: None, args: args.iter().map(|arg| (*arg).as_ref()).collect() }
}

impl<'a> Refused<'a> {
    fn with(mut self, name: &'a str, value: &'a str) -> Self {
        self.variable = Some((name, value));
        self
    }

    /// Checks that both the log and standard error give `reason` and, if there is one, `tip`.
    fn because(self, operands: &str, reason: &str, tip: &str) {
        let record = match tip {
            "" => format!("error: {reason}\n"),
            tip => format!("error: {reason}; tip: {tip}\n"),
        };
        self.check(operands, &record, reason, tip);
    }

    /// The same where the log has only the usage lines, as the bash original's had.
    fn like_bash(self, operands: &str, reason: &str, tip: &str) {
        self.check(operands, "", reason, tip);
    }

    fn check(self, operands: &str, record: &str, reason: &str, tip: &str) {
        let scene = Scene::new();
        let mut command = scene.remoteexe_with_ssh("touch $DIR/ssh-was-run");
        let output = command.envs(self.variable).args(self.args).output().unwrap();
        assert_eq!(code(&output), 10);
        assert!(output.stdout.is_empty());
        assert_eq!(scene.log(), format!("START,-,{operands}\n{record}{USAGE_RECORDS}END,10,{operands}\n"));
        let tip = match tip {
            "" => String::new(),
            tip => format!("  tip: {tip}\n\n"),
        };
        assert_eq!(
            stderr(&output),
            format!(
                "error: {reason}\n\n{tip}\
                 Usage: remoteexe [OPTIONS] <HOST> <SCRIPT> [PARAMETERS]...\n\n\
                 For more information, try '--help'.\n"
            )
        );
        assert!(!scene.path("ssh-was-run").exists());
    }
}

#[test]
fn fewer_than_two_operands_log_what_the_bash_original_logged() {
    args::<str>(&[]).like_bash("", "HOST and SCRIPT are missing", "give a host and the script to run on it");
    args(&["host_sum_batch01"]).like_bash(
        "host_sum_batch01",
        "SCRIPT is missing; HOST is 'host_sum_batch01'",
        "give the script to run on it: remoteexe host_sum_batch01 /path/to/script.sh",
    );
}

#[test]
fn a_host_and_a_script_in_one_word_are_told_apart_for_the_user() {
    args(&["host01 /x.sh"]).because(
        "host01 /x.sh",
        "SCRIPT is missing; HOST is 'host01 /x.sh'",
        "give them as two words, without the quotes around both: remoteexe host01 /x.sh",
    );
}

#[test]
fn an_option_that_has_taken_the_host_for_its_value_is_named() {
    args(&["-p", "22", "-i", "host01", "/x.sh"]).because(
        "/x.sh",
        "SCRIPT is missing; HOST is '/x.sh'",
        "--identity <FILE> has taken 'host01'; HOST and SCRIPT go after it",
    );
    args(&["-l", "host01"]).because(
        "",
        "HOST and SCRIPT are missing",
        "--login <USER> has taken 'host01'; HOST and SCRIPT go after it",
    );
}

#[test]
fn an_empty_host_or_script_is_refused() {
    let empty = |argument| format!("invalid value '' for {argument}: it is empty");
    args(&["", "/x.sh"]).because(" /x.sh", &empty("<HOST>"), HOST_TIP);
    args(&["host", ""]).because("host ", &empty("<SCRIPT>"), SCRIPT_TIP);
    // Alone it would run standard input in a login shell.
    args(&["host", "", "x"]).because("host  x", &empty("<SCRIPT>"), SCRIPT_TIP);
    args(&["host", " \t"]).because(r"host  \t", r"invalid value ' \t' for <SCRIPT>: it is empty", SCRIPT_TIP);
}

#[test]
fn an_unknown_option_is_refused() {
    args(&["--frobnicate", "host", "/x.sh"]).because(
        "--frobnicate host /x.sh",
        "unexpected argument '--frobnicate' found",
        OPTION_TIP,
    );
    args(&["--logn", "bob", "host", "/x.sh"]).because(
        "--logn bob host /x.sh",
        "unexpected argument '--logn' found",
        "a similar argument exists: '--login'",
    );
}

#[test]
fn a_misspelt_report_help_or_version_leads_to_the_right_word() {
    for option in ["--reports", "--Report"] {
        let reason = format!("unexpected argument '{option}' found");
        args(&[option]).because(option, &reason, "a similar argument exists: '--report'");
    }
    for (word, option) in [
        ("report", "--report"),
        ("Report", "--report"),
        ("generate", "--generate"),
        ("help", "--help"),
        ("version", "--version"),
    ] {
        args(&[word]).like_bash(
            word,
            &format!("SCRIPT is missing; HOST is '{word}'"),
            &format!("did you mean 'remoteexe {option}'?"),
        );
    }
    args(&["report", "--since", "3d"]).because(
        "report --since 3d",
        "invalid value '--since' for <SCRIPT>: it starts with '-', which ssh would take for an option",
        "did you mean 'remoteexe --report'?",
    );
}

#[test]
fn a_job_behind_help_or_version_is_refused_because_it_would_not_run() {
    for option in ["-h", "-V"] {
        args(&[option, "dbhost", "/x.sh"]).because(
            "dbhost /x.sh",
            &format!("{option} runs nothing, but a job follows it: dbhost /x.sh"),
            &format!("to run the job leave {option} out; options of SCRIPT go after SCRIPT"),
        );
    }
}

#[test]
fn a_bad_value_of_an_option_is_refused_and_no_part_of_the_job() {
    let port = "expected a port number from 1 to 65535";
    for (option, value, argument, fault, tip) in [
        ("-p", "0", "-p <PORT>", port, ""),
        ("-p", "-1", "-p <PORT>", port, ""),
        ("-p", "65536", "-p <PORT>", port, ""),
        ("-p", "ssh", "-p <PORT>", port, ""),
        ("-l", "", "--login <USER>", "it is empty", LOGIN_TIP),
        ("-o", "", "-o <OPTION>", "it is empty", "give KEYWORD=VALUE, such as ConnectTimeout=10"),
        ("-i", "", "--identity <FILE>", "it is empty", "give a path"),
        ("-F", "", "-F <FILE>", "it is empty", "give a path"),
        ("--tee", "maybe", "--tee <WHEN>", "expected auto, always or never", ""),
        ("--retries", "-1", "--retries <N>", "expected a whole number from 0 to 100", ""),
    ] {
        let reason = format!("invalid value '{value}' for {argument}: {fault}");
        args(&[option, value, "host", "/x.sh"]).because("host /x.sh", &reason, tip);
    }
}

#[test]
fn an_option_of_ssh_that_would_part_it_from_the_job_is_refused() {
    for (option, reason) in [
        ("ForkAfterAuthentication=yes", "ssh would end before the job does"),
        ("forkafterauthentication yes", "ssh would end before the job does"),
        ("SessionType = \"none\"", "the script would not run"),
        // ssh takes these for the keyword too.
        ("\"SessionType\" none", "the script would not run"),
        ("=SessionType=none", "the script would not run"),
        ("StdinNull=yes", "the script would lose its standard input"),
        ("RequestTTY=force", "a terminal would change input and output"),
    ] {
        let reason = format!("invalid value '{option}' for -o <OPTION>: {reason}");
        args(&["-o", option, "h", "s"]).because("h s", &reason, "leave it out");
    }
    let option = OsStr::from_bytes(b"SessionType=none # \xff");
    let reason = r"invalid value 'SessionType=none # \xff' for -o <OPTION>: the script would not run";
    args(&["-o".as_ref(), option, "h".as_ref(), "s".as_ref()]).because("h s", reason, "leave it out");
    for option in ["SessionType=default", "RequestTTY no", "X=yes"] {
        let scene = Scene::new();
        let mut command = scene.remoteexe_with_ssh("exit 4");
        let output = command.args(["-o", option, "h", "s"]).output().unwrap();
        assert_eq!(code(&output), 4, "{option}");
    }
}

#[test]
fn a_number_or_a_time_that_is_none_is_refused_by_the_name_it_was_given_under() {
    let times = ["x", "-1", "3600.1", "1s", "nan", "inf", "1e300", "1,5"];
    let no_time = "expected seconds from 0 to 3600, such as 1 or 0.5";
    for (option, argument, variable, fault, values) in [
        (
            "--retries",
            "--retries <N>",
            "REMOTEEXE_RETRIES",
            "expected a whole number from 0 to 100",
            &["x", "-1", "101", "1.5", " 1", "4294967296"][..],
        ),
        ("--retry-delay", "--retry-delay <SECONDS>", "REMOTEEXE_RETRY_DELAY", no_time, &times),
        ("--connect-timeout", "--connect-timeout <SECONDS>", "REMOTEEXE_CONNECT_TIMEOUT", no_time, &times),
        ("--splay", "--splay <SECONDS>", "REMOTEEXE_SPLAY", no_time, &times),
    ] {
        let reason = |value, origin| format!("invalid value '{value}' for {origin}: {fault}");
        // Empty is a mistake on the command line, and unset in a variable.
        for value in values.iter().chain(&[""]) {
            let option = format!("{option}={value}");
            args(&[option.as_str(), "h", "s"]).because("h s", &reason(value, argument), "");
        }
        for value in values {
            let refused = args(&["h", "s"]).with(variable, value);
            refused.because("h s", &reason(value, variable), "");
        }
    }
}

#[test]
fn a_comment_behind_a_variable_of_the_crontab_is_explained() {
    args(&["h", "s"]).with("REMOTEEXE_RETRIES", "8 # eight").because(
        "h s",
        "invalid value '8 # eight' for REMOTEEXE_RETRIES: expected a whole number from 0 to 100",
        "in a crontab everything after = is the value, even a comment",
    );
}

#[test]
fn the_largest_and_smallest_retries_and_delays_are_taken() {
    for options in [
        ["--retries=0", "--retry-delay=0"],
        ["--retries=100", "--retry-delay=3600"],
        ["--retries=1", "--retry-delay=0.5"],
        ["--connect-timeout=0", "--splay=0"],
        ["--connect-timeout=3600", "--splay=0.001"],
    ] {
        let scene = Scene::new();
        let mut command = scene.remoteexe_with_ssh("exit 4");
        let output = command.args(options).args(["h", "s"]).output().unwrap();
        assert_eq!(code(&output), 4, "{options:?}");
    }
}

#[test]
fn an_option_without_its_value_or_given_twice_is_refused() {
    args(&["-l"]).because(
        "-l",
        "a value is required for '--login <USER>' but none was supplied",
        "give the value after the option",
    );
    args(&["-F", "a", "-F", "b", "h", "s"]).because(
        "-F a -F b h s",
        "the argument '-F <FILE>' cannot be used multiple times",
        "give one of them, once",
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
        ("-b", "it starts with '-', which ssh would take for an option"),
    ] {
        let shown = login.replace('\n', r"\n");
        let reason = format!("invalid value '{shown}' for REMOTEEXE_LOGIN: {fault}");
        args(&["-o", "X=y", "host", "/x.sh"]).with("REMOTEEXE_LOGIN", login).because("host /x.sh", &reason, LOGIN_TIP);
    }
}

#[test]
fn what_is_quoted_on_standard_error_cannot_steer_a_terminal() {
    for (option, shown) in [
        ("--tee=a\x1b[31mb", r"a\x1b[31mb"),
        ("--\x1b[31mb", r"--\x1b[31mb"),
        ("--tee=a\u{9b}31mb", r"a\u{9b}31mb"),
        ("--tee=a\u{202e}b", r"a\u{202e}b"),
        ("--tee=a\u{200b}b", r"a\u{200b}b"),
        ("--tee=a\u{e0041}b", r"a\u{e0041}b"),
    ] {
        let scene = Scene::new();
        let output = scene.remoteexe_with_ssh("").args([option, "h", "s"]).output().unwrap();
        assert_eq!(code(&output), 10);
        let stderr = stderr(&output);
        assert!(stderr.contains(shown), "{stderr}");
        assert!(stderr.is_ascii());
        let log = String::from_utf8(scene.log_bytes()).unwrap();
        assert!(log.contains(shown) && log.is_ascii(), "{log}");
    }
    for words in [
        ["--report", "--since=\n\nx"],
        ["--report", "--\x1b[31m"],
        ["--report=\n\n", "h"],
        ["-V\n\n", "-i"],
        ["h", "-\n\n"],
    ] {
        let output = Scene::new().remoteexe().args(words).output().unwrap();
        let stderr = stderr(&output);
        assert!(code(&output) == 10 && stderr.starts_with("error: ") && !stderr.starts_with("error: \n"), "{stderr}");
        assert!(stderr.chars().all(|c| c == '\n' || !c.is_control()), "{stderr:?}");
    }
}

#[test]
fn a_host_that_is_more_than_a_name_is_refused() {
    for character in [
        ' ', '@', '\'', '"', '`', '$', '\\', ';', '&', '|', '<', '>', '(', ')', '{', '}', '[', ']', '*', '?', '!', '#',
        '~', '\u{a0}',
    ] {
        let host = format!("a{character}b");
        let reason = format!("invalid value '{host}' for <HOST>: it contains {character:?}");
        args(&[host.as_str(), "/x.sh"]).because(&format!("{host} /x.sh"), &reason, HOST_TIP);
    }
}

#[test]
fn a_host_with_a_port_is_refused_and_an_ipv6_address_is_not() {
    args(&["host01:22", "/x.sh"]).because(
        "host01:22 /x.sh",
        "invalid value 'host01:22' for <HOST>: it contains a port",
        "give the port as an option: -p 22 host01",
    );
    for host in ["fe80::1:22", "::1", "host:", "host:x", ":22"] {
        let scene = Scene::new();
        let mut command = scene.remoteexe_with_ssh("exit 4");
        let output = command.args([host, "/x.sh"]).output().unwrap();
        assert_eq!(code(&output), 4, "{host}");
    }
}

#[test]
fn a_control_character_in_a_refused_operand_is_shown_escaped() {
    args(&["a\nb\x1b[2J", "/x.sh"]).because(
        r"a\nb\x1b[2J /x.sh",
        r"invalid value 'a\nb\x1b[2J' for <HOST>: it contains '\n'",
        HOST_TIP,
    );
    args(&["-p", "0", "h\u{9b}31m", "x"]).because(
        r"h\u{9b}31m x",
        r"invalid value 'h\u{9b}31m' for <HOST>: it contains '\u{9b}'",
        HOST_TIP,
    );
}

#[test]
fn a_host_or_script_that_ssh_would_take_for_an_option_is_refused() {
    let fault = "it starts with '-', which ssh would take for an option";
    let option = "-oProxyCommand=touch ssh-was-run";
    args(&["--", option, "/x.sh"]).because(
        &format!("{option} /x.sh"),
        &format!("invalid value '{option}' for <HOST>: {fault}"),
        HOST_TIP,
    );
    for script in [option, "-h", "--help", "--tee", "--"] {
        args(&["host", script, "always"]).because(
            &format!("host {script} always"),
            &format!("invalid value '{script}' for <SCRIPT>: {fault}"),
            SCRIPT_TIP,
        );
    }
}

#[test]
fn addresses_and_names_in_any_script_are_hosts() {
    let hosts: [&[u8]; 6] =
        [b"10.0.0.1", b"fe80::1%eth0", b"host_sum_batch01", b"a-b.example", "山".as_bytes(), b"\x8e\x52"];
    for host in hosts {
        let scene = Scene::new();
        let mut command = scene.remoteexe_with_ssh("exit 0");
        let output = command.arg(OsStr::from_bytes(host)).arg("/x.sh").output().unwrap();
        assert_eq!(code(&output), 0, "{}", host.escape_ascii());
    }
}

#[test]
fn logins_of_directory_services_are_logins() {
    for login in [r"EXAMPLE\bob", "host$", "bob@example.org", "bob-1"] {
        let scene = Scene::new();
        let mut command = scene.remoteexe_with_ssh(r#"printf '%s\n' "$1""#);
        let output = command.args(["-l", login, "host", "/x.sh"]).output().unwrap();
        assert_eq!(code(&output), 0);
        assert_eq!(
            scene.log(),
            format!("START,-,host /x.sh\ncommand,ssh {login}@host /x.sh\n{login}@host\nEND,0,host /x.sh\n")
        );
    }
}

#[test]
fn help_and_version_exit_0_and_log_nothing() {
    for (option, text) in [
        ("-h", "Usage: remoteexe [OPTIONS] <HOST> <SCRIPT> [PARAMETERS]..."),
        ("--help", "[env: REMOTEEXE_IDENTITY]"),
        ("--help", "[env: REMOTEEXE_RETRIES]"),
        ("--help", "[env: REMOTEEXE_RETRY_DELAY]"),
        ("--help", "[env: REMOTEEXE_CONNECT_TIMEOUT]"),
        ("--help", "[env: REMOTEEXE_SPLAY]"),
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
fn the_help_fits_80_columns_and_names_each_command_line_and_only_the_long_one_has_examples() {
    let help = |args: &[&str]| {
        let output = Scene::new().remoteexe().args(args).output().unwrap();
        assert_eq!((code(&output), &*stderr(&output)), (0, ""));
        let text = String::from_utf8(output.stdout).unwrap();
        let widest = text.lines().max_by_key(|line| line.chars().count());
        assert!(widest.unwrap().chars().count() <= 80, "{widest:?}");
        text
    };
    let (short, long) = (help(&["-h"]), help(&["--help"]));
    for line in [
        "      --report           As the first word: show what ran",
        "      --generate <WHAT>  As the first word: print the manual",
        "  [PARAMETERS]...  Further arguments; all that follows HOST is sent as it is",
        "      --retry-delay <SECONDS>  Maximum wait before the first retry;",
    ] {
        assert!(short.contains(&format!("\n{line}")), "{line}");
    }
    assert!(!short.contains("Examples:") && long.contains("\nExamples:\n"));
    assert!(long.starts_with(&short));

    let (short, long) = (help(&["--report", "-h"]), help(&["--report", "--help"]));
    let headings = short.lines().filter(|line| !line.starts_with(' '));
    let headings = headings.filter_map(|line| line.strip_suffix(':'));
    assert_eq!(
        headings.collect::<Vec<_>>().join(" | "),
        "Arguments | Options | Which runs | What of them | In which form | Crontabs | Which logs"
    );
    assert!(long.starts_with(&short) && long.contains("\nExamples:\n"));
    help(&["--generate", "-h"]);
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
        assert_eq!(code(&scene.remoteexe().args(arguments).output().unwrap()), 10);
        assert_eq!(fs::read_dir(scene.path("log")).unwrap().count(), 0);
        assert_eq!(fs::read_dir(other).unwrap().count(), 1);
    }
    for arguments in [&["--frobnicate", "h", "s"][..], &["--tee", "x", "h", "s"], &["-l"], &["-F", "a", "-F", "b"]] {
        let scene = Scene::new();
        assert_eq!(code(&scene.remoteexe().args(arguments).output().unwrap()), 10);
        assert!(scene.log().contains("END,10,"), "{arguments:?}");
    }
}
