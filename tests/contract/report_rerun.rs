//! `--report --rerun`: shell lines that make up for what did not run.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use crate::report::{interleaved, reporter, run};
use crate::support::{
    ORDINARY_USER, REMOTEEXE, Scene, code, needs_root, run_tool, stderr, texts_in,
};

const DROPPED: &str = "kex_exchange_identification: read: Connection reset by peer";

/// A night in which a job ran every ten minutes until 01:00, and this log of other jobs.
fn scene(crontab: &str, runs: &[String]) -> Scene {
    let scene = Scene::new();
    let bin = Path::new(REMOTEEXE).parent().unwrap().display();
    let log = scene.path("log");
    let head = format!("PATH={bin}:/usr/bin\nREMOTEEXE_LOG_DIR={}\n", log.display());
    let file = scene.path("crontab");
    fs::write(&file, head + "*/10 * * * * root remoteexe h0 /ten.sh\n" + crontab).unwrap();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_750_000_000);
    File::options().write(true).open(&file).unwrap().set_modified(long_ago).unwrap();
    let times = (0..=6).map(|ten| format!("{:02}:{:02}:01", ten / 6, ten % 6 * 10));
    let tens = times.zip(1..).map(|(time, pid)| run(pid, &time, &time, "h0 /ten.sh", "", 0));
    let all: Vec<String> = tens.chain(runs.iter().cloned()).collect();
    fs::write(log.join("20260302_remoteexe.log"), interleaved(&all)).unwrap();
    scene
}

fn rerun(scene: &Scene, args: &[&str]) -> Output {
    let mut command = reporter(scene);
    command.args(["--rerun", "--since", "2026-03-02", "--until", "2026-03-02 01:05"]);
    command.args(["--log-dir", "log", "--crontab", "crontab"]).args(args);
    command.current_dir(scene.path("")).output().unwrap()
}

/// The list without its head, with short words for what cron gives to each line.
fn list(scene: &Scene, args: &[&str]) -> String {
    let output = rerun(scene, args);
    assert_eq!(stderr(&output), "");
    let text = String::from_utf8(output.stdout).unwrap();
    let bin = Path::new(REMOTEEXE).parent().unwrap().display();
    let log = scene.path("log");
    let path = format!("PATH={bin}:/usr/bin REMOTEEXE_LOG_DIR={} SHELL=/bin/sh", log.display());
    let (_, list) = text.split_once("umask 022\n").unwrap_or_default();
    list.replace(&path, "PATHS")
        .replace("(cd -- /root || cd /; env -i HOME=/root LOGNAME=root", "(root")
}

#[test]
fn each_job_that_did_not_run_and_has_not_run_well_since_is_a_line() {
    needs_root();
    let lost = run(93, "00:30:01", "00:30:02", "h3 /lost.sh", "", 0);
    let lost = lost.split_inclusive('\n').take(2).collect();
    let found = scene(
        "20 0 * * * root remoteexe h1 /missed.sh\n\
         30 0 * * * root remoteexe h2 /dropped.sh\n\
         30 0 * * * root remoteexe h3 /lost.sh\n\
         30 0 * * * root remoteexe h4 /failed.sh\n\
         30,40 0 * * * root remoteexe h5 /well-later.sh\n\
         30 0 * * * root remoteexe h6 /first.sh; remoteexe h7 /second.sh\n\
         30 0 * * * root remoteexe $DB /x.sh\n",
        &[
            run(92, "00:30:01", "00:30:02", "h2 /dropped.sh", DROPPED, 255),
            lost,
            run(94, "00:30:01", "00:30:09", "h4 /failed.sh", "no space", 3),
            run(95, "00:30:01", "00:30:02", "h5 /well-later.sh", DROPPED, 255),
            run(96, "00:40:01", "00:40:02", "h5 /well-later.sh", "", 0),
            run(97, "00:30:01", "00:30:02", "h7 /second.sh", "", 0),
        ],
    );
    assert_eq!(
        list(&found, &[]),
        "
# h1 /missed.sh: not started at 00:20 (crontab:4)
(root PATHS /bin/sh -c 'remoteexe h1 /missed.sh' </dev/null)

# h2 /dropped.sh: run 92@00:30:01: exit 255, connection dropped by the server, by ssh's message (crontab:5)
(root PATHS /bin/sh -c 'remoteexe h2 /dropped.sh' </dev/null)

# h3 /lost.sh: run 93@00:30:01: lost: no END, and the process is gone (crontab:6)
# (root PATHS /bin/sh -c 'remoteexe h3 /lost.sh' </dev/null)

# h4 /failed.sh: run 94@00:30:01: exit 3, the script failed (crontab:7)
# (root PATHS /bin/sh -c 'remoteexe h4 /failed.sh' </dev/null)

# h6 /first.sh: not started at 00:30 (crontab:9)
# this line also runs 1 other job
# (root PATHS /bin/sh -c 'remoteexe h6 /first.sh; remoteexe h7 /second.sh' </dev/null)
# not understood: crontab:10: only the shell knows the value of $DB
"
    );
    assert_eq!(code(&rerun(&found, &[])), 1);
    assert_eq!(code(&rerun(&found, &["--host", "h5"])), 0);
}

#[test]
fn many_missed_slots_of_a_job_are_one_line() {
    needs_root();
    let found = scene("*/5 * * * * root remoteexe h1 /five.sh\n", &[]);
    let expected = "not started 12 times, 00:05–01:00 (crontab:4)";
    assert!(list(&found, &[]).contains(expected), "{}", list(&found, &[]));
}

#[test]
fn the_shell_runs_the_list_with_the_words_variables_and_input_of_the_crontab() {
    needs_root();
    let fake = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake");
    let bin = Path::new(REMOTEEXE).parent().unwrap().display();
    let found = scene(
        &format!(
            "PATH={fake}:{bin}:/usr/bin:/bin\n\
             FAKE_SSH=printf \"<%s>\" \"$@\"; echo; cat; umask; pwd; echo \"$QUOTES\"\n\
             QUOTES=\"it's $(date) `date`\"\n\
             20 0 * * * root remoteexe h1 /in.sh \"a  b\" 'c\"d' '$(x)'%first 'line'% two\\%\n"
        ),
        &[],
    );
    let list = rerun(&found, &["--host", "h1"]).stdout;
    fs::write(found.path("list"), list).unwrap();
    let status = Command::new("/bin/sh").arg(found.path("list")).env_clear().status();
    assert!(status.unwrap().success());
    fs::remove_file(found.path("log/20260302_remoteexe.log")).unwrap();
    let output: Vec<String> = texts_in(&found.daily()).lines().map(str::to_owned).collect();
    assert_eq!(
        output[2..output.len() - 1],
        [
            "<root@h1></in.sh><a  b><c\"d><$(x)>",
            "first 'line'",
            " two%",
            "0022",
            "/root",
            "it's $(date) `date`",
        ]
    );
}

#[test]
fn the_line_of_another_user_runs_as_that_user_or_is_left_out() {
    needs_root();
    let found = scene(
        &format!(
            "20 0 * * * {ORDINARY_USER} remoteexe h1 /x.sh\n20 0 * * * root remoteexe h2 /x.sh\n"
        ),
        &[],
    );
    let not_compared = "# 1 line not compared with the logs: of other users, or with logs elsewhere (--user, --log-dir)\n";
    let of_root = list(&found, &[]);
    assert!(of_root.contains("remoteexe h2") && !of_root.contains("h1"), "{of_root}");
    assert!(of_root.ends_with(not_compared), "{of_root}");
    // Whoever owns the file can have written any name into it.
    run_tool("chown", &["nobody", &found.path("crontab").display().to_string()]);
    let of_nobody = list(&found, &[]);
    let left_out = "# left out: the crontab is another user's, and its lines can name any user\n";
    assert!(of_nobody.contains(left_out) && !of_nobody.contains("env -i"), "{of_nobody}");
    run_tool("chown", &["root", &found.path("crontab").display().to_string()]);
    run_tool("chown", &["-R", ORDINARY_USER, &found.path("log").display().to_string()]);
    let of_user = list(&found, &["--user", ORDINARY_USER]);
    let as_user = format!("; runuser -u {ORDINARY_USER} -- env -i HOME=");
    assert!(of_user.contains(&as_user) && !of_user.contains("h2"), "{of_user}");
}

#[test]
fn logs_without_their_crontab_make_no_list() {
    let found = scene("", &[]);
    for words in [&["--rerun", "log/20260302_remoteexe.log"][..], &["--rerun", "--no-crontab"]] {
        let output = reporter(&found).args(words).current_dir(found.path("")).output().unwrap();
        assert_eq!(code(&output), 10);
        let expected = "error: --rerun needs the crontab of these logs\n\n  tip: name it with --crontab FILE\n";
        assert!(stderr(&output).starts_with(expected), "{}", stderr(&output));
    }
}
