//! Retries beside settings of ssh that could start the remote command without printing the marker.
//!
//! The job prints a message of a failed connection and ends with 255. Without the marker it would be
//! tried again, and so it shows whether a setting takes the marker away.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::{
    Cut, Proxy, REMOTEEXE, REQUESTED, Run, Running, Sandbox, Scene, mask_waits, needs_root, own_mounts, run_tool,
    wait_until, waits,
};

/// A remote command that leaves a line in `runs` and then does as `rest` says.
fn script(scene: &Scene, rest: &str) -> String {
    // It may be run as another user.
    fs::set_permissions(scene.path(""), Permissions::from_mode(0o777)).unwrap();
    format!("echo run >>{}; {rest}", scene.path("runs").display())
}

/// A remote command that looks like a failed connection.
fn look_alike(scene: &Scene) -> String {
    script(scene, "echo 'Connection closed by 127.0.0.1 port 1'; exit 255")
}

fn runs(scene: &Scene) -> String {
    fs::read_to_string(scene.path("runs")).unwrap_or_default()
}

/// Expects no word of remoteexe that the job has no retries.
fn assert_has_retries(log: &str) {
    assert!(!log.contains("\nremoteexe: no "), "{log}");
}

/// remoteexe with short retries, to the sandbox's sshd, with `lines` of ssh's configuration.
fn with_retries(sandbox: &Sandbox, scene: &Scene, lines: &str) -> Command {
    let mut command = scene.remoteexe();
    command.args(["--retries", "3", "--retry-delay", "0.02"]);
    sandbox.connect_with_config(&mut command, scene, lines);
    command
}

/// Expects two jobs to run once each, with `lines` of ssh's configuration and after `equip`.
///
/// One looks like a failed connection. The first connection of the other one fails.
fn assert_runs_once(sandbox: &Sandbox, lines: &str, equip: impl Fn(&mut Command)) {
    let scene = Scene::new();
    let script = look_alike(&scene);
    let mut command = with_retries(sandbox, &scene, lines);
    equip(&mut command);
    let Run { code, records, .. } = scene.run(command.args(["h", &script]));
    assert_eq!(runs(&scene), "run\n", "{lines}\n{records}");
    assert_eq!(code, 255);
    let call = format!("command,ssh -F {} {}@h {script}\n", scene.path("config").display(), sandbox.login);
    assert_eq!(
        records,
        format!(
            "START,-,h {script}\n{call}Connection closed by 127.0.0.1 port 1\n{REQUESTED}\
             END,255,h {script}\n"
        )
    );
    assert_is_tried_again(sandbox, sandbox.port(), lines, equip);
}

/// Expects a job to be tried again and to run once, if its first connection to `port` fails.
///
/// In `lines`, PORT stands for the port that ssh must use. Without PORT, a line is put before them.
fn assert_is_tried_again(sandbox: &Sandbox, port: u16, lines: &str, equip: impl Fn(&mut Command)) {
    let scene = Scene::new();
    let proxy = Proxy::start(port, vec![Cut::after(1000)]);
    let lines = if lines.contains("PORT") {
        lines.replace("PORT", &proxy.port().to_string())
    } else {
        format!("Port {}\n{lines}", proxy.port())
    };
    let script = script(&scene, "echo out; exit 7");
    let mut command = with_retries(sandbox, &scene, &lines);
    equip(&mut command);
    let Run { code, records, .. } = scene.run(command.args(["h", &script]));
    let log = mask_waits(&records);
    assert_eq!(code, 7, "{lines}\n{log}");
    assert_eq!(waits(&records).len(), 1, "{log}");
    assert!(log.contains("\nretry,1/3,255,wait S s\ncommand,ssh "), "{log}");
    assert!(log.ends_with(&format!("\nout\nEND,7,h {script}\n")), "{log}");
    assert_eq!(runs(&scene), "run\n");
    proxy.finish();
}

#[test]
fn a_local_command_of_the_users_own_gives_way_to_the_marker() {
    let sandbox = Sandbox::start();
    let scene = Scene::new();
    let touch = format!("touch {}", scene.path("local").display());
    let local = format!("PermitLocalCommand yes\nLocalCommand {touch}");
    assert_runs_once(&sandbox, &local, |_| {});
    assert!(!scene.path("local").exists());
    assert_runs_once(&sandbox, "PermitLocalCommand no", |_| {});

    // Without retries it runs.
    let mut command = scene.remoteexe();
    sandbox.connect_with_config(&mut command, &scene, &local);
    assert_eq!(scene.run(command.args(["h", "true"])).code, 0);
    assert!(scene.path("local").exists());
}

#[test]
fn options_of_the_command_line_do_not_take_the_marker_away() {
    let sandbox = Sandbox::start();
    for option in [
        "LocalCommand=true",
        "PermitLocalCommand=no",
        "IgnoreUnknown=PermitLocalCommand,LocalCommand",
        "RemoteCommand=true",
        "RequestTTY=no",
        "EscapeChar=none",
        "LogLevel=QUIET",
    ] {
        let scene = Scene::new();
        let script = look_alike(&scene);
        let mut command = with_retries(&sandbox, &scene, "");
        let run = scene.run(command.args(["-o", option, "h", &script]));
        assert_eq!(run.code, 255);
        assert_eq!(runs(&scene), "run\n", "{option}\n{}", run.records);
        assert_has_retries(&run.records);
    }
}

#[test]
fn a_running_master_is_not_used() {
    let sandbox = Sandbox::start();
    let scene = Scene::new();
    let socket = scene.path("master").display().to_string();
    let mut master = Command::new("ssh");
    scene.equip(&mut master);
    sandbox.connect(&mut master);
    let mut master = Running::spawn(master.args(["-M", "-N", "-S", &socket, "h"]));
    wait_until("a master", || scene.path("master").exists());
    for control in ["auto", "yes", "no", "autoask"] {
        let lines = format!("ControlMaster {control}\nControlPath {socket}\nControlPersist 60");
        assert_runs_once(&sandbox, &lines, |_| {});
    }
    assert!(master.try_wait().unwrap().is_none(), "it runs all the while");
}

#[test]
fn no_master_is_left_behind() {
    let sandbox = Sandbox::start();
    let scene = Scene::new();
    let socket = scene.path("master").display().to_string();
    let lines = format!("ControlMaster auto\nControlPath {socket}\nControlPersist 60");
    assert_runs_once(&sandbox, &lines, |_| {});
    assert!(!scene.path("master").exists());
}

#[test]
fn a_remote_command_of_the_configuration_gives_way_to_the_job() {
    let sandbox = Sandbox::start();
    assert_runs_once(&sandbox, "RemoteCommand echo theirs", |_| {});
    // Without retries ssh refuses to choose between the two.
    let scene = Scene::new();
    let mut command = scene.remoteexe();
    sandbox.connect_with_config(&mut command, &scene, "RemoteCommand echo theirs");
    assert_eq!(scene.run(command.args(["h", "true"])).code, 255);
}

#[test]
fn any_shell_home_or_environment_of_the_caller_will_do() {
    let sandbox = Sandbox::start();
    for shell in ["/usr/sbin/nologin", "/bin/false", "/nonexistent", ""] {
        assert_runs_once(&sandbox, "", |command| {
            command.env("SHELL", shell);
        });
    }
    assert_runs_once(&sandbox, "", |command| {
        command.env("HOME", "/nonexistent");
    });
    // As cron has it.
    assert_runs_once(&sandbox, "", |command| {
        command.env("HOME", "/").env("LOGNAME", "root");
        command.env("SHELL", "/bin/sh").env("PATH", "/usr/bin:/bin");
    });
    assert_runs_once(&sandbox, "", |command| {
        command.current_dir("/proc");
    });
}

#[test]
fn an_ordinary_user_has_retries_too() {
    assert_runs_once(&Sandbox::start_as_ordinary_user(), "", |_| {});
}

#[test]
fn commands_on_this_side_are_run_as_ever() {
    let sandbox = Sandbox::start();
    let hosts = sandbox.dir.join("known_hosts");
    let hosts = format!("UserKnownHostsFile /dev/null\nKnownHostsCommand /bin/cat {}", hosts.display());
    assert_runs_once(&sandbox, &hosts, |_| {});
    let proxy = "ProxyCommand bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&0 >&3 & exec cat <&3'";
    assert_runs_once(&sandbox, proxy, |_| {});

    let scene = Scene::new();
    let matched = scene.path("matched").display().to_string();
    let lines = format!("Match exec \"echo >>{matched}\"\nConnectTimeout 20");
    assert_runs_once(&sandbox, &lines, |_| {});
    // Three tries: one of the first job, two of the second.
    assert_eq!(fs::read_to_string(matched).unwrap(), "\n\n\n");
}

#[test]
fn commands_on_this_side_that_fail_are_tried_again_only_where_they_are_the_connection() {
    let sandbox = Sandbox::start();
    for (lines, retries) in
        [("ProxyCommand false", 3), ("UserKnownHostsFile /dev/null\nKnownHostsCommand /bin/false", 0)]
    {
        let scene = Scene::new();
        let mut command = with_retries(&sandbox, &scene, lines);
        let run = scene.run(command.args(["h", "true"]));
        assert_eq!(run.code, 255);
        assert_eq!(waits(&run.records).len(), retries, "{}", run.records);
    }
}

#[test]
fn a_jump_host_may_fail_before_the_job_but_not_refuse_the_key() {
    let sandbox = Sandbox::start();
    let jump = Sandbox::start();
    let jump_config = fs::read_to_string(jump.dir.join("ssh_config")).unwrap();
    let own_port = format!("Port {}", jump.port());
    let lines = |port: &str, rest: &str| {
        let config = jump_config.replace(&own_port, &format!("Port {port}"));
        let config = config.replace("Host *", "Host jump");
        format!("{rest}{config}\nHost h\nProxyJump {}@jump\n", jump.login)
    };
    let direct = lines(&jump.port().to_string(), "");
    let scene = Scene::new();
    let script = look_alike(&scene);
    let mut command = with_retries(&sandbox, &scene, &direct);
    let run = scene.run(command.args(["h", &script]));
    assert_eq!(run.code, 255);
    assert_eq!(runs(&scene), "run\n", "{}", run.records);

    assert_is_tried_again(&sandbox, jump.port(), &lines("PORT", ""), |_| {});

    // ssh then prints the message of a dropped connection too.
    fs::write(jump.dir.join("id"), "").unwrap();
    let scene = Scene::new();
    let mut command = with_retries(&sandbox, &scene, &direct);
    let Run { code, records, .. } = scene.run(command.args(["h", "true"]));
    assert_eq!(code, 255);
    let log = records;
    assert!(log.contains("Permission denied (publickey)."), "{log}");
    assert!(log.contains("Connection closed by UNKNOWN"), "{log}");
    assert!(!log.contains("retry,"), "{log}");
    assert_has_retries(&log);
}

#[test]
fn settings_that_would_part_ssh_from_the_job_give_way_with_retries_too() {
    let sandbox = Sandbox::start();
    for setting in ["ForkAfterAuthentication yes", "SessionType none", "SessionType subsystem"] {
        assert_runs_once(&sandbox, setting, |_| {});
    }
}

#[test]
fn an_ssh_that_takes_no_standard_input_is_tried_again() {
    let sandbox = Sandbox::start();
    assert_runs_once(&sandbox, "StdinNull yes", |_| {});
}

/// Runs `script` where `shell` is /bin/sh, in a mount namespace, and with these variables.
fn run_with_shell(sandbox: &Sandbox, scene: &Scene, shell: &str, variables: &[&str], script: &str) -> Run {
    needs_root();
    let mut unshare = own_mounts("mount --bind \"$1\" /bin/sh; shift; exec \"$@\"");
    scene.equip(&mut unshare);
    unshare.args([shell, "env"]).args(variables).args([REMOTEEXE, "--retries", "3", "--retry-delay", "0.02"]);
    scene.run(sandbox.connect(&mut unshare).args(["h", script]))
}

/// Runs `script` where /bin/sh runs `local_command` in the place of the `LocalCommand`, by bash.
fn run_with_local_shell(sandbox: &Sandbox, scene: &Scene, local_command: &str, script: &str) -> Run {
    let shell = scene.path("sh");
    let text = format!("#!/bin/bash\ncase $2 in *kill*) {local_command};; *) eval \"$2\";; esac\n");
    fs::write(&shell, text).unwrap();
    let shell = shell.display().to_string();
    run_tool("chmod", &["+x", &shell]);
    run_with_shell(sandbox, scene, &shell, &[], script)
}

#[test]
fn where_the_marker_cannot_be_written_the_job_does_not_run_at_all() {
    let sandbox = Sandbox::start();
    let scene = Scene::new();
    let script = look_alike(&scene);
    // echo fails, as it does where the pipe is full.
    let shell = "exec >/dev/full; eval \"$2\"";
    let run = run_with_local_shell(&sandbox, &scene, shell, &script);
    assert_eq!(run.code, 137, "{}", run.records);
    assert_has_retries(&run.records);
    assert_eq!(runs(&scene), "");
    assert_eq!(waits(&run.records), []);
}

#[test]
fn where_the_marker_is_lost_with_its_shell_a_lost_connection_is_not_tried_again() {
    let sandbox = Sandbox::start();
    let scene = Scene::new();
    // The parent of the remote shell serves the connection. It has the end of the input then, so ssh sends no more: what
    // it sends to a dead server has another message.
    let script = script(&scene, "cat; kill -KILL $PPID; exec sleep 2");
    let run = run_with_local_shell(&sandbox, &scene, "kill -KILL $$", &script);
    let log = run.records;
    assert_eq!(run.code, 255, "{log}");
    assert_eq!(runs(&scene), "run\n");
    assert_eq!(waits(&log), []);
    assert_has_retries(&log);
    let end = format!("closed by remote host.\r\nEND,255,h {script}\n");
    assert!(log.ends_with(&end), "{log}");
}

#[test]
fn where_the_shell_cannot_be_run_for_the_marker_the_job_is_not_tried_again() {
    let sandbox = Sandbox::start();
    let scene = Scene::new();
    let script = look_alike(&scene);
    // It takes its own permission away before ssh needs it.
    let shell = scene.path("sh");
    fs::write(&shell, "#!/bin/bash\nchmod -x /bin/sh; eval \"$2\"\n").unwrap();
    let shell = shell.display().to_string();
    run_tool("chmod", &["+x", &shell]);
    let run = run_with_shell(&sandbox, &scene, &shell, &[], &script);
    let log = run.records;
    assert_eq!(run.code, 255, "{log}");
    assert_eq!(runs(&scene), "run\n", "{log}");
    assert_has_retries(&log);
    assert!(log.contains("\nCouldn't execute /bin/sh -c "), "{log}");
}

#[test]
fn a_shell_that_runs_nothing_leaves_no_retries() {
    let sandbox = Sandbox::start();
    let scene = Scene::new();
    let script = look_alike(&scene);
    let run = run_with_shell(&sandbox, &scene, "/bin/true", &[], &script);
    let log = run.records;
    assert_eq!(run.code, 255, "{log}");
    assert_eq!(runs(&scene), "run\n", "{log}");
    let why = "\nremoteexe: no retries: /bin/sh does not run a LocalCommand: it printed ''\n";
    assert!(log.contains(why), "{log}");
}

#[test]
fn what_bash_is_told_in_the_environment_does_not_take_the_marker_away() {
    let sandbox = Sandbox::start();
    for variable in ["SHELLOPTS=noexec", "SHELLOPTS=xtrace", "BASH_FUNC_echo%%=() { :; }"] {
        let scene = Scene::new();
        let script = look_alike(&scene);
        let run = run_with_shell(&sandbox, &scene, "/bin/bash", &[variable], &script);
        let log = run.records;
        assert_eq!(run.code, 255, "{log}");
        assert_eq!(runs(&scene), "run\n", "{variable}: {log}");
        assert_has_retries(&log);
        assert!(!log.contains("remoteexe marker"), "{variable}: {log}");
    }
}
