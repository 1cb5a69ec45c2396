//! Appends to a log file in a directory that others can write to.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::{Errno, retry_on_intr, write};
use rustix::process::geteuid;

/// How often the file may vanish between two looks at it before that counts as a fault. Only
/// somebody who creates and deletes it without pause gets this far.
const OPEN_ATTEMPTS: u32 = 100;

/// Why records could not be appended to a file.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// It is a link in a directory where anybody may place one: following it would let that person
    /// choose the file that root writes to.
    #[error("it is a symbolic link")]
    Symlink,
    /// A FIFO would block, a device or a socket would swallow the records.
    #[error("it is not a regular file")]
    NotRegular,
    /// A hard link is the symbolic link's older sister.
    #[error("it has more than one hard link")]
    HardLinked,
    /// Somebody else's file: its owner could rewrite or truncate the records.
    #[error("it belongs to uid {0}, neither to us nor to root")]
    ForeignOwner(u32),
    /// The system call's own answer.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Appends `records` to the file at `path`, creating it with mode 0666 less the umask.
///
/// The file is opened anew for each call, so one that was deleted or renamed meanwhile is simply
/// created again. One write(2) with `O_APPEND` carries all records: on a local Linux filesystem no
/// other process's records come in between.
///
/// # Errors
///
/// Nothing was written, unless the error comes from a write(2) that had been cut short.
pub fn append(path: &Path, records: &[u8]) -> Result<(), AppendError> {
    let file = open_safely(path)?;
    let mut rest = records;
    while !rest.is_empty() {
        let written = retry_on_intr(|| write(&file, rest)).map_err(io::Error::from)?;
        rest = &rest[written..];
    }
    Ok(())
}

/// Opens `path` for appending if nobody but root or ourselves can have put it there.
fn open_safely(path: &Path) -> Result<OwnedFd, AppendError> {
    // NONBLOCK: opening a FIFO must not wait for a reader. NOCTTY: a terminal must not become ours.
    let flags = OFlags::WRONLY
        | OFlags::APPEND
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::NOCTTY
        | OFlags::CLOEXEC;
    for _ in 0..OPEN_ATTEMPTS {
        // First without CREATE: with fs.protected_regular even root gets EACCES for O_CREAT on
        // another user's file in a sticky directory, and could not say what is wrong with it.
        let opened = match open(path, flags, Mode::empty()) {
            Err(Errno::NOENT) => open(
                path,
                flags | OFlags::CREATE | OFlags::EXCL,
                Mode::from_raw_mode(0o666),
            ),
            other => other,
        };
        match opened {
            Ok(file) => {
                if let Some(file) = vetted(file)? {
                    return Ok(file);
                }
            }
            // EXIST: another process created it since our first look.
            Err(Errno::EXIST | Errno::INTR) => {}
            Err(Errno::LOOP) => return Err(AppendError::Symlink),
            // A FIFO without a reader, or a socket.
            Err(Errno::NXIO) => return Err(AppendError::NotRegular),
            Err(errno) => return Err(io::Error::from(errno).into()),
        }
    }
    Err(io::Error::other("it is created and deleted all the time").into())
}

/// `file` itself if it may be trusted with records, nothing if it has been deleted since it was opened.
fn vetted(file: OwnedFd) -> Result<Option<OwnedFd>, AppendError> {
    let stat = fstat(&file).map_err(io::Error::from)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(AppendError::NotRegular);
    }
    if stat.st_uid != geteuid().as_raw() && stat.st_uid != 0 {
        return Err(AppendError::ForeignOwner(stat.st_uid));
    }
    match stat.st_nlink {
        0 => Ok(None),
        1 => Ok(Some(file)),
        _ => Err(AppendError::HardLinked),
    }
}
