//! Opens a directory by a path on which strangers may have put links.

use std::path::{Component, Path, PathBuf};
use std::{ffi::OsStr, io, os::fd::OwnedFd, os::unix::ffi::OsStrExt};

use rustix::fs::{FileType, Mode, OFlags, fstat, open, openat, readlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

/// The most links on a path, as in the kernel (`path_resolution(7)`).
const MOST_LINKS: usize = 40;

/// Opens the directory `path`.
///
/// A stranger's link leads to a directory of that stranger's, or nowhere: root must not write where another points to.
///
/// # Errors
///
/// There is no such directory, or a stranger's link leads to somebody else's directory.
pub fn open_dir(path: &Path) -> io::Result<OwnedFd> {
    let open_here = |name| open(name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
    let mut dir = open_here(".")?;
    let mut rest = path.to_owned();
    let (mut links, mut strangers) = (0, Vec::new());
    while let Some(part) = rest.components().next() {
        let after = rest.components().skip(1).collect::<PathBuf>();
        if part == Component::RootDir {
            dir = open_here("/")?;
            rest = after;
            continue;
        }
        // Each part is examined by its descriptor, so that nobody can replace the part meanwhile.
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let next = openat(&dir, part.as_os_str(), flags, Mode::empty())?;
        let facts = fstat(&next)?;
        if FileType::from_raw_mode(facts.st_mode) != FileType::Symlink {
            (dir, rest) = (next, after);
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(Errno::LOOP.into());
        }
        let target = readlinkat(&next, "", Vec::new())?;
        rest = Path::new(OsStr::from_bytes(target.as_bytes())).join(after);
        strangers.extend(Some(facts.st_uid).filter(|uid| !is_ours(*uid)));
    }
    let owner = fstat(&dir)?.st_uid;
    match strangers.iter().find(|uid| **uid != owner) {
        Some(uid) => Err(io::Error::other(format!(
            "a link of uid {uid} on its path leads to a directory that is not that user's"
        ))),
        None => Ok(dir),
    }
}

/// Whether a file of this user counts as our own.
pub fn is_ours(uid: u32) -> bool {
    uid == 0 || uid == geteuid().as_raw()
}
