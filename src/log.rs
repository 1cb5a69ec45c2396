//! The log of one run. Stamps the records, and appends them to the daily file or elsewhere.

pub mod file;
pub mod record;
mod syslog;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fmt::Write, iter, mem, process};

use chrono::{DateTime, Local};
use rustix::process::geteuid;
use rustix::stdio::stderr;

use crate::{escape::printable, random, writer::Writer};
use file::{AppendError, Cut, LogName, append};
use record::{Kind, MAX_APPEND, MAX_TEXT, Notice, Prefix, needs_mark};

/// The time that a slow standard error may take for the last records.
const STDERR_GRACE: Duration = Duration::from_secs(1);

/// The log of one run, from START to END.
///
/// No method fails: a log problem must never stop, delay or kill a job.
///
/// If the daily file is refused or unwritable, the records go to the per-user file beside it; if that fails too, to a
/// file of this run, which nobody can create in advance. If the directory takes nothing at all, they go to standard
/// error, and all but the output also to syslog.
///
/// If the disk is full, up to [`MAX_APPEND`] bytes of records are kept, and each append tries again. Further lines are
/// dropped and counted. When the log takes records again, one of them has the number of missing lines.
///
/// One line on standard error says what is wrong.
pub struct Log {
    dir: PathBuf,

    name: LogName,
    /// The number of this run's own file, if there is one.
    run: Option<u64>,
    prefix: Prefix,
    /// Records that are not yet appended, the oldest first.
    pending: Vec<u8>,
    /// The pending texts that are not output.
    own: Vec<Vec<u8>>,
    /// The part of the first pending record that a failed append has written.
    cut: Option<Cut>,
    /// The number of bytes of the first pending record that standard error has taken.
    shown: usize,
    /// The number of lines that were dropped because pending ones had used up the space.
    dropped: u64,
    warned: bool,
    /// Standard error, after the first write to it.
    stderr: Option<Writer>,
}

impl Log {
    /// The log in `dir` of the local day of `start`, also after midnight.
    pub fn new(dir: &Path, start: DateTime<Local>) -> Self {
        Self {
            dir: dir.to_owned(),
            name: LogName { day: start.date_naive(), user: None, run: None },
            run: None,
            prefix: Prefix::new(process::id(), start),
            pending: Vec::new(),
            own: Vec::new(),
            cut: None,
            shown: 0,
            dropped: 0,
            warned: false,
            stderr: None,
        }
    }

    /// Appends a record with the present time; several if it is too long for one.
    pub fn record(&mut self, kind: Kind) {
        self.begin();
        let text = kind.text();
        for (piece, is_marked) in pieces(&text) {
            self.push_text(piece, is_marked);
        }
        self.own.push(text);
        self.flush();
    }

    /// Appends a message, with the part that differs from run to run.
    pub fn notice(&mut self, notice: Notice, text: &str) {
        self.record(Kind::Notice(notice, text.as_bytes()));
    }

    /// Appends the last record. Nothing stays pending.
    pub fn finish(mut self, kind: Kind) {
        self.begin();
        self.push_count_of_dropped();
        let text = kind.text();
        for (piece, is_marked) in pieces(&text) {
            if !self.has_room(piece, is_marked) {
                self.flush();
            }
            self.encode(piece, is_marked);
        }
        self.own.push(text);
        self.flush();
        let deadline = Instant::now() + STDERR_GRACE;
        self.write_elsewhere(deadline);
        if let Some(stderr) = self.stderr {
            stderr.finish_by(deadline);
        }
    }

    /// Begins a batch of records with the present time.
    pub fn begin(&mut self) {
        // An earlier batch may have been too large for the disk: if there is space by now, none of this one is dropped.
        self.flush();
        self.prefix.set(Local::now());
    }

    /// Adds a line of output to the next append, without its newline and with at most [`MAX_TEXT`] bytes.
    pub fn push(&mut self, text: &[u8]) {
        self.push_text(text, needs_mark(text));
    }

    /// Adds a record, with a mark before it if `is_marked`: both or none.
    fn push_text(&mut self, text: &[u8], is_marked: bool) {
        // After a dropped line, all lines are dropped until an append succeeds: they would hide the gap.
        if self.dropped == 0 && !self.has_room(text, is_marked) {
            self.flush();
        }
        if self.dropped == 0 && self.has_room(text, is_marked) {
            self.encode(text, is_marked);
        } else {
            self.dropped += 1;
        }
    }

    fn encode(&mut self, text: &[u8], is_marked: bool) {
        if is_marked {
            self.prefix.encode_mark(&mut self.pending);
        }
        self.prefix.encode(text, &mut self.pending);
    }

    pub fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        match self.append_to_a_file() {
            Ok(()) => {}
            Err(Unwritten::Later) => return,
            Err(Unwritten::Never) => self.write_elsewhere(Instant::now()),
        }
        if self.dropped > 0 {
            self.push_count_of_dropped();
            self.flush();
        }
    }

    fn has_room(&self, text: &[u8], is_marked: bool) -> bool {
        let mark = if is_marked { self.prefix.mark_len() } else { 0 };
        self.pending.len() + mark + self.prefix.encoded_len(text) <= MAX_APPEND
    }

    /// Adds the record with the number of dropped lines.
    fn push_count_of_dropped(&mut self) {
        if self.dropped > 0 {
            let count = self.dropped.to_string();
            let notice = Kind::Notice(Notice::LinesDropped, count.as_bytes());
            self.prefix.encode(&notice.text(), &mut self.pending);
            self.dropped = 0;
        }
    }

    /// Appends the pending records to the first file that takes them.
    fn append_to_a_file(&mut self) -> Result<(), Unwritten> {
        let (mut failures, mut last) = (String::new(), None);
        let mut is_expected = true;
        for place in [Place::Daily, Place::PerUser, Place::PerRun] {
            let path = self.path(place);
            let appended = append(&path, &self.pending, self.cut.as_ref());
            let Err(error) = self.remove_appended(appended) else {
                if !is_expected {
                    self.warn_once(&format!("{failures}; logging to {}", path.display()));
                }
                return Ok(());
            };
            // If root created the daily file, an ordinary user's records go elsewhere without a warning.
            is_expected = last.is_none() && matches!(error, AppendError::OwnedByRoot);
            let reason = error.to_string();
            // A directory that takes no file gives the same reason each time.
            if !matches!(place, Place::PerRun) || last.as_ref() != Some(&reason) {
                let verb = if last.is_none() { "cannot log to" } else { "; nor to" };
                let _ = write!(failures, "{verb} {}: {reason}", path.display());
            }
            last = Some(reason);
            if error.is_transient() {
                self.warn_once(&format!("{failures}; keeping up to 1 MiB of records to try again"));
                return Err(Unwritten::Later);
            }
        }
        self.warn_once(&format!("{failures}; the records follow"));
        Err(Unwritten::Never)
    }

    fn path(&mut self, place: Place) -> PathBuf {
        let daily = self.name;
        let user = Some(geteuid().as_raw());
        let name = match place {
            Place::Daily => daily,
            Place::PerUser => LogName { user, ..daily },
            Place::PerRun => {
                // A number that nobody can guess. Without randomness one name is better than none.
                let number = || random::number().unwrap_or_else(|_| process::id().into());
                LogName { user, run: Some(*self.run.get_or_insert_with(number)), ..daily }
            }
        };
        self.dir.join(name.text())
    }

    /// Removes what has been appended from the pending records.
    fn remove_appended(&mut self, appended: Result<(), (AppendError, Option<Cut>)>) -> Result<(), AppendError> {
        let Err((error, cut)) = appended else {
            self.pending.clear();
            self.own.clear();
            self.cut = None;
            self.shown = 0;
            return Ok(());
        };
        if let Some(mut cut) = cut {
            let whole = self.prefix.whole_records(&self.pending[..cut.written]);
            self.pending.drain(..whole);
            self.shown = self.shown.saturating_sub(whole);
            cut.written -= whole;
            self.cut = Some(cut);
        }
        Err(error)
    }

    /// Writes the pending records to standard error until `deadline`, and sends those that are not output to syslog.
    fn write_elsewhere(&mut self, deadline: Instant) {
        if self.pending.is_empty() {
            return;
        }
        syslog::send(process::id(), &self.own);
        self.own.clear();
        let mut records = mem::take(&mut self.pending);
        let mut rest = records[self.shown..].to_vec();
        self.cut = None;
        let written = self.stderr().write_by(deadline, &mut rest);
        self.shown = 0;
        // After an error nobody will ever read the records.
        if written.is_ok() {
            // A record that was shown in part stays: a file that can be written again gets all of it.
            let taken = records.len() - rest.len();
            let whole = self.prefix.whole_records(&records[..taken]);
            records.drain(..whole);
            self.shown = taken - whole;
            self.pending = records;
        }
    }

    fn warn_once(&mut self, warning: &str) {
        if !self.warned {
            self.warned = true;
            let warning = printable(warning.as_bytes());
            let mut warning = format!("remoteexe: {warning}\n").into_bytes();
            let _ = self.stderr().write(&mut warning);
        }
    }

    fn stderr(&mut self) -> &mut Writer {
        self.stderr.get_or_insert_with(|| Writer::new(stderr()))
    }
}

/// A file that may take the records.
#[derive(Debug, Clone, Copy)]
enum Place {
    Daily,
    PerUser,
    PerRun,
}

/// The reason why the pending records are in no file.
enum Unwritten {
    /// The next append tries again.
    Later,
    /// The directory takes nothing.
    Never,
}

/// `text` in pieces that fit into a record, and whether each needs a mark: a later piece may look like a record.
fn pieces(text: &[u8]) -> impl Iterator<Item = (&[u8], bool)> {
    let (first, rest) = text.split_at(text.len().min(MAX_TEXT));
    let rest = rest.chunks(MAX_TEXT);
    iter::once((first, false)).chain(rest.map(|piece| (piece, needs_mark(piece))))
}
