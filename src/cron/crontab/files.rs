//! Finds the crontabs of a machine, reads them, and says why cron rejects a file.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::{collections::HashSet, os::unix::fs::MetadataExt};

use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, open};
use rustix::io::Errno;

use super::parse::{Columns, Contents, CronLine};
use crate::cron::command::calls::line_may_run;
use crate::cron::daemon::{Daemon, MachineCron};
use crate::cron::fault::{Fault, Finding};
use crate::machine::Users;

/// The most bytes of a crontab that are read. Debian's cron takes 10,000 lines of 1000 bytes.
const LARGEST: u64 = 16 << 20;
const CRONTAB: &str = "/etc/crontab";
const CRON_D: &str = "/etc/cron.d";
/// Files and directories by which other programs than the cron daemon start jobs: anacron, run-parts, at and mcron.
const OF_OTHERS: [&str; 8] = [
    "/etc/anacrontab",
    "/etc/cron.hourly",
    "/etc/cron.daily",
    "/etc/cron.weekly",
    "/etc/cron.monthly",
    "/var/spool/cron/atjobs",
    "/var/spool/at",
    "/var/cron/tabs",
];

pub enum CrontabSelection {
    /// The crontabs that this machine's cron daemon reads.
    Machine,
    Files(Vec<(PathBuf, Columns)>),
}

/// Decides how much of a crontab is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// root's or the reader's.
    Full,
    /// Another user's, and asked for: its paths are not followed, and fewer of its calls are read.
    Asked,
    /// Another user's: its lines are only counted.
    Nothing,
}

impl Trust {
    /// The limit of calls of a crontab. Each takes about 0.1 ms.
    pub fn most_calls(self) -> usize {
        match self {
            Self::Full => 10_000,
            Self::Asked => 1_000,
            Self::Nothing => 0,
        }
    }
}

/// How far the user of a crontab is trusted. In the spool the file's name is the user's, elsewhere the owner counts.
#[derive(Clone, Copy)]
pub struct TrustIn<'a> {
    pub users: &'a Users,
    /// Takes None for a name that no user of this machine has.
    pub of: &'a dyn Fn(Option<u32>) -> Trust,
}

pub struct Crontab {
    pub path: PathBuf,
    pub trust: Trust,
    pub columns: Columns,
    /// None in a system crontab.
    pub owner: Option<String>,
    /// The last change, in seconds from 1970, if known.
    pub changed: Option<i64>,
    /// The reason why cron rejects the file, whatever its text.
    pub rejection: Option<Fault>,
    /// The file is where a cron daemon reads crontabs, and not a copy or a draft.
    pub is_installed: bool,
    /// cron ignores a file with such a name, such as a backup.
    pub has_ignored_name: bool,
    pub contents: Contents,
}

pub struct Crontabs {
    pub cron: MachineCron,
    pub read: Vec<Crontab>,
    /// The crontabs, and directories of crontabs, that could not be read.
    pub left_out: Vec<Finding>,
    /// The first of them that the reader may not read.
    pub denied: Option<PathBuf>,
    /// The first lines that may run remoteexe in files that the cron daemon does not read.
    pub of_others: Vec<(PathBuf, usize)>,
}

/// Decides the rules for a file's mode and owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Location {
    /// `/etc/crontab` or a file in `/etc/cron.d`.
    System,
    Spool,
    /// Anywhere else: a copy, or a draft, with these columns.
    Elsewhere(Columns),
}

impl Crontabs {
    pub fn read(selection: &CrontabSelection, trust: TrustIn) -> Self {
        let cron = MachineCron::of(Path::new("/"));
        let mut crontabs = Self { cron, read: Vec::new(), left_out: Vec::new(), denied: None, of_others: Vec::new() };
        match selection {
            CrontabSelection::Machine => crontabs.add_machine(trust),
            CrontabSelection::Files(files) => {
                let mut known = HashSet::new();
                // A file counts once, whatever its names.
                let mut is_new = |path: &Path| fs::canonicalize(path).map(|file| known.insert(file));
                for (path, columns) in files {
                    if is_new(path).unwrap_or(true) {
                        crontabs.add_file(path, *columns, trust);
                    }
                }
            }
        }
        crontabs
    }

    pub fn line(&self, file: &Path, number: usize) -> Option<(&Crontab, &CronLine)> {
        let crontab = self.read.iter().find(|crontab| crontab.path == file)?;
        let mut lines = crontab.contents.lines.iter();
        Some((crontab, lines.find(|line| line.number == number)?))
    }

    /// The number of lines that may run remoteexe and are not read.
    pub fn not_looked_at(&self) -> usize {
        self.read.iter().map(|crontab| crontab.contents.not_looked_at).sum()
    }

    fn add_machine(&mut self, trust: TrustIn) {
        if self.cron.rules != Daemon::Busybox {
            let system = Path::new(CRONTAB);
            let system = system.symlink_metadata().is_ok().then(|| system.to_owned());
            for path in system.into_iter().chain(self.files_in(Path::new(CRON_D))) {
                self.add(&path, Location::System, None, trust);
            }
        }
        for path in self.files_in(Path::new(self.cron.spool)) {
            let owner = path.file_name().map(|name| name.to_string_lossy().into_owned());
            self.add(&path, Location::Spool, owner, trust);
        }
        self.add_others(trust);
    }

    fn add_others(&mut self, trust: TrustIn) {
        for place in OF_OTHERS.map(Path::new) {
            let files = if place.is_dir() { self.files_in(place) } else { vec![place.to_owned()] };
            for path in files {
                let Ok((text, stat)) = read(&path, Location::System) else { continue };
                let line = text.split(|byte| *byte == b'\n').position(line_may_run);
                let line = line.filter(|_| (trust.of)(Some(stat.st_uid)) != Trust::Nothing);
                self.of_others.extend(line.map(|line| (path, line + 1)));
            }
        }
    }

    /// Reads a file that was named. An installed crontab has the columns of its place.
    fn add_file(&mut self, path: &Path, columns: Columns, trust: TrustIn) {
        let parent = path.parent().unwrap_or(Path::new(""));
        let place = if path == Path::new(CRONTAB) || parent == Path::new(CRON_D) {
            Location::System
        } else if parent == Path::new(self.cron.spool) {
            Location::Spool
        } else {
            Location::Elsewhere(columns)
        };
        self.add(path, place, None, trust);
    }

    /// The files in a directory, sorted, without hidden ones.
    fn files_in(&mut self, dir: &Path) -> Vec<PathBuf> {
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                self.leave_out(dir, &error);
                return Vec::new();
            }
        };
        let names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
        let names = names.filter(|name| !name.as_encoded_bytes().starts_with(b"."));
        let mut paths: Vec<PathBuf> = names.map(|name| dir.join(name)).collect();
        paths.retain(|path| !path.is_dir());
        paths.sort();
        paths
    }

    fn leave_out(&mut self, path: &Path, error: &io::Error) {
        let is_link = error.raw_os_error() == Some(Errno::LOOP.raw_os_error());
        let remedy = match error.kind() {
            _ if is_link => "cron follows no link there; put the file itself in its place",
            io::ErrorKind::NotFound => "give the path of a crontab",
            io::ErrorKind::PermissionDenied => {
                self.denied.get_or_insert(path.to_owned());
                "run the report as root, or for your own crontab: \
                 crontab -l | remoteexe --report --user-crontab -"
            }
            _ => "give a text file, as cron reads it",
        };
        self.left_out.push(Fault::new(error.to_string(), remedy).in_file(path));
    }

    fn add(&mut self, path: &Path, place: Location, owner: Option<String>, trust: TrustIn) {
        let (text, stat) = match read(path, place) {
            Ok(found) => found,
            Err(error) => return self.leave_out(path, &error),
        };
        let author = owner.as_deref().map_or(Some(stat.st_uid), |name| trust.users.uid(name));
        let trust = (trust.of)(author);
        let columns = match place {
            Location::System => Columns::System,
            Location::Spool => Columns::User,
            Location::Elsewhere(columns) => columns,
        };
        let contents = match trust {
            Trust::Nothing => Contents::count(&text),
            Trust::Full | Trust::Asked => Contents::parse(&text, columns, &self.cron),
        };
        let is_installed = !matches!(place, Location::Elsewhere(_));
        if !is_installed && let Some(misfit) = misfit(path, &contents, columns) {
            return self.left_out.push(misfit.in_file(path));
        }
        let has_ignored_name = place == Location::System && !self.cron.rules.takes_name_of(path);
        let rejection = if has_ignored_name {
            Some(Fault::new("cron ignores a file of this name", NAME_REMEDY))
        } else {
            self.rejection(path, place, &stat)
        };
        self.read.push(Crontab {
            rejection,
            is_installed,
            has_ignored_name,
            contents,
            trust,
            path: path.to_owned(),
            columns,
            owner,
            changed: match place {
                Location::Elsewhere(_) if is_standard_input(path) => None,
                // A file that was moved here replaced another one, whatever its time says.
                Location::System | Location::Spool => Some(stat.st_mtime.max(stat.st_ctime)),
                // A copy may keep the time of its text.
                Location::Elsewhere(_) => Some(stat.st_mtime),
            },
        });
    }

    /// The fault in the mode or the owner for which the daemon rejects a file.
    fn rejection(&self, path: &Path, place: Location, stat: &Stat) -> Option<Fault> {
        let mode = stat.st_mode & 0o7777;
        let (is_bad_mode, good_mode) = match (self.cron.rules, place) {
            (_, Location::Elsewhere(_)) => return None,
            (Daemon::Busybox, _) => (false, ""),
            (Daemon::Debian, Location::Spool) => (mode != 0o600, "600"),
            (Daemon::Debian, Location::System) => (mode & 0o022 != 0, "644"),
            (Daemon::Cronie, Location::Spool) => (mode & 0o7533 != 0o400, "600"),
            (Daemon::Cronie, Location::System) => (mode & 0o7533 != 0o400, "644"),
        };
        let shown = path.display();
        if is_bad_mode {
            let problem = format!("cron ignores a file of mode {mode:o}");
            return Some(Fault::new(problem, format!("chmod {good_mode} {shown}")));
        }
        let is_busybox = self.cron.rules == Daemon::Busybox;
        if (place == Location::System || is_busybox) && stat.st_uid != 0 {
            let problem = format!("cron ignores a file of uid {}, which is not root", stat.st_uid);
            return Some(Fault::new(problem, format!("chown root {shown}")));
        }
        let has_link_rule = place == Location::Spool || self.cron.rules == Daemon::Debian;
        (has_link_rule && !is_busybox && stat.st_nlink != 1).then(|| {
            let problem = "cron ignores a file that has a second hard link";
            Fault::new(problem, format!("copy {shown} to a file of its own"))
        })
    }
}

const NAME_REMEDY: &str = "give the file a name of letters, digits, - and _ only, or delete it";

/// The error of a file whose lines all have the columns of the other option.
fn misfit(path: &Path, contents: &Contents, columns: Columns) -> Option<Fault> {
    let mut lines = contents.lines.iter().filter(|it| it.mentions_remoteexe()).peekable();
    let number = lines.peek()?.number;
    if !lines.all(CronLine::has_wrong_columns) {
        return None;
    }
    let shown = path.display();
    let (reason, remedy) = match columns {
        Columns::System => (
            "has no user before its command",
            format!("write the user, or use --user-crontab {shown} if this is a user's crontab"),
        ),
        Columns::User => ("has a user before its command", format!("use --crontab {shown}")),
    };
    Some(Fault::new(format!("line {number} {reason}"), remedy))
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

fn read(path: &Path, place: Location) -> io::Result<(Vec<u8>, Stat)> {
    if matches!(place, Location::Elsewhere(_)) && is_standard_input(path) {
        let stdin = io::stdin();
        let stat = fstat(&stdin)?;
        return Ok((text(stdin.lock())?, stat));
    }
    // NONBLOCK: opening a FIFO that nobody writes to would wait.
    let mut flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    match place {
        // cron does not follow a link there, and the user may have made the link.
        Location::Spool => flags |= OFlags::NOFOLLOW,
        Location::System if path.symlink_metadata().is_ok_and(|data| data.is_symlink() && data.uid() != 0) => {
            return Err(io::Error::other("a link that is not owned by root; cron ignores it"));
        }
        Location::System | Location::Elsewhere(_) => {}
    }
    let file = open(path, flags, Mode::empty())?;
    let stat = fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(io::Error::other("not a regular file"));
    }
    Ok((text(File::from(file))?, stat))
}

fn text(input: impl Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    input.take(LARGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LARGEST {
        let problem = format!("larger than {} MiB: this is no crontab", LARGEST >> 20);
        return Err(io::Error::other(problem));
    }
    Ok(text)
}

pub fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|data| data.is_file() && data.mode() & 0o111 != 0)
}
