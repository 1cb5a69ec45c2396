//! A throwaway sshd that stands for every remote host.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, LazyLock};

use super::process::{Running, run_tool};
use super::scene::{REMOTEEXE, Scene};
use super::user::as_ordinary_user;
use super::wait_until;

const SANDBOX: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/try/sandbox.sh");

/// Lets many connections start at once. sshd's default drops some of them.
const MANY_STARTUPS: &str = "MaxStartups 200";

/// A running sandbox; see `tests/try/sandbox.sh`.
pub struct Sandbox {
    pub dir: PathBuf,
    /// Who can log in.
    pub login: String,
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Sandbox {
    /// A sandbox of the user who runs the tests, for all tests that only log in.
    pub fn shared() -> Arc<Self> {
        static SHARED: LazyLock<Arc<Sandbox>> = LazyLock::new(|| Arc::new(Sandbox::start()));
        Arc::clone(&SHARED)
    }

    /// Starts a sandbox as the user who runs the tests.
    pub fn start() -> Self {
        Self::start_with_sshd_config(MANY_STARTUPS)
    }

    /// Starts a sandbox as an ordinary user: the one who runs the tests, or the one that
    /// `tests/setup.sh` makes if that is root.
    pub fn start_as_ordinary_user() -> Self {
        Self::start_with(&mut as_ordinary_user("/bin/bash"), MANY_STARTUPS)
    }

    /// Starts a sandbox with these lines in its sshd's configuration.
    pub fn start_with_sshd_config(lines: &str) -> Self {
        Self::start_with(&mut Command::new("/bin/bash"), lines)
    }

    fn start_with(bash: &mut Command, lines: &str) -> Self {
        // As a word, because an ordinary user may not be allowed to enter the checkout's directory.
        let script = fs::read_to_string(SANDBOX).expect("tests/try/sandbox.sh");
        let mut child = bash
            .args(["-c", &script, SANDBOX])
            .args(["sh", "-c", "echo $SANDBOX; id -un; exec cat"])
            .env("SANDBOX_SSHD_CONFIG", format!("{lines}\n{}", quick_key_exchange()))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("bash is there");
        let stdout = child.stdout.take().expect("its standard output");
        let mut lines = BufReader::new(stdout).lines();
        let mut line = || lines.next().expect("the sandbox starts").expect("a line");
        Self { dir: line().into(), login: line(), stdin: child.stdin.take(), child }
    }

    /// Lets `command` reach the sandbox's sshd under any host name.
    pub fn connect<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.arg("-F").arg(self.dir.join("ssh_config")).args(["-l", &self.login])
    }

    /// The same with `lines` of ssh's configuration, which win over the sandbox's. The file is put into
    /// `scene`.
    pub fn connect_with_config<'a>(&self, command: &'a mut Command, scene: &Scene, lines: &str) -> &'a mut Command {
        let config = scene.path("config");
        fs::write(&config, format!("{lines}\n{}", self.config_of("*"))).expect("a configuration");
        command.arg("-F").arg(config).args(["-l", &self.login])
    }

    /// The configuration of ssh by which the host of this name is the sandbox.
    pub fn config_of(&self, host: &str) -> String {
        let config = fs::read_to_string(self.dir.join("ssh_config")).expect("its ssh_config");
        config.replace("Host *", &format!("Host {host}"))
    }

    /// A connection that jobs can share by the socket `master` in `scene`, until this is dropped.
    pub fn master(&self, scene: &Scene, lines: &str) -> Running {
        let socket = scene.path("master");
        let mut command = Command::new("ssh");
        self.connect_with_config(command.env_clear(), scene, lines);
        command.arg("-S").arg(&socket).args(["-M", "-N", "h"]).stdin(Stdio::null());
        let master = Running::spawn(&mut command);
        wait_until("a master", || socket.exists());
        master
    }

    /// The port of 127.0.0.1 that its sshd listens on.
    pub fn port(&self) -> u16 {
        let config = self.config_of("*");
        let mut lines = config.lines();
        let port = lines.find_map(|line| line.trim().strip_prefix("Port "));
        port.expect("a port").parse().expect("a number")
    }

    /// The process id of its sshd.
    pub fn sshd(&self) -> u32 {
        let pid = fs::read_to_string(self.dir.join("sshd.pid")).expect("its process id");
        pid.trim().parse().expect("a number")
    }

    /// Puts remoteexe into the sandbox as `name`. The sandbox's user may not be allowed to reach the one
    /// that cargo built.
    pub fn install(&self, name: &str) -> PathBuf {
        let path = self.dir.join(name);
        // cp writes the file. A descriptor of this process could be inherited by a child of another test,
        // and while one is open for writing, the file cannot be executed (ETXTBSY).
        run_tool("cp", &[REMOTEEXE, &path.display().to_string()]);
        path
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The `cat` in it ends at end of file. So the sandbox goes even when a test is killed.
        self.stdin = None;
        let _ = self.child.wait();
    }
}

/// The lines of sshd's configuration that make a connection cost least.
///
/// The default key exchange of OpenSSH 9.0 to 9.8 takes most of a connection's CPU time. From 10.1 on, ssh warns of one
/// without post-quantum security, and so the newer one is taken where it exists.
fn quick_key_exchange() -> &'static str {
    static LINES: LazyLock<&str> = LazyLock::new(|| {
        let known = Command::new("ssh").args(["-Q", "kex"]).output();
        let known = String::from_utf8(known.expect("ssh is there").stdout).expect("names");
        let newer = "mlkem768x25519-sha256";
        if known.lines().any(|name| name == newer) {
            "KexAlgorithms mlkem768x25519-sha256\nCiphers aes128-gcm@openssh.com"
        } else {
            "KexAlgorithms ecdh-sha2-nistp256\nCiphers aes128-gcm@openssh.com"
        }
    });
    &LINES
}
