//! This machine: the time, the users, and the remoteexe processes.

use std::fs::{self, File};
use std::{cell::RefCell, collections::HashMap, ffi::OsStr, io::Read, os::unix::ffi::OsStrExt, path::Path};

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use rustix::process::geteuid;

use crate::passwd::{self, PasswdEntry};
use crate::{decimal::number, escape};

/// What a report has to know about this machine, read all at once.
pub struct Machine {
    pub users: Users,
    pub running: RunningJobs,
    pub zoned_now: DateTime<Local>,
    /// The same in local time and whole seconds, as in records.
    pub now: NaiveDateTime,
}

impl Machine {
    /// Reads the state of the machine. Call this before the logs are read: see [`RunningJobs::now`].
    pub fn at(now: DateTime<Local>) -> Self {
        let local = now.naive_local();
        Self {
            users: Users::read(),
            running: RunningJobs::now(),
            zoned_now: now,
            now: local.with_nanosecond(0).unwrap_or(local),
        }
    }
}

/// The remoteexe processes of this machine.
pub struct RunningJobs {
    processes: RefCell<HashMap<u32, LiveProcess>>,
    /// The local time, in whole seconds, when they were read.
    pub since: NaiveDateTime,
    /// The local time of the machine's last boot, if known.
    pub boot: Option<NaiveDateTime>,
}

struct LiveProcess {
    uid: u32,
    /// Escaped as in START. Empty until it is read.
    command_line: Vec<u8>,
    /// In ticks since the boot.
    started: Option<u64>,
}

/// The ticks of a second in `/proc/PID/stat`, which the kernel guarantees to programs.
const TICKS: u64 = 100;
/// The most bytes read of a file of the kernel, such as `/proc/PID/status`. What matters comes first.
const MAX_FACTS: u64 = 4 << 10;
/// The most bytes of a command line. A process can set it to any part of its memory, of any length, and ssh takes at
/// most 128 KiB for the remote command (execve(2)).
const MAX_COMMAND_LINE: usize = 256 << 10;
/// The most bytes of all command lines. Anybody can start thousands of processes.
const MAX_COMMAND_LINES: usize = 16 << 20;
/// The accuracy of the time when a process was started.
const MARGIN: TimeDelta = TimeDelta::seconds(10);

impl RunningJobs {
    /// Finds the processes that exist now. Reads only what the kernel itself says about each.
    ///
    /// Call this before the log is read: a run that ends meanwhile, with an END too late to be read, is not lost.
    pub fn now() -> Self {
        let now = Local::now().naive_local().with_nanosecond(0);
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let remoteexe = processes.filter_map(|process| {
            let pid = process.file_name().to_str()?.parse().ok()?;
            Some((pid, LiveProcess::read(&process.path())?))
        });
        Self {
            since: now.expect("a second has a nanosecond 0"),
            processes: RefCell::new(remoteexe.collect()),
            boot: boot(),
        }
    }

    /// Forgets the processes of users who can have written none of the logs, and reads the command lines of the others:
    /// root's first, so that other processes leave room for them. Call this before the log is read, too.
    pub fn keep(&self, may_have_written: impl Fn(u32) -> bool) {
        let mut all = self.processes.borrow_mut();
        all.retain(|_, process| may_have_written(process.uid));
        let mut processes: Vec<_> = all.iter_mut().collect();
        processes.sort_by_key(|(pid, process)| (process.uid, **pid));
        let mut left = MAX_COMMAND_LINES;
        for (pid, process) in processes {
            if let Some(words) = command_line(*pid, left.min(MAX_COMMAND_LINE)) {
                left -= words.len();
                let words = words.strip_suffix(b"\0").unwrap_or(&words);
                let words = words.split(|&byte| byte == 0).map(OsStr::from_bytes);
                process.command_line = escape::join(words);
            }
        }
    }

    /// The local days on which the processes of these users were started. The logs of these days have the STARTs, even
    /// if nobody has written to them since.
    pub fn days(&self, is_read: impl Fn(u32) -> bool) -> Vec<NaiveDate> {
        let start = |process: &LiveProcess| {
            let seconds = i64::try_from(process.started? / TICKS).ok()?;
            self.boot?.checked_add_signed(TimeDelta::try_seconds(seconds)?)
        };
        let processes = self.processes.borrow();
        let starts = processes.values().filter(|process| is_read(process.uid)).filter_map(start);
        // The boot's time is in whole seconds, and START comes a little later.
        let near = |start| [start - MARGIN, start + MARGIN].map(|time: NaiveDateTime| time.date());
        starts.flat_map(near).collect()
    }

    /// Whether one of these users has a process with this id, and a command line that ends with `job`. Process ids are
    /// used again, and anybody can give a process any id and any command line.
    pub fn have(&self, pid: u32, job: &[u8], is_user: impl Fn(u32) -> bool) -> bool {
        let processes = self.processes.borrow();
        let process = processes.get(&pid);
        process.is_some_and(|process| is_user(process.uid) && process.command_line.ends_with(job))
    }
}

impl LiveProcess {
    /// None if the process is not a remoteexe, or is gone.
    fn read(process: &Path) -> Option<Self> {
        let read = |name| beginning(&process.join(name), MAX_FACTS);
        if read("comm")? != b"remoteexe\n" {
            return None;
        }
        Some(Self {
            uid: real_uid(&read("status")?)?,
            command_line: Vec::new(),
            started: read("stat").and_then(|stat| started(&stat)),
        })
    }
}

/// None if the command line has more than `most` bytes.
fn command_line(pid: u32, most: usize) -> Option<Vec<u8>> {
    let words = beginning(Path::new(&format!("/proc/{pid}/cmdline")), most as u64 + 1)?;
    (words.len() <= most).then_some(words)
}

fn beginning(path: &Path, most: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The real user in `/proc/PID/status`. The effective one would be root for a set-user-ID program that somebody else
/// has started under the name of remoteexe.
fn real_uid(status: &[u8]) -> Option<u32> {
    let mut lines = status.split(|&byte| byte == b'\n');
    let uids = lines.find_map(|line| line.strip_prefix(b"Uid:\t"))?;
    number(uids.split(|&byte| byte == b'\t').next()?)
}

/// The time of start in `/proc/PID/stat`, in ticks since the boot: the 22nd field. The second field is the name in
/// parentheses, which may contain blanks and parentheses.
fn started(stat: &[u8]) -> Option<u64> {
    let end = stat.iter().rposition(|&byte| byte == b')')?;
    number(stat[end + 1..].trim_ascii().split(|&byte| byte == b' ').nth(19)?)
}

/// The local time of the machine's last boot: `btime` in `/proc/stat`.
fn boot() -> Option<NaiveDateTime> {
    let stat = fs::read("/proc/stat").ok()?;
    let mut lines = stat.split(|&byte| byte == b'\n');
    let seconds = number(lines.find_map(|line| line.strip_prefix(b"btime "))?)?;
    let boot = DateTime::from_timestamp(seconds, 0)?;
    Some(boot.with_timezone(&Local).naive_local())
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalUser {
    pub uid: u32,
    pub gids: Vec<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserLookup {
    Known(LocalUser),
    Missing,
    /// A directory service may have such a user.
    Unclear,
}

/// The users of this machine, and the reader of the report.
pub struct Users {
    /// The effective user of this process.
    pub reader: u32,
    /// The user and the group of each name.
    ids: HashMap<String, (u32, u32)>,
    /// The supplementary groups of each name.
    groups: HashMap<String, Vec<u32>>,
    names: HashMap<u32, String>,
}

impl Users {
    /// Reads `/etc/passwd`. A report sends no queries, so users of a directory service have no names.
    pub fn read() -> Self {
        let mut users =
            Self { reader: geteuid().as_raw(), ids: HashMap::new(), groups: HashMap::new(), names: HashMap::new() };
        let passwd = passwd::read();
        for PasswdEntry { name, uid, gid, .. } in passwd::entries(&passwd) {
            users.names.entry(uid).or_insert_with(|| name.to_owned());
            users.ids.entry(name.to_owned()).or_insert((uid, gid));
        }
        let group = fs::read("/etc/group").unwrap_or_default();
        for (gid, members) in group.split(|&byte| byte == b'\n').filter_map(group_entry) {
            for member in members.split(',').filter(|member| !member.is_empty()) {
                users.groups.entry(member.to_owned()).or_default().push(gid);
            }
        }
        users
    }

    /// The user with this name or number. A name may consist of digits.
    pub fn uid(&self, word: &str) -> Option<u32> {
        self.ids.get(word).map(|(uid, _)| *uid).or_else(|| number(word.as_bytes()))
    }

    pub fn find(&self, name: &str) -> UserLookup {
        if let Some((uid, gid)) = self.ids.get(name).copied() {
            let others = self.groups.get(name).into_iter().flatten().copied();
            let gids = std::iter::once(gid).chain(others).collect();
            return UserLookup::Known(LocalUser { uid, gids });
        }
        let services = fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default();
        let mut lines = services.lines();
        let services = lines.find_map(|line| line.trim_start().strip_prefix("passwd:"));
        let is_local = |service| matches!(service, "files" | "compat" | "systemd" | "db");
        let mut services = services.unwrap_or("files").split_whitespace();
        if services.all(is_local) { UserLookup::Missing } else { UserLookup::Unclear }
    }

    /// None if the name is unknown.
    pub fn name(&self, uid: u32) -> Option<&str> {
        self.names.get(&uid).map(String::as_str)
    }

    /// The name of a user, or the number.
    pub fn word(&self, uid: u32) -> String {
        self.name(uid).map_or_else(|| uid.to_string(), str::to_owned)
    }

    /// The name and the number of a user, for a message.
    pub fn describe(&self, uid: u32) -> String {
        match self.name(uid) {
            Some(name) => format!("{name} (uid {uid})"),
            None => format!("uid {uid}"),
        }
    }

    pub fn is_other_user(&self, uid: u32) -> bool {
        uid != 0 && uid != self.reader
    }
}

/// The number and the members of the group in a line of `/etc/group`.
fn group_entry(line: &[u8]) -> Option<(u32, &str)> {
    let mut fields = line.split(|&byte| byte == b':');
    let gid = number(fields.nth(2)?)?;
    Some((gid, str::from_utf8(fields.next()?).ok()?))
}
