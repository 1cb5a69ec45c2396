//! The inputs of a report: choosing them in the log directory, and opening them safely.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Local, NaiveDateTime};
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{
    FileType, Mode, OFlags, Stat, fcntl_getfl, fcntl_setfl, fstat, lstat, open, stat,
};

use super::period::Period;

use crate::log::file::LogName;
use crate::poll::wait;

/// Why an input cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A directory, a device, a socket or a terminal.
    #[error("not a regular file or a pipe")]
    Kind,
    /// A per-user log of another owner. Anybody can make one in a directory that all can write to.
    #[error("owned by uid {0}, not by the uid in its name")]
    Owner(u32),
    /// The error of the system call or of the decompressor.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A source of log lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file that the command line names.
    File(PathBuf),
    /// A log in the log directory, and its name.
    Log(PathBuf, LogName),
}

impl Input {
    /// Its name in messages.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File(path) | Self::Log(path, _) => path.display().to_string(),
        }
    }

    /// Its name, if that is the name of a log. Such a name may end with `.gz`.
    pub fn log_name(&self) -> Option<LogName> {
        match self {
            Self::Stdin => None,
            Self::File(path) => log_name(path.file_name()?.to_str()?),
            Self::Log(_, name) => Some(*name),
        }
    }

    /// Its size in bytes, or 0 if that is not known.
    pub fn size(&self) -> u64 {
        match self {
            Self::Stdin => 0,
            Self::File(path) | Self::Log(path, _) => {
                fs::metadata(path).map_or(0, |data| data.len())
            }
        }
    }

    /// Opens it for reading. A FIFO is opened when it has its first writer.
    ///
    /// # Errors
    ///
    /// It may not be read, is of another kind, or is a per-user log of another owner.
    pub fn open(&self) -> Result<File, InputError> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match self {
            Self::Stdin => io::stdin().as_fd().try_clone_to_owned()?,
            Self::File(path) => {
                // Opening a device may have an effect on it.
                self.check(&stat(path).map_err(io::Error::from)?)?;
                open(path, flags, Mode::empty()).map_err(io::Error::from)?
            }
            // A link in a directory that all can write to could lead anywhere.
            Self::Log(path, _) => {
                self.check(&lstat(path).map_err(io::Error::from)?)?;
                open(path, flags | OFlags::NOFOLLOW, Mode::empty()).map_err(io::Error::from)?
            }
        };
        // The file may have been replaced since the first check.
        if self.check(&fstat(&file).map_err(io::Error::from)?)? == FileType::Fifo {
            // Without this a FIFO that has no writer yet would look empty.
            wait(&mut [PollFd::new(&file, PollFlags::IN)], None)?;
            let flags = fcntl_getfl(&file).map_err(io::Error::from)?;
            fcntl_setfl(&file, flags - OFlags::NONBLOCK).map_err(io::Error::from)?;
        }
        Ok(file.into())
    }

    /// Checks that a file with this `stat` may be read. Returns its type.
    fn check(&self, stat: &Stat) -> Result<FileType, InputError> {
        match (FileType::from_raw_mode(stat.st_mode), self) {
            (
                FileType::RegularFile,
                Self::Log(
                    _,
                    LogName {
                        user: Some(uid), ..
                    },
                ),
            ) if stat.st_uid != *uid => Err(InputError::Owner(stat.st_uid)),
            (kind @ FileType::RegularFile, _)
            | (kind @ FileType::Fifo, Self::Stdin | Self::File(_)) => Ok(kind),
            _ => Err(InputError::Kind),
        }
    }
}

/// The logs in `dir` that may have records of `period`. Without a period they are those of today.
///
/// # Errors
///
/// `dir` cannot be read.
pub fn logs(dir: &Path, period: &Period, now: DateTime<Local>) -> io::Result<Vec<Input>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().and_then(log_name) else {
            continue;
        };
        let is_wanted = match (period.since, period.until) {
            (None, None) => name.day == now.date_naive(),
            (since, until) => {
                // The time of the last write decides, not the day in the name: a run stays in the file of
                // the day on which it started, however long it goes on.
                let is_recent = |since| written(&entry).is_none_or(|written| written >= since);
                since.is_none_or(is_recent) && until.is_none_or(|until| name.day <= until.date())
            }
        };
        if is_wanted {
            found.push((entry.path(), name));
        }
    }
    found.sort();
    let plain: Vec<PathBuf> = found.iter().map(|(path, _)| path.clone()).collect();
    // Both exist while gzip works, and after `gzip --keep`.
    found.retain(|(path, _)| {
        path.extension().is_none_or(|extension| extension != "gz")
            || !plain.contains(&path.with_extension(""))
    });
    let input = |(path, name)| Input::Log(path, name);
    Ok(found.into_iter().map(input).collect())
}

/// The name of a log, without `.gz` if it is compressed.
fn log_name(name: &str) -> Option<LogName> {
    LogName::parse(name.strip_suffix(".gz").unwrap_or(name))
}

/// The local time of the last write to a file.
fn written(entry: &fs::DirEntry) -> Option<NaiveDateTime> {
    let modified = entry.metadata().ok()?.mtime();
    let modified = DateTime::from_timestamp(modified, 0)?;
    Some(modified.with_timezone(&Local).naive_local())
}

/// The inputs that could not be read to their end, and the reasons.
#[derive(Debug, Default)]
pub struct Unread(pub Vec<(Input, InputError)>);

impl Unread {
    /// Whether records are missing. A file in the log directory that is refused counts as one without
    /// records: anybody who may write there could have made it.
    pub fn is_incomplete(&self) -> bool {
        let is_refused = |(input, error): &(Input, InputError)| {
            matches!(input, Input::Log(..))
                && matches!(error, InputError::Kind | InputError::Owner(_))
        };
        !self.0.iter().all(is_refused)
    }
}
