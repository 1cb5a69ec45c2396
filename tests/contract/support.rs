//! What the tests share: a scene for one test, the sandbox's sshd, and a reader of the log.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::net::TcpListener;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

pub const REMOTEEXE: &str = env!("CARGO_BIN_EXE_remoteexe");
const FAKE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake");
const SANDBOX: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sandbox.sh");

/// The user that `tests/setup.sh` makes.
pub const ORDINARY_USER: &str = "remoteexe-test";

/// How long a condition may take to become true. Only a test that fails waits that long.
const PATIENCE: Duration = Duration::from_mins(2);

/// Waits until `condition` gives something.
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until `condition` holds.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(what, || condition().then_some(()));
}

/// A directory for one test, with `log` in it as the log directory.
pub struct Scene(TempDir);

impl Scene {
    pub fn new() -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        fs::create_dir(dir.path().join("log")).expect("a log directory");
        Self(dir)
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// remoteexe in front of the system's own ssh.
    pub fn remoteexe(&self) -> Command {
        let mut command = Command::new(REMOTEEXE);
        self.equip(&mut command);
        command
    }

    /// remoteexe in front of an ssh that runs the shell script `body`.
    pub fn remoteexe_with_ssh(&self, body: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(REMOTEEXE);
        self.equip_with_ssh(&mut command, body);
        command
    }

    /// Gives `command` an environment as poor as cron's, with `$DIR` for the scene's directory.
    pub fn equip(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("DIR", self.0.path())
            .env("REMOTEEXE_LOG_DIR", self.path("log"))
            .stdin(Stdio::null());
    }

    /// The same with an ssh that runs the shell script `body`.
    pub fn equip_with_ssh(&self, command: &mut Command, body: impl AsRef<OsStr>) {
        self.equip(command);
        command
            .env("PATH", format!("{FAKE}:/usr/bin:/bin"))
            .env("FAKE_SSH", body);
    }

    /// remoteexe with no log directory in its environment, and the scene's in the place of /tmp; in
    /// front of an ssh that does nothing.
    pub fn remoteexe_in_private_tmp(&self) -> Command {
        needs_root();
        let mut unshare = Command::new("unshare");
        self.equip(&mut unshare);
        // The build may be below /tmp itself, and so has to be copied to elsewhere first.
        unshare
            .env_remove("REMOTEEXE_LOG_DIR")
            .args(["--mount", "sh", "-euc"])
            .arg(format!(
                "mount -t tmpfs none /mnt
                 cp {REMOTEEXE} /mnt/remoteexe
                 cp /bin/true /mnt/ssh
                 mount --bind $DIR/log /tmp
                 PATH=/mnt exec remoteexe \"$@\""
            ))
            .arg("sh");
        unshare
    }

    /// The same as an ordinary user, to whom the whole scene then belongs.
    pub fn ordinary_user_with_ssh(&self, body: impl AsRef<OsStr>) -> Command {
        // The checkout may be in a directory that an ordinary user cannot enter.
        let bin = self.path("bin");
        fs::create_dir_all(&bin).expect("a directory");
        run_tool(
            "cp",
            &[
                REMOTEEXE,
                &format!("{FAKE}/ssh"),
                &bin.display().to_string(),
            ],
        );
        if rustix::process::geteuid().is_root() {
            run_tool(
                "chown",
                &["-hR", ORDINARY_USER, &self.0.path().display().to_string()],
            );
        }
        let mut command = as_ordinary_user(bin.join("remoteexe"));
        self.equip_with_ssh(&mut command, body);
        command
            .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
            .current_dir("/");
        command
    }

    /// Where today's log is expected.
    pub fn daily(&self) -> PathBuf {
        self.path(format!("log/{}_remoteexe.log", today()))
    }

    /// Where today's log of the user who runs the tests is expected if that one is refused.
    pub fn per_user(&self) -> PathBuf {
        let uid = rustix::process::geteuid().as_raw();
        self.path(format!("log/{}_remoteexe.{uid}.log", today()))
    }

    /// The only file in the log directory.
    pub fn log_path(&self) -> PathBuf {
        let logs = files(&self.path("log"));
        assert_eq!(logs.len(), 1, "one log: {logs:?}");
        logs[0].clone()
    }

    /// The bytes in the log so far, also before it exists.
    pub fn log_bytes(&self) -> Vec<u8> {
        files(&self.path("log"))
            .first()
            .and_then(|path| fs::read(path).ok())
            .unwrap_or_default()
    }

    /// The texts of the log's records, which must be whole and of one process; see [`texts`].
    pub fn log(&self) -> String {
        records(&String::from_utf8(self.log_bytes()).expect("a log in UTF-8"))
    }

    /// Waits until the log, which is small, has a record of `text`.
    pub fn wait_for_record(&self, text: &str) {
        let end = format!("] {text}\n");
        wait_until(&format!("a record of {text}"), || {
            String::from_utf8_lossy(&self.log_bytes()).contains(&end)
        });
    }

    /// Waits until the last record so far, of a log however large, is one of `text`.
    pub fn wait_for_last_record(&self, text: &str) {
        let end = format!("] {text}\n");
        wait_until(&format!("a last record of {text}"), || {
            let files = files(&self.path("log"));
            let Some(mut log) = files.first().and_then(|path| File::open(path).ok()) else {
                return false;
            };
            let mut tail = Vec::new();
            let back = i64::try_from(end.len()).expect("a short text");
            log.seek(SeekFrom::End(-back)).is_ok()
                && log.read_to_end(&mut tail).is_ok()
                && tail == end.as_bytes()
        });
    }

    /// Waits until `name` is a file with a whole line in it, and gives that line.
    pub fn wait_for_file(&self, name: &str) -> String {
        wait_for(name, || {
            let text = fs::read_to_string(self.path(name)).ok()?;
            Some(text.strip_suffix('\n')?.to_owned())
        })
    }
}

/// Today's local date as the log's name has it.
pub fn today() -> String {
    let output = Command::new("date")
        .env_clear()
        .arg("+%Y%m%d")
        .output()
        .expect("date is there");
    String::from_utf8(output.stdout)
        .expect("digits")
        .trim_end()
        .to_owned()
}

/// Runs a tool of the system, which must succeed.
pub fn run_tool(tool: &str, arguments: &[&str]) {
    let output = Command::new(tool).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{tool}: {error}"));
    assert!(output.status.success(), "{tool}: {}", stderr(&output));
}

/// [`records`] of the log at `path`.
pub fn texts_in(path: &Path) -> String {
    records(&fs::read_to_string(path).expect("a log in UTF-8"))
}

/// The files in `dir` in the order of their names.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

/// The texts of the records in `log`, each with its newline.
///
/// Checks on the way that every line has a prefix `[YYYY-MM-DD HH:MM:SS][PID] ` and that all have the
/// same PID.
pub fn texts(log: &[u8]) -> Vec<u8> {
    let mut pid = None;
    let mut texts = Vec::new();
    for line in log.split_inclusive(|&byte| byte == b'\n') {
        let (prefix, text) = split_record(line)
            .unwrap_or_else(|| panic!("no whole record: {}", line.escape_ascii()));
        assert_eq!(*pid.get_or_insert(prefix), prefix, "PIDs of one run");
        texts.extend_from_slice(text);
    }
    texts
}

/// [`texts`] of a log in UTF-8.
pub fn records(log: &str) -> String {
    String::from_utf8(texts(log.as_bytes())).expect("cut between characters")
}

/// The PID and the text of a record.
pub fn split_record(line: &[u8]) -> Option<(u32, &[u8])> {
    let time = line.get(..21)?;
    let shape = b"[dddd-dd-dd dd:dd:dd]";
    let fits = time.iter().zip(shape).all(|(byte, shape)| match shape {
        b'd' => byte.is_ascii_digit(),
        other => byte == other,
    });
    let rest = line[21..].strip_prefix(b"[")?;
    let end = rest.iter().position(|&byte| byte == b']')?;
    let pid = str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
    let text = rest[end + 1..].strip_prefix(b" ")?;
    (fits && text.ends_with(b"\n")).then_some((pid, text))
}

/// `log` with each wait that a `retry,` record names as `wait S s`, once it is seen to be a time.
pub fn mask_waits(log: &str) -> String {
    let lines = log
        .split_inclusive('\n')
        .map(|line| match split_wait(line) {
            Some((head, _)) => format!("{head}wait S s\n"),
            None => line.to_owned(),
        });
    lines.collect()
}

/// The waits that the `retry,` records of `log` name, in the order of the log.
pub fn waits(log: &str) -> Vec<Duration> {
    let lines = log.split_inclusive('\n');
    lines.filter_map(|line| Some(split_wait(line)?.1)).collect()
}

/// A `retry,` record up to its wait, and that.
fn split_wait(line: &str) -> Option<(&str, Duration)> {
    let wait = line.strip_prefix("retry,")?.find("wait ")? + "retry,".len();
    let seconds = line[wait..].strip_prefix("wait ")?.strip_suffix(" s\n")?;
    let (whole, thousandths) = seconds.split_once('.').expect("a point");
    assert_eq!(thousandths.len(), 3, "{line}");
    let milliseconds = format!("{whole}{thousandths}").parse().expect("digits");
    Some((&line[..wait], Duration::from_millis(milliseconds)))
}

/// Compares bytes, and shows them readable where they differ.
pub fn assert_bytes(found: &[u8], expected: &[u8]) {
    assert_eq!(
        found.escape_ascii().to_string(),
        expected.escape_ascii().to_string()
    );
}

/// The exit status of a finished command.
pub fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit, not a signal")
}

/// What a finished command wrote to standard error.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("readable standard error")
}

/// Sends `signal` to a child that has not been waited for.
pub fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("the child is there");
}

/// Sends `signal` to a process that is there.
pub fn send_to(pid: &str, signal: Signal) {
    assert!(try_send_to(pid, signal), "no process {pid}");
}

/// Sends `signal` to the process if it is there, and tells whether it was.
pub fn try_send_to(pid: &str, signal: Signal) -> bool {
    let pid = pid.parse().ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process id"), signal).is_ok()
}

/// Calls `check` with `count` seeds in a row, from a random one on, which it prints; or only with the one
/// in the environment, to repeat a run that failed.
pub fn with_seeds(count: u64, check: impl FnMut(u64)) {
    if let Some(seed) = seed_to_repeat() {
        return Some(seed).into_iter().for_each(check);
    }
    let first = fastrand::u64(..1 << 32);
    println!("SEED={first} and the {count} after it");
    (first..first + count).for_each(check);
}

/// The seed in the environment.
pub fn seed_to_repeat() -> Option<u64> {
    let seed = std::env::var("SEED").ok()?;
    Some(seed.parse().expect("SEED=NUMBER"))
}

/// A child that is ended when the test is, also by a failed assertion.
pub struct Running(Child);

impl Running {
    pub fn spawn(command: &mut Command) -> Self {
        Self(command.spawn().expect("the program is there"))
    }

    /// Waits for the end, and gives what [`std::process::ExitStatus::code`] does.
    pub fn code(&mut self) -> Option<i32> {
        wait_for("the end of a child", || self.0.try_wait().expect("a child")).code()
    }
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.0.try_wait() {
            // Not SIGKILL: remoteexe takes ssh with it.
            send(&self.0, Signal::TERM);
            self.code();
        }
    }
}

/// A port of 127.0.0.1 where nobody listens.
pub fn closed_port() -> u16 {
    // Free a moment ago; the kernel hands out others before it comes back to this one.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Whether the process is there, if only as a zombie.
pub fn is_running(pid: &str) -> bool {
    Path::new("/proc").join(pid).exists()
}

/// The state of a process as `ps` shows it (`T` stopped, `Z` exited and not waited for), if it is there.
pub fn state(pid: &str) -> Option<char> {
    let stat = fs::read_to_string(Path::new("/proc").join(pid).join("stat")).ok()?;
    // Behind the name, which is in brackets and may itself hold anything.
    stat.rsplit_once(") ")?.1.chars().next()
}

/// The process ids of the children of process `parent`.
pub fn children(parent: u32) -> Vec<String> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
    children.split_whitespace().map(str::to_owned).collect()
}

/// A process that outlives the job that it comes from, and is killed when the test is over.
pub struct Lingering(String);

impl Lingering {
    pub fn new(pid: String) -> Self {
        Self(pid)
    }

    pub fn is_alive(&self) -> bool {
        state(&self.0).is_some_and(|state| state != 'Z')
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        try_send_to(&self.0, Signal::KILL);
    }
}

/// A running sandbox; see `tests/sandbox.sh`.
pub struct Sandbox {
    pub dir: PathBuf,
    /// Who can log in.
    pub login: String,
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Sandbox {
    /// Starts a sandbox as the user who runs the tests.
    pub fn start() -> Self {
        Self::start_with(&mut Command::new("/bin/bash"))
    }

    /// Starts a sandbox as an ordinary user: as the one who runs the tests, or if that is root as the
    /// one that `tests/setup.sh` makes.
    pub fn start_as_ordinary_user() -> Self {
        Self::start_with(&mut as_ordinary_user("/bin/bash"))
    }

    /// Starts a sandbox whose sshd has these lines in its configuration too.
    pub fn start_with_sshd_config(lines: &str) -> Self {
        Self::start_with(Command::new("/bin/bash").env("SANDBOX_SSHD_CONFIG", lines))
    }

    /// A sandbox of each kind.
    pub fn both() -> [Self; 2] {
        [Self::start(), Self::start_as_ordinary_user()]
    }

    fn start_with(bash: &mut Command) -> Self {
        // The script is handed over as a word because the checkout may be in a directory that an
        // ordinary user cannot enter.
        let script = fs::read_to_string(SANDBOX).expect("tests/sandbox.sh");
        let mut child = bash
            .args(["-c", &script, SANDBOX])
            .args(["sh", "-c", "echo $SANDBOX; id -un; exec cat"])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("bash is there");
        let stdout = child.stdout.take().expect("its standard output");
        let mut lines = BufReader::new(stdout).lines();
        let mut line = || lines.next().expect("the sandbox starts").expect("a line");
        Self {
            dir: line().into(),
            login: line(),
            stdin: child.stdin.take(),
            child,
        }
    }

    /// Lets `command` reach the sandbox's sshd under any host name.
    pub fn connect<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .arg("-F")
            .arg(self.dir.join("ssh_config"))
            .args(["-l", &self.login])
    }

    /// The same with `lines` of ssh's configuration before the sandbox's, in `scene`, so that they count.
    pub fn connect_with_config<'a>(
        &self,
        command: &'a mut Command,
        scene: &Scene,
        lines: &str,
    ) -> &'a mut Command {
        let config = scene.path("config");
        let own = fs::read_to_string(self.dir.join("ssh_config")).expect("its ssh_config");
        fs::write(&config, format!("{lines}\n{own}")).expect("a configuration");
        command.arg("-F").arg(config).args(["-l", &self.login])
    }

    /// The port of 127.0.0.1 that its sshd listens on.
    pub fn port(&self) -> u16 {
        let config = fs::read_to_string(self.dir.join("ssh_config")).expect("its ssh_config");
        let mut lines = config.lines();
        let port = lines.find_map(|line| line.trim().strip_prefix("Port "));
        port.expect("a port").parse().expect("a number")
    }

    /// The process id of its sshd.
    pub fn sshd(&self) -> u32 {
        let pid = fs::read_to_string(self.dir.join("sshd.pid")).expect("its process id");
        pid.trim().parse().expect("a number")
    }
}

impl Sandbox {
    /// Puts remoteexe into the sandbox as `name`: all of the way to the one that cargo built need not
    /// be open to the sandbox's user.
    pub fn install(&self, name: &str) -> PathBuf {
        let path = self.dir.join(name);
        // By cp: a descriptor of ours that writes to it could be inherited by a child of another
        // test for a moment, and while it is open the file cannot be executed (ETXTBSY).
        run_tool("cp", &[REMOTEEXE, &path.display().to_string()]);
        path
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The `cat` in it ends at end of file, and so the sandbox goes too when a test is killed.
        self.stdin = None;
        let _ = self.child.wait();
    }
}

/// Fails a test that only root can run.
pub fn needs_root() {
    assert!(
        rustix::process::geteuid().is_root(),
        "needs root; run: sudo env \"PATH=$PATH\" \"HOME=$HOME\" tests/run.sh"
    );
}

/// `program` as an ordinary user.
pub fn as_ordinary_user(program: impl AsRef<OsStr>) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args([
            format!("--reuid={ORDINARY_USER}"),
            format!("--regid={ORDINARY_USER}"),
        ])
        .arg("--clear-groups")
        .arg(program);
    command
}
