//! The jobs that are running now.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use chrono::{Local, NaiveDateTime, Timelike};

use super::trace::Trace;
use crate::escape;

/// The remoteexe processes of this machine.
#[derive(Debug)]
pub struct Running {
    /// Their command lines by process id, escaped as in START.
    command_lines: HashMap<u32, Vec<u8>>,
    /// The local time, in whole seconds, at which they were looked for.
    since: NaiveDateTime,
}

impl Running {
    /// Looks for the processes that are there now.
    ///
    /// Call this before the log is read. If a run ends meanwhile, its END may come too late to be read,
    /// and the run must not count as lost.
    pub fn now() -> Self {
        let now = Local::now().naive_local().with_nanosecond(0);
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let remoteexe = processes.filter_map(|process| {
            let pid = process.file_name().to_str()?.parse().ok()?;
            Some((pid, command_line(&process.path())?))
        });
        Self {
            since: now.expect("a second has a nanosecond 0"),
            command_lines: remoteexe.collect(),
        }
    }

    /// Whether this run without END is going on.
    ///
    /// Process ids are used again, so the command line has to have the operands too. A process that has
    /// written a record since was not there yet when they were looked for.
    pub fn includes(&self, run: &Trace) -> bool {
        let words = self.command_lines.get(&run.pid);
        words.is_some_and(|words| words.ends_with(&run.job)) || run.last > self.since
    }
}

/// The command line of a process, if it is a remoteexe. A process that has gone has none.
fn command_line(process: &Path) -> Option<Vec<u8>> {
    let read = |name| fs::read(process.join(name)).ok();
    if read("comm")? != b"remoteexe\n" {
        return None;
    }
    let words = read("cmdline")?;
    let words = words.strip_suffix(b"\0").unwrap_or(&words);
    let words = words.split(|&byte| byte == 0).map(OsStr::from_bytes);
    Some(escape::join(words))
}
