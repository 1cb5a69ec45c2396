//! The log files that a report reads: which, how, and in which order.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime};
use flate2::read::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressStyle};
use memchr::memchr;
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{
    FileType, Mode, OFlags, Stat, fcntl_getfl, fcntl_setfl, fstat, lstat, open, stat,
};

use super::period::Period;
use crate::poll::wait;
use crate::record::{MAX_APPEND, Parser, Record};

/// How much is read at once.
const CHUNK: usize = 256 << 10;

/// From how many bytes on reading takes so long that a person wants to see how far it is.
const LONG: u64 = 64 << 20;

/// Why an input cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A directory, a device, a socket or a terminal.
    #[error("it is neither a regular file nor a pipe")]
    Kind,
    /// Somebody has given a file another user's name, in a directory that others can write to.
    #[error("it belongs to uid {0} and not to the one in its name")]
    Owner(u32),
    /// The system call's own answer, or the decompressor's.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file that the command line names.
    File(PathBuf),
    /// A log in the log directory; with the user in its name if it is one user's.
    Log(PathBuf, Option<u32>),
}

impl Input {
    /// How messages name it.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File(path) | Self::Log(path, _) => path.display().to_string(),
        }
    }

    fn open(&self) -> Result<File, InputError> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match self {
            Self::Stdin => {
                use std::os::fd::AsFd;
                io::stdin().as_fd().try_clone_to_owned()?
            }
            Self::File(path) => {
                // To open a device may do something to it.
                self.vet(&stat(path).map_err(io::Error::from)?)?;
                open(path, flags, Mode::empty()).map_err(io::Error::from)?
            }
            // Nobody shall choose by a link what is read here.
            Self::Log(path, _) => {
                self.vet(&lstat(path).map_err(io::Error::from)?)?;
                open(path, flags | OFlags::NOFOLLOW, Mode::empty()).map_err(io::Error::from)?
            }
        };
        // By now it may be something else.
        if self.vet(&fstat(&file).map_err(io::Error::from)?)? == FileType::Fifo {
            // A FIFO without a writer is at its end only once it has had one.
            wait(&mut [PollFd::new(&file, PollFlags::IN)], None)?;
            let flags = fcntl_getfl(&file).map_err(io::Error::from)?;
            fcntl_setfl(&file, flags - OFlags::NONBLOCK).map_err(io::Error::from)?;
        }
        Ok(file.into())
    }

    /// Whether what `stat` describes may be read; gives what it is.
    fn vet(&self, stat: &Stat) -> Result<FileType, InputError> {
        match (FileType::from_raw_mode(stat.st_mode), self) {
            (FileType::RegularFile, Self::Log(_, Some(uid))) if stat.st_uid != *uid => {
                Err(InputError::Owner(stat.st_uid))
            }
            (kind @ FileType::RegularFile, _)
            | (kind @ FileType::Fifo, Self::Stdin | Self::File(_)) => Ok(kind),
            _ => Err(InputError::Kind),
        }
    }
}

/// The logs in `dir` that can have records of `period`; without one, those of today.
///
/// # Errors
///
/// The directory cannot be read.
pub fn logs(dir: &Path, period: &Period, now: DateTime<Local>) -> io::Result<Vec<Input>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let Some((date, user)) = entry.file_name().to_str().and_then(log_name) else {
            continue;
        };
        let is_wanted = match (period.since, period.until) {
            (None, None) => date == now.date_naive(),
            (since, until) => {
                // A file that nobody has written to since then has nothing of it, whatever its day: a
                // run's records stay in the file of the day on which it started.
                let is_recent = |since| written(&entry).is_none_or(|written| written >= since);
                since.is_none_or(is_recent) && until.is_none_or(|until| date <= until.date())
            }
        };
        if is_wanted {
            found.push((date, user, entry.path()));
        }
    }
    // Where two have records of the same second, that of the daily file is the older: a run changes from
    // it to its user's.
    found.sort();
    let plain: Vec<PathBuf> = found.iter().map(|(.., path)| path.clone()).collect();
    // Both are there while gzip works, and with `gzip --keep`.
    found.retain(|(.., path)| {
        path.extension().is_none_or(|extension| extension != "gz")
            || !plain.contains(&path.with_extension(""))
    });
    let input = |(_, user, path)| Input::Log(path, user);
    Ok(found.into_iter().map(input).collect())
}

/// The date and the user in the name of a log, `YYYYMMDD_remoteexe[.UID].log[.gz]`.
fn log_name(name: &str) -> Option<(NaiveDate, Option<u32>)> {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let (date, rest) = name.strip_suffix(".log")?.split_once("_remoteexe")?;
    let date = NaiveDate::parse_from_str(date, "%Y%m%d").ok()?;
    match rest.strip_prefix('.') {
        Some(uid) => Some((date, Some(uid.parse().ok()?))),
        None => rest.is_empty().then_some((date, None)),
    }
}

/// When the file was last written to, in local time.
fn written(entry: &fs::DirEntry) -> Option<NaiveDateTime> {
    let modified = entry.metadata().ok()?.mtime();
    let modified = DateTime::from_timestamp(modified, 0)?;
    Some(modified.with_timezone(&Local).naive_local())
}

/// One line of the logs.
#[derive(Debug)]
pub enum Line<'a> {
    /// A record, and the line as it stands there.
    Record(Record<'a>, &'a [u8]),
    /// Something else: the rest of a torn record, or not from remoteexe at all.
    Foreign,
    /// What two processes leave that end a torn line at the same time; or one more piece of a line that
    /// is too long.
    Empty,
}

/// What has come of reading.
#[derive(Debug, Default)]
pub struct Unread(pub Vec<(String, InputError)>);

/// Reads all `inputs` and gives their lines to `take`, merged by the time of the records: a run that had to
/// change to another file goes on there.
pub fn read(inputs: &[Input], take: &mut impl FnMut(Line)) -> Unread {
    let mut unread = Unread::default();
    let mut files = Vec::new();
    for input in inputs {
        match input.open() {
            Ok(file) => files.push((input.name(), file)),
            Err(error) => unread.0.push((input.name(), error)),
        }
    }
    let progress = progress(&files);
    let mut readers = Vec::new();
    for (name, file) in files {
        let reader = Reader::new(progress.wrap_read(file));
        let reader = reader.and_then(|mut reader| Ok((reader.advance()?, reader)));
        match reader {
            Ok((true, reader)) => readers.push((name, reader)),
            Ok((false, _)) => {}
            Err(error) => unread.0.push((name, error.into())),
        }
    }
    while let Some(next) = (0..readers.len()).min_by_key(|&index| readers[index].1.time) {
        let reader = &mut readers[next].1;
        take(reader.line());
        match reader.advance() {
            Ok(true) => {}
            Ok(false) => drop(readers.remove(next)),
            Err(error) => unread.0.push((readers.remove(next).0, error.into())),
        }
    }
    progress.finish_and_clear();
    unread
}

/// A bar on standard error, if that is a terminal and it is worth it.
fn progress(files: &[(String, File)]) -> ProgressBar {
    let sizes = files.iter().map(|(_, file)| file.metadata());
    let size = sizes.map(|data| data.map_or(0, |data| data.len())).sum();
    if size < LONG || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {eta}");
    let progress = ProgressBar::new(size);
    match style {
        Ok(style) => progress.with_style(style),
        Err(_) => progress,
    }
}

/// Reads the lines of one input.
struct Reader {
    input: Box<dyn Read>,
    /// The present line is where it was read to, from `begin` to `end`; behind it, up to `filled`, is what
    /// has been read as well.
    buffer: Vec<u8>,
    filled: usize,
    begin: usize,
    end: usize,
    /// There is a newline at `end`: what is before it is a line, or the last piece of one.
    is_ended: bool,
    is_first_piece: bool,
    parser: Parser,
    /// The process of the record that the present line is, and where in it the text begins.
    record: Option<(u32, usize)>,
    /// The time of the last record so far.
    time: NaiveDateTime,
}

impl Reader {
    fn new(mut file: impl Read + 'static) -> io::Result<Self> {
        let mut magic = Vec::new();
        (&mut file).take(2).read_to_end(&mut magic)?;
        let is_gzip = magic == b"\x1f\x8b";
        let input = io::Cursor::new(magic).chain(file);
        Ok(Self {
            input: if is_gzip {
                Box::new(MultiGzDecoder::new(input))
            } else {
                Box::new(input)
            },
            // Its pages are touched only as far as it is used.
            buffer: vec![0; MAX_APPEND + CHUNK],
            filled: 0,
            begin: 0,
            end: 0,
            is_ended: true,
            is_first_piece: true,
            parser: Parser::default(),
            record: None,
            time: NaiveDateTime::MIN,
        })
    }

    /// Goes on to the next line, or piece of one that is too long; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        self.is_first_piece = self.is_ended;
        self.begin = (self.end + usize::from(self.is_ended)).min(self.filled);
        let mut searched = self.begin;
        self.is_ended = loop {
            if let Some(newline) = memchr(b'\n', &self.buffer[searched..self.filled]) {
                self.end = searched + newline;
                break true;
            }
            searched = self.filled - self.begin;
            // A file that is no log at all may have lines of any length.
            if searched > MAX_APPEND || self.fill()? == 0 {
                self.end = self.filled;
                break false;
            }
        };
        self.record = None;
        if self.is_first_piece && self.is_ended {
            let line = &self.buffer[self.begin..self.end];
            if let Some(record) = self.parser.parse(line) {
                if self.time != record.time {
                    self.time = record.time;
                }
                self.record = Some((record.pid, line.len() - record.text.len()));
            }
        }
        Ok(self.is_ended || self.begin < self.end)
    }

    /// Reads more behind the present line, which then begins at 0.
    fn fill(&mut self) -> io::Result<usize> {
        self.buffer.copy_within(self.begin..self.filled, 0);
        self.filled -= self.begin;
        self.begin = 0;
        let end = self.buffer.len().min(self.filled + CHUNK);
        let room = &mut self.buffer[self.filled..end];
        let length = loop {
            match self.input.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.filled += length;
        Ok(length)
    }

    fn line(&self) -> Line<'_> {
        let line = &self.buffer[self.begin..self.end];
        match self.record {
            Some((pid, text)) => {
                let (time, text) = (self.time, &line[text..]);
                Line::Record(Record { time, pid, text }, line)
            }
            None if line.is_empty() || !self.is_first_piece => Line::Empty,
            None => Line::Foreign,
        }
    }
}
