//! Starts processes, signals them, looks at them and at what they leave.

use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::process::{Child, Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{PATIENCE, wait_for};

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

/// Sends `signal` to the process, and tells whether it was there.
pub fn try_send_to(pid: &str, signal: Signal) -> bool {
    let pid = pid.parse().ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process id"), signal).is_ok()
}

/// Runs a tool of the system, which must succeed.
pub fn run_tool(tool: &str, arguments: &[&str]) {
    let output = Command::new(tool).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{tool}: {error}"));
    assert!(output.status.success(), "{tool}: {}", stderr(&output));
}

/// A child that does not outlive the test, even if an assertion fails.
pub struct Running(Child);

impl Running {
    pub fn spawn(command: &mut Command) -> Self {
        Self(command.spawn().expect("the program is there"))
    }

    /// Waits for the end and gives the exit status; none if it was a signal.
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
            // Not SIGKILL, which would leave ssh running. At a second signal remoteexe kills an ssh that
            // does not end.
            send(&self.0, Signal::TERM);
            send(&self.0, Signal::HUP);
            // To panic here, while a test fails, would abort all the others.
            let start = Instant::now();
            while start.elapsed() < PATIENCE && matches!(self.0.try_wait(), Ok(None)) {
                thread::sleep(Duration::from_millis(5));
            }
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// Whether the process is there, if only as a zombie.
pub fn is_running(pid: &str) -> bool {
    Path::new("/proc").join(pid).exists()
}

/// The state of a process as `ps` shows it (`T` stopped, `Z` exited and not waited for), if it is there.
pub fn state(pid: &str) -> Option<char> {
    let stat = fs::read_to_string(Path::new("/proc").join(pid).join("stat")).ok()?;
    // The state comes behind the name, which is in brackets and may hold brackets itself.
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Whether the child waits for something, and has nothing to do.
pub fn is_asleep(child: &Child) -> bool {
    let pid = child.id().to_string();
    // One look is not enough, because a process sleeps for a moment in the middle of its work too.
    (0..50).all(|_| state(&pid) == Some('S'))
}

/// The process ids of the children of process `parent`.
pub fn children(parent: u32) -> Vec<String> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
    children.split_whitespace().map(str::to_owned).collect()
}

/// A process that outlives its job, and is killed when the test is over.
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
