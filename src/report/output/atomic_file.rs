//! A file that is replaced as a whole: whoever reads it meanwhile finds the old one or the new one.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// The mode of a file that anybody may read.
const FOR_ALL: u32 = 0o644;

/// The mode of a file that was not there before, less the umask (open(2)).
const NEW: u32 = 0o666;

/// The mode until the file has its own.
const PRIVATE: u32 = 0o600;

/// Who may read the new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, whatever the umask is.
    All,
    /// Those who may read the old one. If there is none, the umask tells.
    AsBefore,
}

/// The new file. It is gone if it is dropped before it is finished.
#[derive(Debug)]
pub struct Replacement {
    path: PathBuf,
    file: NamedTempFile,
    /// The mode that it gets, if it does not have it.
    mode: Option<Permissions>,
}

impl Replacement {
    /// Makes the new file of `path` beside it. Its name begins with a dot and does not end as that of `path`, so that
    /// nobody who looks for `*.prom` reads it.
    ///
    /// # Errors
    ///
    /// There is something other than a file, which must not be replaced, or the directory takes no file.
    pub fn of(path: &Path, access: Access) -> io::Result<Self> {
        // Not through a link: the rename would put the file into its place.
        let old = fs::symlink_metadata(path).ok();
        if old.as_ref().is_some_and(|data| !data.is_file()) {
            let reason =
                "it is not a regular file; tip: give the name of one, or - for standard output";
            return Err(io::Error::other(reason));
        }
        let mode = match access {
            Access::All => Some(Permissions::from_mode(FOR_ALL)),
            Access::AsBefore => old.map(|data| data.permissions()),
        };
        let first = if mode.is_some() { PRIVATE } else { NEW };
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        let mut name = Builder::new();
        name.prefix(".remoteexe-");
        // Beside it: rename(2) works within one filesystem only.
        let file = name.make_in(dir.unwrap_or(Path::new(".")), |path| create(path, first));
        match file {
            Ok(file) => Ok(Self {
                path: path.to_owned(),
                file,
                mode,
            }),
            Err(error) => Err(io::Error::other(format!(
                "no new file can be made beside it: {error}; tip: give a FILE in a directory that you may write to"
            ))),
        }
    }

    /// Puts the new file into its place when it is on the disk.
    ///
    /// # Errors
    ///
    /// The disk did not take it, or the old file may not be replaced, which then stays.
    pub fn finish(self) -> io::Result<()> {
        let file: &File = self.file.as_file();
        if let Some(mode) = self.mode {
            file.set_permissions(mode)?;
        }
        // The name must not come to a file whose bytes a power failure takes away.
        file.sync_all()?;
        self.file.persist(&self.path)?;
        Ok(())
    }
}

fn create(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode).open(path)
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}
