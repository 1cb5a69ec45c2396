//! A job in bad surroundings, in front of a real ssh: variables, current directory. `jobs` has clocks and time zones.

use crate::support::{Sandbox, Scene, as_ordinary_user, code, files, stderr, texts_in};

#[test]
fn an_empty_environment_is_enough_for_a_real_ssh() {
    let sandbox = Sandbox::shared();
    for home in [None, Some("/nonexistent"), Some("/dev/null")] {
        let scene = Scene::new();
        let mut command = scene.remoteexe();
        command.env_clear().arg("--log-dir").arg(scene.path("log"));
        if let Some(home) = home {
            command.env("HOME", home);
        }
        let script = "echo out; exit 3";
        let run = scene.run(sandbox.connect(&mut command).args(["h", script]));
        assert_eq!((run.code, run.stderr.as_str()), (3, ""));
        let config = sandbox.dir.join("ssh_config");
        assert_eq!(
            run.records,
            format!(
                "START,-,h {script}\n\
                 command,ssh -F {} {}@h {script}\n\
                 out\n\
                 END,3,h {script}\n",
                config.display(),
                sandbox.login
            )
        );
    }
}

#[test]
fn a_current_directory_that_is_unreadable_or_gone_is_no_obstacle() {
    let sandbox = Sandbox::start_as_ordinary_user();
    let remoteexe = sandbox.install("remoteexe");
    for (name, spoil) in [("closed", "chmod 000"), ("gone", "rmdir")] {
        let log = sandbox.dir.join(format!("log-{name}"));
        let script = format!(r#"mkdir "$0" {name} && cd {name} && {spoil} ../{name} && exec "$@""#);
        let mut command = as_ordinary_user("sh");
        command.args(["-c", &script]).arg(&log).arg(&remoteexe);
        command.arg("--log-dir").arg(&log);
        sandbox.connect(&mut command).args(["h", "echo out; exit 3"]);
        let output = command.current_dir(&sandbox.dir).output().unwrap();
        assert_eq!((code(&output), stderr(&output).as_str()), (3, ""), "{name}");
        let log = texts_in(&files(&log)[0]);
        assert!(log.ends_with("\nout\nEND,3,h echo out; exit 3\n"), "{log}");
    }
}
