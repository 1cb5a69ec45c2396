//! One input of a report: opening it safely.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{
    FileType, Mode, OFlags, Stat, fcntl_getfl, fcntl_setfl, fstat, lstat, open, stat,
};

use super::data::Data;
use super::name::FileName;
use super::owner::Owner;
use super::scheduler::Scheduler;
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
    /// A file of a stranger in the place of a log of root's or of the reader's, which remoteexe refuses to
    /// write to.
    #[error("belongs to {0}, so nobody else's jobs log there; as root, move it away or delete it")]
    Stranger(String),
    /// Its name is in a directory that all can write to, and not even root may look at it.
    #[error("{0}; another user may have mounted something over the name")]
    Hidden(io::Error),
    /// Another file than the one that was chosen.
    #[error("it was replaced while the logs were read; run the report again")]
    Replaced,
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
    /// A log in the log directory.
    Log(LogFile),
}

/// A log in the log directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Its path.
    pub path: PathBuf,
    /// What its name says.
    pub name: FileName,
    /// The owner of the file when it was chosen.
    pub owner: u32,
    /// Which file it was then. A later rotation gives its name to another.
    pub place: FileId,
    /// Whose records it has.
    pub scheduler: Scheduler,
}

/// The device and the inode of a file: what it is whatever its name.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileId(u64, u64);

impl FileId {
    /// The place of an open file, or of a name.
    pub fn of(stat: &Stat) -> Self {
        Self(stat.st_dev, stat.st_ino)
    }
}

impl Input {
    /// Its name in messages.
    pub fn name(&self) -> String {
        self.path().map_or_else(|| "standard input".to_owned(), |path| path.display().to_string())
    }

    /// What its name says, if that is the name of a log.
    pub fn file_name(&self) -> Option<FileName> {
        match self {
            Self::Stdin => None,
            Self::File(path) => FileName::parse(path.file_name()?.to_str()?),
            Self::Log(log) => Some(log.name),
        }
    }

    /// Its size in bytes, or 0 if that is not known.
    pub fn size(&self) -> u64 {
        let data = self.path().and_then(|path| fs::metadata(path).ok());
        data.map_or(0, |data| data.len())
    }

    fn path(&self) -> Option<&PathBuf> {
        match self {
            Self::Stdin => None,
            Self::File(path) | Self::Log(LogFile { path, .. }) => Some(path),
        }
    }

    /// Whose records it has now, before it is opened.
    fn owner(&self) -> Option<Owner> {
        let stat = match self {
            Self::Stdin => fstat(io::stdin()),
            Self::File(path) => stat(path),
            Self::Log(LogFile { path, .. }) => lstat(path),
        };
        Some(Owner::of(&stat.ok()?, self.scheduler()))
    }

    fn scheduler(&self) -> Scheduler {
        match self {
            Self::Stdin | Self::File(_) => Scheduler::default(),
            Self::Log(log) => log.scheduler,
        }
    }

    /// Opens the input for reading, and returns the owner of its records. A FIFO is opened when it has its first writer.
    ///
    /// Adds it to those that were `read`. Returns nothing if it is there already, by whatever name: its records
    /// count once.
    ///
    /// # Errors
    ///
    /// It may not be read, is of another kind, or is a log in the log directory that [`LogFile::check`] refuses.
    pub fn open(&self, read: &mut HashSet<FileId>) -> Result<Option<(Data, Owner)>, InputError> {
        // NONBLOCK: the owner of a file may hold a lease on it (fcntl(2)), and opening it would wait.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match self {
            Self::Stdin => io::stdin().as_fd().try_clone_to_owned()?,
            Self::File(path) => {
                // Opening a device may have an effect on it.
                self.check(&stat(path).map_err(io::Error::from)?)?;
                open(path, flags, Mode::empty()).map_err(io::Error::from)?
            }
            // A link in a directory that all can write to could lead anywhere.
            Self::Log(LogFile { path, .. }) => {
                self.check(&lstat(path).map_err(io::Error::from)?)?;
                open(path, flags | OFlags::NOFOLLOW, Mode::empty()).map_err(io::Error::from)?
            }
        };
        // The file may have been replaced since the first check.
        let stat = fstat(&file).map_err(io::Error::from)?;
        let kind = self.check(&stat)?;
        if !read.insert(FileId::of(&stat)) {
            return Ok(None);
        }
        if kind == FileType::Fifo {
            // Without this a FIFO that has no writer yet would look empty.
            wait(&mut [PollFd::new(&file, PollFlags::IN)], None)?;
            let flags = fcntl_getfl(&file).map_err(io::Error::from)?;
            fcntl_setfl(&file, flags - OFlags::NONBLOCK).map_err(io::Error::from)?;
        }
        let is_whole = kind != FileType::RegularFile || matches!(self, Self::Stdin);
        let end = (!is_whole).then_some(stat.st_size.cast_unsigned());
        Ok(Some((Data::new(file.into(), end), Owner::of(&stat, self.scheduler()))))
    }

    /// Checks that a file with this `stat` may be read. Returns its type.
    fn check(&self, stat: &Stat) -> Result<FileType, InputError> {
        let kind = FileType::from_raw_mode(stat.st_mode);
        match (self, kind) {
            (Self::Log(log), _) => log.check(stat)?,
            (_, FileType::RegularFile | FileType::Fifo) => {}
            _ => return Err(InputError::Kind),
        }
        Ok(kind)
    }
}

impl LogFile {
    /// Checks that a file with this `stat` may be read as this log.
    ///
    /// # Errors
    ///
    /// It is not a regular file, belongs to another user than the one in its name, or is another file than
    /// before.
    pub fn check(&self, stat: &Stat) -> Result<(), InputError> {
        let owner = stat.st_uid;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            Err(InputError::Kind)
        } else if self.name.log.user.is_some_and(|user| user != owner) {
            Err(InputError::Owner(owner))
        } else if self.owner != owner || self.place != FileId::of(stat) {
            Err(InputError::Replaced)
        } else {
            Ok(())
        }
    }
}

/// The users who can have written records of this machine in some inputs.
#[derive(Debug, Default)]
pub struct Writers {
    uids: BTreeSet<u32>,
    /// It may have been anybody: others than the owner may write to an input, or it is a pipe.
    is_anybody: bool,
}

impl Writers {
    /// Those of `inputs`. Nobody waits for anything: none is opened.
    pub fn of(inputs: &[Input]) -> Self {
        let mut writers = Self::default();
        let here = inputs.iter().filter(|input| !input.scheduler().is_remote());
        for owner in here.filter_map(Input::owner) {
            writers.is_anybody |= owner.is_shared;
            writers.uids.extend(owner.uid);
        }
        writers
    }

    /// Whether this user is one of them. Root may write to anything.
    pub fn include(&self, uid: u32) -> bool {
        uid == 0 || self.is_anybody || self.uids.contains(&uid)
    }
}

/// Whether records are missing, if these inputs could not be read to their end. A file in the log directory that is
/// refused counts as one without records: anybody who may write there could have made it.
pub fn is_incomplete<'a>(unread: impl IntoIterator<Item = &'a (Input, InputError)>) -> bool {
    let is_refused = |(input, error): &(Input, InputError)| match error {
        InputError::Kind | InputError::Owner(_) => matches!(input, Input::Log(_)),
        InputError::Hidden(_) => true,
        _ => false,
    };
    !unread.into_iter().all(is_refused)
}
