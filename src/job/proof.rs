//! The proof that a program is OpenSSH's own ssh.
//!
//! Another program in its place may start ssh in its own way: with another option before ours, without ours, or as a
//! child that survives the program. Then no marker comes, though the script runs. So only a proved program is trusted.
//! The output of `-V` proves nothing, because a launcher passes the option on.
//!
//! The proof is in the constants of the program's file: the whole table of ssh's options, the messages of its main
//! function, the names of the protocol, and the version. Programs that know OpenSSH have some of these, and no other
//! program has all of them. A program that contains ssh, to unpack and start it, has a second ELF header before them,
//! or has them compressed or after its segments, where nothing is read. While the program runs, `/proc/PID/exe` shows
//! that it is this file: see [`Proved::is_run_by`].

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::{os::unix::fs::MetadataExt, path::PathBuf};

use anyhow::{Context, bail, ensure};
use memchr::{memchr, memmem};
use rustix::buffer::spare_capacity;
use rustix::io::{pread, retry_on_intr};

use super::{openssh::Version, spawn::Child};

/// The first bytes of a program (elf(5)). A script begins with others.
const ELF: &[u8] = b"\x7fELF";
/// The bytes at the start of a program that contain its headers.
const HEADERS: usize = 4 << 10;
/// The constants that are read first, in bytes. Usual linkers put ssh's own before those of its libraries.
const FIRST: usize = 64 << 10;
/// The most constants that are read, in bytes. A statically linked ssh has fewer than 3 MiB.
const MOST: usize = 8 << 20;
/// The longest distance of two keywords in the table, unless the linker sorts them differently.
const NEAR: usize = 128;
/// The bits that give a program another user or group. Not everybody can watch or stop such a process.
const SET_ID: u32 = 0o6000;
/// The keywords of `ssh_config(5)` that every build of 7.4 to 10.5 has, each with its NUL, in the order of its table.
const KEYWORDS: &[u8] = b"\
    kexalgorithms\0forwardagent\0forwardx11\0forwardx11trusted\0forwardx11timeout\0\
    exitonforwardfailure\0xauthlocation\0gatewayports\0passwordauthentication\0\
    kbdinteractivedevices\0pubkeyauthentication\0hostbasedauthentication\0identityfile\0\
    identitiesonly\0certificatefile\0addkeystoagent\0identityagent\0hostkeyalias\0proxycommand\0\
    remoteforward\0localforward\0escapechar\0globalknownhostsfile\0userknownhostsfile\0\
    connectionattempts\0checkhostip\0stricthostkeychecking\0tcpkeepalive\0\
    numberofpasswordprompts\0dynamicforward\0preferredauthentications\0hostkeyalgorithms\0\
    bindaddress\0clearallforwardings\0verifyhostkeydns\0rekeylimit\0connecttimeout\0\
    serveraliveinterval\0serveralivecountmax\0controlpath\0controlmaster\0controlpersist\0\
    hashknownhosts\0permitlocalcommand\0visualhostkey\0requesttty\0proxyusefdpass\0\
    canonicaldomains\0canonicalizehostname\0streamlocalbindunlink\0revokedhostkeys\0\
    fingerprinthash\0";

/// Messages of ssh's main function, its loop and its login. ssh-keysign reads the same options, and has none of these.
const WORDS: [&[u8]; 6] = [
    b"usage: ssh [",
    b"expanding LocalCommand: %s\0",
    b"no-more-sessions@openssh.com\0",
    b"Failed to connect to new control master\0",
    b"eow@openssh.com\0",
    b"No more authentication methods to try.\0",
];

/// A program that is OpenSSH's ssh.
pub struct Proved {
    pub path: PathBuf,
    pub version: Version,
    /// The version in the words of the program.
    pub words: String,
    file: ProgramFile,
}

/// A file under any name, with its contents: a later file may get the inode, or overwrite this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ProgramFile {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl ProgramFile {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

impl Proved {
    /// Proves that the program at `path` is OpenSSH's ssh, without running it.
    pub fn new(path: PathBuf) -> anyhow::Result<Self> {
        let shown = path.display();
        // A program may be executable without being readable.
        let unreadable = || format!("cannot verify {shown}");
        let program = File::open(&path).with_context(unreadable)?;
        let metadata = program.metadata().with_context(unreadable)?;
        let headers = read(&program, 0, HEADERS).with_context(unreadable)?;
        // A script in the place of ssh may drop options, or run ssh twice. So may another program.
        ensure!(headers.starts_with(ELF), "{shown} is not a program but a script; put OpenSSH's ssh before it in PATH");
        // Such a program may run as a user whose processes we can neither see nor end.
        ensure!(metadata.mode() & SET_ID == 0, "{shown} has a set-user-ID or set-group-ID bit");
        let Some((version, words)) = proof(&program, &headers).with_context(unreadable)? else {
            bail!("{shown} is not known as OpenSSH's own ssh; put that before it in PATH");
        };
        Ok(Self { file: ProgramFile::of(&metadata), path, version, words })
    }

    /// Whether `child`, which was started at its path, runs this file and no other: not one that has replaced it, not
    /// what an interpreter (`binfmt_misc`) makes of it, and not a program that it executes.
    ///
    /// A child that is about to exit, or has exited, runs nothing. Then its path must still lead to the file.
    pub fn is_run_by(&self, child: &Child) -> bool {
        let run = fs::metadata(format!("/proc/{}/exe", child.pid));
        let metadata = match run {
            Err(error) if error.kind() == ErrorKind::NotFound => fs::metadata(&self.path),
            other => other,
        };
        metadata.is_ok_and(|metadata| ProgramFile::of(&metadata) == self.file)
    }
}

/// The version of the program with these headers, if its constants are those of OpenSSH's ssh.
fn proof(program: &File, headers: &[u8]) -> io::Result<Option<(Version, String)>> {
    let Some(segments) = constants(headers) else { return Ok(None) };
    for (offset, length) in segments {
        for most in [FIRST, MOST] {
            let constants = read(program, offset, length.min(most))?;
            if let Some(version) = version_in(&constants, offset == 0) {
                return Ok(Some(version));
            }
            if length <= most {
                break;
            }
        }
    }
    Ok(None)
}

/// The version in `constants`, if everything else is there too. They begin with the program's own header or with none.
fn version_in(constants: &[u8], has_header: bool) -> Option<(Version, String)> {
    let begin = if has_header { ELF.len() } else { 0 };
    let version = own_version(constants)?;
    let mut place = 0;
    for keyword in keywords() {
        let near = &constants[place..constants.len().min(place + NEAR)];
        place = match find_string(near, keyword) {
            Some(found) => place + found,
            None => memmem::find(constants, keyword)?,
        };
    }
    let has_words = WORDS.iter().all(|words| memmem::find(constants, words).is_some());
    let is_alone = memmem::find_iter(&constants[begin..], ELF).all(|at| !is_header(&constants[begin + at..]));
    (has_words && is_alone).then_some(version)
}

fn keywords() -> impl Iterator<Item = &'static [u8]> {
    KEYWORDS.split_inclusive(|&byte| byte == 0)
}

/// The place of `wanted` in `strings`, which end with a NUL each. For a few short strings [`memmem`] is slower.
fn find_string(strings: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut begin = 0;
    while !strings[begin..].starts_with(wanted) {
        begin += memchr(0, &strings[begin..])? + 1;
    }
    Some(begin)
}

/// Whether a text that begins like a program continues like one: its class, its byte order, its version and its type
/// (elf(5)). Static programs contain what they compare the headers of libraries with, which is shorter.
fn is_header(text: &[u8]) -> bool {
    let is_one_of = |at: usize, values: &[u8]| text.get(at).is_some_and(|byte| values.contains(byte));
    let kind = text.get(16..18).is_some_and(|kind| matches!(kind, [1..=4, 0] | [0, 1..=4]));
    is_one_of(4, &[1, 2]) && is_one_of(5, &[1, 2]) && is_one_of(6, &[1]) && kind
}

/// The version that a program with these constants has, with its words.
///
/// Constants also have patterns of other versions, such as `OpenSSH_6.6*`. Only the program's own version is followed
/// by the number of the portable release, and has no such star. A fork adds its name there, such as `-hpn`, and a
/// distribution a word of its own.
fn own_version(constants: &[u8]) -> Option<(Version, String)> {
    let mut places = memmem::find_iter(constants, Version::BEGIN);
    places.find_map(|place| {
        let mut strings = constants[place..].split(|&byte| byte == 0);
        let words = strings.next()?;
        let (version, rest) = Version::split(words)?;
        let release = rest.strip_prefix(b"p")?;
        let digits = release.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let is_own = digits > 0 && matches!(release.get(digits), None | Some(b' ')) && !words.contains(&b'*');
        is_own.then(|| (version, String::from_utf8_lossy(words).into_owned()))
    })
}

/// The constants of a program: the offsets and lengths of its read-only segments (elf(5)). The segment with the headers
/// comes last; old linkers make no segment without code.
fn constants(headers: &[u8]) -> Option<Vec<(u64, usize)>> {
    let is_64_bit = *headers.get(4)? == 2;
    let is_little_endian = *headers.get(5)? == 1;
    let number = |at: usize, size: usize| {
        let bytes = headers.get(at..at + size)?;
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        let number = if is_little_endian { bytes.iter().rev().fold(0, join) } else { bytes.iter().fold(0, join) };
        usize::try_from(number).ok()
    };
    // Of the table: its offset, the size of an entry and their number. In an entry: flags, offset and length.
    let ([table, entry, count], [flags, offset, length], word) =
        if is_64_bit { ([32, 54, 56], [4, 8, 32], 8) } else { ([28, 42, 44], [24, 4, 16], 4) };
    let (table, entry, count) = (number(table, word)?, number(entry, 2)?, number(count, 2)?);
    let segments = (0..count).filter_map(|index| {
        let at = table.checked_add(index * entry)?;
        let segment = (number(at + flags, 4)?, number(at + offset, word)?, number(at + length, word)?);
        // PT_LOAD, which is not PF_W.
        (number(at, 4)? == 1 && segment.0 & 2 == 0).then_some(segment)
    });
    let mut segments: Vec<_> = segments.collect();
    // PF_X after the others, and the headers after the rest.
    segments.sort_by_key(|(flags, offset, _)| (flags & 1, *offset == 0));
    segments.into_iter().map(|(_, offset, length)| Some((u64::try_from(offset).ok()?, length))).collect()
}

/// The bytes of `program` from `offset` on, about `length` at most. The memory is not cleared first.
fn read(program: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut contents = Vec::with_capacity(length);
    while contents.len() < length {
        let place = offset + contents.len() as u64;
        if retry_on_intr(|| pread(program, spare_capacity(&mut contents), place))? == 0 {
            break;
        }
    }
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use rustix::process::Signal;

    use super::super::openssh;
    use super::super::spawn::Program;
    use super::*;

    const OTHER: &str = "is not known as OpenSSH's own ssh";

    fn installed() -> PathBuf {
        openssh::find().expect("ssh; install openssh-client")
    }

    /// The reason why a program is not proved.
    fn unproved(path: impl Into<PathBuf>) -> String {
        Proved::new(path.into()).map_or_else(|why| why.to_string(), |_| "proved".to_owned())
    }

    fn unproved_contents(contents: &[u8]) -> String {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("ssh");
        fs::write(&path, contents).expect("a file");
        unproved(path)
    }

    #[test]
    fn the_installed_ssh_is_proved_without_being_run() {
        let said = std::process::Command::new(installed()).arg("-V").output().expect("it runs").stderr;
        let proved = Proved::new(installed()).expect("a proof");
        assert!(said.starts_with(proved.words.as_bytes()));
        assert!(said.starts_with(Version::BEGIN));
    }

    #[test]
    fn a_program_that_lacks_anything_of_ssh_is_not_proved() {
        let ssh = fs::read(installed()).expect("it is read");
        assert_eq!(unproved_contents(&ssh), "proved");
        for text in keywords().chain(WORDS) {
            let mut other = ssh.clone();
            // Another word may end in it.
            while let Some(at) = memmem::find(&other, text) {
                other[at] = b'_';
            }
            assert!(unproved_contents(&other).contains(OTHER), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_program_that_was_written_over_the_proved_one_is_another() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("ssh");
        fs::copy(installed(), &path).expect("it is copied");
        let proved = Proved::new(path.clone()).expect("a proof");
        // By another process: a child of another test may still have a file that this one wrote, and then it cannot run.
        let copy = std::process::Command::new("cp").arg("/bin/sleep").arg(&path).status().expect("cp runs");
        assert!(copy.success());
        let mut program = Program::new(&path);
        program.args(["600"]);
        let child = program.spawn([None; 3]).expect("it runs");
        let is_run = proved.is_run_by(&child);
        child.send(Signal::KILL);
        child.wait().expect("it ends");
        assert!(!is_run);
    }

    #[test]
    fn other_programs_of_openssh_and_a_text_are_not_proved() {
        for (path, why) in [
            ("/usr/bin/ssh-keygen", OTHER),
            ("/usr/bin/scp", OTHER),
            ("/usr/sbin/sshd", OTHER),
            ("/bin/sh", OTHER),
            ("/etc/passwd", "is not a program but a script"),
            ("/nowhere", "cannot verify"),
        ] {
            assert!(unproved(path).contains(why), "{path}");
        }
        // ssh-keysign has the whole table of options, and is set-user-ID where it is installed.
        let keysign = fs::read("/usr/lib/openssh/ssh-keysign").expect("it is read");
        assert!(unproved_contents(&keysign).contains(OTHER));
    }

    #[test]
    fn a_program_that_carries_ssh_in_itself_is_not_proved() {
        let ssh = fs::read(installed()).expect("it is read");
        let shell = fs::read("/bin/sh").expect("it is read");
        // After its segments, as in a program that unpacks itself.
        assert!(unproved_contents(&[shell, ssh.clone()].concat()).contains(OTHER));
        // Among its constants: a whole program, and not only the first bytes of one.
        let headers = &ssh[..HEADERS];
        let (offset, length) = constants(headers).expect("an ELF file")[0];
        let begin = usize::try_from(offset).expect("a small file");
        let constants = &ssh[begin..begin + length];
        assert!(version_in(constants, false).is_some());
        assert!(version_in(&[headers, constants].concat(), false).is_none());
        assert!(version_in(&[headers, constants].concat(), true).is_some());
        assert!(version_in(&[b"\x7fELF\x02\x01\x01\0", constants].concat(), false).is_some());
    }

    #[test]
    fn the_version_of_a_program_is_told_from_the_patterns_of_others_and_from_forks() {
        for (constants, words) in [
            ("OpenSSH_6.6.1*\0OpenSSH_2.5p1*\0OpenSSH_9.6p1 Debian-3\0", Some("OpenSSH_9.6p1 Debian-3")),
            ("x\0OpenSSH_10.5p1\0y", Some("OpenSSH_10.5p1")),
            ("OpenSSH_3.*,OpenSSH_7.0*\0", None),
            ("OpenSSH_2.3.0p1*\0OpenSSH_%i.%i", None),
            ("OpenSSH_8.8p1-hpn15v3\0", None),
            ("OpenSSH_8.0p1b-GSI\0", None),
            ("OpenSSH_8.0p\0", None),
        ] {
            let found = own_version(constants.as_bytes()).map(|(_, words)| words);
            assert_eq!(found.as_deref(), words, "{constants}");
        }
    }
}
