//! The form of `--json`: a document on a line for each run.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

use memchr::memchr;
use serde::Serialize;

use super::report::Report;
use super::{Format, Needs};
use crate::clock::with_offset;
use crate::escape::is_safe;
use crate::exit::signal;
use crate::machine::Users;
use crate::report::output::ReportOutput;
use crate::report::runs::kept::KeptRecords;
use crate::report::runs::run::{End, Run};
use crate::report::slots::missed::Slot;
use crate::report::slots::{Expected, ExpectedJob};

#[derive(Debug)]
pub struct Json<'a> {
    users: &'a Users,
    is_bad: bool,
}

impl<'a> Json<'a> {
    pub fn new(users: &'a Users) -> Self {
        Self { users, is_bad: false }
    }
}

impl Format for Json<'_> {
    fn needs(&self) -> Needs {
        Needs { slots: true, warns_of_left_out: true, is_paged: true, ..Needs::default() }
    }

    fn run(&mut self, run: Run, out: &mut ReportOutput) {
        self.is_bad |= run.is_alarming();
        out.write_line(&document(&run, self.users, None));
    }

    fn finish(mut self: Box<Self>, report: &Report, out: &mut ReportOutput) -> bool {
        let jobs = report.crontabs.as_ref().map(Expected::wanted).unwrap_or_default();
        for slot in report.missed_slots() {
            self.is_bad = true;
            out.write_line(&missed(slot, &jobs[slot.job as usize], self.users));
        }
        self.is_bad
    }
}

/// Bytes of a log: a string if they are UTF-8, otherwise the numbers of all bytes.
#[derive(Serialize)]
#[serde(untagged)]
enum JsonText<'a> {
    Utf8(&'a str),
    Bytes { bytes: &'a [u8] },
}

impl<'a> From<&'a [u8]> for JsonText<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        str::from_utf8(bytes).map_or(Self::Bytes { bytes }, Self::Utf8)
    }
}

/// The document of a run. The manual defines each field, and other programs rely on them.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of its own in the document")]
struct RunDocument<'a> {
    pid: u32,
    uid: Option<u32>,
    user: Option<&'a str>,
    scheduler: Option<&'a str>,
    host: JsonText<'a>,
    job: JsonText<'a>,
    start: String,
    end: Option<String>,
    last: String,
    dead_by: Option<String>,
    duration: Option<u64>,
    status: &'static str,
    exit_status: Option<u8>,
    accepted: bool,
    signal: Option<&'static str>,
    cause: &'a str,
    connection_failure: bool,
    usage_error: bool,
    reason: Option<JsonText<'a>>,
    retries: u32,
    command: Option<JsonText<'a>>,
    lines: u64,
    bytes: u64,
    tail: Vec<JsonText<'a>>,
    overlapped: bool,
    ambiguous: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Vec<JsonText<'a>>>,
}

/// The document of a missed slot.
#[derive(Serialize)]
struct Missed<'a> {
    uid: Option<u32>,
    user: Option<&'a str>,
    scheduler: Option<&'a str>,
    host: JsonText<'a>,
    job: JsonText<'a>,
    status: &'static str,
    expected: String,
    crontab: JsonText<'a>,
    line: usize,
}

fn missed(slot: &Slot, job: &ExpectedJob, users: &Users) -> String {
    let document = Missed {
        uid: job.uid,
        user: job.uid.and_then(|uid| users.name(uid)),
        scheduler: job.scheduler.name(),
        host: job.host().into(),
        job: (&*job.name).into(),
        status: "missed",
        expected: with_offset(slot.at).to_rfc3339(),
        crontab: slot.place.file.as_os_str().as_bytes().into(),
        line: slot.place.line,
    };
    text_of(&document)
}

/// The same with all lines of output. Needs the records of `run`.
pub fn document_with_output(run: &Run, users: &Users) -> String {
    let records = run.trace.records.as_ref();
    let output = records.map(KeptRecords::output).unwrap_or_default();
    let output = output.into_iter().map(JsonText::from).collect();
    document(run, users, Some(output))
}

/// The document of `run`, without a newline. Times are RFC 3339 with the offset of local time; the duration is in
/// seconds.
fn document(run: &Run, users: &Users, output: Option<Vec<JsonText>>) -> String {
    let trace = &run.trace;
    let exit_status = run.end.status();
    let document = RunDocument {
        pid: trace.pid,
        uid: trace.owner.uid,
        user: trace.owner.uid.and_then(|uid| users.name(uid)),
        scheduler: trace.owner.scheduler.name(),
        host: run.host().into(),
        job: (&*trace.job).into(),
        start: with_offset(trace.start).to_rfc3339(),
        end: run.ended().map(|end| with_offset(end).to_rfc3339()),
        last: with_offset(trace.last).to_rfc3339(),
        dead_by: trace.dead_by.map(|time| with_offset(time).to_rfc3339()),
        duration: run.seconds(),
        status: match run.end {
            End::Exit(_) if run.is_good() => "ok",
            End::Exit(_) if run.is_skipped() => "skipped",
            End::Exit(_) => "failed",
            End::Running => "running",
            End::Lost => "lost",
        },
        exit_status,
        accepted: run.is_accepted,
        signal: exit_status.and_then(signal),
        cause: &run.cause(),
        connection_failure: run.connection_failure().is_some(),
        usage_error: run.is_usage_error(),
        reason: run.reason().filter(|_| run.has_failed()).map(JsonText::from),
        retries: trace.retries,
        command: trace.command.as_deref().map(JsonText::from),
        lines: trace.lines,
        bytes: trace.bytes,
        tail: trace.kept.tail().map(JsonText::from).collect(),
        overlapped: run.is_overlapped(),
        ambiguous: trace.is_ambiguous,
        output,
    };
    text_of(&document)
}

fn text_of(document: &impl Serialize) -> String {
    let text = serde_json::to_string(document).expect("strings, numbers and lists become JSON");
    // Checking each character would take as long as everything else. JSON has no other control characters.
    if text.is_ascii() && memchr(b'\x7f', text.as_bytes()).is_none() { text } else { escape(&text) }
}

/// Escapes characters that could steer a terminal. They occur only in strings, where JSON has escapes.
fn escape(document: &str) -> String {
    let mut text = String::with_capacity(document.len());
    for character in document.chars() {
        if is_safe(character) {
            text.push(character);
        } else {
            // JSON escapes the units of UTF-16 (RFC 8259, section 7).
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}
