//! Replaces a file atomically: a reader finds the old file or the new one.
//!
//! Others may create files in the directory. So everything is done by descriptors, and no file of others decides who
//! may read or write the new file.

use std::fs::{File, Permissions};
use std::os::fd::{AsFd, OwnedFd};
use std::{ffi::OsString, io, os::unix::fs::PermissionsExt, path::Path};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Stat, fchown, fremovexattr, fstat, openat, renameat, statat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::{getegid, umask};

use super::directory::{is_ours, open_dir};
use crate::random;

const FOR_ALL: u32 = 0o644;
/// The mode of a file that did not exist before, less the umask (open(2)).
const NEW: u32 = 0o666;
/// The bits that are kept of an old file's mode: no set-user-ID, and only the owner writes.
const KEPT: u32 = 0o644;
/// The mode until the file is finished.
const PRIVATE: u32 = 0o600;
/// The directory's owner can set a default ACL, which each new file gets.
const ACL: &str = "system.posix_acl_access";

/// The new file, which is deleted if it is dropped unfinished.
pub struct AtomicFile {
    dir: OwnedFd,
    name: OsString,
    temporary: String,
    pub file: File,
    mode: u32,
}

impl AtomicFile {
    /// Creates the new file beside `path`. Its name begins with a dot and has no extension, so that a search for
    /// `*.prom` does not find it. Fails if `path` is something other than a file, which must not be replaced.
    ///
    /// Anybody may read a public file, whatever the umask. Another file has the readers of the old one, if nobody else
    /// can have made that one. Otherwise the umask decides.
    pub fn of(path: &Path, is_public: bool) -> io::Result<Self> {
        let Some(name) = path.file_name() else { return Err(not_a_file()) };
        let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        // The directory's owner may replace the directory at any time.
        let dir = open_dir(parent.unwrap_or(Path::new("."))).map_err(|error| no_new_file(&error))?;
        // Without following a link, because the rename would replace the link itself.
        let old = statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW).ok();
        if old.as_ref().is_some_and(|old| FileType::from_raw_mode(old.st_mode) != FileType::RegularFile) {
            return Err(not_a_file());
        }
        let facts = fstat(&dir)?;
        let mode = if is_public { FOR_ALL } else { mode(old.as_ref(), &facts) };
        let temporary = random::number().map(|number| format!(".remoteexe-{number:016x}"));
        let temporary = temporary.map_err(|error| no_new_file(&error))?;
        let file = create(&dir, &temporary).map_err(|error| no_new_file(&error))?;
        let new = Self { dir, name: name.to_owned(), temporary, file, mode };
        if !is_ours(facts.st_uid) {
            new.forget_dir()?;
        }
        Ok(new)
    }

    /// Removes what another user's directory gives a new file: a group, and an ACL that names users.
    fn forget_dir(&self) -> io::Result<()> {
        let group = fstat(&self.file)?.st_gid;
        if group != getegid().as_raw() {
            fchown(&self.file, None, Some(getegid()))?;
        }
        match fremovexattr(&self.file, ACL) {
            Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Renames the new file when it is on the disk. If that fails, the old file stays.
    pub fn finish(self) -> io::Result<()> {
        self.file.set_permissions(Permissions::from_mode(self.mode))?;
        // The name must not refer to a file whose bytes are lost in a power failure.
        self.file.sync_all()?;
        renameat(&self.dir, &self.temporary, &self.dir, &self.name)?;
        Ok(())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        // After the rename there is no such file.
        let _ = unlinkat(&self.dir, &self.temporary, AtFlags::empty());
    }
}

fn create(dir: impl AsFd, name: &str) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(dir, name, flags, Mode::from_raw_mode(PRIVATE))?;
    Ok(file.into())
}

/// The mode of the new file in the directory `dir`. Root writes the page, so a bit that is copied from another user's
/// file would become a bit of root's file.
fn mode(old: Option<&Stat>, dir: &Stat) -> u32 {
    let usual = NEW & !current_umask();
    let Some(old) = old.filter(|old| is_ours(old.st_uid)) else { return usual };
    let kept = old.st_mode & KEPT;
    if is_ours_alone(dir) && old.st_nlink == 1 {
        kept
    } else {
        // Another user may have moved or linked one of our files here, with a wider mode than ours.
        kept & usual
    }
}

/// Whether nobody else can put a file of ours into this directory. Into a sticky directory, others can move a file that
/// we wrote in a directory of theirs.
fn is_ours_alone(dir: &Stat) -> bool {
    let may_others_write = Mode::from_raw_mode(dir.st_mode).intersects(Mode::WGRP | Mode::WOTH);
    is_ours(dir.st_uid) && !may_others_write
}

/// The umask, which can only be read by setting one. No other thread creates files meanwhile.
fn current_umask() -> u32 {
    let mask = umask(Mode::RWXG | Mode::RWXO);
    umask(mask);
    mask.as_raw_mode()
}

fn not_a_file() -> io::Error {
    io::Error::other("it is not a regular file; tip: give the name of one, or - for standard output")
}

fn no_new_file(error: &io::Error) -> io::Error {
    let tip = match error.raw_os_error() {
        Some(_) => "give a FILE in a directory that you may write to",
        None => "give a path without that link",
    };
    io::Error::other(format!("no new file can be made beside it: {error}; tip: {tip}"))
}
