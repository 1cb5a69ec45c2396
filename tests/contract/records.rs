//! The records of a run: their texts, byte for byte.

use std::process::Command;

use crate::support::{Scene, log_of_h_s, split_record};

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
