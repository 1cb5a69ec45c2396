//! Standard input, output and error that are closed, full or without a reader: the job still runs.

use std::fs::{self, File};
use std::io::{PipeWriter, pipe};
use std::process::{Command, Stdio};

use crate::support::{REMOTEEXE, Scene, log_of_h_s};

/// Leaves a line in `$DIR/ran`, and fails where descriptor 0, 1 or 2 cannot be used.
const JOB: &str = "echo ran >>$DIR/ran; cat && echo out && echo err >&2 && exit 3";

fn assert_ran_once(scene: &Scene) {
    assert_eq!(fs::read_to_string(scene.path("ran")).unwrap(), "ran\n");
}

/// A pipe that nobody reads any more.
fn closed_pipe() -> PipeWriter {
    pipe().unwrap().1
}

fn dev_full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

#[test]
fn a_job_runs_whichever_of_the_standard_descriptors_are_closed() {
    for closed in ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        let scene = Scene::new();
        let mut sh = Command::new("sh");
        scene.equip_with_ssh(&mut sh, JOB);
        let script = format!(r#"exec "$0" --tee always h s {closed}"#);
        let run = scene.run(sh.args(["-c", &script, REMOTEEXE]));
        assert_eq!(run.code, 3, "{closed}");
        assert_eq!(run.records, log_of_h_s("out\nerr\n", 3), "{closed}");
        assert_ran_once(&scene);
        let shown = if closed.contains(" >") || closed.starts_with('>') { "" } else { "out\nerr\n" };
        assert_eq!(run.stdout, shown, "{closed}");
        assert_eq!(run.stderr, "", "{closed}");
    }
}

#[test]
fn a_job_runs_where_neither_the_log_nor_standard_error_takes_a_record() {
    for stderr in [Stdio::from(closed_pipe()), Stdio::from(dev_full())] {
        let scene = Scene::new();
        let mut command = scene.remoteexe_with_ssh(JOB);
        command.arg("--log-dir").arg(scene.path("missing"));
        let status = command.args(["h", "s"]).stderr(stderr).status();
        assert_eq!(status.unwrap().code(), Some(3));
        assert_ran_once(&scene);
    }

    let scene = Scene::new();
    let mut sh = Command::new("sh");
    scene.equip_with_ssh(&mut sh, JOB);
    sh.env("REMOTEEXE_LOG_DIR", scene.path("missing"));
    let status = sh.args(["-c", r#"exec "$0" h s <&- >&- 2>&-"#, REMOTEEXE]);
    assert_eq!(status.status().unwrap().code(), Some(3));
    assert_ran_once(&scene);
}

#[test]
fn a_refused_command_line_is_logged_where_standard_error_takes_nothing() {
    for stderr in [Stdio::from(closed_pipe()), Stdio::from(dev_full())] {
        let scene = Scene::new();
        let mut command = scene.remoteexe_with_ssh(JOB);
        let status = command.arg("h").stderr(stderr).status();
        assert_eq!(status.unwrap().code(), Some(10));
        assert!(scene.log().ends_with("\nEND,10,h\n"));
        assert!(!scene.path("ran").exists());
    }
}
