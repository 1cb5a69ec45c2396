//! `--report` of logs that real runs have written.

use std::fs;
use std::process::Command;

use crate::report::{fields, printed, reporter};
use crate::support::{Running, Scene, code, split_record, stderr};

/// A report of the scene's log directory, whose names are of today in local time.
fn report_here(scene: &Scene) -> Command {
    let mut command = reporter(scene);
    command.env_remove("TZ");
    command
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
    let output = report_here(&scene).arg("--json").output().unwrap();
    let mut found = fields(&output, "pid job exit_status lines bytes tail ambiguous overlapped");
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    let view = printed(&report_here(&scene).output().unwrap());
    assert!(view.contains("\nruns 30   ok 1   failed 29   lost 0   running 0\n"), "{view}");
}
