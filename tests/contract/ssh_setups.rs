//! Set-ups of ssh as they are in the field: with retries and a connect timeout or without them, a job has the status,
//! the output and the number of runs that it has with plain ssh.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::report::reported;
use crate::support::{
    REQUESTED, Running, Sandbox, Scene, at_once, is_running, mask_waits, needs_root, own_mounts, run_tool, wait_until,
    waits,
};

/// Both ways to run a job. The time is never over, on a busy machine either.
const WAYS: [&[&str]; 2] = [&[], &["--retries", "3", "--retry-delay", "0", "--connect-timeout", "60"]];

/// One way to reach a host.
struct Setup {
    name: String,
    sandbox: Arc<Sandbox>,
    /// What is in ssh's configuration before the sandbox's own.
    config: String,
    /// What the script does after it has left a line in `runs`.
    script: String,
    /// How often the script runs: not at all where the server does not run it.
    runs: usize,
}

/// A script that reads its input and says something.
const SCRIPT: &str = "cat; echo out; printf 'no newline'; exit 7";

impl Setup {
    fn new(name: impl Into<String>, sshd: &str, config: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            sandbox: match sshd {
                "" => Sandbox::shared(),
                sshd => Arc::new(Sandbox::start_with_sshd_config(sshd)),
            },
            config: config.into(),
            script: SCRIPT.to_owned(),
            runs: 1,
        }
    }

    /// Runs the job by `command`, which has no arguments of ssh yet, and gives the status and the number of runs.
    fn run(&self, scene: &Scene, command: &mut Command) -> (Option<i32>, usize) {
        let runs = scene.path("runs");
        let script = format!("echo run >>{}; {}", runs.display(), self.script);
        fs::write(scene.path("input"), "in\n").unwrap();
        self.sandbox.connect_with_config(command, scene, &self.config);
        command.args(["h", &script]);
        command.stdin(fs::File::open(scene.path("input")).unwrap());
        let code = Running::spawn(command).code();
        let runs = fs::read_to_string(runs).unwrap_or_default().lines().count();
        (code, runs)
    }

    fn check(&self) {
        let scene = Scene::new();
        let mut plain = Command::new("sh");
        scene.equip(&mut plain);
        plain.arg("-c").arg("exec ssh \"$@\" >$DIR/output 2>&1").arg("sh");
        let expected = self.run(&scene, &mut plain);
        let mut output = fs::read_to_string(scene.path("output")).unwrap();
        if !output.is_empty() && !output.ends_with('\n') {
            output.push('\n');
        }
        assert_eq!(expected.1, self.runs, "{}\n{output}", self.name);
        for way in WAYS {
            let scene = Scene::new();
            let mut command = scene.remoteexe();
            let found = self.run(&scene, command.args(way));
            let log = scene.log();
            assert_eq!(found, expected, "{} {way:?}\n{log}", self.name);
            let (_, rest) = log.split_once("\ncommand,").unwrap();
            let (_, rest) = rest.split_once('\n').unwrap();
            let (shown, _) = rest.rsplit_once("END,").unwrap();
            let shown = shown.strip_suffix(REQUESTED).unwrap_or(shown);
            assert_eq!(shown, output, "{} {way:?}", self.name);
        }
    }
}

#[test]
fn a_job_is_the_same_through_a_jump_host_a_shared_connection_a_certificate_or_an_agent() {
    Setup::new("direct", "", "").check();
    let jump = Sandbox::start();
    let config = format!("{}Host h\nProxyJump {}@jump\nHost *\n", jump.config_of("jump"), jump.login);
    Setup::new("jump host", "", config).check();
    drop(jump);

    let mut setup = Setup::new("running master", "", "");
    let scene = Scene::new();
    let master = setup.sandbox.master(&scene, "");
    setup.config = format!("ControlPath {}\n", scene.path("master").display());
    setup.check();
    drop(master);

    let socket = scene.path("auto").display().to_string();
    Setup::new("master by itself", "", format!("ControlMaster auto\nControlPath {socket}\nControlPersist no\n"))
        .check();
    wait_until("the end of the master", || !scene.path("auto").exists());

    let path = |name: &str| scene.path(name).display().to_string();
    for name in ["ca", "key"] {
        run_tool("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &path(name)]);
    }
    let mut setup = Setup::new("certificate", &format!("TrustedUserCAKeys {}.pub", path("ca")), "");
    let login = setup.sandbox.login.clone();
    run_tool("ssh-keygen", &["-q", "-s", &path("ca"), "-I", "id", "-n", &login, &path("key.pub")]);
    setup.config = format!("IdentityFile {}\n", path("key"));
    setup.check();

    let mut setup = Setup { sandbox: Arc::new(Sandbox::start()), ..Setup::new("agent", "", "") };
    let socket = path("agent");
    let mut agent = Command::new("ssh-agent");
    let _agent = Running::spawn(agent.args(["-D", "-a", &socket]).stdout(Stdio::null()));
    let id = setup.sandbox.dir.join("id").display().to_string();
    let mut add = Command::new("ssh-add");
    add.env("SSH_AUTH_SOCK", &socket).args(["-q", &id]).stderr(Stdio::null());
    // The socket is there before the agent listens.
    wait_until("an agent that takes the key", || add.status().unwrap().success());
    run_tool("rm", &[&id]);
    setup.config = format!("IdentityAgent {socket}\n");
    setup.check();
}

#[test]
fn a_job_is_the_same_whatever_the_server_makes_of_it() {
    let scene = Scene::new();
    fs::write(scene.path("banner"), "Authorized users only\nno newline").unwrap();
    let banner = format!("Banner {}", scene.path("banner").display());
    let mut setups = vec![
        Setup::new("banner", &banner, ""),
        Setup { runs: 0, ..Setup::new("forced command", "ForceCommand echo forced; exit 5", "") },
        Setup { runs: 0, ..Setup::new("forced internal command", "ForceCommand internal-sftp", "") },
    ];
    // Only root can use PAM. The other sandboxes do without, where sshd lets root in.
    setups.extend(rustix::process::geteuid().is_root().then(|| Setup::new("PAM", "UsePAM yes", "")));
    for end in ["exit 255", "kill -9 $$", "echo 'Connection closed by 127.0.0.1 port 1'; exit 255"] {
        setups.push(Setup { script: end.to_owned(), ..Setup::new(end, "", "") });
    }
    for shell in ["sh", "bash", "dash", "zsh -f", "fish", "mksh", "busybox ash", "ksh93", "tcsh -f"] {
        let sshd = format!("ForceCommand exec {shell} -c \"$SSH_ORIGINAL_COMMAND\"");
        setups.push(Setup::new(shell, &sshd, ""));
    }
    at_once(&setups, Setup::check);
}

#[test]
fn a_job_is_the_same_whatever_ssh_config_asks_for_beside_it() {
    let settings = [
        "Compression yes\nIPQoS none\nTCPKeepAlive no\nServerAliveInterval 10",
        "SendEnv LANG\nSetEnv A=b\nForwardAgent yes\nForwardX11 no",
        "LogLevel ERROR",
        "HashKnownHosts yes\nCheckHostIP yes\nVisualHostKey no\nUpdateHostKeys no",
        "ProxyCommand bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&0 >&3 & exec cat <&3'",
        "Match exec true\nConnectTimeout 50\nMatch all",
        &format!("LocalForward {} 127.0.0.1:1\nExitOnForwardFailure yes", free_port()),
        &format!("DynamicForward {}", free_port()),
        "GatewayPorts yes\nPermitRemoteOpen none\nTunnel no",
    ];
    at_once(settings, |lines| Setup::new(lines, "", format!("{lines}\n")).check());
}

#[test]
fn a_script_may_use_a_port_that_ssh_forwards_to_it() {
    let mut setup = Setup::new("remote forward", "", "");
    let port = free_port();
    setup.config = format!("RemoteForward {port} 127.0.0.1:{}\nExitOnForwardFailure yes\n", setup.sandbox.port());
    setup.script = format!("bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; read -r -n 4 line <&3; echo $line'");
    setup.check();
}

/// A port that is free now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_job_that_only_a_running_master_can_run_is_run_with_retries_too() {
    let sandbox = Sandbox::shared();
    let scene = Scene::new();
    let port = free_port();
    let lines = format!("LocalForward {port} 127.0.0.1:1\nExitOnForwardFailure yes\n");
    let _master = sandbox.master(&scene, &lines);
    let lines = format!("{lines}ControlPath {}\n", scene.path("master").display());
    for way in WAYS {
        let scene = Scene::new();
        let mut command = scene.remoteexe();
        sandbox.connect_with_config(command.args(way), &scene, &lines);
        let script = format!("echo run >>{}; exit 7", scene.path("runs").display());
        let run = scene.run(command.args(["h", &script]));
        assert_eq!(run.code, 7, "{}", run.records);
        assert_eq!(fs::read_to_string(scene.path("runs")).unwrap(), "run\n");
        let log = mask_waits(&run.records);
        let reason = "a port to forward is taken, perhaps by a running master, which ssh may now use";
        let expected = format!(
            "\nCould not request local forwarding.\r\nremoteexe: no retries: {reason}\n\
             remoteexe: no connect timeout: {reason}\nretry,1/3,255,wait S s\ncommand,"
        );
        assert_eq!(log.contains(&expected), !way.is_empty(), "{log}");
        let run = reported(&scene);
        assert_eq!((&run["exit_status"], &run["ambiguous"]), (&7.into(), &false.into()), "{run}");
    }
}

#[test]
fn a_port_that_the_server_refuses_is_a_failure_of_ssh_and_not_of_the_script() {
    let sandbox = Sandbox::start_with_sshd_config("AllowTcpForwarding local");
    let port = free_port();
    let lines = format!("RemoteForward {port} 127.0.0.1:1\nExitOnForwardFailure yes\n");
    for way in WAYS {
        let scene = Scene::new();
        let mut command = scene.remoteexe();
        sandbox.connect_with_config(command.args(way), &scene, &lines);
        let run = scene.run(command.args(["h", "true"]));
        assert_eq!(run.code, 255);
        assert_eq!(waits(&run.records), []);
        assert!(run.records.contains("Error: remote port forwarding failed for listen port"), "{}", run.records);
        let run = reported(&scene);
        assert_eq!(run["cause"], "a port to forward is taken", "{run}");
        assert_eq!(run["connection_failure"], false, "{run}");
    }
}

#[test]
fn a_job_is_the_same_with_the_server_dropbear() {
    needs_root();
    let sandbox = Sandbox::shared();
    let scene = Scene::new();
    let path = |name: &str| scene.path(name).display().to_string();
    run_tool("dropbearkey", &["-t", "ed25519", "-f", &path("host_key")]);
    fs::create_dir_all(scene.path("home/.ssh")).unwrap();
    run_tool("cp", &[&sandbox.dir.join("id.pub").display().to_string(), &path("home/.ssh/authorized_keys")]);
    fs::set_permissions(scene.path("home"), Permissions::from_mode(0o700)).unwrap();
    // dropbear knows no other place for the keys than the home of the user.
    let port = free_port();
    let mut server = own_mounts("mount --bind \"$1\" /root; shift; exec \"$@\"");
    server.args([&path("home"), "dropbear", "-F", "-E", "-p", &format!("127.0.0.1:{port}"), "-r", &path("host_key")]);
    server.args(["-P", &path("pid")]).stderr(Stdio::null()).stdin(Stdio::null());
    let server = Running::spawn(&mut server);
    wait_until("dropbear", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    let config = format!("Port {port}\nStrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\n");
    let mut setup = Setup::new("dropbear", "", config);
    setup.sandbox = sandbox;
    setup.check();
    let pid = server.id().to_string();
    drop(server);
    assert!(!is_running(&pid));
}
