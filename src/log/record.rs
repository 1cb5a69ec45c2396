//! The line grammar of the log: `[YYYY-MM-DD HH:MM:SS][PID] TEXT\n`.

use std::time::Duration;

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime};
use memchr::memchr_iter;

use crate::decimal::{are_digits, number};
use crate::{exit, ssh_error::HAS_PASSPHRASE};

/// The most bytes of whole records in one write(2).
pub const MAX_APPEND: usize = 1 << 20;
/// The most bytes of text in a record: more text becomes several. An append has space for two more prefixes and a mark.
pub const MAX_TEXT: usize = MAX_APPEND - 128;

/// The part of a record before its text. Made once a second, not once a line.
pub struct Prefix {
    pid: u32,
    second: i64,
    bytes: String,
}

impl Prefix {
    pub fn new(pid: u32, now: DateTime<Local>) -> Self {
        Self { pid, second: now.timestamp(), bytes: format!("[{}][{pid}] ", now.format("%Y-%m-%d %H:%M:%S")) }
    }

    /// Stamps the following records with `now`.
    pub fn set(&mut self, now: DateTime<Local>) {
        // The offset from UTC changes only at whole seconds, so the UTC second is enough.
        if self.second != now.timestamp() {
            *self = Self::new(self.pid, now);
        }
    }

    /// The number of bytes that [`Prefix::encode`] makes of `text`.
    pub fn encoded_len(&self, text: &[u8]) -> usize {
        self.bytes.len() + text.len() + 1
    }

    /// Appends to `records` a record of `text`, which has no newline.
    pub fn encode(&self, text: &[u8], records: &mut Vec<u8>) {
        records.extend_from_slice(self.bytes.as_bytes());
        records.extend_from_slice(text);
        records.push(b'\n');
    }

    /// Appends to `records` the mark that the next line is output.
    pub fn encode_mark(&self, records: &mut Vec<u8>) {
        self.encode(MARK, records);
    }

    pub fn mark_len(&self) -> usize {
        self.encoded_len(MARK)
    }

    /// The number of `bytes` that are whole records of this process. A mark is whole only with its line.
    pub fn whole_records(&self, bytes: &[u8]) -> usize {
        let (mut whole, mut begin, mut is_marked) = (0, 0, false);
        for newline in memchr_iter(b'\n', bytes) {
            let text = bytes[begin..newline].get(self.bytes.len()..);
            begin = newline + 1;
            // A line of output may look like a mark, and has one itself.
            is_marked = !is_marked && text == Some(MARK);
            if !is_marked {
                whole = begin;
            }
        }
        whole
    }
}

/// Whether a line of output needs a mark, because the report would take it for another record.
///
/// Output comes after `command`. There, `error: REASON`, which many tools print, is output like any other line.
pub fn needs_mark(text: &[u8]) -> bool {
    !matches!(Kind::parse(text), Kind::Output(_) | Kind::UsageError(_) | Kind::Usage(_))
}

/// A record that was read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// The local time of its stamp.
    pub time: NaiveDateTime,
    pub pid: u32,
    pub text: &'a [u8],
}

/// The meaning of a record's text. A line of output that looks like another kind follows a mark. The bash original and
/// earlier versions wrote no marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind<'a> {
    /// `START,-,OPERANDS`.
    Start(&'a [u8]),
    /// `command,COMMAND`.
    Command(&'a [u8]),
    /// The next line is output, whatever its text.
    Mark,
    /// `wait,S s`: the command waits, so that not all jobs start at once.
    Wait(Duration),
    /// `retry,K/N,255,wait S s`.
    Retry(Retry),
    /// `END,RC,OPERANDS`.
    End(u8, &'a [u8]),
    /// `remoteexe: MESSAGE`: what the message is about, and the part that differs from run to run.
    Notice(Notice, &'a [u8]),
    /// `error: REASON`: why a command line was refused.
    UsageError(&'a [u8]),
    /// One of [`USAGE`], or a similar line of another version.
    Usage(&'a [u8]),
    Output(&'a [u8]),
}

/// Follows an attempt whose connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Counts from 1.
    pub number: u32,
    pub count: u32,
    /// The wait before the retry. The record has milliseconds.
    pub wait: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// With a remedy.
    SshNotFound,
    /// ssh could not be started, for this reason.
    SshCannotRun,
    /// ssh was killed because it could not be waited for, for this reason.
    SshKilled,
    /// The job runs without retries, for this reason.
    NoRetries,
    /// The job runs without a limit on the time of the connection, for this reason.
    NoConnectTimeout,
    /// ssh succeeded and printed nothing, without the options that keep it with its job, for this reason.
    NoGuards,
    /// No retry, because this process may be running the script.
    StillRuns,
    /// ssh was killed, because it had not connected in this many seconds.
    ConnectTimeout,
    /// ssh failed, but had requested the script before.
    Requested,
    /// ssh failed without a reason, so there is no retry. There may be details.
    NoRetry,
    /// No further retry, because the server seems to refuse the login.
    LooksRefused,
    /// The login failed, and this key is encrypted.
    LockedKey,
    /// RC is 128+N: where this signal came, or for the host this status.
    Signalled(SignalPlace),
    /// This many lines of output were dropped while the disk was full.
    LinesDropped,
    /// The message of another version.
    Other,
}

/// The place where the signal N came, if RC is 128+N.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignalPlace {
    Remoteexe,
    /// ssh died by it here.
    Ssh,
    /// The remote command returned 128+N.
    Host,
}

/// The usage lines of the log, the same as in the bash original: somebody may be watching for them.
pub const USAGE: [&str; 3] = [
    "usage: remoteexe target script [parameters]",
    "e.g.) remoteexe host_sum_batch01 /path/to/starting_sh/sum.sh",
    "e.g.) remoteexe host_user_batch02 \"/path/to/starting_sh/user_log.sh action\"",
];

const START: &[u8] = b"START,-,";
const COMMAND: &[u8] = b"command,";
const WAIT: &[u8] = b"wait,";
const RETRY: &[u8] = b"retry,";
const END: &[u8] = b"END,";
const NOTICE: &[u8] = b"remoteexe: ";
const MARK: &[u8] = b"remoteexe: the next line is output";
const USAGE_ERROR: &[u8] = b"error: ";
/// The texts of the messages before and after the part that differs. Of two that fit, the first counts.
const NOTICES: [(Notice, &[u8], &[u8]); 18] = [
    (Notice::SshNotFound, b"ssh: not found in PATH; ", b""),
    // Of an earlier version.
    (Notice::SshNotFound, b"ssh: not found", b""),
    (Notice::SshCannotRun, b"ssh cannot be run: ", b""),
    (Notice::ConnectTimeout, b"ssh was killed: not connected after ", b" s"),
    (Notice::SshKilled, b"ssh was killed: ", b""),
    (Notice::NoRetries, b"no retries: ", b""),
    (Notice::NoConnectTimeout, b"no connect timeout: ", b""),
    (Notice::NoGuards, b"no guards against options that separate ssh from the job: ", b""),
    (Notice::StillRuns, b"no retry: it is not certain that the script does not run: ", b""),
    (Notice::Requested, b"ssh returned 255 after it had requested the script", b""),
    (Notice::NoRetry, b"no retry: ssh has not said that the connection failed", b""),
    (Notice::LooksRefused, LOOKS_REFUSED, b""),
    (Notice::LockedKey, HAS_PASSPHRASE.as_bytes(), b""),
    (Notice::Signalled(SignalPlace::Remoteexe), b"received signal ", b""),
    (Notice::Signalled(SignalPlace::Ssh), b"ssh died by signal ", b""),
    (Notice::Signalled(SignalPlace::Host), b"the script returned ", b""),
    (Notice::LinesDropped, b"", b" lines lost, the log was full"),
    (Notice::Other, b"", b""),
];

const LOOKS_REFUSED: &[u8] = b"no more retries: the server closes the connection at the login, as it does to refuse it";

/// Whether a text with this first byte can only be output.
pub fn can_only_be_output(first: u8) -> bool {
    !matches!(first, b'S' | b'c' | b'w' | b'r' | b'E' | b'e' | b'u')
}

impl<'a> Kind<'a> {
    pub fn parse(text: &'a [u8]) -> Self {
        Self::parse_own(text).unwrap_or(Self::Output(text))
    }

    fn parse_own(text: &'a [u8]) -> Option<Self> {
        // can_only_be_output has these letters, too.
        Some(match text.first()? {
            b'S' => Self::Start(text.strip_prefix(START)?),
            b'c' => Self::Command(text.strip_prefix(COMMAND)?),
            // Another program may have changed the ends of the lines.
            b'r' if text.strip_suffix(b"\r").unwrap_or(text) == MARK => Self::Mark,
            b'r' => match text.strip_prefix(NOTICE) {
                Some(message) => notice(message)?,
                None => Self::Retry(Retry::parse(text.strip_prefix(RETRY)?)?),
            },
            b'E' => {
                let (status, operands) = split_at_comma(text.strip_prefix(END)?)?;
                Self::End(number(status)?, operands)
            }
            b'w' => Self::Wait(duration(text.strip_prefix(WAIT)?.strip_suffix(b" s")?)?),
            b'e' | b'u' => match text.strip_prefix(USAGE_ERROR) {
                Some(reason) => Self::UsageError(reason),
                // On some machines the bash original's examples had other quotes.
                None if text.starts_with(b"usage: remoteexe ") || text.starts_with(b"e.g.) remoteexe ") => {
                    Self::Usage(text)
                }
                None => return None,
            },
            _ => return None,
        })
    }

    /// The text of the record, without prefix and newline.
    pub fn text(self) -> Vec<u8> {
        match self {
            Self::Start(operands) => [START, operands].concat(),
            Self::Command(command) => [COMMAND, command].concat(),
            Self::Mark => MARK.to_vec(),
            Self::Wait(wait) => [WAIT, seconds(wait).as_bytes(), b" s"].concat(),
            Self::Retry(retry) => [RETRY, retry.text().as_bytes()].concat(),
            Self::End(status, operands) => [END, status.to_string().as_bytes(), b",", operands].concat(),
            Self::Notice(notice, text) => {
                let texts = NOTICES.iter().find(|(other, ..)| *other == notice);
                let (before, after) = texts.map_or((&[][..], &[][..]), |it| (it.1, it.2));
                [NOTICE, before, text, after].concat()
            }
            Self::UsageError(reason) => [USAGE_ERROR, reason].concat(),
            Self::Usage(line) | Self::Output(line) => line.to_vec(),
        }
    }
}

impl Retry {
    /// Parses `K/N,255,wait S s`.
    fn parse(text: &[u8]) -> Option<Self> {
        let (attempt, rest) = split_at_comma(text)?;
        let (status, wait) = split_at_comma(rest)?;
        let slash = attempt.iter().position(|&byte| byte == b'/')?;
        if number(status) != Some(exit::SSH_FAILED) {
            return None;
        }
        Some(Self {
            number: number(&attempt[..slash])?,
            count: number(&attempt[slash + 1..])?,
            wait: duration(wait.strip_prefix(b"wait ")?.strip_suffix(b" s")?)?,
        })
    }

    fn text(self) -> String {
        let (wait, status) = (seconds(self.wait), exit::SSH_FAILED);
        let Self { number, count, .. } = self;
        format!("{number}/{count},{status},wait {wait} s")
    }
}

fn notice(message: &[u8]) -> Option<Kind<'_>> {
    NOTICES.iter().find_map(|(notice, before, after)| {
        let text = message.strip_prefix(*before)?.strip_suffix(*after)?;
        Some(Kind::Notice(*notice, text))
    })
}

fn split_at_comma(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let comma = text.iter().position(|&byte| byte == b',')?;
    Some((&text[..comma], &text[comma + 1..]))
}

/// `time` in seconds, to the millisecond.
pub fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

/// Parses seconds, with or without a fraction.
fn duration(seconds: &[u8]) -> Option<Duration> {
    let mut parts = seconds.split(|&byte| byte == b'.');
    if !parts.all(are_digits) {
        return None;
    }
    Duration::try_from_secs_f64(str::from_utf8(seconds).ok()?.parse().ok()?).ok()
}

/// Parses records in the order of a log. Remembers the last time and process id, which many records in a row share.
#[derive(Debug, Default)]
pub struct Parser {
    time: Option<([u8; TIME], NaiveDateTime)>,
    prefix: Vec<u8>,
    pid: u32,
}

/// The length of a record's time.
const TIME: usize = "[YYYY-MM-DD HH:MM:SS]".len();

impl Parser {
    /// Parses `line`, without its newline, if it is a record.
    pub fn parse<'a>(&mut self, line: &'a [u8]) -> Option<Record<'a>> {
        let (begin, rest) = line.split_first_chunk::<TIME>()?;
        let time = match self.time {
            Some((known, time)) if known == *begin => time,
            _ => {
                let time = time(begin)?;
                self.time = Some((*begin, time));
                time
            }
        };
        if self.prefix.is_empty() || !rest.starts_with(&self.prefix) {
            let length = rest.iter().position(|&byte| byte == b' ')? + 1;
            let pid = rest[..length].strip_prefix(b"[")?.strip_suffix(b"] ")?;
            self.pid = number(pid)?;
            self.prefix.clear();
            self.prefix.extend_from_slice(&rest[..length]);
        }
        Some(Record { time, pid: self.pid, text: &rest[self.prefix.len()..] })
    }
}

fn time(text: &[u8; TIME]) -> Option<NaiveDateTime> {
    let part = |begin, end, before| text[begin..end].strip_prefix(&[before]).and_then(number);
    let year = number(text[..5].strip_prefix(b"[")?)?;
    let date = NaiveDate::from_ymd_opt(year, part(5, 8, b'-')?, part(8, 11, b'-')?)?;
    let time = date.and_hms_opt(part(11, 14, b' ')?, part(14, 17, b':')?, part(17, 20, b':')?);
    time.filter(|_| text.ends_with(b"]"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_manual_has_each_record_and_each_message_and_no_other() {
        let manual = include_str!("../generate/remoteexe.1").replace(r"\-", "-");
        let (_, section) = manual.split_once("\n.Ss Records\n").expect("the section");
        let section = section.split("\n.Ss ").next().unwrap_or_default();
        let names = section.lines().filter_map(|line| line.strip_prefix(".It Li ")).map(|item| {
            let values = [("K/N", "7/8"), (",RC,", ",9,"), ("wait,S", "wait,0"), ("wait S", "wait 0")];
            let item = item.trim_matches('"').to_owned();
            name(Kind::parse(values.iter().fold(item, |text, (name, value)| text.replace(name, value)).as_bytes()))
        });
        let records = ["Start", "Wait", "Command", "Mark", "Retry", "End", "UsageError"].map(str::to_owned);
        let mut expected = BTreeSet::from(records);
        expected.extend(NOTICES.iter().map(|(notice, ..)| format!("{notice:?}")).filter(|name| name != "Other"));
        assert_eq!(names.collect::<BTreeSet<_>>(), expected);
        let manual = include_str!("../generate/remoteexe.1");
        assert!(manual.contains(&format!("\n{}\n", USAGE.join("\n"))));
    }

    /// The kind of a record, or of its message.
    fn name(kind: Kind) -> String {
        match kind {
            Kind::Notice(notice, _) => format!("{notice:?}"),
            other => format!("{other:?}").split('(').next().unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn a_mark_costs_at_most_twice_what_its_line_costs_without_one() {
        let shortest = ["END,0,", "wait,0 s", "START,-,", "command,"];
        for pid in [1, u32::MAX] {
            let prefix = Prefix::new(pid, Local::now());
            for text in shortest {
                assert!(needs_mark(text.as_bytes()));
                assert!(prefix.mark_len() <= 2 * prefix.encoded_len(text.as_bytes()));
            }
        }
    }
}
