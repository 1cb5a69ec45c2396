//! The ssh that PATH leads to, and the options that keep it at the job.
//!
//! Some settings of `ssh_config(5)` part ssh from the job, so that END tells nothing of it (tried with 9.2):
//!
//! | setting | without the remedy | remedy |
//! | --- | --- | --- |
//! | `ForkAfterAuthentication yes` | ssh goes to the background: END,0 at once | `ForkAfterAuthentication=no` |
//! | `SessionType none` | the script never runs, and ssh never ends | `SessionType=default` |
//! | `StdinNull yes` | the script does not get its standard input | `StdinNull=no` |
//! | `RequestTTY force` | the input is echoed, and its end does not come | `-T` |
//!
//! ssh takes the first value that it sees, so the remedies come first on its command line. The first three
//! settings came with 8.7, and an older ssh would refuse them. So the remedies are given only to a program
//! that holds the name of one of these settings.

use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use memchr::memmem;
use rustix::fs::{Access, access};

/// Found through PATH, as cron's shell would.
pub const NAME: &str = "ssh";

/// The name of a setting in the table of names that ssh compares with.
const KNOWN_SINCE_8_7: &[u8] = b"forkafterauthentication";

/// How much of the program is looked at at once.
const CHUNK: usize = 128 << 10;

/// The ssh that PATH leads to.
pub fn find() -> Option<PathBuf> {
    candidates().find(|path| path.is_file() && access(path, Access::EXEC_OK).is_ok())
}

/// Whether a directory of PATH has a file of that name, whatever it is.
pub fn is_in_path() -> bool {
    candidates().any(|path| path.exists())
}

fn candidates() -> impl Iterator<Item = PathBuf> {
    // Without PATH execvp(3) looks there.
    let path = env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    let dirs: Vec<PathBuf> = env::split_paths(&path).collect();
    dirs.into_iter().map(|dir| dir.join(NAME))
}

/// Whether the file at `path` is a program, and not a script in the place of one.
///
/// # Errors
///
/// It cannot be read.
pub fn is_elf(path: &Path) -> io::Result<bool> {
    let mut magic = [0; 4];
    let read = File::open(path)?.read(&mut magic)?;
    Ok(&magic[..read] == b"\x7fELF")
}

/// The options that keep `ssh` at the job. Another program, a script or an older ssh gets none.
pub fn guards(ssh: &Path) -> &'static [&'static str] {
    match (is_elf(ssh), holds(ssh, KNOWN_SINCE_8_7)) {
        (Ok(true), Ok(true)) => &[
            "-T",
            "-oForkAfterAuthentication=no",
            "-oSessionType=default",
            "-oStdinNull=no",
        ],
        _ => &[],
    }
}

/// Whether the file at `path` holds `text`.
fn holds(path: &Path, text: &[u8]) -> io::Result<bool> {
    let finder = memmem::Finder::new(text);
    let mut file = File::open(path)?;
    let mut buffer = vec![0; CHUNK];
    // The end of one chunk may be the beginning of the text.
    let mut kept = 0;
    loop {
        let length = file.read(&mut buffer[kept..])?;
        if length == 0 {
            return Ok(false);
        }
        let end = kept + length;
        if finder.find(&buffer[..end]).is_some() {
            return Ok(true);
        }
        kept = end.min(text.len() - 1);
        buffer.copy_within(end - kept..end, 0);
    }
}
