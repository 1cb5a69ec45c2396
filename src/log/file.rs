//! One log file: makes and parses its name, and appends to it in a directory where others can write.

use std::{io, os::fd::OwnedFd, path::Path};

use chrono::NaiveDate;
use rustix::fs::{FallocateFlags, FileType, Mode, OFlags, Stat, fallocate, fchmod, fstat, lstat, open, tell};
use rustix::io::{Errno, pread, retry_on_intr, write};
use rustix::process::geteuid;

use crate::decimal::number;

/// The attempts to open a file that vanishes. Only somebody who creates and deletes it without pause gets this far.
const OPEN_ATTEMPTS: u32 = 100;
/// The writes of other processes that a check for a torn line waits for. By then one of them has long ended the line.
const TORN_CHECKS: u32 = 10;

/// The name of a log file: `YYYYMMDD_remoteexe.log`; `YYYYMMDD_remoteexe.UID.log` for one user; or
/// `YYYYMMDD_remoteexe.UID.RANDOM.log` for one run, with 16 hexadecimal digits.
///
/// Within a day, the daily file comes first, then those of users, then those of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogName {
    pub day: NaiveDate,
    /// The user of the records, if the daily file did not take them.
    pub user: Option<u32>,
    /// The number of the run, if the per-user file did not take the records either. Nobody can guess it in advance.
    pub run: Option<u64>,
}

impl LogName {
    /// None if the file is not a log.
    pub fn parse(name: &str) -> Option<Self> {
        let (day, rest) = name.strip_suffix(".log")?.split_once("_remoteexe")?;
        if day.len() != "YYYYMMDD".len() {
            return None;
        }
        let day = NaiveDate::parse_from_str(day, "%Y%m%d").ok()?;
        if rest.is_empty() {
            let (user, run) = (None, None);
            return Some(Self { day, user, run });
        }
        let rest = rest.strip_prefix('.')?;
        let (uid, run) = match rest.split_once('.') {
            Some((uid, run)) => (uid, Some(parse_run(run)?)),
            None => (rest, None),
        };
        let user = Some(number(uid.as_bytes())?);
        Some(Self { day, user, run })
    }

    pub fn text(&self) -> String {
        let user = self.user.map_or_else(String::new, |uid| format!(".{uid}"));
        let run = self.run.map_or_else(String::new, |run| format!(".{run:016x}"));
        format!("{}_remoteexe{user}{run}.log", self.day.format("%Y%m%d"))
    }
}

fn parse_run(text: &str) -> Option<u64> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_number = text.len() == 16 && text.bytes().all(is_digit);
    is_number.then(|| u64::from_str_radix(text, 16).ok())?
}

/// The reason why a file did not take the records.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another user may have put the file there or may change it, it would swallow the records, or the disk is full.
    #[error("{0}")]
    Refused(String),
    /// Root's file, to which an ordinary user may not write.
    #[error("it belongs to root")]
    OwnedByRoot,
    /// The error of the system call.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl AppendError {
    /// Whether the same append may succeed later: the disk, the quota, the table of open files or the memory is full.
    pub fn is_transient(&self) -> bool {
        let Self::Io(error) = self else { return false };
        matches!(
            Errno::from_io_error(error),
            Some(Errno::NOSPC | Errno::DQUOT | Errno::MFILE | Errno::NFILE | Errno::NOMEM)
        )
    }
}

/// The place where a write was cut short, as by a full disk.
pub struct Cut {
    /// The number of bytes of the records in the file.
    pub written: usize,
    device: u64,
    inode: u64,
    end: u64,
}

impl Cut {
    /// Whether the file still ends where the write was cut. Then the rest belongs there.
    fn is_end_of(&self, file: &Stat) -> bool {
        let size = u64::try_from(file.st_size);
        (self.device, self.inode, Ok(self.end)) == (file.st_dev, file.st_ino, size)
    }
}

/// Appends `records` to the file at `path`, creating it with mode 0666 less the umask.
///
/// Opens the file for each call: if it was deleted or renamed, it is created again. One write(2) with `O_APPEND`
/// carries all records. On a local Linux filesystem no other process's records come in between.
///
/// `cut` is where an earlier append of the same records stopped. If the file still ends there, the append continues
/// there. If anything was written, an error has the place where the append stopped.
pub fn append(path: &Path, records: &[u8], cut: Option<&Cut>) -> Result<(), (AppendError, Option<Cut>)> {
    let (file, stat) = open_safely(path).map_err(|error| (error, None))?;
    let mut written = match cut {
        Some(cut) if cut.is_end_of(&stat) => cut.written,
        _ => {
            if is_torn(&file, &stat) {
                retry_on_intr(|| write(&file, b"\n")).map_err(|errno| (io::Error::from(errno).into(), None))?;
            }
            0
        }
    };
    let resumed_at = written;
    while written < records.len() {
        let error = match retry_on_intr(|| write(&file, &records[written..])) {
            // Some FUSE filesystems write nothing and report no error.
            Ok(0) => io::ErrorKind::WriteZero.into(),
            Ok(length) => {
                written += length;
                continue;
            }
            Err(errno) => io::Error::from(errno),
        };
        let cut = (written > resumed_at).then(|| Cut {
            written,
            device: stat.st_dev,
            inode: stat.st_ino,
            // With O_APPEND the offset is the end of our last byte, whoever wrote since.
            end: tell(&file).unwrap_or(u64::MAX),
        });
        return Err((error.into(), cut));
    }
    Ok(())
}

/// Whether the file ends within a line. The process that wrote it was killed in a write(2), or found the disk full. Our
/// record must not become part of that line.
fn is_torn(file: &OwnedFd, stat: &Stat) -> bool {
    let mut size = stat.st_size;
    for _ in 0..TORN_CHECKS {
        if ends_with_newline(file, size) {
            return false;
        }
        // Or another process is writing: the size grows while its write(2) runs.
        wait_for_writer(file);
        match fstat(file) {
            Ok(stat) if stat.st_size == size => return true,
            Ok(stat) => size = stat.st_size,
            Err(_) => return false,
        }
    }
    false
}

/// Waits for the inode's lock, which the write(2) of another process holds.
///
/// ext4, xfs, btrfs and tmpfs take the lock for a fallocate(2); ext2, ext3, ramfs and FUSE take it for a write(2) of no
/// bytes. If neither waits, an empty line may come between two records.
fn wait_for_writer(file: &OwnedFd) {
    if fallocate(file, FallocateFlags::KEEP_SIZE, 0, 1).is_err() {
        let _ = write(file, &[]);
    }
}

/// Whether the last of `size` bytes is a newline, or there is no byte.
fn ends_with_newline(file: &OwnedFd, size: i64) -> bool {
    let Some(last) = u64::try_from(size).ok().and_then(|size| size.checked_sub(1)) else { return true };
    let mut byte = [b'\n'];
    // Nothing can be read if the file was truncated since, or is open for writing only.
    let _ = pread(file, &mut byte, last);
    byte == [b'\n']
}

/// Opens `path` for appending if only root or we can have put the file there.
fn open_safely(path: &Path) -> Result<(OwnedFd, Stat), AppendError> {
    // NONBLOCK: opening a FIFO must not wait for a reader. NOCTTY: a terminal must not become ours.
    let flags = OFlags::APPEND | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    for _ in 0..OPEN_ATTEMPTS {
        // First without CREATE: with fs.protected_regular even root gets EACCES for O_CREAT on another user's file in a
        // sticky directory, and could not report the problem.
        let opened = match open(path, flags | OFlags::RDWR, Mode::empty()) {
            Err(Errno::NOENT) => create(path, flags),
            // We may write to the file but not read it. Assume that it ends with a newline.
            Err(Errno::ACCESS) => open(path, flags | OFlags::WRONLY, Mode::empty()),
            other => other,
        };
        match opened {
            Ok(file) => {
                let stat = fstat(&file).map_err(io::Error::from)?;
                check(&stat)?;
                // A file without a link was deleted after it was opened.
                if stat.st_nlink > 0 {
                    return Ok((file, stat));
                }
            }
            // EXIST: another process has just created the file.
            Err(Errno::EXIST | Errno::INTR) => {}
            // In a world-writable directory, the creator of the link would choose the file to which root writes.
            Err(Errno::LOOP) => return Err(refused("it is a symbolic link")),
            // A socket.
            Err(Errno::NXIO) => return Err(refused(NOT_REGULAR)),
            Err(Errno::ACCESS) if is_owned_by_root(path) => return Err(AppendError::OwnedByRoot),
            // No file exists that could take a part of the records.
            Err(errno @ (Errno::NOSPC | Errno::DQUOT)) => {
                return Err(AppendError::Refused(format!("cannot create it: {}", io::Error::from(errno))));
            }
            Err(errno) => return Err(io::Error::from(errno).into()),
        }
    }
    Err(io::Error::other("it is created and deleted again and again").into())
}

/// Creates the file with mode 0666 less the umask, but always open to us: with umask 0222 the next append would fail.
fn create(path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
    let file = open(path, flags, Mode::from_raw_mode(0o666))?;
    let mode = Mode::from_raw_mode(fstat(&file)?.st_mode);
    let ours = Mode::RUSR | Mode::WUSR;
    if !mode.contains(ours) {
        fchmod(&file, mode | ours)?;
    }
    Ok(file)
}

/// Whether the file is a regular one, root owns it, and we are not root.
fn is_owned_by_root(path: &Path) -> bool {
    let is_file = |stat: &Stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    !geteuid().is_root() && lstat(path).is_ok_and(|stat| stat.st_uid == 0 && is_file(&stat))
}

/// Refuses a file that another user could have put there or could change.
fn check(stat: &Stat) -> Result<(), AppendError> {
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        Err(refused(NOT_REGULAR))
    } else if stat.st_uid != geteuid().as_raw() && stat.st_uid != 0 {
        // The owner could rewrite or truncate the records.
        Err(AppendError::Refused(format!("it belongs to uid {}, neither to us nor to root", stat.st_uid)))
    } else if stat.st_nlink > 1 {
        // Like a symbolic link, a hard link can lead to another file.
        Err(refused("it has more than one hard link"))
    } else {
        Ok(())
    }
}

/// A FIFO would block, a device or a socket would swallow the records.
const NOT_REGULAR: &str = "it is not a regular file";

fn refused(why: &str) -> AppendError {
    AppendError::Refused(why.to_owned())
}
