//! Starts a program as a child with an empty signal mask, which std's `Command` cannot do.
//!
//! Our own mask blocks nearly every signal, and a child inherits the mask. Rust has no safe way to change it between
//! fork and exec except `posix_spawn(3)`, which std does not expose.

use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, File};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::{env, io, os::unix::ffi::OsStrExt, os::unix::process::ExitStatusExt, process::ExitStatus};

use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
use nix::sys::signal::{SigSet, Signal as NixSignal};
use rustix::io::retry_on_intr;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process, pidfd_open, waitid, waitpid,
};

use crate::decimal::number;

pub struct Program {
    /// A path, or a name to be found in PATH.
    pub name: OsString,
    /// The first one is the name that the program sees as its own.
    pub words: Vec<OsString>,
    /// Each `NAME=VALUE`.
    env: Vec<CString>,
}

impl Program {
    /// The program `name` without arguments, with our environment.
    pub fn new(name: impl Into<OsString>) -> Self {
        let name = name.into();
        Self {
            words: vec![name.clone()],
            name,
            env: env::vars_os().filter_map(|(name, value)| variable(&name, &value)).collect(),
        }
    }

    pub fn args<A: AsRef<OsStr>>(&mut self, args: impl IntoIterator<Item = A>) {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        self.words.extend(args);
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.unset(|other| other == name.as_bytes());
        self.env.extend(variable(OsStr::new(name), OsStr::new(value)));
    }

    /// Removes the environment variables with such names.
    pub fn unset(&mut self, is_such: impl Fn(&[u8]) -> bool) {
        self.env.retain(|variable| {
            // A name has no `=`.
            let name = variable.to_bytes().split(|&byte| byte == b'=').next();
            !name.is_some_and(&is_such)
        });
    }

    /// Starts the program with these descriptors as its 0, 1 and 2, or with ours. Fails as `posix_spawn(3)` does: there
    /// is no such program, or it cannot be run.
    ///
    /// The signal mask is empty. A signal that our caller ignored stays ignored. SIGPIPE, which Rust's start-up code
    /// ignores, has the default action.
    pub fn spawn(&self, stdio: [Option<BorrowedFd>; 3]) -> io::Result<Child> {
        let mut actions = PosixSpawnFileActions::init()?;
        for (number, fd) in (0..).zip(stdio) {
            if let Some(fd) = fd {
                actions.add_dup2(fd.as_raw_fd(), number)?;
            }
        }
        let mut attributes = PosixSpawnAttr::init()?;
        attributes.set_sigmask(&SigSet::empty())?;
        attributes.set_sigdefault(&SigSet::from_iter([NixSignal::SIGPIPE]))?;
        let flags = PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK;
        attributes.set_flags(flags | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF)?;
        let words = self.words.iter().map(|word| CString::new(word.as_bytes())).collect::<Result<Vec<_>, _>>()?;
        let name = CString::new(self.name.as_bytes())?;
        let pid = posix_spawnp(&name, &actions, &attributes, &words, &self.env)?;
        let pid = Pid::from_raw(pid.as_raw()).ok_or(io::ErrorKind::Other)?;
        Ok(Child { pid, pidfd: pidfd_open(pid, PidfdFlags::empty()).ok() })
    }
}

/// `NAME=VALUE`. A variable of this process has no NUL in it.
fn variable(name: &OsStr, value: &OsStr) -> Option<CString> {
    // With room for the NUL, so that it is not copied once more.
    let mut text = Vec::with_capacity(name.len() + value.len() + 2);
    text.extend_from_slice(name.as_bytes());
    text.push(b'=');
    text.extend_from_slice(value.as_bytes());
    CString::new(text).ok()
}

/// A descriptor that discards all writes, and from which nothing can be read.
pub fn dev_null() -> io::Result<File> {
    File::options().read(true).write(true).open("/dev/null")
}

pub struct Child {
    /// No other process has this id before the child is reaped.
    pub pid: Pid,
    /// Readable when the child has exited. None before Linux 5.3.
    pidfd: Option<OwnedFd>,
}

impl Child {
    /// Readable when the child has exited, if the kernel has pidfds.
    pub fn exit_fd(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd)
    }

    /// Whether the child has exited. Does not reap it.
    pub fn has_exited(&self) -> bool {
        self.is_in(WaitIdOptions::EXITED)
    }

    pub fn is_stopped(&self) -> bool {
        self.is_in(WaitIdOptions::STOPPED)
    }

    fn is_in(&self, states: WaitIdOptions) -> bool {
        let options = states | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(self.pid), options).is_ok_and(|status| status.is_some())
    }

    /// The bytes that the child has written to files, pipes and connections (`wchar` of proc(5), /proc/PID/io), until
    /// it is reaped. None if the kernel does not count them or hides them.
    pub fn written(&self) -> Option<u64> {
        let io = fs::read(format!("/proc/{}/io", self.pid)).ok()?;
        io.split(|&byte| byte == b'\n').find_map(|line| number(line.strip_prefix(b"wchar: ")?))
    }

    /// Reaps the child if it has exited, and returns its status. After that, no other method may be called. Fails if
    /// somebody else has reaped it.
    pub fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        self.wait_with(WaitOptions::NOHANG)
    }

    /// Waits until the child has exited; see [`Child::try_wait`].
    pub fn wait(&self) -> io::Result<Option<ExitStatus>> {
        self.wait_with(WaitOptions::empty())
    }

    fn wait_with(&self, options: WaitOptions) -> io::Result<Option<ExitStatus>> {
        let waited = retry_on_intr(|| waitpid(Some(self.pid), options))?;
        Ok(waited.map(|(_, status)| ExitStatus::from_raw(status.as_raw())))
    }

    /// Sends the child a signal. Fails only if it has exited. Only we reap it, and later: its id was not used again.
    pub fn send(&self, signal: Signal) {
        let _ = kill_process(self.pid, signal);
    }
}
