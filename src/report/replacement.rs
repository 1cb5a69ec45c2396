//! A file that is replaced as a whole: whoever reads it meanwhile finds the old one or the new one.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Anybody may read the file: `node_exporter` runs as a user of its own.
const MODE: u32 = 0o644;

/// The new file. It is gone if it is dropped before it is finished.
#[derive(Debug)]
pub struct Replacement {
    path: PathBuf,
    file: NamedTempFile,
}

impl Replacement {
    /// Makes the new file of `path` beside it. Its name begins with a dot and does not end as that of `path`, so that
    /// nobody who looks for `*.prom` reads it.
    ///
    /// # Errors
    ///
    /// There is something other than a file, which must not be replaced, or the directory takes no file.
    pub fn of(path: &Path) -> io::Result<Self> {
        if fs::metadata(path).is_ok_and(|data| !data.is_file()) {
            let reason =
                "it is not a regular file; tip: without -o the report goes to standard output";
            return Err(io::Error::other(reason));
        }
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        let dir = dir.unwrap_or(Path::new("."));
        let path = path.to_owned();
        match NamedTempFile::with_prefix_in(".remoteexe-", dir) {
            Ok(file) => Ok(Self { path, file }),
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
        // Not through the umask.
        file.set_permissions(Permissions::from_mode(MODE))?;
        file.sync_all()?;
        self.file.persist(&self.path)?;
        Ok(())
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}
