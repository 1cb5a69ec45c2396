//! The log of one run: stamps its records and brings them to the daily file, whatever is wrong there.

mod file;
pub mod record;

use std::io;
use std::iter;
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, Instant};

use chrono::{DateTime, Local};
use rustix::process::geteuid;

use crate::poll::write_by;
use file::{AppendError, Cut, Failure, append};
use record::{MAX_APPEND, MAX_TEXT, Prefix};

/// How long the last records may take on their way to a standard error that is slow.
const STDERR_GRACE: Duration = Duration::from_secs(1);

/// The log of one run, from its START to its END.
///
/// No method fails: a log problem must never stop, delay or kill a job. Where the daily file is
/// refused or unwritable, records go to the per-user file beside it, and what that does not take
/// either to standard error. Where it is only full, they are held and tried again with each append;
/// when more come than can be held, they are counted, and the log says how many are missing as soon as
/// it takes records again. A single line on standard error says what is wrong.
#[derive(Debug)]
pub struct Log {
    daily: PathBuf,
    per_user: PathBuf,
    prefix: Prefix,
    /// Records not yet appended, the oldest first.
    pending: Vec<u8>,
    /// How far the first of them is in the daily file nevertheless.
    cut: Option<Cut>,
    /// How many records came after the pending ones and were dropped.
    lost: u64,
    warned: bool,
}

impl Log {
    /// The log in `dir` of the local day of `start`, which stays the same over midnight.
    pub fn new(dir: &Path, start: DateTime<Local>) -> Self {
        let name = format!("{}_remoteexe", start.format("%Y%m%d"));
        Self {
            daily: dir.join(format!("{name}.log")),
            per_user: dir.join(format!("{name}.{}.log", geteuid().as_raw())),
            prefix: Prefix::new(process::id(), start),
            pending: Vec::new(),
            cut: None,
            lost: 0,
            warned: false,
        }
    }

    /// Appends a record of `text`, which holds no newline, stamped with the present time; several if
    /// it is too long for one.
    pub fn record(&mut self, text: &[u8]) {
        self.begin();
        for piece in pieces(text) {
            self.push(piece);
        }
        self.flush();
    }

    /// Appends the last record, of `text`, and leaves nothing pending.
    pub fn finish(mut self, text: &[u8]) {
        self.begin();
        self.push_loss();
        for piece in pieces(text) {
            if !self.has_room(piece) {
                self.flush();
            }
            self.prefix.encode(piece, &mut self.pending);
        }
        self.flush();
        self.pour_out(Instant::now() + STDERR_GRACE);
    }

    /// Begins a batch of records, stamped with the present time.
    pub fn begin(&mut self) {
        // What an earlier batch could not append: if there is room by now, none of this one is lost.
        self.flush();
        self.prefix.set(Local::now());
    }

    /// Adds a record of `text`, which holds no newline and at most [`MAX_TEXT`] bytes, to the next
    /// append.
    pub fn push(&mut self, text: &[u8]) {
        // Once one is lost the next are too, until an append has succeeded: they would fill the gap.
        if self.lost == 0 && !self.has_room(text) {
            self.flush();
        }
        if self.lost == 0 && self.has_room(text) {
            self.prefix.encode(text, &mut self.pending);
        } else {
            self.lost += 1;
        }
    }

    /// Appends what is pending.
    pub fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        if let Err(error) = self.append_to_daily() {
            let why = format!("cannot log to {}: {error}", self.daily.display());
            if error.is_passing() {
                self.warn_once(&format!("{why}; holding the records until it can"));
                return;
            }
            self.fall_back(&why);
        }
        if self.lost > 0 {
            self.push_loss();
            self.flush();
        }
    }

    fn has_room(&self, text: &[u8]) -> bool {
        self.pending.len() + self.prefix.encoded_len(text) <= MAX_APPEND
    }

    /// Adds the record that stands for the lost ones.
    fn push_loss(&mut self) {
        if self.lost > 0 {
            let text = format!("remoteexe: {} lines lost, the log was full", self.lost);
            self.prefix.encode(text.as_bytes(), &mut self.pending);
            self.lost = 0;
        }
    }

    fn append_to_daily(&mut self) -> Result<(), AppendError> {
        let appended = append(&self.daily, &self.pending, self.cut.as_ref());
        self.settle(appended)
    }

    fn fall_back(&mut self, why: &str) {
        let appended = append(&self.per_user, &self.pending, None);
        let per_user = self.per_user.display().to_string();
        match self.settle(appended) {
            Ok(()) => self.warn_once(&format!("{why}; logging to {per_user}")),
            Err(error) => {
                self.warn_once(&format!(
                    "{why}; nor to {per_user}: {error}; the records follow"
                ));
                self.pour_out(Instant::now());
            }
        }
    }

    /// Takes off the pending records what has been appended.
    fn settle(&mut self, appended: Result<(), Failure>) -> Result<(), AppendError> {
        let Err(Failure { error, cut }) = appended else {
            self.pending.clear();
            self.cut = None;
            return Ok(());
        };
        if let Some(mut cut) = cut {
            let whole = self.pending[..cut.written]
                .iter()
                .rposition(|&byte| byte == b'\n')
                .map_or(0, |newline| newline + 1);
            self.pending.drain(..whole);
            cut.written -= whole;
            self.cut = Some(cut);
        }
        Err(error)
    }

    /// Writes what is pending to standard error, the last place there is, as far as it takes it by
    /// `deadline`.
    fn pour_out(&mut self, deadline: Instant) {
        let stderr = io::stderr();
        let mut written = 0;
        while written < self.pending.len() {
            match write_by(deadline, &stderr, &self.pending[written..]) {
                Ok(0) if deadline <= Instant::now() => break,
                Ok(length) => written += length,
                Err(_) => written = self.pending.len(),
            }
        }
        self.pending.drain(..written);
        self.cut = None;
    }

    fn warn_once(&mut self, warning: &str) {
        if !self.warned {
            self.warned = true;
            let warning = format!("remoteexe: {warning}\n");
            let _ = write_by(Instant::now(), &io::stderr(), warning.as_bytes());
        }
    }
}

/// `text` in pieces that fit into a record each; an empty text is one of them.
fn pieces(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (first, rest) = text.split_at(text.len().min(MAX_TEXT));
    iter::once(first).chain(rest.chunks(MAX_TEXT))
}
