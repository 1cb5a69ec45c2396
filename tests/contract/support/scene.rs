//! A directory for one test, and remoteexe run in it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::log::{files, records};
use super::process::{Running, code, stderr};
use super::{wait_for, wait_until};

pub const REMOTEEXE: &str = env!("CARGO_BIN_EXE_remoteexe");
/// A directory with an `ssh` that runs the shell script in `FAKE_SSH`.
pub const FAKE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake");

/// What a run of remoteexe left, once it has ended.
pub struct Run {
    pub code: i32,
    /// The texts of the log's records; see [`Scene::log`].
    pub records: String,
    pub stdout: String,
    pub stderr: String,
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

    /// Runs `command`, a remoteexe that logs to the scene, to its end.
    pub fn run(&self, command: &mut Command) -> Run {
        let output = command.output().expect("the program is there");
        Run {
            code: code(&output),
            records: self.log(),
            stderr: stderr(&output),
            stdout: String::from_utf8(output.stdout).expect("readable standard output"),
        }
    }

    /// Starts the job `h s` in front of an ssh that runs the shell script `body`.
    pub fn start(&self, body: impl AsRef<OsStr>) -> Running {
        Running::spawn(self.remoteexe_with_ssh(body).args(["h", "s"]))
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

    /// The same, and an ssh that runs the shell script `body`.
    pub fn equip_with_ssh(&self, command: &mut Command, body: impl AsRef<OsStr>) {
        self.equip(command);
        command.env("PATH", format!("{FAKE}:/usr/bin:/bin")).env("FAKE_SSH", body);
    }

    /// The only file in the log directory.
    pub fn log_path(&self) -> PathBuf {
        let logs = files(&self.path("log"));
        assert_eq!(logs.len(), 1, "one log: {logs:?}");
        logs[0].clone()
    }

    /// The bytes in the log so far; none before it exists.
    pub fn log_bytes(&self) -> Vec<u8> {
        files(&self.path("log")).first().and_then(|path| fs::read(path).ok()).unwrap_or_default()
    }

    /// The texts of the log's records, which must be whole and of one process.
    pub fn log(&self) -> String {
        records(&String::from_utf8(self.log_bytes()).expect("a log in UTF-8"))
    }

    /// Waits until the log, which is small, has a record of `text`.
    pub fn wait_for_record(&self, text: &str) {
        let end = format!("] {text}\n");
        wait_until(&format!("a record of {text}"), || String::from_utf8_lossy(&self.log_bytes()).contains(&end));
    }

    /// Waits until there is more in the log than remoteexe writes before the output. A reader might never reach the end
    /// of a log that grows so fast.
    pub fn wait_for_flood(&self) {
        wait_until("a flood of output", || {
            let log = files(&self.path("log")).into_iter().next();
            let log = log.and_then(|path| fs::metadata(path).ok());
            log.is_some_and(|log| log.len() > 10_000)
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
            let back = u32::try_from(end.len()).expect("a short text");
            log.seek(SeekFrom::End(-i64::from(back))).is_ok()
                && log.take(back.into()).read_to_end(&mut tail).is_ok()
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
