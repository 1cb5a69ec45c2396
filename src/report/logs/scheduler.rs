//! The machines whose cron started the runs.

use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{fs, os::unix::fs::MetadataExt};

/// A machine or a container whose cron starts jobs. Two schedulers may use the same process ids. As small as a pointer,
/// because each record has a scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scheduler(&'static Facts);

impl Hash for Scheduler {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // A run is looked up by its scheduler in several maps, and all facts take as long as the rest of the key.
        state.write_u16(self.0.number);
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Facts {
    /// Unique for each scheduler.
    number: u16,
    is_remote: bool,
    name: Option<String>,
    /// The scheduler that starts jobs on this worker. None for a machine that starts its own.
    whole: Option<Scheduler>,
}

/// The scheduler if there is only one.
static ONLY: Facts = Facts { number: 0, is_remote: false, name: None, whole: None };

impl Default for Scheduler {
    fn default() -> Self {
        Self(&ONLY)
    }
}

impl Scheduler {
    fn new(facts: Facts) -> Self {
        // Records refer to the facts until the process ends.
        Self(Box::leak(Box::new(facts)))
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

    /// The scheduler that starts jobs on this machine, as on its other workers; or else the machine itself.
    ///
    /// A process id belongs to a worker. A job belongs to the whole scheduler, whichever worker runs it.
    pub fn whole(self) -> Self {
        self.0.whole.unwrap_or(self)
    }
}

pub struct LogDir {
    pub path: PathBuf,
    pub scheduler: Scheduler,
}

/// Each of these directories once, with a scheduler of its own. This machine logs to `local`.
pub fn log_dirs(paths: &[PathBuf], local: &Path) -> Vec<LogDir> {
    let mut different: Vec<&PathBuf> = Vec::new();
    for path in paths {
        if !different.iter().any(|other| are_same(other, path)) {
            different.push(path);
        }
    }
    let short: Vec<String> = different.iter().map(|path| last_part(path)).collect();
    let can_be_short = short.iter().all(|name| short.iter().filter(|other| *other == name).count() == 1);
    let are_several = different.len() > 1;
    let log_dir = |(number, path): (u16, &&PathBuf)| {
        let name = if can_be_short { last_part(path) } else { path.display().to_string() };
        let is_remote = are_several && !are_same(path, local);
        let name = are_several.then_some(name);
        let scheduler = Scheduler::new(Facts { number, is_remote, name, whole: None });
        LogDir { path: (*path).clone(), scheduler }
    };
    (0..).zip(&different).map(log_dir).collect()
}

/// Adds the log directories of this machine's crontabs. Their schedulers have no names, because all are this machine.
pub fn more_log_dirs(paths: impl IntoIterator<Item = PathBuf>, dirs: &mut Vec<LogDir>) {
    for path in paths {
        if dirs.iter().any(|dir| are_same(&dir.path, &path)) {
            continue;
        }
        let Ok(number) = u16::try_from(dirs.len()) else { return };
        let scheduler = Scheduler::new(Facts { number, is_remote: false, name: None, whole: None });
        dirs.push(LogDir { path, scheduler });
    }
}

/// Treats the directories for which `is_worker` is true as logs of workers of one scheduler.
pub fn unite(dirs: &mut [LogDir], is_worker: impl Fn(&Path) -> bool) {
    let number = u16::try_from(dirs.len()).unwrap_or(u16::MAX);
    let has_others = dirs.iter().any(|dir| !is_worker(&dir.path));
    let workers: Vec<&mut LogDir> = dirs.iter_mut().filter(|dir| is_worker(&dir.path)).collect();
    if workers.len() < 2 {
        return;
    }
    let names: Vec<&str> = workers.iter().filter_map(|dir| dir.scheduler.name()).collect();
    let name = has_others.then(|| names.join(", "));
    let whole = Some(Scheduler::new(Facts { number, is_remote: true, name, whole: None }));
    for dir in workers {
        dir.scheduler = Scheduler::new(Facts { whole, ..dir.scheduler.0.clone() });
    }
}

fn last_part(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

pub fn are_same(one: &Path, other: &Path) -> bool {
    let place = |path| fs::metadata(path).map(|data| (data.dev(), data.ino())).ok();
    one == other || place(one).is_some_and(|one| place(other) == Some(one))
}
