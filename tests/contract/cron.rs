//! A line of the original's crontab, run by a real cron daemon.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::{REMOTEEXE, Running, Sandbox, Scene, cron, needs_root, wait_until};

#[test]
fn a_crontab_line_of_the_original_works_unchanged() {
    needs_root();
    let sandbox = Sandbox::shared();
    let scene = Scene::new();
    let path = |name: &str| scene.path(name).display().to_string();

    fs::create_dir(scene.path("bin")).unwrap();
    symlink(REMOTEEXE, scene.path("bin/remoteexe")).unwrap();
    let script = path("user_log.sh");
    fs::write(&script, "echo \"collect user log($1)\"\nexit 3\n").unwrap();
    fs::write(
        scene.path("crontab"),
        format!(
            "SHELL=/bin/bash\n\
             PATH={}:/sbin:/bin:/usr/sbin:/usr/bin\n\
             MAILTO=\"\"\n\
             HOME=/\n\
             REMOTEEXE_LOG_DIR={}\n\
             * * * * * root remoteexe host_user_batch02 \"bash {script} action\"\n",
            path("bin"),
            path("log"),
        ),
    )
    .unwrap();
    // There ssh's configuration sends every host to the sandbox, and root has none.
    let mut cron = cron(
        &scene,
        &format!(
            "mount --bind {ssh_config} /etc/ssh/ssh_config
             mkdir -p ~root/.ssh
             mount --bind {none} ~root/.ssh",
            ssh_config = sandbox.dir.join("ssh_config").display(),
            none = path("none"),
        ),
    );
    // cron's clock is put forward to second 57 of a minute, because it starts jobs at the next one.
    let second = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() % 60;
    cron.env("FAKETIME", format!("+{}s", (57 + 60 - second) % 60));
    let mut cron = Running::spawn(&mut cron);
    wait_until("the job to end, or cron to give up", || {
        cron.try_wait().unwrap().is_some() || scene.log_bytes().windows(4).any(|w| w == b"END,")
    });
    assert!(cron.try_wait().unwrap().is_none(), "cron has not started: see the message above; it names the remedy");

    let job = format!("host_user_batch02 bash {script} action");
    assert_eq!(
        scene.log(),
        format!(
            "START,-,{job}\n\
             command,ssh root@{job}\n\
             collect user log(action)\n\
             END,3,{job}\n"
        )
    );
}
