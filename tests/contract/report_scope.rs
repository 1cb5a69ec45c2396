//! `--report`: it says what it has read, and what was asked for in vain.

use std::fs;
use std::process::Output;

use crate::report::{fields, printed, reporter};
use crate::support::{FAKETIME, Scene, code, stderr, today};

const LOG: &str = "\
[2026-03-02 10:00:00][1] START,-,host_sum_batch01 /srv/sum.sh daily
[2026-03-02 10:00:00][1] command,ssh root@host_sum_batch01 /srv/sum.sh daily
[2026-03-02 10:00:01][1] END,0,host_sum_batch01 /srv/sum.sh daily
[2026-03-02 10:00:00][2] START,-,host_user_batch02 /srv/backup.sh
[2026-03-02 10:00:00][2] command,ssh root@host_user_batch02 /srv/backup.sh
[2026-03-02 10:00:01][2] END,0,host_user_batch02 /srv/backup.sh
";

fn report_here(args: &[&str]) -> Output {
    let scene = Scene::new();
    fs::write(scene.path("log/20260302_remoteexe.log"), LOG).unwrap();
    fs::write(scene.path("a.log"), LOG).unwrap();
    fs::write(scene.path("b.log"), "").unwrap();
    let mut command = reporter(&scene);
    command.env("COLUMNS", "120").current_dir(scene.path("")).args(["--log-dir", "log"]);
    command.args(args).output().unwrap()
}

#[test]
fn the_view_says_what_it_has_read_and_what_was_asked_for() {
    for (args, scope) in [
        (&["--since", "2026-03-02"][..], "log, 1 file, since 2026-03-02 00:00:00"),
        (
            &["--since", "2026-03-02 09:00", "--until", "2026-03-02", "--user", "root"],
            "log, 1 file, since 2026-03-02 09:00:00, until 2026-03-03 00:00:00, user root",
        ),
        (
            &[
                "a.log",
                "b.log",
                "--host",
                "host_sum_batch01",
                "--job",
                "/srv/",
                "--failed",
                "--ok",
                "1,75",
            ],
            "a.log and b.log, host host_sum_batch01, job /srv/, only what failed or was lost, ok 1,75",
        ),
        (&["a.log", "a.log", "b.log"], "a.log and 2 more, 2 files"),
    ] {
        let view = printed(&report_here(args));
        assert!(view.contains(&format!("\n{scope}\n")), "{args:?}: {view}");
    }
    let scene = Scene::new();
    fs::write(scene.path("log").join(format!("{}_remoteexe.log", today())), LOG).unwrap();
    let mut command = reporter(&scene);
    command.env_remove("TZ").current_dir(scene.path(""));
    let view = printed(&command.args(["--log-dir", "log"]).output().unwrap());
    assert!(view.contains("\nlog, 1 file, today\n"), "{view}");
}

#[test]
fn a_name_that_is_nowhere_is_a_wrong_word_with_the_nearest_ones_as_a_remedy() {
    for (args, remark) in [
        (
            ["--host", "host_sum_batch1"],
            "no host 'host_sum_batch1' in these logs or crontabs; the nearest: host_sum_batch01, host_user_batch02",
        ),
        (["--host", "web"], "no host 'web' in these logs or crontabs, nor one like it"),
        (
            ["--job", "bakcup.sh"],
            "no job with 'bakcup.sh' in these logs or crontabs; the nearest: host_user_batch02 /srv/backup.sh",
        ),
        (["--job", "zzz"], "no job with 'zzz' in these logs or crontabs, nor one like it"),
    ] {
        for form in ["--json", "--tsv", "--failed"] {
            let output = report_here(&[args[0], args[1], form, "a.log"]);
            assert_eq!(stderr(&output), format!("remoteexe: {remark}\n"));
            assert_eq!(code(&output), 10);
        }
    }
}

#[test]
fn a_host_that_was_quiet_in_the_period_is_no_mistyped_one() {
    for args in [["--host", "host_sum_batch01"], ["--job", "host_sum_batch01 /srv/sum.sh"]] {
        let quiet = ["--since", "2026-03-02 11:00", "--until", "2026-03-02"];
        let output = report_here(&[&args[..], &quiet].concat());
        assert!(printed(&output).starts_with("no runs\n"));
    }
    // Where there is no run at all, there is nothing to compare with.
    assert_eq!(stderr(&report_here(&["--host", "x", "b.log"])), "");
}

#[test]
fn how_long_ago_is_known_in_the_hour_that_comes_twice() {
    // 02:30 of summer time, and again an hour later.
    for now in [1_792_888_200, 1_792_891_800] {
        let scene = Scene::new();
        let log = ["01:20:00", "01:40:00", "02:20:00"].map(|time| {
            let begin = format!("[2026-10-25 {time}][7]");
            format!("{begin} START,-,h a\n{begin} command,ssh root@h a\n{begin} END,0,h a\n")
        });
        fs::write(scene.path("a.log"), log.concat()).unwrap();
        let mut command = reporter(&scene);
        command
            .env("TZ", "Europe/Berlin")
            .env("LD_PRELOAD", FAKETIME)
            .env("FAKETIME_FMT", "%s")
            .env("FAKETIME", format!("@{now}"));
        let output =
            command.args(["--json", "--since", "1h"]).arg(scene.path("a.log")).output().unwrap();
        printed(&output);
        assert_eq!(
            fields(&output, "start"),
            [r#""2026-10-25T01:40:00+02:00""#, r#""2026-10-25T02:20:00+02:00""#]
        );
    }
}
