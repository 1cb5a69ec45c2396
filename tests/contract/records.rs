//! The records of a run: their texts, byte for byte.

use std::process::Command;

use crate::support::{Scene, assert_bytes, code, log_of_h_s, run, split_record, texts};

/// Compares the records between `command,` and END when ssh runs `body`.
fn assert_output(body: &str, expected: &[u8]) {
    let scene = Scene::new();
    let output = scene.remoteexe_with_ssh(body).args(["h", "s"]).output().unwrap();
    assert_eq!(code(&output), 0);
    assert!(
        output.stdout.is_empty() && output.stderr.is_empty(),
        "a job under cron prints nothing"
    );
    let log = [b"START,-,h s\ncommand,ssh root@h s\n", expected, b"END,0,h s\n"].concat();
    assert_bytes(&texts(&scene.log_bytes()), &log);
}

#[test]
fn the_log_is_that_of_the_bash_original() {
    // reference/remoteexe.sh left these texts on 2026-11-23, with the same fake ssh and its fixed key.
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh(
        "echo \"Warning: Permanently added 'host_user_batch01' (RSA) to the list of known hosts.\" >&2
         echo 'collect user log(action)'; echo; echo last; exit 3",
    );
    command.env("REMOTEEXE_IDENTITY", "/path/to/key");
    let run = scene.run(command.args(["host_user_batch01", "/path/user_log.sh action"]));
    assert_eq!(run.code, 3);
    assert_eq!(
        run.records,
        "START,-,host_user_batch01 /path/user_log.sh action\n\
         command,ssh -i /path/to/key root@host_user_batch01 /path/user_log.sh action\n\
         Warning: Permanently added 'host_user_batch01' (RSA) to the list of known hosts.\n\
         collect user log(action)\n\
         \n\
         last\n\
         END,3,host_user_batch01 /path/user_log.sh action\n"
    );
}

#[test]
fn each_record_has_the_local_time_and_the_pid_of_remoteexe() {
    let scene = Scene::new();
    let date = |format| {
        let output = Command::new("date").env("TZ", "Asia/Tokyo").arg(format).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    let before = date("+[%Y-%m-%d %H:%M:%S]");
    let mut command = scene.remoteexe_with_ssh("echo $PPID");
    let child = command.env("TZ", "Asia/Tokyo").args(["h", "s"]).spawn().unwrap();
    let pid = child.id();
    assert!(child.wait_with_output().unwrap().status.success());
    let after = date("+[%Y-%m-%d %H:%M:%S]");

    let log = scene.log_bytes();
    for line in log.split_inclusive(|&byte| byte == b'\n') {
        assert_eq!(split_record(line).unwrap().0, pid);
        let time = str::from_utf8(&line[..21]).unwrap();
        assert!(*before <= *time && *time <= *after, "{before} {time} {after}");
    }
    assert_eq!(scene.log(), log_of_h_s(&format!("{pid}\n"), 0));
}

#[test]
fn no_output_leaves_no_record() {
    assert_output("", b"");
}

#[test]
fn a_last_line_without_a_newline_is_a_line() {
    assert_output(r"printf 'a\nb'", b"a\nb\n");
}

#[test]
fn blank_lines_stay_also_at_the_end() {
    assert_output(r"printf '\n\na\n\n'", b"\n\na\n\n");
}

#[test]
fn blanks_backslashes_and_carriage_returns_stay() {
    assert_output(
        r"printf '  a\tb  \n\\t\\\\ \\\nprogress\r100%%\r\n'",
        b"  a\tb  \n\\t\\\\ \\\nprogress\r100%\r\n",
    );
}

#[test]
fn output_in_any_encoding_stays() {
    // The same word in Shift_JIS, EUC-JP and UTF-8; a second byte in Shift_JIS may be a backslash.
    assert_output(
        r"printf '\223\372\226\173\203\134\n\306\374\313\334\n\346\227\245\346\234\254\n'",
        b"\x93\xfa\x96\x7b\x83\x5c\n\xc6\xfc\xcb\xdc\n\xe6\x97\xa5\xe6\x9c\xac\n",
    );
}

#[test]
fn of_binary_output_only_nul_is_dropped() {
    assert_output(r"printf '\000\001\033[31m\177\377\000\n\000\n'", b"\x01\x1b[31m\x7f\xff\n\n");
}

#[test]
fn a_control_character_in_an_operand_is_logged_escaped_and_passed_on_unchanged() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh(r#"printf '%s' "$2" >$DIR/word"#);
    let run = scene.run(command.args(["h", "a\nb\r\t\x1b[31m\x7f"]));
    assert_eq!(run.code, 0);
    let shown = r"a\nb\r\t\x1b[31m\x7f";
    assert_eq!(
        run.records,
        format!("START,-,h {shown}\ncommand,ssh root@h {shown}\nEND,0,h {shown}\n")
    );
    assert_bytes(&std::fs::read(scene.path("word")).unwrap(), b"a\nb\r\t\x1b[31m\x7f");
}

#[test]
fn a_line_over_a_mebibyte_becomes_several_records_of_the_same_bytes() {
    let log = run("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end").records;
    let output: Vec<&str> = log.lines().skip(2).collect();
    let [pieces @ .., "end", "END,0,h s"] = output.as_slice() else {
        panic!("{} records", output.len())
    };
    assert_eq!(pieces.concat(), "x".repeat(3_000_000));
    assert_eq!(pieces.len(), 3);
}
