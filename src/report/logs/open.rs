//! Opens one input of a report safely.

use std::collections::{BTreeSet, HashSet};
use std::{fs, io, os::fd::AsFd, path::PathBuf};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{FileType, Mode, OFlags, Stat, fcntl_getfl, fcntl_setfl, fstat, lstat, open, stat};

use super::{data::Data, name::FileName, owner::Owner, scheduler::Scheduler};
use crate::poll::wait;

#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A directory, a device, a socket or a terminal.
    #[error("not a regular file or a pipe")]
    Kind,
    /// A per-user log of another owner. Where all users can write, anybody can create such a file.
    #[error("owned by uid {0}, not by the uid in its name")]
    Owner(u32),
    /// Another user's file in the place of a log of root or of the reader. remoteexe refuses to write to it.
    #[error("belongs to {0}, so nobody else's jobs log there; as root, move it away or delete it")]
    Stranger(String),
    /// A file in a shared directory that not even root may look at.
    #[error("{0}; another user may have mounted something over the name")]
    Hidden(io::Error),
    /// Another file than the one that was chosen.
    #[error("it was replaced while the logs were read; run the report again")]
    Replaced,
    /// From a system call or the decompressor.
    #[error(transparent)]
    Io(#[from] io::Error),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    Stdin,
    /// Named on the command line.
    File(PathBuf),
    /// Found in a log directory.
    Log(LogFile),
}

/// A log in a log directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    pub path: PathBuf,
    pub name: FileName,
    /// The owner when the file was chosen.
    pub owner: u32,
    /// The file that was chosen. A rotation may give the path to another file.
    pub id: FileId,
    pub scheduler: Scheduler,
}

/// A file by its device and inode, whatever its name.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileId(u64, u64);

impl FileId {
    pub fn of(stat: &Stat) -> Self {
        Self(stat.st_dev, stat.st_ino)
    }
}

impl Input {
    /// The name for messages.
    pub fn name(&self) -> String {
        self.path().map_or_else(|| "standard input".to_owned(), |path| path.display().to_string())
    }

    /// None if the input does not have the name of a log.
    pub fn file_name(&self) -> Option<FileName> {
        match self {
            Self::Stdin => None,
            Self::File(path) => FileName::of(path),
            Self::Log(log) => Some(log.name),
        }
    }

    /// The size in bytes, or 0 if unknown.
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

    /// The owner of the input's records, without opening the input.
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

    /// Opens the input, and returns the owner of its records. A FIFO is opened when it has its first writer.
    ///
    /// Adds the file to `read`. Returns None if the file is there already, by whatever name: its records count once.
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
            // A link could lead anywhere if all users can write to the directory.
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
            // Without the wait, a FIFO without a writer would look empty.
            wait(&mut [PollFd::new(&file, PollFlags::IN)], None)?;
            let flags = fcntl_getfl(&file).map_err(io::Error::from)?;
            fcntl_setfl(&file, flags - OFlags::NONBLOCK).map_err(io::Error::from)?;
        }
        let has_no_end = kind != FileType::RegularFile || matches!(self, Self::Stdin);
        let end = (!has_no_end).then_some(stat.st_size.cast_unsigned());
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
    /// Checks that a file with this `stat` is the chosen one, regular, and owned by the user in its name.
    pub fn check(&self, stat: &Stat) -> Result<(), InputError> {
        let owner = stat.st_uid;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            Err(InputError::Kind)
        } else if self.name.log.user.is_some_and(|user| user != owner) {
            Err(InputError::Owner(owner))
        } else if self.owner != owner || self.id != FileId::of(stat) {
            Err(InputError::Replaced)
        } else {
            Ok(())
        }
    }
}

/// Whether a user can have written records of this machine to these inputs. Root may write to anything, and anybody to
/// a pipe. Opens no input, so nothing can block.
pub fn writers(inputs: &[Input]) -> impl Fn(u32) -> bool + use<> {
    let here = inputs.iter().filter(|input| !input.scheduler().is_remote());
    let owners: Vec<Owner> = here.filter_map(Input::owner).collect();
    let is_shared = owners.iter().any(|owner| owner.is_shared);
    let uids: BTreeSet<u32> = owners.iter().filter_map(|owner| owner.uid).collect();
    move |uid| uid == 0 || is_shared || uids.contains(&uid)
}

/// Whether records are missing because these inputs could not be read to their end. A refused file in a log directory
/// is as good as empty: anybody who may write there could have made it.
pub fn is_incomplete<'a>(unread: impl IntoIterator<Item = &'a (Input, InputError)>) -> bool {
    let is_refused = |(input, error): &(Input, InputError)| match error {
        InputError::Kind | InputError::Owner(_) => matches!(input, Input::Log(_)),
        InputError::Hidden(_) => true,
        _ => false,
    };
    !unread.into_iter().all(is_refused)
}
