//! The log files that a report reads: which, how, and in which order.

use std::fs::{self, File};
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Local, NaiveDateTime};
use indicatif::{ProgressBar, ProgressStyle};
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{
    FileType, Mode, OFlags, Stat, fcntl_getfl, fcntl_setfl, fstat, lstat, open, stat,
};

use super::period::Period;
use super::reader::{Line, Reader};

use crate::log::file::LogName;
use crate::poll::wait;

/// From how many bytes on reading takes so long that a person wants to see how far it is.
const LONG: u64 = 64 << 20;

/// Why an input cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A directory, a device, a socket or a terminal.
    #[error("it is neither a regular file nor a pipe")]
    Kind,
    /// Somebody has given a file another user's name, in a directory that others can write to.
    #[error("it belongs to uid {0} and not to the one in its name")]
    Owner(u32),
    /// The system call's own answer, or the decompressor's.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file that the command line names.
    File(PathBuf),
    /// A log in the log directory, and what its name says.
    Log(PathBuf, LogName),
}

impl Input {
    /// How messages name it.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File(path) | Self::Log(path, _) => path.display().to_string(),
        }
    }

    /// What its name says, if that is a log's.
    fn log_name(&self) -> Option<LogName> {
        match self {
            Self::Stdin => None,
            Self::File(path) => log_name(path.file_name()?.to_str()?),
            Self::Log(_, name) => Some(*name),
        }
    }

    /// How many bytes there are to read, if that is known.
    fn size(&self) -> u64 {
        match self {
            Self::Stdin => 0,
            Self::File(path) | Self::Log(path, _) => {
                fs::metadata(path).map_or(0, |data| data.len())
            }
        }
    }

    fn open(&self) -> Result<File, InputError> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match self {
            Self::Stdin => io::stdin().as_fd().try_clone_to_owned()?,
            Self::File(path) => {
                // To open a device may do something to it.
                self.check(&stat(path).map_err(io::Error::from)?)?;
                open(path, flags, Mode::empty()).map_err(io::Error::from)?
            }
            // Nobody shall choose by a link what is read here.
            Self::Log(path, _) => {
                self.check(&lstat(path).map_err(io::Error::from)?)?;
                open(path, flags | OFlags::NOFOLLOW, Mode::empty()).map_err(io::Error::from)?
            }
        };
        // By now it may be something else.
        if self.check(&fstat(&file).map_err(io::Error::from)?)? == FileType::Fifo {
            // A FIFO without a writer is at its end only once it has had one.
            wait(&mut [PollFd::new(&file, PollFlags::IN)], None)?;
            let flags = fcntl_getfl(&file).map_err(io::Error::from)?;
            fcntl_setfl(&file, flags - OFlags::NONBLOCK).map_err(io::Error::from)?;
        }
        Ok(file.into())
    }

    /// Whether what `stat` describes may be read; gives what it is.
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

/// The logs in `dir` that can have records of `period`; without one, those of today.
///
/// # Errors
///
/// The directory cannot be read.
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
                // A file that nobody has written to since then has nothing of it, whatever its day: a
                // run's records stay in the file of the day on which it started.
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
    // Both are there while gzip works, and with `gzip --keep`.
    found.retain(|(path, _)| {
        path.extension().is_none_or(|extension| extension != "gz")
            || !plain.contains(&path.with_extension(""))
    });
    let input = |(path, name)| Input::Log(path, name);
    Ok(found.into_iter().map(input).collect())
}

/// What the name of a log says, also of one that is compressed by gzip.
fn log_name(name: &str) -> Option<LogName> {
    LogName::parse(name.strip_suffix(".gz").unwrap_or(name))
}

/// When the file was last written to, in local time.
fn written(entry: &fs::DirEntry) -> Option<NaiveDateTime> {
    let modified = entry.metadata().ok()?.mtime();
    let modified = DateTime::from_timestamp(modified, 0)?;
    Some(modified.with_timezone(&Local).naive_local())
}

/// What could not be read, and why.
#[derive(Debug, Default)]
pub struct Unread(pub Vec<(Input, InputError)>);

impl Unread {
    /// Whether records are missing for that. Something in the log directory that is no log, or somebody
    /// else's, has none: whoever may write there could have put it there.
    pub fn is_incomplete(&self) -> bool {
        let is_nothing = |(input, error): &(Input, InputError)| {
            matches!(input, Input::Log(..))
                && matches!(error, InputError::Kind | InputError::Owner(_))
        };
        !self.0.iter().all(is_nothing)
    }
}

/// Reads all `inputs` and gives their lines to `take`, merged by the time of the records: a run that had to
/// change to another file goes on there.
pub fn read(inputs: &[Input], take: &mut impl FnMut(Line)) -> Unread {
    let mut unread = Unread::default();
    let progress = progress(inputs);
    let day = |input: &Input| {
        let day = input.log_name().map(|name| name.day);
        day.map_or(NaiveDateTime::MIN, NaiveDateTime::from)
    };
    // Where two have records of the same second, that of the daily file is the older: a run changes from
    // it to its user's.
    let mut sorted: Vec<&Input> = inputs.iter().collect();
    sorted.sort_by_key(|input| input.log_name());
    let mut closed = sorted
        .into_iter()
        .map(|input| (day(input), input))
        .peekable();
    let mut open: Vec<(&Input, Reader)> = Vec::new();
    loop {
        let next = (0..open.len()).min_by_key(|&index| open[index].1.time);
        let time = next.map(|index| open[index].1.time);
        // Opened when the others have come to its day: a year of logs must not need a year of descriptors.
        let its_day = |(day, _): &(NaiveDateTime, &Input)| time.is_none_or(|time| *day <= time);
        if let Some((_, input)) = closed.next_if(its_day) {
            match start(input, &progress) {
                Ok(Some(reader)) => open.push((input, reader)),
                Ok(None) => {}
                Err(error) => unread.0.push((input.clone(), error)),
            }
            continue;
        }
        let Some(next) = next else { break };
        let (input, reader) = &mut open[next];
        take(reader.line());
        let is_line = reader.advance().unwrap_or_else(|error| {
            unread.0.push((input.clone(), error.into()));
            false
        });
        if !is_line {
            open.remove(next);
        }
    }
    progress.finish_and_clear();
    unread
}

/// Opens `input` and goes to its first line; nothing if it has none.
fn start(input: &Input, progress: &ProgressBar) -> Result<Option<Reader>, InputError> {
    let mut reader = Reader::new(progress.wrap_read(input.open()?))?;
    Ok(reader.advance()?.then_some(reader))
}

/// A bar on standard error, if that is a terminal and it is worth it.
fn progress(inputs: &[Input]) -> ProgressBar {
    let size = inputs.iter().map(Input::size).sum();
    if size < LONG || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {eta}");
    let progress = ProgressBar::new(size);
    match style {
        Ok(style) => progress.with_style(style),
        Err(_) => progress,
    }
}
