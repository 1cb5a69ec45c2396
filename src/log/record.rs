//! The line grammar of the log: `[YYYY-MM-DD HH:MM:SS][PID] TEXT\n`.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime};
use memchr::memchr_iter;

use crate::exit;
use crate::ssh_error::HAS_PASSPHRASE;

/// The most bytes of whole records in one write(2).
pub const MAX_APPEND: usize = 1 << 20;

/// The most bytes of text in one record: a longer text becomes several records. The rest of an append has space for any
/// two prefixes and a mark.
pub const MAX_TEXT: usize = MAX_APPEND - 128;

/// The part of a record before its text. Made once a second, not once a line.
#[derive(Debug)]
pub struct Prefix {
    pid: u32,
    second: i64,
    bytes: String,
}

impl Prefix {
    pub fn new(pid: u32, now: DateTime<Local>) -> Self {
        Self {
            pid,
            second: now.timestamp(),
            bytes: format!("[{}][{pid}] ", now.format("%Y-%m-%d %H:%M:%S")),
        }
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

    /// How many of `bytes` are whole records of this process. A mark is whole only with its line.
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
    /// `remoteexe: MESSAGE`.
    Notice(Notice<'a>),
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
    /// The limit of retries.
    pub count: u32,
    /// How long the retry waits. The record has milliseconds.
    pub wait: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'a> {
    SshNotFound(&'a [u8]),
    /// ssh could not be started, for this reason.
    SshCannotRun(&'a [u8]),
    /// ssh was killed because it could not be waited for, for this reason.
    SshKilled(&'a [u8]),
    /// The job runs without retries, for this reason.
    NoRetries(&'a [u8]),
    /// The job runs without a limit on the time of the connection, for this reason.
    NoConnectTimeout(&'a [u8]),
    /// ssh succeeded and printed nothing, without the options that keep it with its job, for this reason.
    NoGuards(&'a [u8]),
    /// No retry, because this process may be running the script.
    StillRuns(&'a [u8]),
    /// ssh was killed, because it had not connected in this time. The record has milliseconds.
    ConnectTimeout(Duration),
    /// ssh failed, but had requested the script before.
    Requested,
    /// ssh failed without a reason, so there is no retry. The text, which may be empty, has details.
    NoRetry(&'a [u8]),
    /// No further retry, because the server seems to refuse the login.
    LooksRefused,
    /// The login failed, and this key is encrypted. ssh says nothing of that.
    LockedKey(&'a [u8]),
    /// This many lines of output were dropped while the disk was full.
    LinesDropped(u64),
    /// The message of another version.
    Other(&'a [u8]),
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

const SSH_NOT_FOUND: &[u8] = b"ssh: not found in PATH; ";
const SSH_CANNOT_RUN: &[u8] = b"ssh cannot be run: ";
const SSH_KILLED: &[u8] = b"ssh was killed: ";
const NO_RETRIES: &[u8] = b"no retries: ";
const NO_CONNECT_TIMEOUT: &[u8] = b"no connect timeout: ";
const NO_GUARDS: &[u8] = b"no guards against options that separate ssh from the job: ";
const STILL_RUNS: &[u8] = b"no retry: it is not certain that the script does not run: ";
const CONNECT_TIMEOUT: (&[u8], &[u8]) = (b"ssh was killed: not connected after ", b" s");
const REQUESTED: &[u8] = b"ssh returned 255 after it had requested the script";
const NO_RETRY: &[u8] = b"no retry: ssh has not said that the connection failed";
const LOOKS_REFUSED: &[u8] =
    b"no more retries: the server closes the connection at the login, as it does to refuse it";
const LOCKED_KEY: &[u8] = HAS_PASSPHRASE.as_bytes();
const LINES_DROPPED: &[u8] = b" lines lost, the log was full";

/// Whether a text with this first byte can only be output.
pub fn can_only_be_output(first: u8) -> bool {
    !matches!(first, b'S' | b'c' | b'w' | b'r' | b'E' | b'e' | b'u')
}

impl<'a> Kind<'a> {
    /// Parses the text of a record.
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
                Some(message) => Self::Notice(Notice::parse(message)),
                None => Self::Retry(Retry::parse(text.strip_prefix(RETRY)?)?),
            },
            b'E' => {
                let (status, operands) = split_at_comma(text.strip_prefix(END)?)?;
                Self::End(number(status)?, operands)
            }
            b'w' => Self::Wait(duration(text.strip_prefix(WAIT)?.strip_suffix(b" s")?)?),
            b'e' | b'u' => match text.strip_prefix(USAGE_ERROR) {
                Some(reason) => Self::UsageError(reason),
                None if is_usage(text) => Self::Usage(text),
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
            Self::End(status, operands) => {
                [END, status.to_string().as_bytes(), b",", operands].concat()
            }
            Self::Notice(notice) => [NOTICE, &notice.text()].concat(),
            Self::UsageError(reason) => [USAGE_ERROR, reason].concat(),
            Self::Usage(line) | Self::Output(line) => line.to_vec(),
        }
    }
}

/// On some machines the bash original's examples had other quotes.
fn is_usage(text: &[u8]) -> bool {
    let starts = [b"usage: remoteexe ".as_slice(), b"e.g.) remoteexe "];
    starts.iter().any(|start| text.starts_with(start))
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

impl<'a> Notice<'a> {
    fn connect_timeout(message: &[u8]) -> Option<Duration> {
        let (before, after) = CONNECT_TIMEOUT;
        duration(message.strip_prefix(before)?.strip_suffix(after)?)
    }

    fn parse(message: &'a [u8]) -> Self {
        if let Some(remedy) = message.strip_prefix(SSH_NOT_FOUND) {
            Self::SshNotFound(remedy)
        } else if message.starts_with(b"ssh: not found") {
            // An earlier version had other words.
            Self::SshNotFound(b"")
        } else if let Some(reason) = message.strip_prefix(SSH_CANNOT_RUN) {
            Self::SshCannotRun(reason)
        } else if let Some(after) = Self::connect_timeout(message) {
            Self::ConnectTimeout(after)
        } else if let Some(reason) = message.strip_prefix(SSH_KILLED) {
            Self::SshKilled(reason)
        } else if let Some(reason) = message.strip_prefix(NO_RETRIES) {
            Self::NoRetries(reason)
        } else if let Some(reason) = message.strip_prefix(NO_CONNECT_TIMEOUT) {
            Self::NoConnectTimeout(reason)
        } else if let Some(reason) = message.strip_prefix(NO_GUARDS) {
            Self::NoGuards(reason)
        } else if let Some(process) = message.strip_prefix(STILL_RUNS) {
            Self::StillRuns(process)
        } else if message == REQUESTED {
            Self::Requested
        } else if let Some(more) = message.strip_prefix(NO_RETRY) {
            Self::NoRetry(more)
        } else if message == LOOKS_REFUSED {
            Self::LooksRefused
        } else if let Some(key) = message.strip_prefix(LOCKED_KEY) {
            Self::LockedKey(key)
        } else if let Some(count) = message.strip_suffix(LINES_DROPPED).and_then(number) {
            Self::LinesDropped(count)
        } else {
            Self::Other(message)
        }
    }

    fn text(self) -> Vec<u8> {
        match self {
            Self::SshNotFound(remedy) => [SSH_NOT_FOUND, remedy].concat(),
            Self::SshCannotRun(reason) => [SSH_CANNOT_RUN, reason].concat(),
            Self::SshKilled(reason) => [SSH_KILLED, reason].concat(),
            Self::NoRetries(reason) => [NO_RETRIES, reason].concat(),
            Self::NoConnectTimeout(reason) => [NO_CONNECT_TIMEOUT, reason].concat(),
            Self::NoGuards(reason) => [NO_GUARDS, reason].concat(),
            Self::StillRuns(process) => [STILL_RUNS, process].concat(),
            Self::ConnectTimeout(after) => {
                let (before, unit) = CONNECT_TIMEOUT;
                [before, seconds(after).as_bytes(), unit].concat()
            }
            Self::Requested => REQUESTED.to_vec(),
            Self::NoRetry(more) => [NO_RETRY, more].concat(),
            Self::LooksRefused => LOOKS_REFUSED.to_vec(),
            Self::LockedKey(key) => [LOCKED_KEY, key].concat(),
            Self::LinesDropped(count) => [count.to_string().as_bytes(), LINES_DROPPED].concat(),
            Self::Other(message) => message.to_vec(),
        }
    }
}

fn split_at_comma(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let comma = text.iter().position(|&byte| byte == b',')?;
    Some((&text[..comma], &text[comma + 1..]))
}

/// `time` in seconds, to the millisecond.
fn seconds(time: Duration) -> String {
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

/// Parses a number of decimal digits and nothing else.
pub fn number<T: FromStr>(digits: &[u8]) -> Option<T> {
    are_digits(digits).then(|| str::from_utf8(digits).ok()?.parse().ok())?
}

fn are_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// Parses records in the order of a log. Remembers the last time and process id, because many records in a row have the
/// same.
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
    let part = |begin, end, before| {
        let digits = text[begin..end].strip_prefix(&[before]);
        digits.and_then(number)
    };
    let year = number(text[..5].strip_prefix(b"[")?)?;
    let date = NaiveDate::from_ymd_opt(year, part(5, 8, b'-')?, part(8, 11, b'-')?)?;
    let time = date.and_hms_opt(part(11, 14, b' ')?, part(14, 17, b':')?, part(17, 20, b':')?);
    time.filter(|_| text.ends_with(b"]"))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Local, Timelike};

    use super::*;

    fn at(second: i64) -> DateTime<Local> {
        DateTime::from_timestamp(second, 999_999_999).expect("a time").with_timezone(&Local)
    }

    /// The items of the manual that describe texts, without its markup.
    fn described() -> Vec<String> {
        let manual = include_str!("../generate/remoteexe.1").replace(r"\-", "-");
        let (_, section) = manual.split_once("\n.Ss Records\n").unwrap_or_default();
        let section = section.split("\n.Ss ").next().unwrap_or_default();
        let items = section.lines().filter_map(|line| line.strip_prefix(".It Li "));
        items.map(|item| item.trim_matches('"').to_owned()).collect()
    }

    #[test]
    fn the_manual_has_each_record_and_each_message_and_no_other() {
        let operands = b"HOST SCRIPT PARAMETERS";
        let reason = b"REASON";
        let wait = Duration::ZERO;
        let retry = Retry { number: 7, count: 8, wait };
        let mut texts: Vec<String> = [
            Kind::Start(operands),
            Kind::Wait(wait),
            Kind::Command(b"ssh ... USER@HOST SCRIPT PARAMETERS"),
            Kind::Mark,
            Kind::Retry(retry),
            Kind::End(9, operands),
            Kind::Notice(Notice::SshNotFound(b"REMEDY")),
            Kind::Notice(Notice::SshCannotRun(reason)),
            Kind::Notice(Notice::SshKilled(reason)),
            Kind::Notice(Notice::ConnectTimeout(wait)),
            Kind::Notice(Notice::Requested),
            Kind::Notice(Notice::NoRetries(reason)),
            Kind::Notice(Notice::NoConnectTimeout(reason)),
            Kind::Notice(Notice::NoGuards(reason)),
            Kind::Notice(Notice::StillRuns(reason)),
            Kind::Notice(Notice::NoRetry(b"")),
            Kind::Notice(Notice::LooksRefused),
            Kind::Notice(Notice::LockedKey(b"FILE")),
            Kind::Notice(Notice::LinesDropped(8)),
            Kind::UsageError(b"REASON; tip: REMEDY"),
        ]
        .map(|kind| String::from_utf8_lossy(&kind.text()).into_owned())
        .into();
        for (value, name) in
            [("0.000", "S"), ("7/8", "K/N"), (",9,", ",RC,"), (" 8 lines", " N lines")]
        {
            for text in &mut texts {
                *text = text.replace(value, name);
            }
        }
        assert_eq!(described(), texts);
        let manual = include_str!("../generate/remoteexe.1");
        assert!(manual.contains(&format!("\n{}\n", USAGE.join("\n"))));
    }

    #[test]
    fn a_record_is_time_pid_text_and_newline() {
        let now = at(1_561_436_461);
        let prefix = Prefix::new(913, now);
        let mut records = Vec::new();
        prefix.encode(b"START,-,h s", &mut records);
        let time = now.naive_local().to_string();
        let expected = format!("[{}][913] START,-,h s\n", &time[..19]);
        assert_eq!(String::from_utf8_lossy(&records), expected);
        assert_eq!(prefix.encoded_len(b"START,-,h s"), records.len());
    }

    #[test]
    fn the_time_of_a_record_is_that_of_the_last_set_forwards_and_backwards() {
        let mut prefix = Prefix::new(1, at(0));
        for second in [1_000_000_000, 1_000_000_000, 1_000_000_001, 999_999_999, 1_000_000_001] {
            prefix.set(at(second));
            assert_eq!(prefix.bytes, Prefix::new(1, at(second)).bytes);
        }
    }

    #[test]
    fn the_longest_text_of_a_record_fits_into_one_append() {
        let prefix = Prefix::new(u32::MAX, at(253_402_300_799));
        assert!(prefix.mark_len() + prefix.encoded_len(&[]) + MAX_TEXT <= MAX_APPEND);
    }

    #[test]
    fn what_is_encoded_is_parsed_back() {
        let mut parser = Parser::default();
        for (second, pid, text) in [
            (1_561_436_461, 913, b"START,-,h s".as_slice()),
            (1_561_436_461, 913, b""),
            (1_561_436_461, 9130, b"  [2019-06-25 13:21:01][1] x "),
            (1_561_436_462, 913, b"\xff\r"),
        ] {
            let prefix = Prefix::new(pid, at(second));
            let mut records = Vec::new();
            prefix.encode(text, &mut records);
            let line = records.strip_suffix(b"\n").expect("a newline");
            let time = at(second).naive_local();
            let time = time.with_nanosecond(0).expect("a time");
            assert_eq!(parser.parse(line), Some(Record { time, pid, text }));
        }
    }

    #[test]
    fn a_line_of_another_shape_is_not_a_record() {
        let mut parser = Parser::default();
        for line in [
            "",
            "x",
            "[2019-06-25 13:21:01][913]",
            "[2019-06-25 13:21:01][913]x y",
            "[2019-06-25 13:21:01][] x",
            "[2019-06-25 13:21:01][+1] x",
            "[2019-06-25 13:21:01][99999999999] x",
            "[2019-13-25 13:21:01][913] x",
            "[2019-06-25 13:21:61][913] x",
            "2019-06-25 13:21:01][913] x",
            " [2019-06-25 13:21:01][913] x",
        ] {
            for _ in 0..2 {
                assert_eq!(parser.parse(line.as_bytes()), None, "{line}");
            }
        }
    }

    #[test]
    fn a_line_is_parsed_the_same_whatever_lines_came_before_it() {
        let lines = [
            "[2019-06-25 13:21:01][913] x",
            "[2019-06-25 13:21:01][9130] x",
            "[2019-06-25 13:21:01][91] x",
            "[2019-06-25 13:21:01][913]",
            "[2019-06-25 13:21:01][x] x",
            "[2019-06-25 13:21:01][4294967296] x",
            "[2019-06-31 13:21:01][913] x",
            "[2020-02-29 13:21:01][00913] x",
            "[0000-01-01 00:00:00][0] ",
            "[9999-12-31 23:59:59][4294967295] [913] x",
        ];
        let alone = lines.map(|line| Parser::default().parse(line.as_bytes()));
        assert_eq!(alone.iter().flatten().count(), 6);
        for before in lines {
            for (line, alone) in lines.iter().zip(&alone) {
                let mut parser = Parser::default();
                parser.parse(before.as_bytes());
                assert_eq!(parser.parse(line.as_bytes()), *alone, "{before} {line}");
            }
        }
    }

    #[test]
    fn a_record_that_a_job_writes_is_parsed_back_as_what_it_is() {
        let wait = Duration::from_millis(412);
        let retry = Retry { number: 1, count: 8, wait };
        let reason = b"Permission denied (os error 13)";
        for (kind, text) in [
            (Kind::Start(b"h s,a [b]"), "START,-,h s,a [b]"),
            (Kind::Command(b"ssh root@h s"), "command,ssh root@h s"),
            (Kind::Mark, "remoteexe: the next line is output"),
            (Kind::Wait(wait), "wait,0.412 s"),
            (Kind::Retry(retry), "retry,1/8,255,wait 0.412 s"),
            (Kind::End(255, b""), "END,255,"),
            (
                Kind::Notice(Notice::SshNotFound(b"install it")),
                "remoteexe: ssh: not found in PATH; install it",
            ),
            (
                Kind::Notice(Notice::SshCannotRun(reason)),
                "remoteexe: ssh cannot be run: Permission denied (os error 13)",
            ),
            (
                Kind::Notice(Notice::SshKilled(b"cannot wait for it")),
                "remoteexe: ssh was killed: cannot wait for it",
            ),
            (Kind::Notice(Notice::NoRetries(b"why")), "remoteexe: no retries: why"),
            (Kind::Notice(Notice::NoConnectTimeout(b"why")), "remoteexe: no connect timeout: why"),
            (
                Kind::Notice(Notice::ConnectTimeout(wait)),
                "remoteexe: ssh was killed: not connected after 0.412 s",
            ),
            (
                Kind::Notice(Notice::Requested),
                "remoteexe: ssh returned 255 after it had requested the script",
            ),
            (
                Kind::Notice(Notice::NoRetry(b"")),
                "remoteexe: no retry: ssh has not said that the connection failed",
            ),
            (
                Kind::Notice(Notice::NoRetry(b"; why")),
                "remoteexe: no retry: ssh has not said that the connection failed; why",
            ),
            (
                Kind::Notice(Notice::LooksRefused),
                "remoteexe: no more retries: the server closes the connection at the login, as it does to refuse it",
            ),
            (
                Kind::Notice(Notice::LockedKey(b"/k")),
                "remoteexe: the key has a passphrase, and there is nobody to ask: /k",
            ),
            (Kind::Notice(Notice::LinesDropped(7)), "remoteexe: 7 lines lost, the log was full"),
            (Kind::UsageError(b"no; tip: do"), "error: no; tip: do"),
            (Kind::Usage(USAGE[0].as_bytes()), USAGE[0]),
            (Kind::Usage(USAGE[1].as_bytes()), USAGE[1]),
            (Kind::Usage(USAGE[2].as_bytes()), USAGE[2]),
            (Kind::Output(b"x"), "x"),
        ] {
            assert_eq!(String::from_utf8_lossy(&kind.text()), text);
            assert_eq!(Kind::parse(text.as_bytes()), kind, "{text}");
            let is_output = matches!(kind, Kind::Output(_));
            assert_eq!(can_only_be_output(text.as_bytes()[0]), is_output, "{text}");
        }
    }

    #[test]
    fn a_record_in_unusual_form_is_written_in_the_usual_one_and_parsed_back() {
        for (text, usual) in [
            ("END,007,h s", "END,7,h s"),
            ("END,0,,", "END,0,,"),
            ("retry,01/08,0255,wait 0.5 s", "retry,1/8,255,wait 0.500 s"),
            ("retry,9/1,255,wait 00 s", "retry,9/1,255,wait 0.000 s"),
            ("wait,7 s", "wait,7.000 s"),
            (
                "retry,4294967295/0,255,wait 18446744073709549568 s",
                "retry,4294967295/0,255,wait 18446744073709549568.000 s",
            ),
            (
                "remoteexe: 007 lines lost, the log was full",
                "remoteexe: 7 lines lost, the log was full",
            ),
            (
                "remoteexe: 18446744073709551616 lines lost, the log was full",
                "remoteexe: 18446744073709551616 lines lost, the log was full",
            ),
            ("remoteexe: ", "remoteexe: "),
            ("error: ", "error: "),
        ] {
            let kind = Kind::parse(text.as_bytes());
            assert!(!matches!(kind, Kind::Output(_)), "{text}");
            assert_eq!(String::from_utf8_lossy(&kind.text()), usual);
            assert_eq!(Kind::parse(usual.as_bytes()), kind, "{text}");
        }
    }

    #[test]
    fn a_text_that_only_resembles_a_record_is_output() {
        for text in [
            "",
            "START,0,h s",
            " START,-,h s",
            "wait,5",
            "wait,x s",
            "waiting for db1",
            "retry,db1 in 5 s",
            "retry,1/8,255,wait x s",
            "retry,1/,255,wait 1 s",
            "retry,1/8,254,wait 1 s",
            "retry,1/8,255,wait 1.2.3 s",
            "retry,1/8,255,wait 1e3 s",
            "retry,1/8,255,wait 18446744073709551615 s",
            "retry,4294967296/8,255,wait 1 s",
            "END,256,h s",
            "END,+1,h s",
            "END,,h s",
            "END,0",
            "errors: none",
            "usage: sum.sh FILE",
            "remoteexe is here",
        ] {
            assert_eq!(Kind::parse(text.as_bytes()), Kind::Output(text.as_bytes()));
        }
    }

    #[test]
    fn what_would_be_read_as_more_than_output_needs_a_mark() {
        for text in [
            "START,-,h s",
            "command,ssh root@h s",
            "wait,5 s",
            "retry,1/8,255,wait 0.5 s",
            "END,0,h s",
            "remoteexe: no retries: why",
            "remoteexe: of another version",
            "remoteexe: the next line is output",
            "remoteexe: the next line is output\r",
        ] {
            assert!(needs_mark(text.as_bytes()), "{text}");
        }
        for text in ["", "x", "error: x", USAGE[0], USAGE[1], "END", " START,-,h"] {
            assert!(!needs_mark(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_mark_alone_is_no_whole_record_whatever_its_line_is() {
        let prefix = Prefix::new(7, at(0));
        let texts: [&[u8]; 7] = [b"a", MARK, b"END,0,h", MARK, MARK, b"b", b""];
        let mut records = Vec::new();
        let mut ends = vec![0];
        for text in texts {
            prefix.encode(text, &mut records);
            ends.push(records.len());
        }
        for (whole, from, to) in [(0, 0, 1), (1, 1, 3), (3, 3, 5), (5, 5, 6), (6, 6, 7)] {
            for length in ends[from]..ends[to] {
                assert_eq!(prefix.whole_records(&records[..length]), ends[whole]);
            }
        }
        assert_eq!(prefix.whole_records(&records), records.len());
    }

    #[test]
    fn a_mark_costs_at_most_twice_what_its_line_costs_without_one() {
        let shortest = ["END,0,", "wait,0 s", "START,-,", "command,"];
        for pid in [1, u32::MAX] {
            let prefix = Prefix::new(pid, at(0));
            for text in shortest {
                assert!(needs_mark(text.as_bytes()));
                assert!(prefix.mark_len() <= 2 * prefix.encoded_len(text.as_bytes()));
            }
        }
    }

    #[test]
    fn a_message_of_another_version_is_a_message() {
        let kind = Kind::Notice(Notice::Other(b"cannot wait for ssh"));
        assert_eq!(Kind::parse(b"remoteexe: cannot wait for ssh"), kind);
    }
}
