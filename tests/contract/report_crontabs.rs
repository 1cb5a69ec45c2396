//! `--report --check` and `--report --next`: what the crontabs plan, and what is wrong with them.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use crate::report::reporter;
use crate::support::{
    REMOTEEXE, Scene, as_ordinary_user, code, needs_root, own_mounts, run_tool, stderr,
};

/// `remoteexe --report ARGS --crontab crontab` of a crontab whose first line sets a PATH that has remoteexe.
fn report(args: &[&str], lines: &str) -> Output {
    let scene = Scene::new();
    let bin = Path::new(REMOTEEXE).parent().unwrap();
    let text = format!("PATH={}:/usr/bin:/bin\n{lines}", bin.display());
    fs::write(scene.path("crontab"), text).unwrap();
    let mut command = reporter(&scene);
    command.current_dir(scene.path("")).args(args);
    command.args(["--crontab", "crontab"]).output().unwrap()
}

/// The output, without the line of `--check` that names the daemon.
fn stdout(output: &Output) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let rest = text.strip_prefix("checked for Debian's cron\n");
    rest.map_or(text.clone(), str::to_owned)
}

/// Checks that `--check` of these lines, the first of which is number 2, prints this and exits with 1.
fn assert_faults(lines: &str, faults: &str) {
    let output = report(&["--check"], lines);
    assert_eq!(stderr(&output), "");
    assert_eq!(stdout(&output), faults, "{lines}");
    assert_eq!(code(&output), 1, "{lines}");
}

/// The rows of `--next` without the times.
fn planned(lines: &str) -> Vec<String> {
    let output = report(&["--next"], lines);
    assert_eq!(stderr(&output), "");
    assert_eq!(code(&output), 0);
    let text = stdout(&output);
    let rows = text.lines().skip_while(|line| !line.starts_with("Next "));
    let rows = rows.skip(1).take_while(|line| !line.is_empty());
    let mut rows: Vec<String> = rows
        .map(|row| {
            let words = row.split("  ").filter(|word| !word.is_empty());
            let words: Vec<&str> = words.skip(1).map(str::trim).collect();
            words.join(" | ")
        })
        .collect();
    rows.sort();
    rows
}

#[test]
fn a_sound_crontab_has_no_fault() {
    let output = report(
        &["--check"],
        "SHELL=/bin/bash\n\
         MAILTO=\"\"\n\
         HOME=/\n\
         # a comment\n\
         */5 * * * * root remoteexe host_sum_batch01 /path/to/starting_sh/sum.sh\n\
         * * * * * root remoteexe host_user_batch02 \"/path/to/starting_sh/user_log.sh action\"\n\
         0 3 * * * root sleep $((RANDOM \\% 30)); remoteexe h /x.sh $(date +\\%F)\n\
         5 4 * * * root remoteexe h cat %first line%second line\n\
         0 * * * * root remoteexe --report --since 61m >/dev/null || alert\n",
    );
    assert_eq!(stderr(&output), "");
    assert_eq!(
        stdout(&output),
        "crontab:8: this call is not checked: only the shell knows the value of $(date +%F)\n\
         no fault in 3 lines that run remoteexe, in 1 crontab; 1 call not checked\n"
    );
    assert_eq!(code(&output), 0);
}

#[test]
fn a_crontab_that_is_given_twice_counts_once() {
    let again = ["--check", "--crontab", "./crontab", "--crontab", "crontab"];
    let output = report(&again, "5 4 * * * root remoteexe h /x.sh\n");
    assert_eq!(stdout(&output), "no fault in 1 line that runs remoteexe, in 1 crontab\n");
}

/// Checks that `--check` of these lines alone, without a PATH before them, prints this.
fn assert_check(lines: &str, faults: &str) {
    let scene = Scene::new();
    fs::write(scene.path("crontab"), lines).unwrap();
    let mut command = reporter(&scene);
    command.current_dir(scene.path(""));
    let output = command.args(["--check", "--crontab", "crontab"]).output();
    let dir = scene.path("").display().to_string();
    assert_eq!(stdout(&output.unwrap()).replace(&dir, "DIR/"), faults, "{lines}");
}

#[test]
fn an_ssh_that_is_not_in_path_is_a_fault_with_the_directory_where_it_is() {
    let line = format!("* * * * * root {REMOTEEXE} h s\n");
    let tip = "tip: add /usr/bin, where it is, to PATH at the head of the file";
    assert_check(
        &format!("PATH=/opt/rx/bin\n{line}"),
        &format!("crontab:2: ssh is not in PATH, /opt/rx/bin, so each run ends with 127; {tip}\n"),
    );
    assert_check(
        &format!("PATH=$HOME/bin:/opt/rx/bin\n{line}"),
        "crontab:2: ssh is not in PATH, in which cron does not replace the $, \
         so each run ends with 127; tip: write all directories of PATH, also /usr/bin\n",
    );
    assert_check(
        &format!("PATH=/opt/rx/bin\n0 1 * * * root PATH=/usr/bin {REMOTEEXE} h s\n"),
        "no fault in 1 line that runs remoteexe, in 1 crontab\n",
    );
    // sudo has a PATH of its own.
    assert_check(
        &format!("PATH=/opt/rx/bin\n0 1 * * * root sudo -u daemon {REMOTEEXE} h s\n"),
        "no fault in 1 line that runs remoteexe, in 1 crontab\n",
    );
}

#[test]
fn a_shell_that_runs_nothing_is_a_fault() {
    for shell in ["/no/sh", "/usr/sbin/nologin", "bash"] {
        assert_check(
            &format!("SHELL={shell}\n* * * * * root {REMOTEEXE} h s\n"),
            &format!(
                "crontab:2: SHELL is {shell}, which runs no command; tip: give a shell, such as /bin/sh\n"
            ),
        );
    }
}

#[test]
fn a_log_directory_that_takes_no_log_is_a_fault() {
    needs_root();
    let scene = Scene::new();
    fs::write(scene.path("file"), "").unwrap();
    fs::create_dir(scene.path("roots")).unwrap();
    let file = scene.path("file").display().to_string();
    let roots = scene.path("roots").display().to_string();
    let lost = "so the records go to standard error";
    let open =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    open(&scene.path(""), 0o755);
    open(&scene.path("roots"), 0o755);
    for (dir, user, fault) in [
        (
            "/no/dir",
            "root",
            format!(
                "there is no log directory /no/dir, {lost}; tip: mkdir /no/dir, or give a directory that exists"
            ),
        ),
        (
            &file,
            "root",
            format!("the log directory {file} is no directory, {lost}; tip: give a directory"),
        ),
        (
            &roots,
            "daemon",
            format!(
                "the user cannot write to the log directory {roots}, {lost}; \
                 tip: give a directory of the user's own, or let the user write there"
            ),
        ),
        (
            "$HOME/log",
            "root",
            "cron does not replace the $ in REMOTEEXE_LOG_DIR; tip: write the value in full"
                .to_owned(),
        ),
    ] {
        let lines = format!("REMOTEEXE_LOG_DIR={dir}\n* * * * * {user} {REMOTEEXE} h s\n");
        let place = if dir.starts_with('$') { 1 } else { 2 };
        assert_check(&lines, &format!("crontab:{place}: {fault}\n"));
    }
    let good = format!("REMOTEEXE_LOG_DIR={roots}\n* * * * * root {REMOTEEXE} h s\n");
    assert_check(&good, "no fault in 1 line that runs remoteexe, in 1 crontab\n");
    open(&scene.path("roots"), 0o777);
    let good = format!("1 * * * * daemon REMOTEEXE_LOG_DIR={roots} {REMOTEEXE} h s\n");
    assert_check(&good, "no fault in 1 line that runs remoteexe, in 1 crontab\n");
}

#[test]
fn a_key_that_ssh_does_not_use_is_a_fault() {
    needs_root();
    let scene = Scene::new();
    let key = scene.path("key");
    fs::write(&key, "").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let shown = key.display();
    let line = format!("* * * * * root {REMOTEEXE} -i {shown} h s\n");
    assert_check(
        &line,
        &format!(
            "crontab:1: ssh does not use the key {shown}, because of its mode 644; tip: chmod 600 {shown}\n"
        ),
    );
    fs::remove_file(&key).unwrap();
    assert_check(
        &line,
        &format!(
            "crontab:1: there is no key {shown}, so ssh tries other keys; tip: give the file of a private key\n"
        ),
    );
}

#[test]
fn a_field_that_cron_reads_in_part_is_a_fault() {
    for (time, read, ignored, tip) in [
        ("0 9–17 * * *", "hour as 9", "–17", "write a range with a plain hyphen (-)"),
        ("2:00 * * * *", "minute as 2", ":00", LIST_TIP),
        ("0;30 * * * *", "minute as 0", ";30", LIST_TIP),
        ("*5 * * * *", "minute as *", "5", LIST_TIP),
        (
            "0 0 * * SUN#1",
            "day of week as SUN",
            "#1",
            "cron has no nth weekday: give the days of the month, and test the weekday in the command",
        ),
    ] {
        let fault =
            format!("crontab:2: cron reads the {read} and ignores '{ignored}'; tip: {tip}\n");
        assert_faults(&format!("{time} root remoteexe h s\n"), &fault);
    }
}

const LIST_TIP: &str = "write a list with commas (0,30), a range (9-17) or a step (*/5)";

#[test]
fn a_time_of_another_scheduler_is_refused_with_what_cron_has_for_it() {
    let cut = "cut names to three letters: mon, jan";
    let quartz = "cron knows neither L nor W: give days, and test the date in the command";
    for (time, field, tip) in [
        ("0 0 L * *", "day of month 'L'", quartz),
        ("0 0 15W * *", "day of month '15W'", quartz),
        ("0 0 ? * *", "day of month '?'", "write * instead of ?"),
        ("0 0 * * MONDAY", "day of week 'MONDAY'", cut),
        ("0 0 * january *", "month 'january'", cut),
    ] {
        let fault = format!(
            "crontab:2: {field} has no number where one is needed; cron ignores this whole file; tip: {tip}\n"
        );
        assert_faults(&format!("{time} root remoteexe h s\n"), &fault);
    }
}

#[test]
fn the_mistakes_of_editors_and_shells_have_words_of_their_own() {
    let ignored = "cron ignores this whole file";
    let plain = "tip: write plain quotes: \" or '";
    let letter = "which the shell takes for a letter";
    let lines = "cron joins no lines: the \\ at the end";
    let one = "tip: write the command in one line, or put it into a script";
    for (text, fault) in [
        (
            "export X=8\n* * * * * root remoteexe h s\n",
            format!(
                "2: cron is no shell and has no export; {ignored}; \
                 tip: write NAME=value: all variables are exported"
            ),
        ),
        ("* * * * * root remoteexe h s \\\n", format!("2: {lines} continues nothing; {one}")),
        (
            "* * * * * root remoteexe h s\n1 * * * * root a \\\n  b\n",
            format!("4: {lines} of the line before continues nothing; {ignored}; {one}"),
        ),
        (
            "* * * * * root remoteexe h “a b”\n",
            format!("2: a typographic quote (U+201C), {letter}; {plain}"),
        ),
        (
            "* * * * * root remoteexe\u{a0}h s\n",
            format!(
                "2: a no-break space (U+00A0), {letter}; tip: replace the no-break space by a blank"
            ),
        ),
        (
            "*\u{a0}* * * * root remoteexe h s\n",
            format!(
                "2: a no-break space (U+00A0), which cron does not take; {ignored}; \
                 tip: replace the no-break space by a blank"
            ),
        ),
    ] {
        assert_faults(text, &format!("crontab:{fault}\n"));
    }
    assert_faults(
        "* * * * * root remoteexe h '“a b”'\n61 * * * * root a\n",
        "crontab:3: minute '61' is out of range; cron ignores this whole file; \
         tip: give numbers from 0 to 59, as *, N, N-M, */STEP or a list with commas\n",
    );
}

#[test]
fn a_byte_order_mark_and_utf_16_are_named() {
    let line = format!("* * * * * root {REMOTEEXE} h s\n");
    let tip = "tip: save it as UTF-8 without a byte order mark (BOM)";
    assert_check(
        &format!("\u{feff}# a comment\n{line}"),
        &format!(
            "crontab:1: the file begins with a byte order mark; cron ignores this whole file; {tip}\n"
        ),
    );
    assert_check(
        &format!("\u{feff}PATH=/usr/bin:/bin\n{line}"),
        &format!(
            "crontab:1: the file begins with a byte order mark, \
             which is part of the first variable's name; {tip}\n"
        ),
    );
    let scene = Scene::new();
    let utf_16: Vec<u8> = line.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(scene.path("crontab"), utf_16).unwrap();
    let mut command = reporter(&scene);
    command.current_dir(scene.path(""));
    let output = command.args(["--check", "--crontab", "crontab"]).output();
    assert_eq!(
        stdout(&output.unwrap()),
        "crontab:1: the file is UTF-16, which cron cannot read; cron ignores this whole file; \
         tip: convert it with iconv -f UTF-16 -t UTF-8\n"
    );
}

#[test]
fn calls_that_cannot_be_known_are_counted_and_named() {
    let output = report(
        &["--check"],
        "* * * * * root remoteexe $HOST /x.sh\n\
         0 * * * * root remoteexe h \"/x.sh $(date)\"\n",
    );
    assert_eq!(
        stdout(&output),
        "crontab:2: this call is not checked: only the shell knows the value of $HOST\n\
         crontab:3: this call is not checked: only the shell knows the value of $(date)\n\
         nothing to check: 2 calls not checked\n"
    );
    assert_eq!(code(&output), 0);
    let output = report(&["--check"], "* * * * * root true\n");
    assert_eq!(stdout(&output), "no line runs a job of remoteexe, in 1 crontab\n");
}

#[test]
fn lines_that_a_number_sign_has_switched_off_are_named_in_one_line() {
    let output = report(
        &["--check"],
        "# m h dom mon dow user  command\n\
         # remoteexe h /not_a_line.sh\n\
         #0 3 * * 1 root remoteexe h /weekly.sh\n\
         # * * * * * root remoteexe h /often.sh\n\
         #0 * * * * root remoteexe h /hourly.sh\n\
         5 * * * * root remoteexe h /hourly.sh\n",
    );
    assert_eq!(
        stdout(&output),
        "commented out: crontab:4, crontab:5\n\
         no fault in 1 line that runs remoteexe, in 1 crontab\n"
    );
    assert_eq!(code(&output), 0);
}

#[test]
fn a_crontab_that_is_no_text_is_told_by_the_coming_starts_too() {
    let output = report(&["--next"], "* * * * * root remoteexe h s\0\n");
    let text = stdout(&output);
    assert!(
        text.ends_with(
            "\nIgnored by cron (remoteexe --report --check says why)\n\
             crontab: no job can be known\n"
        ),
        "{text}"
    );
}

#[test]
fn each_fault_is_one_line_with_its_place_and_its_remedy() {
    for (line, fault) in [
        (
            "0 0 30 2 * root remoteexe h s",
            "no time ever matches; tip: give a range its smaller number first, and a day that exists",
        ),
        (
            "* * * * * root remoteexe h \"s $(date +%F)\"",
            "cron ends the command at the % after 'h \"s $(date +'; the rest is its standard input; \
             tip: write \\%",
        ),
        (
            "* * * * * root remoteexe h s >/tmp/x.%F",
            "cron ends the command at the % after 'h s >/tmp/x.'; the rest is its standard input; \
             tip: write \\%, or a blank before the % if standard input is meant",
        ),
        (
            "* * * * * root sleep $((RANDOM % 30)); remoteexe h s",
            "cron ends the command at the % after 'sleep $((RANDOM'; the rest is its standard input; \
             tip: write \\%",
        ),
        (
            "* * * * * root remoteexe h /x%y",
            "cron ends the command at the % after 'remoteexe h /x'; the rest is its standard input; \
             tip: write \\%, or a blank before the % if standard input is meant",
        ),
        (
            "* * * * * root remoteexe h 's",
            "there is no closing ' in the command; tip: close the quote",
        ),
        (
            "* * * * * root remoteexe h:22 s",
            "remoteexe refuses it: invalid value 'h:22' for <HOST>: it contains a port; \
             tip: give the port as an option: -p 22 h",
        ),
        (
            "* * * * * root /nowhere/remoteexe h s",
            "there is no program /nowhere/remoteexe; tip: link it to the installed remoteexe",
        ),
        (
            "* * * * * root remoteexe h s\r",
            "the line ends as on Windows, with a carriage return; tip: convert the file with dos2unix",
        ),
    ] {
        assert_faults(&format!("{line}\n"), &format!("crontab:2: {fault}\n"));
    }
}

#[test]
fn a_line_that_cron_refuses_is_told_with_the_consequence() {
    let sound = "* * * * * root remoteexe h s\n";
    for (line, fault) in [
        (
            "61 * * * * root remoteexe h s",
            "minute '61' is out of range; cron ignores this whole file; \
             tip: give numbers from 0 to 59, as *, N, N-M, */STEP or a list with commas",
        ),
        (
            "*/5 * * * * remoteexe h s",
            "no user before the command; cron ignores this whole file; \
             tip: write the user, such as root, before remoteexe",
        ),
        (
            "*/5 * * * * no_such_user remoteexe h u",
            "there is no user no_such_user in /etc/passwd; cron ignores this whole file; \
             tip: give a user of this machine, such as root",
        ),
        (
            "MAILTO=\"\" # nobody",
            "neither a variable nor a time; cron ignores this whole file; \
             tip: write NAME=value, NAME=\"\" for nothing, and no comment after a quoted value",
        ),
        (
            "REMOTEEXE_LOGIN=batch # the user",
            "the value of REMOTEEXE_LOGIN ends with a comment, which is part of it; \
             tip: move the comment to a line of its own",
        ),
    ] {
        // The system's columns are told by most of the lines.
        let lines = format!("{sound}1 1 * * * root remoteexe h t\n{line}\n");
        assert_faults(&lines, &format!("crontab:4: {fault}\n"));
    }
    assert_faults(
        "* * * * * root remoteexe h s",
        "crontab:2: no newline at the end of the file; cron ignores this whole file; \
         tip: end the last line with a newline\n",
    );
}

#[test]
fn a_job_on_two_lines_that_are_due_together_is_told_once() {
    assert_faults(
        "*/5 * * * * root remoteexe h s\n\
         */10 3 * * mon root timeout 5 remoteexe -p 22 h s\n\
         1 3 * * * root remoteexe h s\n",
        "crontab:3: the same job at the same time as in crontab:2; tip: take out one of them\n",
    );
}

#[test]
fn a_job_that_a_second_line_starts_some_seconds_later_is_no_fault() {
    assert_faults(
        "* * * * * root remoteexe h s\n\
         * * * * * root sleep 30; remoteexe h s\n\
         * * * * * root (sleep 20; remoteexe h s) & (sleep 40; remoteexe h s) &\n\
         * * * * * root sleep 30 && remoteexe h s\n",
        "crontab:5: the same job at the same time as in crontab:3; tip: take out one of them\n",
    );
}

#[test]
fn a_program_that_path_lacks_is_told_once_for_each_path() {
    assert_faults(
        "PATH=/nowhere:/bin\n\
         * * * * * root remoteexe h a\n\
         * * * * * root remoteexe h b\n\
         PATH=$PATH:/usr/bin\n\
         * * * * * root remoteexe h c\n",
        "crontab:3: remoteexe is not in PATH, /nowhere:/bin; \
         tip: link it into one of these directories, or set PATH at the head of the file\n\
         crontab:6: remoteexe is not in PATH, in which cron does not replace the $; \
         tip: write all directories of PATH\n",
    );
}

#[test]
fn the_error_for_a_crontab_of_the_other_kind_names_the_option_that_fits() {
    let scene = Scene::new();
    for (option, lines, error) in [
        (
            "--user-crontab",
            "* * * * * root remoteexe h s\n",
            "line 1 has a user before its command; tip: use --crontab crontab",
        ),
        (
            "--crontab",
            "MAILTO=x\n* * * * * remoteexe h s\n1 * * * * /usr/bin/remoteexe h s\n",
            "line 2 has no user before its command; \
             tip: write the user, or use --user-crontab crontab if this is a user's crontab",
        ),
    ] {
        fs::write(scene.path("crontab"), lines).unwrap();
        for form in ["--check", "--next"] {
            let mut command = reporter(&scene);
            command.current_dir(scene.path(""));
            let output = command.args([form, option, "crontab"]).output().unwrap();
            let expected = format!("remoteexe: left out: crontab: {error}\n");
            assert_eq!(stderr(&output), expected, "{form}");
            assert_eq!(code(&output), 74, "{form}");
        }
    }
}

#[test]
fn a_single_line_with_a_wrong_column_is_a_fault() {
    let check = |option, lines: &str| {
        let scene = Scene::new();
        let path = Path::new(REMOTEEXE).parent().unwrap().display();
        fs::write(scene.path("crontab"), format!("PATH={path}:/usr/bin\n{lines}")).unwrap();
        let mut command = reporter(&scene);
        command.current_dir(scene.path(""));
        let output = command.args(["--check", option, "crontab"]).output();
        stdout(&output.unwrap())
    };
    assert_eq!(
        check("--user-crontab", "1 * * * * remoteexe h a\n2 * * * * daemon remoteexe h b\n"),
        "crontab:3: a user's crontab has no user column, so the command is daemon; \
         tip: take out daemon, or use --crontab crontab if all lines have a user\n"
    );
}

#[test]
fn the_coming_starts_have_the_schedule_of_the_line_and_the_job_as_the_log_has_it() {
    assert_eq!(
        planned(
            "*/5 * * * * root timeout 300 remoteexe -p 22 h '/x.sh  a' b\n\
             30 3 * * 1-5 root cd / && /usr/bin/remoteexe --retries 8 h /y.sh >/dev/null 2>&1\n\
             @reboot root remoteexe h /boot.sh\n\
             0 0 29 2 * root sleep 20; remoteexe h /leap.sh\n\
             7 * * * * root sleep $((RANDOM \\% 30)); remoteexe h /z.sh\n\
             1,2 * * * * root flock -n /l remoteexe h /l.sh\n"
        ),
        [
            // Two blanks in a word are two columns for this test.
            "*/5 * * * * | h /x.sh | a b",
            "0 0 29 2 * | h /leap.sh",
            "1,2 * * * *, perhaps | h /l.sh",
            "30 3 * * 1-5 | h /y.sh",
            "7 * * * *, up to 29s later | h /z.sh",
            "@reboot | h /boot.sh",
        ]
    );
}

#[test]
fn a_line_that_only_a_shell_can_know_is_named() {
    let output = report(
        &["--next"],
        "* * * * * root remoteexe $HOST s\n\
         * * * * * root for h in a b; do remoteexe $h s; done\n",
    );
    let text = stdout(&output);
    let (_, unknown) = text.split_once("\nNot understood\n").unwrap();
    assert_eq!(
        unknown,
        "crontab:2: only the shell knows the value of $HOST\n\
         crontab:3: it is in a loop, a case or a function of the shell\n"
    );
}

#[test]
fn a_crowd_of_starts_in_one_second_is_named() {
    let lines = (0..12).map(|number| {
        let host = number % 4;
        format!(
            "0 3 * * * root sleep 5; remoteexe h{host} /{number}\n\
             0 4 * * * root sleep $((RANDOM \\% 30)); remoteexe h /{number}\n"
        )
    });
    let lines = lines.collect::<String>() + "0 3 * * * root remoteexe h /other\n";
    let text = stdout(&report(&["--next"], &lines));
    let crowds: Vec<&str> =
        text.lines().skip_while(|line| !line.starts_with("Crowds")).take(4).collect();
    assert_eq!(
        crowds,
        [
            "Crowds in the next 24 hours: jobs that connect in one second",
            "  Jobs  On one host  When",
            "    12            3  03:00:05 (most on h3)",
            "",
        ]
    );
}

#[test]
fn a_splay_disperses_a_crowd() {
    let lines = (0..12).map(|number| format!("0 3 * * * root remoteexe h /{number}\n"));
    let lines = lines.collect::<String>();
    let has_crowd = |head: &str| {
        let text = stdout(&report(&["--next"], &format!("{head}\n{lines}")));
        text.contains("\n    12           12  03:00:00 (most on h)\n")
    };
    assert!(has_crowd("REMOTEEXE_SPLAY=0"));
    assert!(!has_crowd("REMOTEEXE_SPLAY=60"));
}

#[test]
fn only_the_starts_on_a_host_or_of_a_job_are_shown_if_asked_for() {
    let lines = "* * * * * root remoteexe a /x.sh\n* * * * * root remoteexe b /y.sh\n";
    for (args, title) in [
        (["--next", "--host", "a"], "1 job in 1 crontab; Debian's cron"),
        (["--next", "--job", "/y"], "1 job in 1 crontab; Debian's cron"),
        (["--next", "--host", "c"], "0 jobs in 0 crontabs; Debian's cron"),
    ] {
        let text = stdout(&report(&args, lines));
        assert!(text.lines().next().unwrap().ends_with(title), "{text}");
    }
}

#[test]
fn the_crontabs_of_the_machine_are_found_and_their_files_checked() {
    needs_root();
    let scene = Scene::new();
    let line = "* * * * * root /bin/sh -c 'remoteexe h s'\n";
    fs::create_dir(scene.path("cron.d")).unwrap();
    fs::create_dir(scene.path("spool")).unwrap();
    for (name, text, mode) in [
        ("crontab", line, 0o644),
        ("cron.d/jobs", "2 * * * * root remoteexe h t\n", 0o664),
        // A copy, as dpkg leaves it: no second line of the job.
        ("cron.d/jobs.old", "2 * * * * root remoteexe h t\n", 0o644),
        ("cron.d/other", "broken\n", 0o666),
        ("spool/root", "4 * * * * remoteexe h v\n", 0o600),
        ("spool/no_such_user", "5 * * * * remoteexe h w\n", 0o600),
        ("spool/daemon", "6 * * * * remoteexe h x\n", 0o644),
    ] {
        fs::write(scene.path(name), format!("PATH=/mnt:/usr/bin\n{text}")).unwrap();
        fs::set_permissions(scene.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let mut unshare = own_mounts(&format!(
        "mkfifo $DIR/cron.d/fifo
         ln -s /etc/passwd $DIR/spool/eve
         mount -t tmpfs none /mnt
         cp {REMOTEEXE} /mnt/remoteexe
         mount --bind $DIR/crontab /etc/crontab
         mount --bind $DIR/cron.d /etc/cron.d
         mount --bind $DIR/spool /var/spool/cron/crontabs
         exec /mnt/remoteexe --report \"$@\""
    ));
    scene.equip(&mut unshare);
    let output = unshare.arg("--check").output().unwrap();
    assert_eq!(
        stderr(&output),
        "remoteexe: left out: /etc/cron.d/fifo: not a regular file; \
         tip: give a text file, as cron reads it\n\
         remoteexe: left out: /var/spool/cron/crontabs/eve: \
         Too many levels of symbolic links (os error 40); \
         tip: cron follows no link there; put the file itself in its place\n"
    );
    assert_eq!(
        stdout(&output),
        "/etc/cron.d/jobs: cron ignores a file of mode 664; tip: chmod 644 /etc/cron.d/jobs\n\
         /etc/cron.d/jobs.old: cron ignores a file of this name; \
         tip: give the file a name of letters, digits, - and _ only, or delete it\n\
         /var/spool/cron/crontabs/daemon: cron ignores a file of mode 644; \
         tip: chmod 600 /var/spool/cron/crontabs/daemon\n\
         /var/spool/cron/crontabs/no_such_user: there is no user no_such_user in /etc/passwd; \
         cron ignores this whole file; tip: name the file after the user whose jobs it has\n"
    );
    assert_eq!(code(&output), 1);
}

#[test]
fn the_daemon_of_the_machine_is_named_and_its_lines_are_not_judged_by_the_rules_of_another() {
    needs_root();
    let scene = Scene::new();
    let line = "REMOTEEXE_LOG_DIR=/mnt/log\n* * * * * root /mnt/remoteexe h s\n";
    fs::write(scene.path("crontab"), line).unwrap();
    let log = |pid, time| {
        format!("[2026-03-02 {time}][{pid}] START,-,h s\n[2026-03-02 {time}][{pid}] END,0,h s\n")
    };
    let records = log(7, "10:00:01") + &log(8, "10:30:01");
    fs::write(scene.path("log/20260302_remoteexe.log"), records).unwrap();
    let report = |program: &str, args: &str| {
        let mut unshare = own_mounts(&format!(
            "mount -t tmpfs none /mnt
             cp {REMOTEEXE} /mnt/remoteexe
             cp -r $DIR/log /mnt/log
             cp $DIR/crontab /mnt/crontab
             touch -d 2026-01-01 /mnt/crontab
             mkdir /mnt/sbin && {program}
             mount --bind /mnt/sbin /usr/sbin
             exec /mnt/remoteexe --report --crontab /mnt/crontab {args}"
        ));
        scene.equip(&mut unshare);
        let output = unshare.output().unwrap();
        assert_eq!(stderr(&output), "", "{program}");
        String::from_utf8(output.stdout).unwrap()
    };
    let busybox = "cp /bin/true /mnt/busybox && ln -s /mnt/busybox /mnt/sbin/crond";
    let cronie = "echo cronie 1.7.2 >/mnt/sbin/crond";
    let day = "--log-dir /mnt/log --since '2026-03-02 10:00' --until '2026-03-02 10:40'";
    for (program, first, screen) in [
        (cronie, "checked for cronie 1.7.2", "NOT STARTED  10:01"),
        (
            "touch /mnt/sbin/bcron-sched",
            "bcron, whose rules are not known here; checked as Debian's cron reads it",
            "the rules of bcron are not known here",
        ),
        (
            busybox,
            "busybox crond, whose rules are not known here; checked as Debian's cron reads it",
            "the rules of busybox crond are not known here",
        ),
    ] {
        let check = report(program, "--check");
        assert_eq!(check.lines().next().unwrap(), first, "{check}");
        let sets_nothing = check.contains("busybox crond does not set REMOTEEXE_LOG_DIR");
        assert_eq!(sets_nothing, program == busybox, "{check}");
        let text = report(program, day);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let screen = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&screen), "{text}");
        assert_eq!(text.contains("NOT STARTED"), program == cronie, "{text}");
    }
}

#[test]
fn a_users_crontab_is_read_from_standard_input() {
    let scene = Scene::new();
    fs::write(scene.path("input"), "*/5 * * * * remoteexe h s\n").unwrap();
    let mut command = reporter(&scene);
    command.args(["--next", "--user-crontab", "-"]);
    let output = command.stdin(File::open(scene.path("input")).unwrap()).output().unwrap();
    assert_eq!(stderr(&output), "");
    assert!(stdout(&output).contains("  */5 * * * *  h s\n"), "{}", stdout(&output));
}

#[test]
fn crontabs_that_may_not_be_read_are_said_to_be_left_out() {
    let mut command = as_ordinary_user("/bin/sh");
    let scene = Scene::new();
    // Not by this process: a child of another test could inherit the descriptor, and then the file cannot be run.
    run_tool("cp", &[REMOTEEXE, &scene.path("remoteexe").display().to_string()]);
    fs::set_permissions(scene.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    command.args(["-c", "exec \"$0\" --report --check"]).arg(scene.path("remoteexe"));
    let output = command.env_clear().current_dir("/").output().unwrap();
    let left_out = "remoteexe: left out: /var/spool/cron/crontabs: Permission denied (os error 13); \
         tip: run the report as root, or for your own crontab: \
         crontab -l | remoteexe --report --user-crontab -\n";
    assert!(stderr(&output).contains(left_out), "{}", stderr(&output));
    assert_ne!(code(&output), 74);

    let scene = Scene::new();
    let mut command = reporter(&scene);
    command.args(["--check", "--crontab", "/nowhere/crontab"]);
    let output = command.output().unwrap();
    assert_eq!(
        stderr(&output),
        "remoteexe: left out: /nowhere/crontab: No such file or directory (os error 2); \
         tip: give the path of a crontab\n"
    );
    assert_eq!(code(&output), 74);
}

#[test]
fn a_hostile_crontab_is_told_and_bounded_and_nothing_in_it_is_run() {
    let scene = Scene::new();
    let line = |command: &str| format!("* * * * * root {command}\n");
    let touch = format!("touch {}", scene.path("touched").display());
    let megabyte = "x".repeat(1 << 20);
    fs::write(scene.path("long"), line(&format!("remoteexe h {megabyte}"))).unwrap();
    fs::write(scene.path("brackets"), line(&format!("remoteexe h {}", "[$(".repeat(300)))).unwrap();
    fs::write(scene.path("binary"), b"* * * * * root remoteexe h \0\xff\n").unwrap();
    fs::write(scene.path("control"), line("remoteexe h \x1b[2J'")).unwrap();
    fs::write(scene.path("many"), "61 * * * * root remoteexe h s\n".repeat(300_000)).unwrap();
    fs::write(
        scene.path("run"),
        format!(
            "PATH=$({touch})\n{}{}",
            line(&format!("remoteexe h $({touch})")),
            line(&format!("{touch}; remoteexe h `{touch}`"))
        ),
    )
    .unwrap();
    fs::write(scene.path("no_name"), format!("=x\n{}", line("remoteexe $H s"))).unwrap();
    // Each pair of these lines is compared on all days of a year.
    fs::write(scene.path("never"), "0 0 30 2 * root remoteexe h s\n".repeat(10_000)).unwrap();
    File::create(scene.path("large")).and_then(|file| file.set_len(100 << 20)).unwrap();
    let mut outputs = String::new();
    let names =
        ["long", "brackets", "binary", "control", "many", "run", "no_name", "never", "large"];
    for name in names {
        for form in ["--check", "--next"] {
            let mut command = reporter(&scene);
            command.current_dir(scene.path("")).args([form, "--crontab", name]);
            let output = command.output().unwrap();
            let text = stdout(&output) + &stderr(&output);
            assert!(!text.contains('\x1b'), "{text}");
            assert!(matches!(code(&output), 0 | 1 | 74), "{name} {form}");
            outputs += &text;
        }
    }
    assert!(outputs.len() < 100_000, "{}", outputs.len());
    for told in [
        "long:1: a command of 1048588 bytes; cron takes less than 999; cron ignores this whole file",
        "brackets:1: there is no closing ) in the command",
        "binary:1: a NUL byte: this is not a text; cron ignores this whole file",
        "many: 9902 more problems; tip: mend the first ones and check again",
        "left out: large: larger than 16 MiB: this is no crontab",
    ] {
        assert!(outputs.contains(told), "{told}\n{outputs}");
    }
    assert!(!scene.path("touched").exists());
}
