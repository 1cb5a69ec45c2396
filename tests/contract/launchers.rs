//! Compiled programs in the place of ssh that start the real one in a way of their own: the job runs once, as with ssh.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use rustix::process::Signal;

use crate::support::{
    ClosedPort, LOOK_ALIKE, Lingering, NO_GUARDS, REMOTEEXE, Running, SOME_VERSION, Sandbox, Scene, assert_fits,
    at_once, children, compile_ssh, forge_ssh, job, mask_waits, needs_root, own_mounts, run_tool, state, try_send_to,
    wait_for, wait_until, waits,
};

/// Executes ssh.
const EXEC: &str = r#"execv("/usr/bin/ssh", argv); return 127;"#;

/// The same with another option before the others.
const EXEC_WITH_OPTION: &str = r#"
    char **words = calloc(argc + 3, sizeof *words);
    words[0] = argv[0]; words[1] = "-o"; words[2] = "PermitLocalCommand=no";
    memcpy(words + 3, argv + 1, argc * sizeof *words);
    execv("/usr/bin/ssh", words); return 127;"#;

/// The same without the options `-oKEYWORD=VALUE`.
const EXEC_WITHOUT_OPTIONS: &str = r#"
    char **words = calloc(argc + 1, sizeof *words);
    int count = 0;
    for (int i = 0; i < argc; i++) if (strncmp(argv[i], "-o", 2) || !argv[i][2]) words[count++] = argv[i];
    execv("/usr/bin/ssh", words); return 127;"#;

/// Starts ssh in a session of its own, where HUP is ignored, and waits for it.
const FORK: &str = r#"
    signal(SIGHUP, SIG_IGN);
    pid_t child = fork();
    if (!child) { setsid(); execv("/usr/bin/ssh", argv); _exit(127); }
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);"#;

/// Each with its name.
pub const LAUNCHERS: [(&str, &str); 4] = [
    ("exec", EXEC),
    ("exec with an option", EXEC_WITH_OPTION),
    ("exec without options", EXEC_WITHOUT_OPTIONS),
    ("fork", FORK),
];

/// remoteexe, under nohup or not, with retries and a connect timeout that ends while the script runs.
fn impatient(scene: &Scene, is_nohup: bool, bin: &str) -> Command {
    let mut command = Command::new(if is_nohup { "nohup" } else { "env" });
    scene.equip(&mut command);
    command.env("PATH", format!("{bin}:/usr/bin:/bin"));
    command.args([REMOTEEXE, "--retries", "3", "--retry-delay", "0", "--connect-timeout", "1"]);
    command
}

#[test]
fn behind_any_launcher_a_script_runs_once_with_its_own_status_and_the_log_says_what_is_missing() {
    let sandbox = Sandbox::shared();
    at_once(LAUNCHERS, |(name, launcher)| {
        let compiled = Scene::new();
        let bin = compile_ssh(&compiled, launcher);
        let reason = format!("{bin}/ssh is not known as OpenSSH's own ssh; put that before it in PATH");
        let lacks = format!("remoteexe: no retries: {reason} | remoteexe: no connect timeout: {reason}");
        for (script, left) in [
            ("sleep 3; echo out; exit 7", "out | 7, ran 1".to_owned()),
            // As a failed connection would.
            (&format!("echo '{LOOK_ALIKE}'; exit 255"), format!("{LOOK_ALIKE} | 255, ran 1")),
        ] {
            at_once([false, true], |is_nohup| {
                let scene = Scene::new();
                let mut command = impatient(&scene, is_nohup, &bin);
                let found = job(&scene, sandbox.connect(&mut command), script);
                assert_fits(&found, &format!("{lacks} | call | {left}"), name);
            });
        }
    });
}

#[test]
fn a_launcher_that_looks_like_ssh_itself_is_found_out_by_what_runs() {
    let sandbox = Sandbox::shared();
    at_once(&LAUNCHERS[..3], |(name, launcher)| {
        let scene = Scene::new();
        let bin = forge_ssh(&scene, SOME_VERSION, launcher);
        let mut command = impatient(&scene, false, &bin);
        let left = job(&scene, sandbox.connect(&mut command), "sleep 3; exit 7");
        // Without an option before ours, the marker comes as from ssh itself.
        let lack = format!("…no connect timeout: /proc does not show that {bin}/ssh ran…");
        assert_fits(&left, &format!("{}7, ran 1", if *name == "exec" { "…" } else { &lack }), name);
        assert!(!left.contains("not connected"), "{name}\n{left}");
    });
}

#[test]
fn whatever_separates_ssh_from_the_job_behind_a_launcher_or_a_script_the_log_warns() {
    let sandbox = Sandbox::shared();
    let scene = Scene::new();
    let bin = compile_ssh(&scene, EXEC);
    let mut command = scene.remoteexe();
    command.env("PATH", format!("{bin}:/usr/bin:/bin"));
    sandbox.connect_with_config(&mut command, &scene, "ForkAfterAuthentication yes");
    let run = scene.run(command.args(["h", "sleep 1; exit 7"]));
    assert_eq!(run.code, 0, "{}", run.records);
    let warning = format!("\n{NO_GUARDS}{bin}/ssh is not known as OpenSSH's own ssh; ");
    assert!(run.records.contains(&warning), "{}", run.records);

    let warning = format!("{NO_GUARDS}{}/tests/fake/ssh is not a program but a script; ", env!("CARGO_MANIFEST_DIR"));
    let scene = Scene::new();
    let config = scene.path("ssh_config");
    fs::write(&config, "Host *\n  sessiontype none\n").unwrap();
    // ssh may have said something, or passed on the first output of the job, before it went to the background.
    let mut command = scene.remoteexe_with_ssh("echo out; exit 0");
    let run = scene.run(command.arg("-F").arg(&config).args(["h", "s"]));
    assert_eq!(run.code, 0);
    let log = String::from_utf8(scene.log_bytes()).unwrap();
    assert!(log.contains(&warning), "{log}");

    // ssh looks for the file where the system says that the user is at home. The build may be there, so it is copied.
    needs_root();
    let scene = Scene::new();
    let fake = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake/ssh");
    run_tool("cp", &[REMOTEEXE, fake, &scene.path("").display().to_string()]);
    fs::create_dir_all(scene.path("root/.ssh")).unwrap();
    fs::write(scene.path("root/.ssh/config"), "ForkAfterAuthentication yes\n").unwrap();
    let mut command = own_mounts("mount --bind $DIR/root /root; PATH=$DIR:$PATH exec \"$@\"");
    scene.equip_with_ssh(&mut command, "exit 0");
    let run = scene.run(command.env("HOME", scene.path("")).args(["remoteexe", "h", "s"]));
    let copy = scene.path("ssh").display().to_string();
    assert!(run.records.contains(&warning.replace(fake, &copy)), "{}", run.records);
}

#[test]
fn an_ssh_that_changes_its_user_or_cannot_be_read_gets_no_retries() {
    let scene = Scene::new();
    let bin = scene.path("bin");
    fs::create_dir(&bin).unwrap();
    let copy = bin.join("ssh").display().to_string();
    run_tool("cp", &["/usr/bin/ssh", &copy]);
    run_tool("chmod", &["4755", &copy]);
    let port = ClosedPort::reserve().to_string();
    let mut command = scene.remoteexe();
    command.env("PATH", &bin).args(["-F", "/dev/null", "-p", &port, "--retries", "3"]);
    let run = scene.run(command.args(["127.0.0.1", "true"]));
    assert_eq!(run.code, 255);
    let reason = format!("no retries: {copy} has a set-user-ID or set-group-ID bit\n");
    assert!(run.records.contains(&reason), "{}", run.records);
    assert_eq!(waits(&run.records), []);
}

/// A `ProxyCommand` that leaves its process id in `pid` and never ends, before `rest`.
fn stubborn(scene: &Scene, before: &str, rest: &str) -> String {
    let pid = scene.path("pid");
    format!(
        "ProxyCommand={before} sh -c 'trap \"\" HUP TERM; echo $$ >>{}; while :; do sleep 600; done' {rest}",
        pid.display()
    )
}

/// The process ids that the proxies have left, at least `count`.
fn pids(scene: &Scene, count: usize) -> Vec<String> {
    wait_for("the proxies", || {
        let pids = fs::read_to_string(scene.path("pid")).ok()?;
        (pids.matches('\n').count() >= count).then(|| pids.lines().map(str::to_owned).collect())
    })
}

#[test]
fn what_the_connect_timeout_ends_is_ended_whatever_it_ignores_and_whatever_remoteexe_ignores() {
    at_once([(false, ""), (true, ""), (false, "setsid"), (true, "setsid")], |(is_nohup, before)| {
        let scene = Scene::new();
        let mut command = Command::new(if is_nohup { "nohup" } else { "env" });
        scene.equip(&mut command);
        command.args([REMOTEEXE, "-F", "/dev/null", "--connect-timeout", "1"]);
        command.args(["-o", &stubborn(&scene, before, "")]);
        let mut child = Running::spawn(command.args(["h", "s"]));
        let pids = pids(&scene, 1);
        assert_eq!(child.code(), Some(255));
        let is_alive = !matches!(state(&pids[0]), None | Some('Z'));
        assert!(!is_alive, "it is ended before END");
        let log = scene.log();
        assert!(log.ends_with("remoteexe: ssh was killed: not connected after 1.000 s\nEND,255,h s\n"), "{log}");
    });
}

#[test]
fn a_proxy_that_outlives_an_ssh_that_failed_is_ended_before_the_next_attempt() {
    let scene = Scene::new();
    let mut command = scene.remoteexe();
    command.args(["-F", "/dev/null", "--retries", "1", "--retry-delay", "0"]);
    command.args(["-o", &stubborn(&scene, "", "</dev/null >/dev/null & exit 1")]);
    let run = scene.run(command.args(["h", "s"]));
    assert_eq!(run.code, 255);
    assert_eq!(waits(&run.records).len(), 1, "{}", run.records);
    // That of the last attempt is left to itself, as ever.
    let pids = pids(&scene, 2);
    assert!(matches!(state(&pids[0]), None | Some('Z')));
    let sleeps = children(pids[1].parse().unwrap());
    try_send_to(&pids[1], Signal::KILL);
    for sleep in &sleeps {
        try_send_to(sleep, Signal::KILL);
    }
}

#[test]
fn there_is_no_retry_while_a_daemon_that_ssh_has_started_runs() {
    let scene = Scene::new();
    let pid = scene.path("pid");
    let daemon = format!(
        "ProxyCommand=setsid sh -c 'echo $$ >>{}; exec sleep 600' </dev/null >/dev/null & sleep 0.3; exit 1",
        pid.display()
    );
    let mut command = scene.remoteexe();
    command.args(["-F", "/dev/null", "--retries", "3", "--retry-delay", "0", "-o", &daemon]);
    let run = scene.run(command.args(["h", "s"]));
    let daemon = Lingering::new(pids(&scene, 1).remove(0));
    assert!(daemon.is_alive(), "it may serve others");
    assert_eq!(run.code, 255);
    assert_eq!(waits(&run.records), []);
    let reason = "\nremoteexe: no retry: it is not certain that the script does not run: sleep (";
    assert!(run.records.contains(reason), "{}", run.records);
}

#[test]
fn what_our_caller_has_left_in_the_background_is_not_ended_with_an_ssh() {
    let scene = Scene::new();
    let mut shell = Command::new("bash");
    scene.equip(&mut shell);
    let background = "(while :; do sleep 0.1 || echo $? >>$DIR/ended; done) & echo $! >$DIR/pid";
    shell.args(["-c", &format!("{background}; exec \"$@\""), "bash", REMOTEEXE]);
    shell.args(["--retries", "1", "--retry-delay", "0", "--connect-timeout", "0.5"]);
    shell.args(["-F", "/dev/null", "-o", "ProxyCommand=sleep 600 & exec sleep 600", "h", "s"]);
    let mut child = Running::spawn(&mut shell);
    let background = Lingering::new(pids(&scene, 1).remove(0));
    assert_eq!((child.code(), waits(&scene.log()).len()), (Some(255), 1), "{}", scene.log());
    assert!(background.is_alive() && !scene.path("ended").exists());
}

#[test]
fn without_proc_the_job_runs_as_without_retries_and_the_log_says_so() {
    needs_root();
    let sandbox = Sandbox::shared();
    let scene = Scene::new();
    let mut command = own_mounts("mount -t tmpfs none /proc; exec \"$@\"");
    scene.equip(&mut command);
    command.args([REMOTEEXE, "--retries", "1", "--connect-timeout", "1"]);
    let left = job(&scene, sandbox.connect(&mut command), "sleep 2; exit 255");
    let reason = "/proc does not show what runs";
    let lacks = format!("remoteexe: no retries: {reason} | remoteexe: no connect timeout: {reason}");
    assert_fits(&left, &format!("call | {lacks} | 255, ran 1"), "without /proc");

    let mut command = own_mounts("mount -t tmpfs none /proc; exec \"$@\"");
    let scene = Scene::new();
    scene.equip(&mut command);
    command.args([REMOTEEXE, "--retries", "1", "-F", "/dev/null"]);
    let run = scene.run(command.args(["-o", "ProxyCommand=head -n 1 >/dev/null", "h", "s"]));
    let end = "\nConnection closed by UNKNOWN port 65535\r\nEND,255,h s\n";
    assert!(run.records.ends_with(end), "{}", run.records);
}

#[test]
fn the_master_of_a_jump_host_stays_and_costs_no_retries() {
    let jump = Sandbox::start();
    let scene = Scene::new();
    let socket = scene.path("master").display().to_string();
    let own = fs::read_to_string(jump.dir.join("ssh_config")).unwrap();
    let own = own.replace("Host *", "Host jump");
    // Nobody listens on the one port of the host, and the other is silent.
    let reserved = ClosedPort::reserve();
    let closed = reserved.to_string();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap().port().to_string();
    let config = format!(
        "Host jump\nControlMaster auto\nControlPath {socket}\nControlPersist 600\n{own}\n\
         Host h\nHostName 127.0.0.1\nProxyJump {}@jump\n",
        jump.login
    );
    fs::write(scene.path("config"), config).unwrap();
    for (port, timeout) in [(closed, "60"), (silent, "1")] {
        let mut command = scene.remoteexe();
        command.arg("-F").arg(scene.path("config")).args(["-p", &port]);
        command.args(["--retries", "1", "--retry-delay", "0", "--connect-timeout", timeout]);
        let run = scene.run(command.args(["h", "true"]));
        assert_eq!(run.code, 255);
        assert_eq!(waits(&run.records).len(), 1, "{}", mask_waits(&run.records));
        fs::remove_file(scene.log_path()).unwrap();
    }
    let mut ssh = Command::new("ssh");
    ssh.args(["-F", "/dev/null", "-S", &socket]);
    assert!(ssh.args(["-O", "check", "jump"]).output().unwrap().status.success(), "it is alive");
    let mut ssh = Command::new("ssh");
    ssh.args(["-F", "/dev/null", "-S", &socket, "-O", "exit", "jump"]);
    ssh.output().unwrap();
    wait_until("the end of the master", || !scene.path("master").exists());
}
