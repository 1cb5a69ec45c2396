//! The processes that an ssh has started, and that outlive it.
//!
//! As long as one of them lives, nobody can say that the script does not run: it may be an ssh, started by a program
//! that was taken for ssh. So they are ended, and nothing is said or tried again before they are gone.
//!
//! The kernel makes us their parent when theirs ends ([`adopt_orphans`]), whatever session they are in. A helper that
//! has made itself a daemon serves others too, and is left alone. The master of a jump host's connection is the one
//! daemon that is known not to run the script.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use memchr::memrchr;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, pidfd_open, pidfd_send_signal,
    set_child_subreaper, wait as wait_for_any,
};

use super::signals::Signals;
use super::spawn::Child;
use crate::escape;
use crate::log::record::number;
use crate::poll;

/// How long a process may take to end after TERM.
const GRACE: Duration = Duration::from_secs(1);

/// How long it may take to end after KILL. In a system call that cannot be interrupted it takes longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often to look.
const LOOK: Duration = Duration::from_millis(5);

/// The children that our caller has left to us, as a shell does for `other & exec remoteexe …`.
#[derive(Debug, Clone)]
pub struct Others(Vec<Process>);

/// Lets us become the parent of what ssh leaves behind. To be called before ssh is started: the children that we have
/// by then are others'.
///
/// # Errors
///
/// Linux is older than 3.4.
pub fn adopt_orphans() -> io::Result<Others> {
    let us = getpid();
    let others = if has_children() { below(us, &[]) } else { Vec::new() };
    set_child_subreaper(Some(us))?;
    Ok(Others(others))
}

/// What one ssh has started.
#[derive(Debug)]
pub struct Family {
    /// ssh itself.
    head: Process,
    /// What was below ssh when it was ended.
    known: Vec<Process>,
    /// What is below us and not of the family.
    others: Others,
}

impl Family {
    /// The family of `ssh`, which need not run any more. None without /proc, and where its numbers are those of another
    /// namespace, as in a container with the host's.
    pub fn of(ssh: &Child, others: &Others) -> Option<Self> {
        let us = fs::read_link("/proc/self").ok()?;
        if number(us.as_os_str().as_encoded_bytes()) != Some(getpid().as_raw_nonzero().get()) {
            return None;
        }
        Some(Self { head: Process::read(ssh.pid())?, known: Vec::new(), others: others.clone() })
    }

    /// Notes what is below ssh now. [`Family::end`] ends it, in whatever session it is.
    pub fn take_in(&mut self) {
        self.known = below(self.head.pid, &[]);
    }

    /// Sends a signal to what was noted.
    pub fn send(&self, signal: Signal) {
        self.known.iter().for_each(|process| process.send(signal));
    }

    /// Ends what is left of the family, once ssh has been reaped. Waits until it is gone.
    ///
    /// # Errors
    ///
    /// Gives the name of one that is still there.
    pub fn end(&self, signals: &mut Signals) -> Result<(), String> {
        let begin = Instant::now();
        let mut asked: Vec<Process> = Vec::new();
        let mut killed = None;
        loop {
            // The usual case, and the only one that needs no look into /proc.
            if !has_children() {
                return Ok(());
            }
            let left = self.left();
            let Some(first) = left.first() else {
                return Ok(());
            };
            let is_over = signals.is_ending() || begin.elapsed() >= GRACE;
            let has_others = left.iter().any(|process| !self.may_end(process));
            for process in left.iter().filter(|process| self.may_end(process)) {
                if is_over {
                    process.send(Signal::KILL);
                    killed.get_or_insert(Instant::now());
                } else if !asked.contains(process) {
                    process.send(Signal::TERM);
                    asked.push(*process);
                }
            }
            let is_in_vain = killed.is_some_and(|at: Instant| at.elapsed() >= PATIENCE);
            if is_in_vain || is_over && has_others {
                return Err(first.name());
            }
            // It fails only where the system is out of memory.
            let _ = poll::wait(&mut [], Some(Instant::now() + LOOK));
        }
    }

    /// Those below us that are younger than ssh, without the others and what is below them.
    fn left(&self) -> Vec<Process> {
        let mut left = below(getpid(), &self.others.0);
        left.retain(|process| {
            let is_older = process.birth < self.head.birth;
            !is_older && process.state != b'Z' && !self.is_master(process)
        });
        left
    }

    /// Whether it is certainly ssh's, and no daemon. An orphan of another child is ours too, and looks like one of ssh.
    fn may_end(&self, process: &Process) -> bool {
        let is_ours = self.others.0.is_empty() && process.session == self.head.session;
        is_ours || self.known.contains(process)
    }

    /// Whether it is the master of a connection to a jump host, which stays for others. ssh itself has none.
    fn is_master(&self, process: &Process) -> bool {
        let title = fs::read(format!("/proc/{}/cmdline", process.pid)).unwrap_or_default();
        let end = title.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        !self.may_end(process) && title.starts_with(b"ssh: ") && title[..end].ends_with(b" [mux]")
    }
}

/// Whether we have children, after those that have exited are reaped.
fn has_children() -> bool {
    loop {
        match wait_for_any(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            // ECHILD.
            Err(_) => return false,
        }
    }
}

/// A process, as `/proc/PID/stat` shows it.
#[derive(Debug, Clone, Copy)]
struct Process {
    pid: Pid,
    state: u8,
    parent: i32,
    session: i32,
    /// When it was started, in ticks since the boot.
    birth: u64,
}

impl PartialEq for Process {
    fn eq(&self, other: &Self) -> bool {
        (self.pid, self.birth) == (other.pid, other.birth)
    }
}

impl Process {
    fn read(pid: Pid) -> Option<Self> {
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        // `PID (NAME) STATE PPID PGRP SESSION …`, and a name may hold anything (proc(5)).
        let name_end = memrchr(b')', &stat)?;
        let fields: Vec<&[u8]> = stat[name_end..].split(|&byte| byte == b' ').collect();
        Some(Self {
            pid,
            state: *fields.get(1)?.first()?,
            parent: number(fields.get(2)?)?,
            session: number(fields.get(4)?)?,
            birth: number(fields.get(20)?)?,
        })
    }

    /// Sends it a signal, and never to another process that has its number by now.
    fn send(&self, signal: Signal) {
        let pidfd = pidfd_open(self.pid, PidfdFlags::empty());
        if Self::read(self.pid).as_ref() != Some(self) {
            return;
        }
        // It fails only if the process has exited.
        let _ = match pidfd {
            Ok(pidfd) => pidfd_send_signal(pidfd, signal),
            // Before Linux 5.3.
            Err(_) => kill_process(self.pid, signal),
        };
    }

    fn name(&self) -> String {
        let name = fs::read(format!("/proc/{}/comm", self.pid)).unwrap_or_default();
        format!("{} ({})", escape::printable(name.trim_ascii_end()), self.pid)
    }
}

/// The children of `root`, their children and so on, as they are now, without `others` and what is below these.
fn below(root: Pid, others: &[Process]) -> Vec<Process> {
    let mut all: Vec<Process> = processes().filter_map(Process::read).collect();
    all.retain(|process| !others.contains(process));
    let mut family = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for process in all.iter().filter(|process| process.parent == parent.as_raw_nonzero().get())
        {
            family.push(*process);
            parents.push(process.pid);
        }
    }
    family
}

/// All processes. Few kernels list the children of one in /proc/PID/task/TID/children.
fn processes() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| number(entry.file_name().as_encoded_bytes()));
    pids.filter_map(Pid::from_raw)
}
