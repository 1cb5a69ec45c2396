//! The processes that ssh has started, and that outlive it.
//!
//! While one of them lives, the script may run: it may be an ssh, started by a program that was taken for ssh. So they
//! are ended, and nothing is logged or tried again before they are gone.
//!
//! The kernel makes us their parent when theirs ends ([`adopt_orphans`]), whatever their session. A helper that has
//! become a daemon serves others too, and stays. The master of a jump host's connection is the one daemon that
//! certainly does not run the script.

use std::time::{Duration, Instant};
use std::{fs, io};

use memchr::memrchr;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, pidfd_open, pidfd_send_signal, set_child_subreaper,
    wait as wait_for_any,
};

use super::{signals::Signals, spawn::Child};
use crate::{decimal::number, escape, poll};

/// The time to end after TERM.
const GRACE: Duration = Duration::from_secs(1);
/// The time to end after KILL. A system call that cannot be interrupted may take longer.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(5);

/// The children that our caller has left to us, as a shell does for `other & exec remoteexe …`.
#[derive(Debug, Clone)]
pub struct Others(Vec<Process>);

/// Makes us the parent of the processes that ssh leaves. Call this before ssh is started: the children that we have by
/// then belong to others. Fails on Linux before 3.4.
pub fn adopt_orphans() -> io::Result<Others> {
    let us = getpid();
    let others = if has_children() { below(us, &[]) } else { Vec::new() };
    set_child_subreaper(Some(us))?;
    Ok(Others(others))
}

pub struct Family {
    head: Process,
    /// The processes below ssh when it was ended.
    known: Vec<Process>,
    /// Processes below us that are not of the family.
    others: Others,
}

impl Family {
    /// The family of `ssh`, which may have ended. None without /proc, and where its numbers are those of another
    /// namespace, as in a container with the host's.
    pub fn of(ssh: &Child, others: &Others) -> Option<Self> {
        let us = fs::read_link("/proc/self").ok()?;
        if number(us.as_os_str().as_encoded_bytes()) != Some(getpid().as_raw_nonzero().get()) {
            return None;
        }
        Some(Self { head: Process::read(ssh.pid)?, known: Vec::new(), others: others.clone() })
    }

    /// Notes the processes below ssh. [`Family::end`] ends them, whatever their session.
    pub fn take_in(&mut self) {
        self.known = below(self.head.pid, &[]);
    }

    pub fn send(&self, signal: Signal) {
        self.known.iter().for_each(|process| process.send(signal));
    }

    /// Ends what ssh left after it was reaped, and waits for that. Fails with the name of a process that remains.
    pub fn end(&self, signals: &mut Signals) -> Result<(), String> {
        let begin = Instant::now();
        let mut asked: Vec<Process> = Vec::new();
        let mut killed = None;
        loop {
            // The usual case, and the only one without a look into /proc.
            if !has_children() {
                return Ok(());
            }
            let left = self.left();
            let Some(first) = left.first() else { return Ok(()) };
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
            // Fails only if the system is out of memory.
            let _ = poll::wait(&mut [], Some(Instant::now() + LOOK));
        }
    }

    /// The processes below us that are younger than ssh, without the others and their descendants.
    fn left(&self) -> Vec<Process> {
        let mut left = below(getpid(), &self.others.0);
        left.retain(|process| {
            let is_older = process.birth < self.head.birth;
            !is_older && process.state != b'Z' && !self.is_master(process)
        });
        left
    }

    /// Whether the process certainly comes from ssh, and is no daemon. An orphan of another child looks the same.
    fn may_end(&self, process: &Process) -> bool {
        let is_ours = self.others.0.is_empty() && process.session == self.head.session;
        is_ours || self.known.contains(process)
    }

    /// Whether the process is the master of a connection to a jump host, which stays for others. ssh itself has none.
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

/// A process, by `/proc/PID/stat`.
#[derive(Debug, Clone, Copy)]
struct Process {
    pid: Pid,
    state: u8,
    parent: i32,
    session: i32,
    /// The start, in ticks since the boot.
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

    /// Sends the process a signal, and never another process that has its number by now.
    fn send(&self, signal: Signal) {
        let pidfd = pidfd_open(self.pid, PidfdFlags::empty());
        if Self::read(self.pid).as_ref() != Some(self) {
            return;
        }
        // Fails only if the process has exited.
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

/// The descendants of `root` at present, without `others` and their descendants.
fn below(root: Pid, others: &[Process]) -> Vec<Process> {
    let mut all: Vec<Process> = processes().filter_map(Process::read).collect();
    all.retain(|process| !others.contains(process));
    let mut family = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for process in all.iter().filter(|process| process.parent == parent.as_raw_nonzero().get()) {
            family.push(*process);
            parents.push(process.pid);
        }
    }
    family
}

/// All processes. Few kernels list the children of a process in /proc/PID/task/TID/children.
fn processes() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| number(entry.file_name().as_encoded_bytes())).filter_map(Pid::from_raw)
}
