//! The scripts that a command starts on this machine, which may call remoteexe.

use std::path::{Path, PathBuf};
use std::{ffi::OsStr, fs, io::Read, os::unix::ffi::OsStrExt};

use super::calls::line_may_run;
use super::lexer::{Word, base_name, tokens};
use super::walk::{Effect, Position, Visitor, walk};
use super::wrappers::{is_shell, unwrap};
use crate::cron::crontab::variables::Variables;

/// The most bytes of a script that are read.
const LARGEST: u64 = 64 << 10;

/// The first script of `text` that has remoteexe as a word, outside of comments.
pub fn calling_script(text: &[u8], variables: &Variables) -> Option<PathBuf> {
    let mut programs = Programs(Vec::new());
    walk(tokens(text, variables).ok()?, Position::default(), &mut programs).ok()?;
    let mut paths = programs.0.into_iter().filter_map(|name| {
        let name = PathBuf::from(OsStr::from_bytes(&name));
        // An absolute name replaces the directory.
        let dirs = variables.path().split(|byte| *byte == b':').map(OsStr::from_bytes);
        let paths: Vec<PathBuf> = dirs.map(|dir| Path::new(dir).join(&name)).collect();
        paths.into_iter().find(|path| path.is_absolute() && path.is_file())
    });
    paths.find(|path| calls(path))
}

fn calls(path: &Path) -> bool {
    let mut text = Vec::new();
    let file = fs::File::open(path);
    let read = file.and_then(|file| file.take(LARGEST).read_to_end(&mut text));
    let mut lines = text.split(|byte| *byte == b'\n');
    read.is_ok() && text.starts_with(b"#!") && lines.any(line_may_run)
}

/// The programs that a command starts, and the scripts that it gives to a shell.
struct Programs(Vec<Vec<u8>>);

impl Visitor for Programs {
    fn simple(&mut self, words: &[Word], _: Position) -> Effect {
        let command = unwrap(words).command;
        let name = command.first().map_or(&b""[..], |program| base_name(&program.text));
        let is_shell = is_shell(name) || matches!(name, b"." | b"source");
        let mut words = command.iter().skip(usize::from(is_shell));
        let script = words.find(|word| !is_shell || !word.text.starts_with(b"-"));
        self.0.extend(script.filter(|word| word.expansion.is_none()).map(|word| word.text.clone()));
        Effect::UNKNOWN
    }
}
