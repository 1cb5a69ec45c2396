//! Finds settings of `ssh_config(5)` that separate ssh from the job, in ssh's files.
//!
//! Only a program that is proved to be ssh gets guards against such settings. For another program the files show at
//! least whether there is anything to guard against.

use std::env;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::ssh::Ssh;

/// Keywords with which ssh can return 0 without the job, in lower case. An included file may have one.
const SEPARATING: [&str; 4] = ["forkafterauthentication", "sessiontype", "stdinnull", "include"];

/// A distribution may have made the system's file include this directory (Debian, RHEL).
const SYSTEM: &str = "/etc/ssh/ssh_config";
const SYSTEM_DIRECTORY: &str = "/etc/ssh/ssh_config.d";

/// In bytes.
const MAX_FILE: u64 = 1 << 20;

/// Whether a configuration file of `ssh` has a setting that can separate ssh from the job. `cli` refuses such options.
pub fn may_separate(ssh: &Ssh) -> bool {
    if let Some(file) = &ssh.config {
        return file_has(file, &SEPARATING);
    }
    let users = env::var_os("HOME").map(|home| Path::new(&home).join(".ssh/config"));
    // The `Include` in the system's file comes from the distribution, and the files in that directory are read here.
    let [settings @ .., _] = &SEPARATING;
    users.is_some_and(|file| file_has(&file, &SEPARATING))
        || file_has(Path::new(SYSTEM), settings)
        || system_files().any(|file| file_has(&file, &SEPARATING))
}

fn system_files() -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(SYSTEM_DIRECTORY).into_iter().flatten();
    entries.flatten().map(|entry| entry.path())
}

fn file_has(file: &Path, keywords: &[&str]) -> bool {
    // Reading a pipe, such as that of `-F <(…)`, would wait: ssh has read it to its end.
    if !file.is_file() {
        return false;
    }
    let mut text = Vec::new();
    // ssh cannot read such a file either.
    let read = File::open(file).and_then(|file| file.take(MAX_FILE).read_to_end(&mut text));
    read.is_ok() && has_setting(&String::from_utf8_lossy(&text), keywords)
}

/// Whether a line of `text` begins with one of the keywords. ssh ignores case, and takes blanks or `=` after a keyword.
fn has_setting(text: &str, keywords: &[&str]) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start_matches([' ', '\t', '"']);
        let keyword = line.split(|next: char| !next.is_ascii_alphanumeric()).next();
        keyword.is_some_and(|word| keywords.iter().any(|known| known.eq_ignore_ascii_case(word)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_found_in_any_form_that_ssh_reads_and_not_in_a_comment() {
        for text in [
            "ForkAfterAuthentication yes",
            "Host h\n\tforkafterauthentication=yes\n",
            "  SessionType = none",
            "Include other",
        ] {
            assert!(has_setting(text, &SEPARATING), "{text}");
        }
        for text in ["", "# SessionType none", "Host sessiontype", "SessionTypes none"] {
            assert!(!has_setting(text, &SEPARATING), "{text}");
        }
    }
}
