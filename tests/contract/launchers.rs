//! Compiled programs in the place of ssh that start the real one in a way of their own: the job runs once, as with ssh.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use crate::support::{
    LOOK_ALIKE, REMOTEEXE, SOME_VERSION, Sandbox, Scene, assert_fits, at_once, compile_ssh, forge_ssh, job, mask_waits,
    run_tool, wait_until, waits,
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
fn the_master_of_a_jump_host_stays_and_costs_no_retries() {
    let jump = Sandbox::start();
    let scene = Scene::new();
    let socket = scene.path("master").display().to_string();
    // Nobody listens on the one port of the host, and the other is silent.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap().port().to_string();
    let config = format!(
        "Host jump\nControlMaster auto\nControlPath {socket}\nControlPersist 600\n{}\n\
         Host h\nHostName 127.0.0.1\nProxyJump {}@jump\n",
        jump.config_of("jump"),
        jump.login
    );
    fs::write(scene.path("config"), config).unwrap();
    for (port, timeout) in [("1", "60"), (&silent, "1")] {
        let mut command = scene.remoteexe();
        command.arg("-F").arg(scene.path("config")).args(["-p", port]);
        command.args(["--retries", "1", "--retry-delay", "0", "--connect-timeout", timeout]);
        let run = scene.run(command.args(["h", "true"]));
        assert_eq!(run.code, 255);
        assert_eq!(waits(&run.records).len(), 1, "{}", mask_waits(&run.records));
        fs::remove_file(scene.log_path()).unwrap();
    }
    for request in ["check", "exit"] {
        run_tool("ssh", &["-F", "/dev/null", "-S", &socket, "-O", request, "jump"]);
    }
    wait_until("the end of the master", || !scene.path("master").exists());
}
