//! The cron daemons that remoteexe knows, and which of them a machine has.

use std::fs::{self, File};
use std::{ffi::OsStr, io::Read, path::Path};

use memchr::memmem;

/// The rules for reading crontabs and running lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Daemon {
    /// Debian's and Ubuntu's cron, from Vixie's.
    Debian,
    /// cronie: Red Hat, SUSE, Arch.
    Cronie,
    /// The crond of busybox: Alpine, containers.
    Busybox,
}

pub struct MachineCron {
    /// The name, with the version if the program shows one.
    pub name: String,
    pub rules: Daemon,
    /// Whether `rules` are the daemon's own. If not, slots are not judged.
    pub is_known: bool,
    /// `NAME=` without a value is a variable, as with cronie.
    pub takes_empty_values: bool,
    pub spool: &'static str,
}

/// The most bytes of a daemon's program that are read. cronie has 80 KB, and busybox 1 MB.
const LARGEST_PROGRAM: u64 = 4 << 20;
/// A message of the cron of Debian 13, which that of Debian 12 does not have.
const OF_DEBIAN_13: &str = "[added empty placeholder to force rescan]";
const DEBIAN_SPOOL: &str = "/var/spool/cron/crontabs";
const CRONIE_SPOOL: &str = "/var/spool/cron";
const ALPINE_SPOOL: &str = "/etc/crontabs";
pub const SYSTEMD_CRON: &str = "systemd-cron";
/// Other daemons, by a file that each has.
const OTHERS: [(&str, &str); 3] = [
    ("usr/lib/systemd/system-generators/systemd-crontab-generator", SYSTEMD_CRON),
    ("usr/sbin/bcron-sched", "bcron"),
    ("usr/bin/bcron-sched", "bcron"),
];

impl MachineCron {
    /// The daemon of the machine whose files are below `root`.
    pub fn of(root: &Path) -> Self {
        let exists = |path: &str| root.join(path).exists();
        let cron = root.join("usr/sbin/cron");
        if cron.exists() {
            let takes_empty_values = has(&program(&cron), OF_DEBIAN_13);
            return Self { takes_empty_values, ..Self::debian("Debian's cron") };
        }
        let crond = root.join("usr/sbin/crond");
        if crond.exists() {
            return Self::crond(&crond);
        }
        let mut others = OTHERS.iter().filter(|(path, _)| exists(path));
        match others.next() {
            Some((_, name)) => Self::unknown(name),
            None => Self::debian("no cron daemon found"),
        }
    }

    fn debian(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            rules: Daemon::Debian,
            is_known: true,
            takes_empty_values: false,
            spool: DEBIAN_SPOOL,
        }
    }

    fn unknown(name: &str) -> Self {
        Self { is_known: false, ..Self::debian(name) }
    }

    /// Identifies a program named `crond`: several daemons have that name.
    fn crond(path: &Path) -> Self {
        let text = program(path);
        let has = |part: &str| has(&text, part);
        let is_link = |name| fs::canonicalize(path).is_ok_and(|path| path.ends_with(name));
        if is_link("busybox") {
            let name = version(&text, "BusyBox v").map(|it| format!("busybox crond {it}"));
            let alpine = path.ancestors().nth(3).is_some_and(|it| it.join("etc/crontabs").exists());
            return Self {
                name: name.unwrap_or_else(|| "busybox crond".to_owned()),
                rules: Daemon::Busybox,
                spool: if alpine { ALPINE_SPOOL } else { DEBIAN_SPOOL },
                ..Self::debian("")
            };
        }
        if !has("cronie") && !has("RANDOM_DELAY") {
            return Self::unknown("a crond that is neither cronie nor busybox");
        }
        let name = version(&text, "cronie ").map(|it| format!("cronie {it}"));
        Self {
            name: name.unwrap_or_else(|| "cronie".to_owned()),
            rules: Daemon::Cronie,
            takes_empty_values: true,
            // Debian 13 builds it with the spool of Debian's cron.
            spool: if has(DEBIAN_SPOOL) { DEBIAN_SPOOL } else { CRONIE_SPOOL },
            ..Self::debian("")
        }
    }

    /// The daemon by whose rules crontabs are checked, and the reason.
    pub fn describe(&self) -> String {
        match (self.is_known, self.rules) {
            (false, _) => format!("{}, whose rules are not known here; checked as Debian's cron reads it", self.name),
            (true, Daemon::Debian) if self.name != "Debian's cron" => {
                format!("{}; checked as Debian's cron reads it", self.name)
            }
            (true, _) => format!("checked for {}", self.name),
        }
    }
}

/// The text of a program. One that cannot be read identifies nothing.
fn program(path: &Path) -> Vec<u8> {
    let mut text = Vec::new();
    let file = File::open(path);
    let _ = file.and_then(|file| file.take(LARGEST_PROGRAM).read_to_end(&mut text));
    text
}

fn has(text: &[u8], part: &str) -> bool {
    memmem::find(text, part.as_bytes()).is_some()
}

/// The number behind the name of a program, as it prints both.
fn version(program: &[u8], name: &str) -> Option<String> {
    memmem::find_iter(program, name).find_map(|at| {
        let is_part = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
        let number = program[at + name.len()..].iter().take_while(is_part).copied().collect();
        String::from_utf8(number).ok().filter(|it| !it.is_empty())
    })
}

impl Daemon {
    /// The consequence of a line that the daemon refuses.
    pub fn consequence(self) -> &'static str {
        match self {
            Self::Debian => "cron ignores this whole file",
            Self::Cronie | Self::Busybox => "cron ignores this line",
        }
    }

    /// The variables in which the daemon puts the name of the user, whatever the crontab sets.
    pub fn user_variables(self) -> &'static [&'static str] {
        match self {
            Self::Debian => &["LOGNAME"],
            Self::Cronie | Self::Busybox => &["LOGNAME", "USER"],
        }
    }

    /// Whether the daemon reads a system file of this name: `/etc/crontab`, or a name in `/etc/cron.d`.
    pub fn takes_name_of(self, path: &Path) -> bool {
        let name = path.file_name().map_or(b"".as_slice(), OsStr::as_encoded_bytes);
        match self {
            Self::Debian => name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte)),
            Self::Cronie => {
                let ends = [b"~".as_slice(), b".rpmsave", b".rpmorig", b".rpmnew"];
                !name.starts_with(b"#") && !ends.iter().any(|end| name.ends_with(end))
            }
            // busybox's crond reads no system file.
            Self::Busybox => false,
        }
    }
}
