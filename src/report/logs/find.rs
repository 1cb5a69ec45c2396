//! Chooses the logs to read in the log directory, where anybody may create files.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::{fs, io, mem};

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime};
use rustix::fs::{Mode, Stat, lstat, stat};

use super::name::{FileName, day_of_other, uncompressed};
use super::open::{FileId, Input, InputError, LogFile};
use super::scheduler::{LogDir, Scheduler};
use crate::machine::Users;
use crate::report::query::window::Window;

/// The most refused files that are named for each reason. Anybody can create any number.
const MAX_NAMED: usize = 10;
/// The most listings of a directory in which files vanish meanwhile, as with logrotate. Anybody can go on with that.
const MOST_LISTINGS: usize = 5;

/// The logs of a period in the log directories.
#[derive(Default)]
pub struct Logs {
    /// The logs to read, in the order of their names.
    pub inputs: Vec<Input>,
    /// The logs chosen so far, before `inputs` is made of them.
    chosen: Vec<LogFile>,
    /// Files that are not read, with the reasons, in the order of their names.
    pub refused: Vec<(Input, InputError)>,
    /// Directories without a log, or that cannot be read, with the reasons.
    pub empty_dirs: Vec<(PathBuf, String)>,
    /// The first day with a log in each scheduler's directory, of any period.
    pub first_days: Vec<(Scheduler, NaiveDate)>,
    /// All readable logs of wanted users, of any day.
    pub known: Vec<LogFile>,
    /// The number of refused files that are not named.
    pub more_refused: u64,
    /// Logs of other users, by uid. A report does not read them unasked: their owner can make them of any size, and can
    /// prevent others from opening them.
    left_out: BTreeMap<u32, LeftOut>,
    /// A file with almost the name of a log, and the number of such files.
    misnamed: Option<(PathBuf, u64)>,
}

/// The most logs in `known`. One user can make any number.
const MOST_KNOWN: usize = 100_000;

struct LeftOut {
    path: PathBuf,
    count: u64,
    bytes: u64,
}

struct DirChoice<'a> {
    window: &'a Window,
    /// The days on which jobs were started that are still running. Their logs are read too.
    days: &'a [NaiveDate],
    users: &'a Users,
    scheduler: Scheduler,
    /// The only user besides root who can create files in the directory, if there is one.
    only_writer: Option<u32>,
    /// Whether the directory has a log, of whatever day and user.
    has_any: bool,
    /// Whether a log of the period vanished after its name was listed.
    has_vanished: bool,
    logs: Logs,
}

/// The only user besides root who can create files in this directory, if there is one.
fn only_writer(dir: &Path) -> Option<u32> {
    let stat = stat(dir).ok()?;
    let others = Mode::WGRP | Mode::WOTH;
    let is_shared = Mode::from_raw_mode(stat.st_mode).intersects(others);
    (!is_shared).then_some(stat.st_uid)
}

/// Finds the logs in these directories that may have records of the window. Also finds the logs of `days`, on which
/// jobs were started that are still running.
pub fn logs(dirs: &[LogDir], window: &Window, days: &[NaiveDate], users: &Users) -> Logs {
    let mut logs = Logs::default();
    for dir in dirs {
        let (files, listed) = DirChoice::listed(dir, window, days, users);
        let reason = match listed {
            Ok(()) if files.has_any => None,
            Ok(()) => Some("there are no logs; --log-dir names another directory".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        let reason = reason.map(|reason| (dir.path.clone(), reason));
        logs.empty_dirs.extend(reason);
        logs.add(files.logs);
    }
    logs.inputs = inputs(mem::take(&mut logs.chosen));
    logs.refused.sort_by_key(|(input, _)| input.name());
    logs
}

impl<'a> DirChoice<'a> {
    /// Chooses among the files in `dir`. Lists `dir` again if a file has vanished: while logs are rotated, the next
    /// listing has the file under another name.
    fn listed(dir: &LogDir, window: &'a Window, days: &'a [NaiveDate], users: &'a Users) -> (Self, io::Result<()>) {
        let mut listings = 0;
        loop {
            let mut files = Self {
                window,
                days,
                users,
                scheduler: dir.scheduler,
                only_writer: only_writer(&dir.path),
                has_any: false,
                has_vanished: false,
                logs: Logs::default(),
            };
            let result = files.consider_all(&dir.path);
            listings += 1;
            if !files.has_vanished || listings == MOST_LISTINGS {
                return (files, result);
            }
        }
    }

    fn consider_all(&mut self, dir: &Path) -> io::Result<()> {
        for entry in fs::read_dir(dir)? {
            self.consider(entry?.path());
        }
        Ok(())
    }

    fn consider(&mut self, path: PathBuf) {
        if let Some(name) = FileName::of(&path) {
            self.consider_log(path, name);
        } else if let Some(day) = day_of_other(&path) {
            self.consider_other(path, day);
        }
    }

    /// Notes a file of the reader or of root that may be a copy of a log.
    fn consider_other(&mut self, path: PathBuf, day: NaiveDate) {
        let Ok(stat) = lstat(&path) else { return };
        if self.is_of_period(day, Some(&stat)) && self.window.filter.reads_user(stat.st_uid, self.users) {
            self.logs.misnamed.get_or_insert((path, 0)).1 += 1;
        }
    }

    fn consider_log(&mut self, path: PathBuf, name: FileName) {
        let stat = match lstat(&path).map_err(io::Error::from) {
            Ok(stat) => stat,
            // The owner is unknown.
            Err(error) => {
                if self.is_of_period(name.log.day, None) {
                    match error.kind() {
                        io::ErrorKind::NotFound => self.has_vanished = true,
                        _ => self.logs.refuse(Input::File(path), self.hidden(error)),
                    }
                }
                return;
            }
        };
        self.has_any = true;
        let owner = stat.st_uid;
        let log = LogFile { path, name, owner, id: FileId::of(&stat), scheduler: self.scheduler };
        self.note_day(&log, &stat);
        let day = log.name.log.day;
        if !self.is_of_period(day, Some(&stat)) {
            return;
        }
        // The wanted user's own directory may have that user's logs under any name.
        let is_at_home = self.window.filter.user == Some(owner) && self.only_writer == Some(owner);
        // Jobs no longer write to a log of a day before the period.
        let is_in_our_place =
            self.is_our_place(&log) && self.is_of_period(day, None) && self.users.is_other_user(owner) && !is_at_home;
        if is_in_our_place {
            let owner = self.users.describe(owner);
            self.logs.refuse(Input::Log(log.clone()), InputError::Stranger(owner));
        }
        let is_wanted = self.window.filter.reads_user(owner, self.users);
        match log.check(&stat) {
            Err(_) if is_in_our_place => {}
            // The file is of no interest.
            Err(_) if !is_wanted && !self.is_of_period(day, None) => {}
            Err(error) => self.logs.refuse(Input::Log(log), error),
            Ok(()) if is_wanted => self.logs.chosen.push(log),
            Ok(()) if self.window.filter.user.is_none() => {
                self.logs.leave_out(owner, log.path, 1, u64::try_from(stat.st_size).unwrap_or_default());
            }
            Ok(()) => {}
        }
    }

    /// Notes a readable log of a wanted user, whatever its day. A file with several links has no certain day: where
    /// `protected_hardlinks` is 0, anybody can give a file of root any name.
    fn note_day(&mut self, log: &LogFile, stat: &Stat) {
        if !self.window.filter.reads_user(log.owner, self.users) || log.check(stat).is_err() {
            return;
        }
        if self.logs.known.len() < MOST_KNOWN {
            self.logs.known.push(log.clone());
        }
        if stat.st_nlink != 1 {
            return;
        }
        let day = log.name.log.day;
        let days = &mut self.logs.first_days;
        match days.iter_mut().find(|(it, _)| *it == log.scheduler) {
            Some((_, first)) => *first = day.min(*first),
            None => days.push((log.scheduler, day)),
        }
    }

    /// The error of a listed file that has no stat. In a shared directory, anybody can mount something over a file of
    /// their own (fusermount(1)), and not even root may look at the mount. No log of ours is behind it.
    fn hidden(&self, error: io::Error) -> InputError {
        let is_mount = matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::NotConnected);
        let may_be_strangers = self.only_writer.is_none_or(|uid| self.users.is_other_user(uid));
        if is_mount && may_be_strangers && self.users.reader == 0 { InputError::Hidden(error) } else { error.into() }
    }

    /// Whether a log of this day may have records of the period, by its stat or, without a stat, by the day alone.
    fn is_of_period(&self, day: NaiveDate, stat: Option<&Stat>) -> bool {
        let Window { read_from: since, filter, .. } = self.window;
        let until = filter.period.until;
        let is_recent = |since: NaiveDateTime| {
            // The time of the last write decides, not the day in the name: a run stays in the file of the day on which
            // it started, however long it takes. But another user can set that time.
            let is_written = |stat: &Stat| written(stat).is_none_or(|written| written >= since);
            let counts_day = stat.is_none_or(|stat| self.users.is_other_user(stat.st_uid));
            stat.is_some_and(is_written) || counts_day && day >= since.date() || self.days.contains(&day)
        };
        since.is_none_or(is_recent) && until.is_none_or(|until| day <= until.date())
    }

    /// Whether root or the reader would write to a file of this name.
    fn is_our_place(&self, log: &LogFile) -> bool {
        let FileName { log: written, .. } = log.name;
        let is_known_beforehand = written.run.is_none() && log.name.is_live();
        is_known_beforehand && written.user.is_none_or(|user| user == 0 || user == self.users.reader)
    }
}

impl Logs {
    pub fn size(&self) -> u64 {
        self.inputs.iter().map(Input::size).sum()
    }

    /// The inputs that were found in log directories.
    pub fn read_files(&self) -> impl Iterator<Item = FileId> {
        self.inputs.iter().filter_map(|input| match input {
            Input::Log(log) => Some(log.id),
            _ => None,
        })
    }

    /// These inputs, whoever owns them.
    pub fn of(inputs: Vec<Input>) -> Self {
        Self { inputs, ..Self::default() }
    }

    fn add(&mut self, other: Self) {
        for (input, error) in other.refused {
            self.refuse(input, error);
        }
        self.more_refused += other.more_refused;
        self.chosen.extend(other.chosen);
        self.first_days.extend(other.first_days);
        let room = MOST_KNOWN.saturating_sub(self.known.len());
        self.known.extend(other.known.into_iter().take(room));
        for (uid, LeftOut { path, count, bytes }) in other.left_out {
            self.leave_out(uid, path, count, bytes);
        }
        if let Some((path, count)) = other.misnamed {
            self.misnamed.get_or_insert((path, 0)).1 += count;
        }
    }

    fn refuse(&mut self, input: Input, error: InputError) {
        let is_same = |(_, other): &&(Input, InputError)| mem::discriminant(other) == mem::discriminant(&error);
        if self.refused.iter().filter(is_same).count() < MAX_NAMED {
            self.refused.push((input, error));
        } else {
            self.more_refused += 1;
        }
    }

    fn leave_out(&mut self, uid: u32, path: PathBuf, count: u64, bytes: u64) {
        let left_out = self.left_out.entry(uid).or_insert(LeftOut { path, count: 0, bytes: 0 });
        left_out.count += count;
        left_out.bytes = left_out.bytes.saturating_add(bytes);
    }

    /// A line for each user whose logs are left out, and a line for files with almost the name of a log.
    pub fn left_out(&self, users: &Users) -> Vec<String> {
        let line = |(&uid, left_out): (&u32, &LeftOut)| {
            let LeftOut { path, count, bytes } = left_out;
            let (path, user, word) = (path.display(), users.describe(uid), users.word(uid));
            let others = and_more(count - 1);
            format!("left out: {path}{others} of {user}, {bytes} bytes; --user {word} shows the runs")
        };
        let mut lines: Vec<String> = self.left_out.iter().take(MAX_NAMED).map(line).collect();
        let more = self.left_out.len() - lines.len();
        if more > 0 {
            lines.push(format!("left out: the logs of {more} more users"));
        }
        if let Some((path, count)) = &self.misnamed {
            let others = and_more(count - 1);
            lines.push(format!("left out: {}{others}, not named as logs are; as a FILE it is read", path.display()));
        }
        lines
    }
}

/// These logs as inputs, each once, in the order of their names.
pub fn inputs(mut logs: Vec<LogFile>) -> Vec<Input> {
    logs.sort_by(|one, other| one.path.cmp(&other.path));
    // Both exist while gzip works, and after `gzip --keep`. A plain log of another owner is another log.
    let owners: HashMap<PathBuf, u32> = logs.iter().map(|log| (log.path.clone(), log.owner)).collect();
    logs.retain(|log| !log.name.is_compressed || owners.get(&uncompressed_path(&log.path)) != Some(&log.owner));
    logs.into_iter().map(Input::Log).collect()
}

fn and_more(others: u64) -> String {
    if others == 0 { String::new() } else { format!(" and {others} more") }
}

fn uncompressed_path(path: &Path) -> PathBuf {
    let name = path.file_name().and_then(|name| name.to_str());
    path.with_file_name(uncompressed(name.unwrap_or_default()))
}

/// The local time of the last write to a file.
fn written(stat: &Stat) -> Option<NaiveDateTime> {
    let modified = DateTime::from_timestamp(stat.st_mtime, 0)?;
    Some(modified.with_timezone(&Local).naive_local())
}
