//! The log of one run. It stamps the records and appends them to the daily file, or finds another place.

pub mod file;
pub mod record;

use std::io;
use std::iter;
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, Instant};

use chrono::{DateTime, Local};
use rustix::process::geteuid;

use crate::poll::{write_all_by, write_by};
use file::{AppendError, Cut, Failure, LogName, append};
use record::{Kind, MAX_APPEND, MAX_TEXT, Notice, Prefix};

/// How long the last records may take on their way to a standard error that is slow.
const STDERR_GRACE: Duration = Duration::from_secs(1);

/// The log of one run, from its START to its END.
///
/// No method fails: a log problem must never stop, delay or kill a job.
///
/// Where the daily file is refused or unwritable, the records go to the per-user file beside it. If that
/// does not take them either, they go to standard error.
///
/// Where the disk is full, the records are held, up to [`MAX_APPEND`], and each append tries again. Lines
/// that find no more room are dropped and counted. When the log takes records again, one of them tells
/// how many lines are missing.
///
/// One line on standard error says what is wrong.
#[derive(Debug)]
pub struct Log {
    daily: PathBuf,
    per_user: PathBuf,
    prefix: Prefix,
    /// Records not yet appended, the oldest first.
    pending: Vec<u8>,
    /// How far the first of them is in the daily file nevertheless.
    cut: Option<Cut>,
    /// How many lines came after the pending ones when these had used up the room.
    dropped: u64,
    warned: bool,
}

impl Log {
    /// The log in `dir` of the local day of `start`. Its file stays the same over midnight.
    pub fn new(dir: &Path, start: DateTime<Local>) -> Self {
        let path = |user| {
            let day = start.date_naive();
            dir.join(LogName { day, user }.to_string())
        };
        Self {
            daily: path(None),
            per_user: path(Some(geteuid().as_raw())),
            prefix: Prefix::new(process::id(), start),
            pending: Vec::new(),
            cut: None,
            dropped: 0,
            warned: false,
        }
    }

    /// Appends a record, stamped with the present time; several if it is too long for one.
    pub fn record(&mut self, kind: Kind) {
        self.begin();
        for piece in pieces(&kind.text()) {
            self.push(piece);
        }
        self.flush();
    }

    /// Appends the last record. Nothing stays pending.
    pub fn finish(mut self, kind: Kind) {
        self.begin();
        self.push_count_of_dropped();
        for piece in pieces(&kind.text()) {
            if !self.has_room(piece) {
                self.flush();
            }
            self.prefix.encode(piece, &mut self.pending);
        }
        self.flush();
        self.write_to_stderr(Instant::now() + STDERR_GRACE);
    }

    /// Begins a batch of records, stamped with the present time.
    pub fn begin(&mut self) {
        // An earlier batch may have been too large for the disk: if there is room by now, none of this
        // one is dropped.
        self.flush();
        self.prefix.set(Local::now());
    }

    /// Adds a line of output, without its newline and of at most [`MAX_TEXT`] bytes, to the next append.
    pub fn push(&mut self, text: &[u8]) {
        // Once one is dropped the next are too, until an append has succeeded: they would fill the gap.
        if self.dropped == 0 && !self.has_room(text) {
            self.flush();
        }
        if self.dropped == 0 && self.has_room(text) {
            self.prefix.encode(text, &mut self.pending);
        } else {
            self.dropped += 1;
        }
    }

    /// Appends what is pending.
    pub fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        if let Err(error) = self.append_to_daily() {
            let why = format!("cannot log to {}: {error}", self.daily.display());
            if error.is_transient() {
                self.warn_once(&format!("{why}; holding the records until it can"));
                return;
            }
            self.fall_back(&why);
        }
        if self.dropped > 0 {
            self.push_count_of_dropped();
            self.flush();
        }
    }

    fn has_room(&self, text: &[u8]) -> bool {
        self.pending.len() + self.prefix.encoded_len(text) <= MAX_APPEND
    }

    /// Adds the record that stands for the dropped lines.
    fn push_count_of_dropped(&mut self) {
        if self.dropped > 0 {
            let notice = Kind::Notice(Notice::LinesDropped(self.dropped));
            self.prefix.encode(&notice.text(), &mut self.pending);
            self.dropped = 0;
        }
    }

    fn append_to_daily(&mut self) -> Result<(), AppendError> {
        let appended = append(&self.daily, &self.pending, self.cut.as_ref());
        self.remove_appended(appended)
    }

    fn fall_back(&mut self, why: &str) {
        let appended = append(&self.per_user, &self.pending, None);
        let per_user = self.per_user.display().to_string();
        match self.remove_appended(appended) {
            Ok(()) => self.warn_once(&format!("{why}; logging to {per_user}")),
            Err(error) => {
                self.warn_once(&format!(
                    "{why}; nor to {per_user}: {error}; the records follow"
                ));
                self.write_to_stderr(Instant::now());
            }
        }
    }

    /// Removes from the pending records what has been appended.
    fn remove_appended(&mut self, appended: Result<(), Failure>) -> Result<(), AppendError> {
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

    /// Writes the pending records to standard error, the last resort, as many as it takes by `deadline`.
    fn write_to_stderr(&mut self, deadline: Instant) {
        if write_all_by(deadline, &io::stderr(), &mut self.pending).is_err() {
            // Nobody will ever read it.
            self.pending.clear();
        }
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
