//! Jobs by options, settings of ssh and what the script does: one table, with the exact records.
//!
//! With retries, some of these settings could start the script without printing the marker. A script that prints a
//! message of a failed connection and ends with 255 would then be tried again, and so it shows whether a setting takes
//! the marker away.

use std::fs;
use std::process::Command;

use crate::support::{
    Cut, LOOK_ALIKE, Proxy, REMOTEEXE, Sandbox, Scene, assert_fits, at_once, job, needs_root, own_mounts, run_tool,
};

const RETRIES: [&str; 4] = ["--retries", "3", "--retry-delay", "0.02"];

/// The script that looks like a failed connection, and what it leaves if it was not taken for one.
const LIKE: &str = "echo 'Connection closed by 127.0.0.1 port 1'; exit 255";
const ONCE: &str = "call | Connection closed by 127.0.0.1 port 1 | requested | 255, ran 1";

/// The words of ssh's options, its configuration, what the script does, and what the job leaves. LIKE stands for
/// [`LOOK_ALIKE`].
type Row = (&'static str, &'static str, &'static str, &'static str);

/// Runs each job of a table, all of them with these options.
fn check(options: &[&str], rows: &[Row]) {
    let sandbox = Sandbox::shared();
    at_once(rows, |(words, config, script, left)| {
        let scene = Scene::new();
        let mut command = scene.remoteexe();
        sandbox.connect_with_config(command.args(options), &scene, config).args(words.split_whitespace());
        let found = job(&scene, &mut command, &script.replace("LIKE", LOOK_ALIKE));
        assert_fits(&found, &left.replace("LIKE", LOOK_ALIKE), &format!("{options:?} {words} {config} {script}"));
    });
}

#[test]
fn without_retries_a_job_is_run_once_and_no_setting_parts_ssh_from_it() {
    check(
        &[],
        &[
            ("", "", "exit 255", "call | 255, ran 1"),
            ("", "ForkAfterAuthentication yes", "cat; exit 7", "call | typed | 7, ran 1"),
            ("", "SessionType none", "cat; exit 7", "call | typed | 7, ran 1"),
            ("", "StdinNull yes", "cat; exit 7", "call | typed | 7, ran 1"),
            ("", "RequestTTY force", "cat; exit 7", "call | typed | 7, ran 1"),
            ("", "PermitLocalCommand yes\nLocalCommand echo local", "exit 7", "call | local | 7, ran 1"),
            // ssh refuses to choose between the two.
            ("", "RemoteCommand echo theirs", "true", "call | … | 255, ran 0"),
        ],
    );
}

#[test]
fn with_retries_only_a_failed_connection_is_tried_again() {
    check(
        &RETRIES,
        &[
            ("", "", "cat; exit 0", "call | typed | 0, ran 1"),
            ("", "", "echo LIKE; exit 1", "call | LIKE | 1, ran 1"),
            ("", "", "echo LIKE; exit 126", "call | LIKE | 126, ran 1"),
            ("", "", "echo LIKE; exit 127", "call | LIKE | 127, ran 1"),
            ("", "", "echo LIKE; exit 254", "call | LIKE | 254, ran 1"),
            ("", "", "echo LIKE; exit 255", "call | LIKE | requested | 255, ran 1"),
            ("", "", "echo LIKE; kill -KILL $$", "call | LIKE | requested | 255, ran 1"),
            ("", "", "echo LIKE; kill -TERM $$", "call | LIKE | requested | 255, ran 1"),
            // The parent of the remote shell serves the connection.
            ("", "", "echo LIKE; kill -KILL $PPID; exec sleep 2", "call | …requested | 255, ran 1"),
            // Refusals and mistakes.
            ("-oPubkeyAuthentication=no", "", "true", "call | …Permission denied (publickey). | 255, ran 0"),
            ("-oPubkeyAuthentication=no", "LogLevel ERROR", "true", "call | …denied (publickey). | 255, ran 0"),
            ("-oUserKnownHostsFile=/dev/null", "", "true", "call | …Host key verification failed. | 255, ran 0"),
            ("-oUserKnownHostsFile=/dev/null", "LogLevel ERROR", "true", "call | …verification failed. | 255, ran 0"),
            ("-oCiphers=aes128-cbc", "", "true", "call | …no matching cipher found. Their offer:… | 255, ran 0"),
            ("-oFrobnicate=yes", "", "true", "call | …Bad configuration option… | 255, ran 0"),
            ("-oPort=none", "", "true", "call | …Bad port… | 255, ran 0"),
            ("", "UserKnownHostsFile /dev/null\nKnownHostsCommand /bin/false", "true", "call | … | 255, ran 0"),
            // A command on this side is tried again only where it is the connection.
            (
                "",
                "ProxyCommand false",
                "true",
                "call | …retry,1/3,255,wait S s | …retry,2/3,255,wait S s | …retry,3/3,255,wait S s | … | 255, ran 0",
            ),
            // Options that do not take the marker away.
            ("-oLocalCommand=true", "", LIKE, ONCE),
            ("-oPermitLocalCommand=no", "", LIKE, ONCE),
            ("-oIgnoreUnknown=PermitLocalCommand,LocalCommand", "", LIKE, ONCE),
            ("-oRemoteCommand=true", "", LIKE, ONCE),
            ("-oRequestTTY=no", "", LIKE, ONCE),
            ("-oEscapeChar=none", "", LIKE, ONCE),
            ("-oLogLevel=QUIET", "", LIKE, ONCE),
        ],
    );
}

/// Expects two jobs to run once each, with `lines` of ssh's configuration and after `equip`: one that looks like a failed
/// connection, and one whose first connection fails.
fn assert_runs_once(sandbox: &Sandbox, lines: &str, equip: impl Fn(&mut Command)) {
    let scene = Scene::new();
    let mut command = scene.remoteexe();
    sandbox.connect_with_config(command.args(RETRIES), &scene, lines);
    equip(&mut command);
    assert_fits(&job(&scene, &mut command, LIKE), ONCE, lines);
    assert_is_tried_again(sandbox, sandbox.port(), lines, equip);
}

/// Expects a job to be tried again and to run once, if its first connection to `port` fails.
///
/// In `lines`, PORT stands for the port that ssh must use. Without PORT, a line is put before them.
fn assert_is_tried_again(sandbox: &Sandbox, port: u16, lines: &str, equip: impl Fn(&mut Command)) {
    let scene = Scene::new();
    let proxy = Proxy::start(port, vec![Cut::after(1000)]);
    let lines = if lines.contains("PORT") { lines.to_owned() } else { format!("Port PORT\n{lines}") };
    let mut command = scene.remoteexe();
    let lines = lines.replace("PORT", &proxy.port().to_string());
    sandbox.connect_with_config(command.args(RETRIES), &scene, &lines);
    equip(&mut command);
    let left = job(&scene, &mut command, "echo out; exit 7");
    assert_fits(&left, "call | … | retry,1/3,255,wait S s | call | out | 7, ran 1", &lines);
    proxy.finish();
}

#[test]
fn no_setting_of_ssh_takes_the_marker_or_the_retries_away() {
    let sandbox = Sandbox::shared();
    let scene = Scene::new();
    let path = |name: &str| scene.path(name).display().to_string();
    let (hosts, local, master) = (sandbox.dir.join("known_hosts"), path("local"), path("master"));
    let settings = [
        &*format!("PermitLocalCommand yes\nLocalCommand touch {local}"),
        "PermitLocalCommand no",
        "RemoteCommand echo theirs",
        &format!("ControlMaster auto\nControlPath {master}\nControlPersist 60"),
        // Commands on this side are run as ever.
        &format!("UserKnownHostsFile /dev/null\nKnownHostsCommand /bin/cat {}", hosts.display()),
        "ProxyCommand bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&0 >&3 & exec cat <&3'",
        &format!("Match exec \"echo >>{}\"\nConnectTimeout 20", path("matched")),
        // Settings that would part ssh from the job.
        "ForkAfterAuthentication yes",
        "SessionType none",
        "SessionType subsystem",
        "StdinNull yes",
    ];
    at_once(settings, |lines| assert_runs_once(&sandbox, lines, |_| {}));
    assert!(!scene.path("local").exists() && !scene.path("master").exists());
    // Three tries: one of the first job, two of the second.
    assert_eq!(fs::read_to_string(scene.path("matched")).unwrap(), "\n\n\n");
}

#[test]
fn any_shell_home_or_environment_of_the_caller_will_do_and_any_user() {
    let sandbox = Sandbox::shared();
    let environments = [
        // The last two are as cron has them.
        &[("SHELL", "/usr/sbin/nologin")][..],
        &[("SHELL", "/bin/false")],
        &[("SHELL", "/nonexistent"), ("HOME", "/nonexistent")],
        &[("SHELL", "")],
        &[("SHELL", "/bin/sh"), ("HOME", "/"), ("LOGNAME", "root")],
    ];
    at_once(environments, |variables| {
        assert_runs_once(&sandbox, "", |command| {
            command.envs(variables.iter().copied()).current_dir("/proc");
        });
    });
    assert_runs_once(&Sandbox::start_as_ordinary_user(), "", |_| {});
}

#[test]
fn a_running_master_is_not_used() {
    let sandbox = Sandbox::shared();
    let scene = Scene::new();
    let socket = scene.path("master").display().to_string();
    let mut master = sandbox.master(&scene, "");
    at_once(["auto", "yes", "no", "autoask"], |control| {
        let lines = format!("ControlMaster {control}\nControlPath {socket}\nControlPersist 60");
        assert_runs_once(&sandbox, &lines, |_| {});
    });
    assert!(master.try_wait().unwrap().is_none(), "it runs all the while");
}

#[test]
fn a_jump_host_may_fail_before_the_job_but_not_refuse_the_key() {
    let sandbox = Sandbox::shared();
    let jump = Sandbox::start();
    let lines = |port: &str| {
        let config = jump.config_of("jump").replace(&format!("Port {}", jump.port()), &format!("Port {port}"));
        format!("{config}\nHost h\nProxyJump {}@jump\n", jump.login)
    };
    let left = |script: &str| {
        let scene = Scene::new();
        let mut command = scene.remoteexe();
        sandbox.connect_with_config(command.args(RETRIES), &scene, &lines(&jump.port().to_string()));
        job(&scene, &mut command, script)
    };
    assert_fits(&left(LIKE), ONCE, "through a jump host");
    assert_is_tried_again(&sandbox, jump.port(), &lines("PORT"), |_| {});
    // ssh then prints the message of a dropped connection too.
    fs::write(jump.dir.join("id"), "").unwrap();
    let refused = left("true");
    assert_fits(&refused, "call | …Permission denied (publickey). | …Connection closed by UNKNOWN… | 255, ran 0", "");
    assert!(!refused.contains("retry,") && !refused.contains("remoteexe: no "), "{refused}");
}

#[test]
fn whatever_bin_sh_does_to_the_marker_the_job_does_not_run_twice() {
    needs_root();
    let sandbox = Sandbox::shared();
    for (shell, variables, script, left) in [
        // echo fails, as it does where the pipe is full: the job does not run at all.
        ("case $2 in *kill*) exec >/dev/full;; esac; eval \"$2\"", "", LIKE, "call | …137, ran 0"),
        // The marker is lost with its shell. The parent of the remote shell serves the connection. It has the end of the
        // input then, so ssh sends no more: what it sends to a dead server has another message.
        (
            "case $2 in *kill*) kill -KILL $$;; *) eval \"$2\";; esac",
            "",
            "cat; until grep -q 'typed$' $LOG; do sleep 0.01; done; kill -KILL $PPID; exec sleep 2",
            "call | typed | …closed by remote host. | 255, ran 1",
        ),
        // It takes its own permission away before ssh needs it.
        ("chmod -x /bin/sh; eval \"$2\"", "", LIKE, "call | …Couldn't execute /bin/sh -c …| 255, ran 1"),
        // The script takes longer than the connection may, which is then not known to be there.
        (
            "chmod -x /bin/sh; eval \"$2\"",
            "REMOTEEXE_CONNECT_TIMEOUT=6",
            "sleep 7; exit 3",
            "call | …Couldn't execute /bin/sh -c …| 3, ran 1",
        ),
        (
            "/bin/true",
            "",
            LIKE,
            "remoteexe: no retries: /bin/sh does not run a LocalCommand: it printed '' | call | …1 | 255, ran 1",
        ),
        ("/bin/bash", "SHELLOPTS=noexec", LIKE, ONCE),
        ("/bin/bash", "SHELLOPTS=xtrace", LIKE, ONCE),
        ("/bin/bash", "BASH_FUNC_echo%%=() { :; }", LIKE, ONCE),
    ] {
        let scene = Scene::new();
        let path = scene.path("sh").display().to_string();
        if !shell.starts_with('/') {
            fs::write(&path, format!("#!/bin/bash\n{shell}\n")).unwrap();
            run_tool("chmod", &["+x", &path]);
        }
        let shell_path = if shell.starts_with('/') { shell } else { &path };
        let mut command = own_mounts("mount --bind \"$1\" /bin/sh; shift; exec \"$@\"");
        scene.equip(&mut command);
        command.args([shell_path, "env"]).args(Some(variables).filter(|it| !it.is_empty()));
        sandbox.connect(command.arg(REMOTEEXE).args(RETRIES));
        let found = job(&scene, &mut command, script);
        assert_fits(&found, left, shell);
        assert!(!found.contains("retry,") && !found.contains("| remoteexe marker"), "{found}");
    }
}
