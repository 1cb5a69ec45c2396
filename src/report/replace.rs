//! Replaces a file as a whole: a reader finds the old bytes or the new ones, never a part of them.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tempfile::Builder;
use thiserror::Error;

/// The mode of a new file, less the umask (open(2)).
const MODE: u32 = 0o666;

/// Why a file was not replaced.
#[derive(Debug, Error)]
pub enum ReplaceError {
    /// A rename would put a file in the place of a device, a pipe or a link.
    #[error("{}: it is not a regular file; tip: name a file, or give - for standard output", .0.display())]
    NotAFile(PathBuf),
    /// The system said no.
    #[error("{}: it cannot be written: {}; tip: name a file in a directory that you may write to and that has room", .0.display(), .1)]
    Refused(PathBuf, io::Error),
}

/// Puts `bytes` into the file `path`, which keeps its mode if it is there.
///
/// # Errors
///
/// There is something else than a regular file, or a file cannot be made beside it. The old file is as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), ReplaceError> {
    let refused = |error| ReplaceError::Refused(path.to_owned(), error);
    let mode = match fs::symlink_metadata(path) {
        Ok(old) if !old.is_file() => return Err(ReplaceError::NotAFile(path.to_owned())),
        Ok(old) => Some(old.permissions()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(refused(error)),
    };
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    // Beside it: rename(2) works within one filesystem only.
    let mut file = Builder::new()
        .prefix(".remoteexe-")
        .make_in(dir.unwrap_or(Path::new(".")), create)
        .map_err(refused)?;
    write(file.as_file_mut(), bytes, mode).map_err(refused)?;
    file.persist(path).map_err(|error| refused(error.error))?;
    Ok(())
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(MODE).open(path)
}

fn write(file: &mut File, bytes: &[u8], mode: Option<Permissions>) -> io::Result<()> {
    file.write_all(bytes)?;
    mode.map_or(Ok(()), |mode| file.set_permissions(mode))?;
    // The name must not come to a file whose bytes a power failure takes away.
    file.sync_all()
}
