//! The log of one run: stamps its records and brings them to the daily file, whatever is wrong there.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Local};
use rustix::process::geteuid;

use crate::logfile::append;
use crate::record::Prefix;

/// The most bytes that one append carries; always whole records.
const MAX_APPEND: usize = 1 << 20;

/// The log of one run, from its START to its END.
///
/// No method fails: a log problem must never stop, delay or kill a job. Records that the daily file
/// does not take go to the per-user file beside it, and what that does not take either to standard
/// error; a single line on standard error says why.
#[derive(Debug)]
pub struct Log {
    daily: PathBuf,
    per_user: PathBuf,
    prefix: Prefix,
    /// Records not yet appended.
    batch: Vec<u8>,
    warned: bool,
}

impl Log {
    /// The log in `dir` of the local day of `start`, which stays the same over midnight.
    pub fn new(dir: &Path, start: DateTime<Local>) -> Self {
        let name = format!("{}_remoteexe", start.format("%Y%m%d"));
        let mut prefix = Prefix::new(std::process::id());
        prefix.set(start);
        Self {
            daily: dir.join(format!("{name}.log")),
            per_user: dir.join(format!("{name}.{}.log", geteuid().as_raw())),
            prefix,
            batch: Vec::new(),
            warned: false,
        }
    }

    /// Appends a record of `text`, which holds no newline, stamped with the present time.
    pub fn record(&mut self, text: &[u8]) {
        self.stamp_now();
        self.push(text);
        self.flush();
    }

    /// Stamps the records that follow with the present time.
    pub fn stamp_now(&mut self) {
        self.prefix.set(Local::now());
    }

    /// Adds a record of `text`, which holds no newline, to the next append.
    pub fn push(&mut self, text: &[u8]) {
        if self.batch.len() + self.prefix.encoded_len(text) > MAX_APPEND {
            self.flush();
        }
        self.prefix.encode(text, &mut self.batch);
    }

    /// Appends what has been pushed.
    pub fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        if let Err(error) = append(&self.daily, &self.batch) {
            let why = format!("cannot log to {}: {error}", self.daily.display());
            self.fall_back(&why);
        }
        self.batch.clear();
    }

    fn fall_back(&mut self, why: &str) {
        let per_user = self.per_user.display();
        match append(&self.per_user, &self.batch) {
            Ok(()) => {
                let warning = format!("{why}; logging to {per_user}");
                self.warn_once(&warning);
            }
            Err(error) => {
                let warning = format!("{why}; nor to {per_user}: {error}; the records follow");
                self.warn_once(&warning);
                // There is no place left to report a failure to.
                let _ = io::stderr().write_all(&self.batch);
            }
        }
    }

    fn warn_once(&mut self, warning: &str) {
        if !self.warned {
            self.warned = true;
            let _ = writeln!(io::stderr(), "remoteexe: {warning}");
        }
    }
}
