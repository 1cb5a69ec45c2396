//! The machines whose cron started the runs.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A machine or a container: two of them use the same process ids. No larger than a pointer, because each record has
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scheduler(&'static Facts);

#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Facts {
    /// Each scheduler has its own.
    number: u16,
    is_remote: bool,
    name: Option<String>,
}

/// The scheduler if there is only one.
static ONLY: Facts = Facts { number: 0, is_remote: false, name: None };

impl Default for Scheduler {
    fn default() -> Self {
        Self(&ONLY)
    }
}

impl Scheduler {
    fn new(number: u16, is_remote: bool, name: Option<String>) -> Self {
        // Every record of its logs refers to it until the process ends.
        Self(Box::leak(Box::new(Facts { number, is_remote, name })))
    }

    pub fn number(self) -> u16 {
        self.0.number
    }

    /// None if there is only one scheduler.
    pub fn name(self) -> Option<&'static str> {
        self.0.name.as_deref()
    }

    /// Whether its processes are not those of this machine.
    pub fn is_remote(self) -> bool {
        self.0.is_remote
    }
}

/// A log directory and its scheduler.
#[derive(Debug)]
pub struct LogDir {
    pub path: PathBuf,
    pub scheduler: Scheduler,
}

/// These directories, each once, with a scheduler each. This machine logs to `local`.
pub fn log_dirs(paths: &[PathBuf], local: &Path) -> Vec<LogDir> {
    let mut different: Vec<&PathBuf> = Vec::new();
    for path in paths {
        if !different.iter().any(|other| are_same(other, path)) {
            different.push(path);
        }
    }
    let short: Vec<String> = different.iter().map(|path| last_part(path)).collect();
    let is_unique = |name: &String| short.iter().filter(|other| *other == name).count() == 1;
    let can_be_short = short.iter().all(is_unique);
    let are_several = different.len() > 1;
    let log_dir = |(number, path): (u16, &&PathBuf)| {
        let name = if can_be_short { last_part(path) } else { path.display().to_string() };
        let is_remote = are_several && !are_same(path, local);
        let scheduler = Scheduler::new(number, is_remote, are_several.then_some(name));
        LogDir { path: (*path).clone(), scheduler }
    };
    (0..).zip(&different).map(log_dir).collect()
}

/// Adds directories to which the crontabs of this machine lead. Their schedulers have no names: all are this machine.
pub fn more_log_dirs(paths: impl IntoIterator<Item = PathBuf>, dirs: &mut Vec<LogDir>) {
    for path in paths {
        if dirs.iter().any(|dir| are_same(&dir.path, &path)) {
            continue;
        }
        let Ok(number) = u16::try_from(dirs.len()) else {
            return;
        };
        dirs.push(LogDir { path, scheduler: Scheduler::new(number, false, None) });
    }
}

fn last_part(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

pub fn are_same(one: &Path, other: &Path) -> bool {
    let place = |path| fs::metadata(path).map(|data| (data.dev(), data.ino())).ok();
    one == other || place(one).is_some_and(|one| place(other) == Some(one))
}
