//! `--report` of logs that real runs have written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::report::{fields, printed, report, reporter};
use crate::support::{
    Lingering, REMOTEEXE, Running, Scene, code, is_running, records_of, run_tool, send, split_record, state, stderr,
    wait_until,
};

/// A report of the scene's log directory, whose names are of today in local time.
fn report_here(scene: &Scene) -> Command {
    let mut command = reporter(scene);
    command.env_remove("TZ");
    command
}

/// These fields of all runs in the scene's log.
fn runs(scene: &Scene, names: &str) -> Vec<String> {
    let output = report_here(scene).arg("--json").output().unwrap();
    printed(&output);
    fields(&output, names)
}

#[test]
fn each_way_to_end_is_reported_as_what_it_was() {
    let refused = "ssh: connect to host h port 22: Connection refused\r";
    for (body, expected) in [
        ("echo fine", r#"0 null "ok" false false ["fine"]"#.to_owned()),
        ("exit 3", r#"3 null "the script failed" false false []"#.to_owned()),
        ("exit 10", r#"10 null "the script failed" false false []"#.to_owned()),
        ("exit 126", r#"126 null "not executable on the host" false false []"#.to_owned()),
        ("exit 127", r#"127 null "not found on the host" false false []"#.to_owned()),
        ("exit 255", r#"255 null "ssh failed, or the script returned 255" false false []"#.to_owned()),
        (
            &format!("printf '{refused}\\n' >&2; exit 255"),
            r#"255 null "connection refused" true false ["ssh: connect to host h port 22: Connection refused"]"#
                .to_owned(),
        ),
        ("kill -9 $$", r#"137 "KILL" "ssh ended by signal KILL" false false []"#.to_owned()),
        ("exit 143", r#"143 "TERM" "the script returned 143, as after signal TERM there" false false []"#.to_owned()),
    ] {
        let scene = Scene::new();
        scene.remoteexe_with_ssh(body).args(["h", "s"]).output().unwrap();
        assert_eq!(runs(&scene, "exit_status signal cause connection_failure usage_error tail"), [expected], "{body}");
    }
}

#[test]
fn a_missing_ssh_and_one_that_cannot_be_run_are_told_from_the_script_s_own_status() {
    let scene = Scene::new();
    fs::create_dir(scene.path("bin")).unwrap();
    for expected in [r#"127 "there is no ssh""#, r#"126 "ssh could not be run""#] {
        let mut command = scene.remoteexe();
        command.env("PATH", scene.path("bin")).args(["h", "s"]);
        command.output().unwrap();
        assert_eq!(runs(&scene, "exit_status cause").last().unwrap(), expected);
        fs::write(scene.path("bin/ssh"), "").unwrap();
        let mode = fs::Permissions::from_mode(0o644);
        fs::set_permissions(scene.path("bin/ssh"), mode).unwrap();
    }
    assert_eq!(code(&report_here(&scene).output().unwrap()), 1);
}

#[test]
fn a_refused_command_line_is_a_usage_error() {
    let scene = Scene::new();
    for words in [&[][..], &["h"], &["--frob", "h", "s"], &["", "s"]] {
        let output = scene.remoteexe_with_ssh("").args(words).output().unwrap();
        assert_eq!(code(&output), 10);
    }
    let log = String::from_utf8(scene.log_bytes()).unwrap();
    let cause = |run: &str| {
        let reason = run.lines().find_map(|line| line.split_once("] error: "));
        let reason = reason.map_or("nothing was run", |(_, reason)| reason);
        format!("usage error: {reason}")
    };
    let causes: Vec<String> = log.split("START,-,").skip(1).map(cause).collect();
    assert!(causes[2].starts_with("usage error: unexpected argument '--frob' found"));
    let expected = |job: &str, cause: &String| format!("{job:?} true false {cause:?}");
    assert_eq!(
        runs(&scene, "job usage_error ambiguous cause"),
        [
            expected("", &causes[0]),
            expected("h", &causes[1]),
            expected("--frob h s", &causes[2]),
            expected(" s", &causes[3]),
        ]
    );
    let view = printed(&report_here(&scene).output().unwrap());
    assert!(view.contains("   usage errors 4   "), "{view}");
}

#[test]
fn a_run_that_was_ended_by_a_signal_says_so() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh("echo ready; exec sleep 1000");
    let mut child = Running::spawn(command.args(["h", "s"]));
    scene.wait_for_record("ready");
    send(&child, Signal::TERM);
    assert_eq!(child.code(), Some(143));
    assert_eq!(runs(&scene, "exit_status signal cause"), [r#"143 "TERM" "ended by signal TERM to remoteexe""#]);
}

#[test]
fn tries_again_are_counted_and_their_output_is_not_taken_for_the_last_one_s() {
    let scene = Scene::new();
    let mut command = scene.remoteexe();
    // The system's own ssh, and a port on which nobody listens.
    command.args(["-F", "/dev/null", "-p", "1", "--retries", "2"]);
    command.args(["--retry-delay", "0", "127.0.0.1", "true"]);
    assert_eq!(code(&command.output().unwrap()), 255);
    let refused = "ssh: connect to host 127.0.0.1 port 1: Connection refused";
    assert_eq!(
        runs(&scene, "retries exit_status cause connection_failure lines tail"),
        [format!(r#"2 255 "connection refused" true 3 ["{refused}"]"#)]
    );
    let view = printed(&report_here(&scene).output().unwrap());
    assert!(view.contains("\nconnection failures 1   usage errors 0   retried 1   overlaps 0\n"), "{view}");
}

/// The status of the only run, and the exit status of `--json`.
fn status(scene: &Scene) -> (String, i32) {
    let output = report_here(scene).arg("--json").output().unwrap();
    (fields(&output, "status").concat(), code(&output))
}

#[test]
fn a_run_without_end_is_running_as_long_as_its_process_lives_and_lost_then() {
    let scene = Scene::new();
    // Its last line looks like the START of another run.
    let body = "echo $$ >$DIR/ssh; echo START,-,other; exec sleep 1000";
    let mut command = scene.remoteexe_with_ssh(body);
    let mut child = Running::spawn(command.args(["h", "a\tb", "", "c"]));
    let _ssh = Lingering::new(scene.wait_for_file("ssh"));
    scene.wait_for_record("START,-,other");
    assert_eq!(status(&scene), ("\"running\"".to_owned(), 0));
    let view = printed(&report_here(&scene).output().unwrap());
    assert!(view.contains("\nruns 1   ok 0   failed 0   lost 0   running 1\n"), "{view}");
    assert!(view.contains("\nRunning      1 run\n") && view.contains(" PID  Started "), "{view}");
    assert!(view.contains("  no good run yet  h a"), "{view}");

    send(&child, Signal::KILL);
    assert_eq!(child.code(), None);
    assert_eq!(status(&scene).1, 1);
    assert!(status(&scene).0.starts_with("\"lost\""));
}

#[test]
fn a_zombie_does_not_run_any_more() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh("echo $$ >$DIR/ssh; exec sleep 1000");
    let mut child = Running::spawn(command.args(["h", "s"]));
    let _ssh = Lingering::new(scene.wait_for_file("ssh"));
    send(&child, Signal::KILL);
    let pid = child.id().to_string();
    wait_until("a zombie", || state(&pid) == Some('Z'));
    assert_eq!(status(&scene), ("\"lost\"".to_owned(), 1));
    child.code();
}

#[test]
fn a_process_id_that_belongs_to_something_else_by_now_is_that_of_a_lost_run() {
    let scene = Scene::new();
    // The same words, but another program; and remoteexe, but another job.
    let mut sleep = Command::new("sh");
    sleep.args(["-c", "read line", "h", "s"]);
    let sleep = Running::spawn(sleep.stdin(Stdio::piped()));
    let mut command = scene.remoteexe_with_ssh("echo ready; exec sleep 1000");
    let other = Running::spawn(command.args(["h", "s"]));
    scene.wait_for_record("ready");
    for (pid, job, expected) in
        [(sleep.id(), "h s", "\"lost\""), (other.id(), "h other", "\"lost\""), (other.id(), "h s", "\"running\"")]
    {
        let log = format!("[2026-03-02 10:00:00][{pid}] START,-,{job}\n");
        fs::write(scene.path("a.log"), log).unwrap();
        let mut command = report_here(&scene);
        command.arg("--json").arg(scene.path("a.log"));
        let output = command.output().unwrap();
        assert_eq!(fields(&output, "status"), [expected], "{job}");
    }
    assert!(is_running(&sleep.id().to_string()));
}

#[test]
fn a_running_run_belongs_to_every_period_after_its_start() {
    let scene = Scene::new();
    let mut command = scene.remoteexe_with_ssh("echo ready; exec sleep 1000");
    let run = Running::spawn(command.args(["h", "s"]));
    scene.wait_for_record("ready");
    let log = format!("[2026-03-02 10:00:00][{}] START,-,h s\n", run.id());
    fs::write(scene.path("a.log"), log).unwrap();
    for (since, expected) in [("2026-03-02", 1), ("2026-03-03", 1)] {
        let mut command = report_here(&scene);
        command.args(["--json", "--since", since]).arg(scene.path("a.log"));
        let output = command.output().unwrap();
        assert_eq!(fields(&output, "pid").len(), expected, "{since}");
    }
}

#[test]
fn a_run_that_had_to_change_to_its_user_s_log_is_reported_whole() {
    let scene = Scene::new();
    // The daily log is replaced by a directory while the job runs.
    let body = "echo one; while [ ! -e $DIR/go ]; do sleep 0.01; done; echo two; exit 5";
    let mut command = scene.remoteexe_with_ssh(body);
    command.stderr(Stdio::null());
    let mut child = Running::spawn(command.args(["h", "s"]));
    scene.wait_for_record("one");
    let moved = scene.path("moved");
    fs::rename(scene.daily(), &moved).unwrap();
    fs::create_dir(scene.daily()).unwrap();
    fs::write(scene.path("go"), "").unwrap();
    assert_eq!(child.code(), Some(5));
    fs::remove_dir(scene.daily()).unwrap();
    fs::rename(&moved, scene.daily()).unwrap();
    assert_eq!(runs(&scene, "exit_status lines tail status"), [r#"5 2 ["one","two"] "failed""#]);
}

#[test]
fn of_thirty_runs_at_once_in_one_log_each_is_found_whole() {
    let scene = Scene::new();
    // Each goes on only when all have started, so that they are interleaved; each prints its number.
    let body = "echo $$ >>$DIR/started
        while [ $(wc -l <$DIR/started) -lt 30 ]; do sleep 0.01; done
        for line in 1 2 3 4 5 6 7 8 9 10; do echo \"$3 $line\"; sleep 0.002; done
        exit $3";
    fs::write(scene.path("body"), body).unwrap();
    let mut children: Vec<Running> = (0..30)
        .map(|number| {
            let mut command = scene.remoteexe_with_ssh(". $DIR/body");
            Running::spawn(command.args(["h", "s", &number.to_string()]))
        })
        .collect();
    let pids: Vec<u32> = children.iter().map(|child| child.id()).collect();
    for (number, child) in (0..).zip(&mut children) {
        assert_eq!(child.code(), Some(number));
    }
    let log = scene.log_bytes();
    let lines: Vec<&[u8]> = log.split_inclusive(|&byte| byte == b'\n').collect();
    let changes = lines.windows(2).filter(|pair| {
        let pid = |line| split_record(line).expect("a whole record").0;
        pid(pair[0]) != pid(pair[1])
    });
    assert!(changes.count() > 60, "the runs are not interleaved");

    for (number, pid) in pids.iter().enumerate() {
        let own = lines.iter().filter(|line| split_record(line).unwrap().0 == *pid);
        let own: Vec<u8> = own.copied().flatten().copied().collect();
        let mut command = report_here(&scene);
        let output = command.args(["--run", &pid.to_string()]).output().unwrap();
        assert_eq!(stderr(&output), "");
        assert_eq!(output.stdout, own);
        assert_eq!(code(&output), i32::from(number > 0));
    }
    let mut expected: Vec<String> = (0..30)
        .zip(&pids)
        .map(|(number, pid)| {
            let tail: Vec<String> = (6..=10).map(|line| format!("\"{number} {line}\"")).collect();
            let bytes = if number < 10 { 41 } else { 51 };
            format!("{pid} \"h s {number}\" {number} 10 {bytes} [{}] false false", tail.join(","))
        })
        .collect();
    let mut found = runs(&scene, "pid job exit_status lines bytes tail ambiguous overlapped");
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    let view = printed(&report_here(&scene).output().unwrap());
    assert!(view.contains("\nruns 30   ok 1   failed 29   lost 0   running 0\n"), "{view}");
}

#[test]
fn a_long_line_that_became_several_records_and_whatever_bytes_are_counted_exactly() {
    let scene = Scene::new();
    let body = "head -c 3000000 /dev/zero | tr '\\0' x; echo; printf '\\377\\001\\n\\n'";
    let mut command = scene.remoteexe_with_ssh(body);
    command.args(["h", "s"]).output().unwrap();
    // Three pieces with a newline each, and two more lines.
    assert_eq!(runs(&scene, "lines bytes status"), [r#"5 3000007 "ok""#]);
    let mut command = report_here(&scene);
    let pid = runs(&scene, "pid").concat();
    let output = command.args(["--run", &pid]).output().unwrap();
    assert!(output.stdout == scene.log_bytes(), "the log itself");
}

#[test]
fn the_binary_under_another_path_is_still_itself() {
    // As /usr/bin/remoteexe is a symbolic link.
    let scene = Scene::new();
    std::os::unix::fs::symlink(REMOTEEXE, scene.path("remoteexe")).unwrap();
    let mut command = Command::new(scene.path("remoteexe"));
    scene.equip_with_ssh(&mut command, "echo ready; exec sleep 1000");
    let _run = Running::spawn(command.args(["h", "s"]));
    scene.wait_for_record("ready");
    assert_eq!(status(&scene), ("\"running\"".to_owned(), 0));
}

#[test]
fn a_run_that_goes_on_is_found_in_the_file_of_its_day_though_nobody_has_written_to_it_since() {
    let scene = Scene::new();
    let _child = scene.start("echo ready; exec sleep 1000");
    scene.wait_for_record("ready");
    let daily = scene.daily().display().to_string();
    run_tool("touch", &["--date=30 days ago", &daily]);
    assert_eq!(status(&scene), ("\"running\"".to_owned(), 0));
}

#[test]
fn a_run_that_goes_on_far_longer_than_its_job_ever_took_is_hung() {
    let scene = Scene::new();
    let child = scene.start("echo ready; exec sleep 1000");
    scene.wait_for_record("ready");
    // It was started long ago, as far as the log says.
    let pid = child.id();
    let good = "\
07:00:00  1  h s  ok
07:30:00  2  h s  ok
08:00:00  3  h s  ok
";
    let hung = format!("09:00:00  {pid}  h s  lost\n");
    let later = "\
09:30:00  5  h s  ok
10:00:00  6  h s  ok
";
    let view = printed(&report(records_of(&[good, &hung, later].concat()), &[]));
    let shown = format!(
        "
HUNG         since 09:00  h s
                          1h00m, usually 0s at most, run {pid}@09:00:00, started
                          again 2 times since

Running      1 run, one of them too long
"
    );
    assert!(view.contains(&shown), "{view}");
    let few = printed(&report(records_of(&(hung + later)), &[]));
    assert!(few.contains("\nnothing is wrong\n"), "{few}");
    assert!(few.contains("  too few good runs  h s\n"), "{few}");
}
