//! The pager for a person at a terminal, chosen and started as git does.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, os::unix::ffi::OsStrExt, sync::Arc};

use signal_hook::consts::SIGINT;
use signal_hook::flag;

use crate::exit;

/// The pager if `PAGER` is not set.
const DEFAULT: &str = "less";
/// Git passes a command with one of these characters, or a blank, to a shell. Words are split at blanks here.
const OF_SHELL: &[u8] = b"|&;<>()$`\\\"'\n*?[#~=%";
/// Settings of pagers that the environment does not set, as in git. `less` then shows colours, leaves the text on the
/// screen, and exits at once if the text fits there.
const SETTINGS: [(&str, &str); 2] = [("LESS", "FRX"), ("LV", "-c")];

pub struct Pager {
    child: Child,
    stdin: ChildStdin,
    /// The text that was written, if a shell started the pager. Only the exit status shows whether the shell found it.
    given: Option<Vec<u8>>,
    /// Ctrl-C ends us, as without a pager, except while the pager runs: it then stops a search there, and must not
    /// leave the pager alone with the terminal.
    ctrl_c_ends: Arc<AtomicBool>,
}

impl Pager {
    /// Starts the pager of `PAGER`, or `less`. None if there is no such program, or if `PAGER` is empty or `cat`.
    pub fn start() -> Option<Self> {
        let pager = env::var_os("PAGER").unwrap_or_else(|| OsString::from(DEFAULT));
        let pager = pager.as_bytes().trim_ascii();
        if pager.is_empty() || pager == b"cat" {
            return None;
        }
        let needs_shell = pager.iter().any(|byte| OF_SHELL.contains(byte));
        let mut words = pager.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let (program, arguments) =
            if needs_shell { (&b"/bin/sh"[..], vec![&b"-c"[..], pager]) } else { (words.next()?, words.collect()) };
        let mut command = Command::new(OsStr::from_bytes(program));
        command.args(arguments.into_iter().map(OsStr::from_bytes));
        command.envs(SETTINGS.into_iter().filter(|(name, _)| env::var_os(name).is_none()));
        // Before the pager starts, because it may send the signal at once.
        let ctrl_c_ends = Arc::new(AtomicBool::new(false));
        let _ = flag::register_conditional_default(SIGINT, Arc::clone(&ctrl_c_ends));
        let child = command.stdin(Stdio::piped()).spawn();
        let pager = child.ok().and_then(|mut child| {
            Some(Self {
                stdin: child.stdin.take()?,
                child,
                given: needs_shell.then(Vec::new),
                ctrl_c_ends: Arc::clone(&ctrl_c_ends),
            })
        });
        ctrl_c_ends.store(pager.is_none(), Ordering::Relaxed);
        pager
    }

    /// Ends the text and waits until the person has read it. Returns the text if the pager could not be run.
    pub fn finish(self) -> io::Result<Option<Vec<u8>>> {
        let Self { mut child, stdin, given, ctrl_c_ends } = self;
        drop(stdin);
        let status = exit::of_child(child.wait()?);
        ctrl_c_ends.store(true, Ordering::Relaxed);
        let is_missing = [exit::CANNOT_RUN, exit::NOT_FOUND].contains(&status);
        Ok(given.filter(|_| is_missing))
    }
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.stdin.write(bytes);
        let Some(given) = &mut self.given else { return result };
        // After a broken pipe the text is still collected: it may be wanted without the pager.
        let length = result.unwrap_or(bytes.len());
        given.extend_from_slice(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stdin.flush()
    }
}
