//! Finds settings of `ssh_config(5)` that separate ssh from the job, in ssh's files.
//!
//! Only a program that is proved to be ssh gets guards against such settings. For another program the files show at
//! least whether there is anything to guard against.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::{env, io::Read};

use rustix::process::getuid;

use super::ssh::Ssh;
use crate::passwd;

/// Keywords with which ssh can return 0 without the job, in lower case. An included file may have one.
const SEPARATING: [&str; 4] = ["forkafterauthentication", "sessiontype", "stdinnull", INCLUDE];
const INCLUDE: &str = "include";
/// A distribution may have made the system's file include this directory (Debian, RHEL).
const SYSTEM: &str = "/etc/ssh/ssh_config";
const SYSTEM_DIRECTORY: &str = "/etc/ssh/ssh_config.d";
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Whether a configuration file of `ssh` has a setting that can separate ssh from the job. `cli` refuses such options.
pub fn may_separate(ssh: &Ssh) -> bool {
    if let Some(file) = &ssh.config {
        return file_separates(file);
    }
    home().map(|home| home.join(".ssh/config")).is_some_and(|file| file_separates(&file))
        || file_separates(Path::new(SYSTEM))
        || fs::read_dir(SYSTEM_DIRECTORY).into_iter().flatten().flatten().any(|entry| file_separates(&entry.path()))
}

/// The user's home. ssh asks the system, and not the environment, in which a crontab may set another.
fn home() -> Option<PathBuf> {
    let (passwd, user) = (passwd::read(), getuid().as_raw());
    let entry = passwd::entries(&passwd).find(|entry| entry.uid == user);
    entry.and_then(|entry| entry.home).map(Path::to_owned).or_else(|| env::var_os("HOME").map(PathBuf::from))
}

fn file_separates(file: &Path) -> bool {
    // Reading a pipe, such as that of `-F <(…)`, would wait: ssh has read it to its end.
    if !file.is_file() {
        return false;
    }
    let mut text = Vec::new();
    // ssh cannot read such a file either.
    let read = File::open(file).and_then(|file| file.take(MAX_FILE_BYTES).read_to_end(&mut text));
    // The system's file has this `Include` from the distribution, and the files there are read here.
    let known = Some(SYSTEM_DIRECTORY).filter(|_| file == Path::new(SYSTEM));
    read.is_ok() && has_setting(&String::from_utf8_lossy(&text), known)
}

/// Whether a line of `text` begins with one of the keywords. An `Include` of `known` files does not count. ssh ignores
/// case, and takes blanks or `=` after a keyword.
fn has_setting(text: &str, known: Option<&str>) -> bool {
    text.lines().any(|line| {
        let mut words = line.split([' ', '\t', '"', '=']).filter(|word| !word.is_empty());
        let keyword = words.next().unwrap_or_default();
        let is_known = |file: &str| known.is_some_and(|known| file.starts_with(known));
        SEPARATING.iter().any(|setting| setting.eq_ignore_ascii_case(keyword))
            && !(INCLUDE.eq_ignore_ascii_case(keyword) && words.all(is_known))
    })
}
