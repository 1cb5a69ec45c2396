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
//!
//! A program that holds the version of OpenSSH is taken for that version. `ssh -V` says the same, but costs three
//! times as much as all the rest of a start.

use std::env;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use memchr::memmem;
use rustix::buffer::spare_capacity;
use rustix::fs::{Access, access};
use rustix::io::pread;

use crate::log::record::number;

/// Looked up in PATH, as cron's shell would do.
pub const NAME: &str = "ssh";

/// The name of a setting, as ssh's program holds it in the table of its keywords.
const KNOWN_SINCE_8_7: &[u8] = b"forkafterauthentication";

/// The name of another, which came with 4.3.
const KNOWN_TO_EVERY_CLIENT: &[u8] = b"permitlocalcommand";

/// How a version of OpenSSH begins.
const VERSION: &[u8] = b"OpenSSH_";

/// The first bytes of a program (elf(5)). A script begins with others.
const ELF: &[u8] = b"\x7fELF";

/// How much of the program is searched at once.
const CHUNK: usize = 16 << 10;

/// The most bytes of constants that are read. ssh has fewer than 500 KiB after its code.
const MAX_CONSTANTS: u64 = 4 << 20;

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

/// What to do about a PATH without ssh.
pub fn remedy_for_path() -> String {
    let elsewhere = ["/usr/bin", "/usr/local/bin"].into_iter();
    let mut elsewhere = elsewhere.filter(|dir| Path::new(dir).join(NAME).is_file());
    match elsewhere.next() {
        Some(dir) => format!("add {dir}, where it is, to PATH"),
        None => "install the OpenSSH client (apt-get install openssh-client)".to_owned(),
    }
}

fn candidates() -> impl Iterator<Item = PathBuf> {
    // Without PATH, execvp(3) looks in these directories.
    let path = env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    let dirs: Vec<PathBuf> = env::split_paths(&path).collect();
    dirs.into_iter().map(|dir| dir.join(NAME))
}

/// A version of OpenSSH: its major and its minor number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl Version {
    /// Reads what `ssh -V` prints, such as `OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.17`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        Self::split(text).map(|(version, _)| version)
    }

    /// Reads a version at the beginning of `text`, and gives it with the rest.
    fn split(text: &[u8]) -> Option<(Self, &[u8])> {
        let (major, rest) = leading_number(text.strip_prefix(VERSION)?)?;
        let (minor, rest) = leading_number(rest.strip_prefix(b".")?)?;
        Some((Self(major, minor), rest))
    }
}

/// The words of the version that a program with these constants has.
///
/// They also hold patterns of other versions, such as `OpenSSH_6.6*`. Only its own is followed by the number of
/// the portable release, and has no such star.
fn own_version(constants: &[u8]) -> Option<String> {
    let mut places = memmem::find_iter(constants, VERSION);
    places.find_map(|place| {
        let mut strings = constants[place..].split(|&byte| byte == 0);
        let words = strings.next()?;
        let (_, rest) = Version::split(words)?;
        let is_own = rest.starts_with(b"p") && !words.contains(&b'*');
        is_own.then(|| String::from_utf8_lossy(words).into_owned())
    })
}

fn leading_number(text: &[u8]) -> Option<(u32, &[u8])> {
    let is_other = |byte: &u8| !byte.is_ascii_digit();
    let (digits, rest) = text.split_at(text.iter().position(is_other).unwrap_or(text.len()));
    Some((number(digits)?, rest))
}

/// The program in the place of ssh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A client of OpenSSH, with the words of its version.
    OpenSsh(String),
    /// A program that has to be asked for its version.
    Unknown,
    /// No program: it may do anything.
    Script,
}

/// Tells from the contents of the file at `path` which program it is.
///
/// # Errors
///
/// It cannot be read.
pub fn kind(path: &Path) -> io::Result<Kind> {
    let program = File::open(path)?;
    let headers = headers(&program)?;
    if !headers.starts_with(ELF) {
        return Ok(Kind::Script);
    }
    let constants = read_from(&program, constants(&headers).unwrap_or(0))?;
    // The words of other parts of OpenSSH, and of programs that know OpenSSH, have the version alone.
    let is_client = memmem::find(&constants, KNOWN_TO_EVERY_CLIENT).is_some();
    let version = own_version(&constants).filter(|_| is_client);
    Ok(version.map_or(Kind::Unknown, Kind::OpenSsh))
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

/// The contents of `program` from `begin` on.
fn read_from(mut program: &File, begin: u64) -> io::Result<Vec<u8>> {
    let mut contents = Vec::new();
    program.seek(SeekFrom::Start(begin))?;
    program.take(MAX_CONSTANTS).read_to_end(&mut contents)?;
    Ok(contents)
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
    fn the_version_of_openssh_is_read_from_its_own_words() {
        for (text, version) in [
            (
                "OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026",
                Some(Version(9, 2)),
            ),
            ("OpenSSH_7.6p1, LibreSSL 2.6.2", Some(Version(7, 6))),
            (
                "OpenSSH_10.0p2 Debian-7, OpenSSL 3.5.1",
                Some(Version(10, 0)),
            ),
            ("Dropbear v2022.83", None),
            ("OpenSSH_", None),
            ("OpenSSH_9", None),
            ("", None),
        ] {
            assert_eq!(Version::parse(text.as_bytes()), version, "{text}");
        }
    }

    #[test]
    fn the_version_of_a_program_is_told_from_the_patterns_of_others() {
        for (constants, version) in [
            (
                "OpenSSH_6.6.1*\0OpenSSH_2.5p1*\0OpenSSH_9.6p1 Debian-3\0",
                Some("OpenSSH_9.6p1 Debian-3"),
            ),
            ("x\0OpenSSH_10.5p1\0y", Some("OpenSSH_10.5p1")),
            ("OpenSSH_3.*,OpenSSH_7.0*\0", None),
            ("OpenSSH_2.3.0p1*\0OpenSSH_%i.%i", None),
        ] {
            let found = own_version(constants.as_bytes());
            assert_eq!(found.as_deref(), version, "{constants}");
        }
    }

    #[test]
    fn the_installed_ssh_is_known_without_being_run() {
        let ssh = find().expect("ssh; install openssh-client");
        let said = std::process::Command::new(&ssh).arg("-V").output();
        let said = Version::parse(&said.expect("it runs").stderr).expect("OpenSSH");
        let Kind::OpenSsh(words) = kind(&ssh).expect("it is read") else {
            panic!("{} is not known", ssh.display());
        };
        assert_eq!(Version::parse(words.as_bytes()), Some(said));
        let shell = kind(Path::new("/bin/sh")).expect("it is read");
        assert_eq!(shell, Kind::Unknown);
        let text = kind(Path::new("/etc/passwd")).expect("it is read");
        assert_eq!(text, Kind::Script);
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
