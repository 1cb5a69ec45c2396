//! The ssh in PATH, and the options that guard a job against some settings of `ssh_config(5)`.
//!
//! These settings separate ssh from the job, so that END says nothing about the job (tried with 9.2):
//!
//! | setting | without the remedy | remedy |
//! | --- | --- | --- |
//! | `ForkAfterAuthentication yes` | ssh goes to the background: END,0 at once | `ForkAfterAuthentication=no` |
//! | `SessionType none` | the script never runs, and ssh never ends | `SessionType=default` |
//! | `StdinNull yes` | the script does not get its standard input | `StdinNull=no` |
//! | `RequestTTY force` | the input is echoed, and its end never reaches the script | `-T` |
//!
//! ssh takes the first value that it sees, so the remedies come first on its command line. The first three
//! settings came with 8.7, and an older ssh would refuse them. So the remedies are given only to a program
//! that holds the name of one of these settings.

use std::env;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use memchr::memmem;
use rustix::buffer::spare_capacity;
use rustix::fs::{Access, access};
use rustix::io::pread;

/// Looked up in PATH, as cron's shell would do.
pub const NAME: &str = "ssh";

/// The name of a setting, as ssh's program holds it in the table of its keywords.
const KNOWN_SINCE_8_7: &[u8] = b"forkafterauthentication";

/// The first bytes of a program (elf(5)). A script begins with others.
const ELF: &[u8] = b"\x7fELF";

/// How much of the program is searched at once.
const CHUNK: usize = 16 << 10;

/// How many bytes at the start of a program hold its headers.
const HEADERS: usize = 4 << 10;

/// The first ssh in PATH that can be run.
pub fn find() -> Option<PathBuf> {
    candidates().find(|path| path.is_file() && access(path, Access::EXEC_OK).is_ok())
}

/// Whether a directory of PATH has anything named ssh, even if it cannot be run.
pub fn has_anything_in_path() -> bool {
    candidates().any(|path| path.exists())
}

fn candidates() -> impl Iterator<Item = PathBuf> {
    // Without PATH, execvp(3) looks in these directories.
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
    Ok(headers(&File::open(path)?)?.starts_with(ELF))
}

/// The remedies that `ssh` understands. Another program, a script or an older ssh gets none.
pub fn guards(ssh: &Path) -> &'static [&'static str] {
    if knows_guards(ssh).unwrap_or(false) {
        &[
            "-T",
            "-oForkAfterAuthentication=no",
            "-oSessionType=default",
            "-oStdinNull=no",
        ]
    } else {
        &[]
    }
}

fn knows_guards(ssh: &Path) -> io::Result<bool> {
    let program = File::open(ssh)?;
    let headers = headers(&program)?;
    if !headers.starts_with(ELF) {
        return Ok(false);
    }
    // A search of the whole program takes 0.4 ms.
    holds(&program, constants(&headers).unwrap_or(0), KNOWN_SINCE_8_7)
}

fn headers(program: &File) -> io::Result<Vec<u8>> {
    let mut headers = Vec::with_capacity(HEADERS);
    pread(program, spare_capacity(&mut headers), 0)?;
    Ok(headers)
}

/// Where the constants of a 64-bit little-endian program begin: its first read-only segment after the one
/// that holds the headers (elf(5)).
fn constants(headers: &[u8]) -> Option<u64> {
    let number = |at: usize, size: usize| {
        let bytes = headers.get(at..at + size)?.iter().rev();
        Some(bytes.fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    let (first, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    let is_64_bit_little_endian = headers.get(4..6)? == [2, 1];
    let entries = (0..count).filter_map(|index| usize::try_from(first + index * size).ok());
    let mut segments = entries.filter_map(|at| {
        let (kind, flags, offset) = (number(at, 4)?, number(at + 4, 4)?, number(at + 8, 8)?);
        // PT_LOAD, PF_R.
        (kind == 1 && flags == 4 && offset > 0).then_some(offset)
    });
    segments.next().filter(|_| is_64_bit_little_endian)
}

/// Whether `program` holds `text` from `begin` on.
fn holds(program: &File, begin: u64, text: &[u8]) -> io::Result<bool> {
    let finder = memmem::Finder::new(text);
    let mut buffer = Vec::with_capacity(CHUNK);
    let mut offset = begin;
    loop {
        let length = pread(program, spare_capacity(&mut buffer), offset)?;
        if length == 0 {
            return Ok(false);
        }
        offset += length as u64;
        if finder.find(&buffer).is_some() {
            return Ok(true);
        }
        // The end of one chunk may be the beginning of the text.
        let kept = buffer.len().min(text.len() - 1);
        buffer.drain(..buffer.len() - kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_wherever_the_chunks_are_cut() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("program");
        for before in [0, CHUNK - 30, CHUNK - 1, CHUNK, 2 * CHUNK - 7] {
            let program = [&vec![b'x'; before], KNOWN_SINCE_8_7, b"y"].concat();
            std::fs::write(&path, program).expect("a file");
            let program = File::open(&path).expect("a file");
            for (begin, found) in [(0, true), (before, true), (before + 1, false)] {
                let held = holds(&program, begin as u64, KNOWN_SINCE_8_7).expect("it is read");
                assert_eq!(held, found, "{before}, from {begin}");
            }
        }
    }

    #[test]
    fn only_an_ssh_gets_the_guards() {
        let ssh = find().expect("ssh; install openssh-client");
        assert_eq!(guards(&ssh).len(), 4);
        let headers = headers(&File::open(&ssh).expect("a file")).expect("it is read");
        assert!(constants(&headers).is_some());
        for other in ["/bin/sh", "/etc/passwd", "/nowhere"] {
            assert_eq!(guards(Path::new(other)), [""; 0], "{other}");
        }
    }
}
