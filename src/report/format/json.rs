//! The form of `--json`: a document on a line for each run.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

use chrono::NaiveDateTime;
use memchr::memchr;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::report::Report;
use super::watch::facts;
use super::{Format, Needs};
use crate::clock::with_offset;
use crate::escape::is_safe;
use crate::exit::signal;
use crate::machine::Users;
use crate::report::diagnosis::watch::finding::WatchFinding;
use crate::report::output::ReportOutput;
use crate::report::runs::kept::KeptRecords;
use crate::report::runs::run::{End, Run, first_word};
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
        Needs { slots: true, watch: true, warns_of_left_out: true, is_paged: true, ..Needs::default() }
    }

    fn run(&mut self, run: Run, out: &mut ReportOutput) {
        self.is_bad |= run.is_alarming();
        let document = RunDocument { run: &run, users: self.users, output: None };
        out.write_line(&text_of(&document));
    }

    fn finish(mut self: Box<Self>, report: &Report, out: &mut ReportOutput) -> bool {
        let jobs = report.crontabs.as_ref().map(Expected::wanted).unwrap_or_default();
        for slot in report.missed_slots() {
            self.is_bad = true;
            let job = &jobs[slot.job as usize];
            out.write_line(&text_of(&Missed { slot, job, users: self.users }));
        }
        for finding in report.watched().filter(|_| !report.filter.failed) {
            out.write_line(&text_of(&Watched { finding, report }));
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

/// The document of a missed slot.
struct Missed<'a> {
    slot: &'a Slot,
    job: &'a ExpectedJob,
    users: &'a Users,
}

impl Serialize for Missed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { slot, job, users } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("uid", &job.uid)?;
        map.serialize_entry("user", &job.uid.and_then(|uid| users.name(uid)))?;
        map.serialize_entry("scheduler", &job.scheduler.name())?;
        map.serialize_entry("host", &JsonText::from(job.host()))?;
        map.serialize_entry("job", &JsonText::from(&*job.name))?;
        map.serialize_entry("status", "missed")?;
        map.serialize_entry("expected", &rfc3339(slot.at))?;
        map.serialize_entry("crontab", &JsonText::from(slot.place.file.as_os_str().as_bytes()))?;
        map.serialize_entry("line", &slot.place.line)?;
        map.end()
    }
}

/// The document of what is good and not as usual.
struct Watched<'a> {
    finding: &'a WatchFinding,
    report: &'a Report<'a>,
}

impl Serialize for Watched<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { finding, report } = self;
        let account = finding.account;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("uid", &account.uid)?;
        map.serialize_entry("user", &account.uid.and_then(|uid| report.machine.users.name(uid)))?;
        map.serialize_entry("scheduler", &account.scheduler.name())?;
        map.serialize_entry("host", &JsonText::from(first_word(&finding.job)))?;
        map.serialize_entry("job", &JsonText::from(&*finding.job))?;
        map.serialize_entry("status", "watch")?;
        map.serialize_entry("state", &finding.oddity.word().to_lowercase())?;
        map.serialize_entry("since", &rfc3339(finding.since))?;
        map.serialize_entry("detected", &rfc3339(finding.detected_at))?;
        map.serialize_entry("evidence", &facts(finding, report))?;
        map.serialize_entry("pid", &finding.last.0)?;
        map.serialize_entry("start", &rfc3339(finding.last.1))?;
        map.end()
    }
}

/// The document of `run` with all lines of output. Needs its records.
pub fn document_with_output(run: &Run, users: &Users) -> String {
    let records = run.trace.records.as_ref();
    let output = records.map(KeptRecords::output).unwrap_or_default();
    let output = Some(output.into_iter().map(JsonText::from).collect());
    text_of(&RunDocument { run, users, output })
}

/// The document of a run. The manual defines each field, and other programs rely on them.
struct RunDocument<'a> {
    run: &'a Run,
    users: &'a Users,
    /// All lines of output, if they are wanted.
    output: Option<Vec<JsonText<'a>>>,
}

impl Serialize for RunDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { run, users, output } = self;
        let trace = &run.trace;
        let (uid, exit_status) = (trace.owner.uid, run.end.status());
        let status = match run.end {
            End::Exit(_) if run.is_good() => "ok",
            End::Exit(_) if run.is_skipped() => "skipped",
            End::Exit(_) => "failed",
            End::Running => "running",
            End::Lost => "lost",
        };
        let tail: Vec<JsonText> = trace.kept.tail().map(JsonText::from).collect();
        let reason = run.reason().filter(|_| run.has_failed()).map(JsonText::from);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("pid", &trace.pid)?;
        map.serialize_entry("uid", &uid)?;
        map.serialize_entry("user", &uid.and_then(|uid| users.name(uid)))?;
        map.serialize_entry("scheduler", &trace.owner.scheduler.name())?;
        map.serialize_entry("host", &JsonText::from(run.host()))?;
        map.serialize_entry("job", &JsonText::from(&*trace.job))?;
        map.serialize_entry("start", &rfc3339(trace.start))?;
        map.serialize_entry("end", &run.ended().map(rfc3339))?;
        map.serialize_entry("last", &rfc3339(trace.last))?;
        map.serialize_entry("dead_by", &trace.dead_by.map(rfc3339))?;
        map.serialize_entry("duration", &run.seconds())?;
        map.serialize_entry("status", status)?;
        map.serialize_entry("exit_status", &exit_status)?;
        map.serialize_entry("accepted", &run.is_accepted)?;
        map.serialize_entry("signal", &exit_status.and_then(signal))?;
        map.serialize_entry("cause", &run.cause())?;
        map.serialize_entry("connection_failure", &run.connection_failure().is_some())?;
        map.serialize_entry("usage_error", &run.is_usage_error())?;
        map.serialize_entry("reason", &reason)?;
        map.serialize_entry("retries", &trace.retries)?;
        map.serialize_entry("command", &trace.command.as_deref().map(JsonText::from))?;
        map.serialize_entry("lines", &trace.lines)?;
        map.serialize_entry("bytes", &trace.bytes)?;
        map.serialize_entry("tail", &tail)?;
        map.serialize_entry("overlapped", &run.is_overlapped())?;
        map.serialize_entry("ambiguous", &trace.is_ambiguous)?;
        if let Some(output) = output {
            map.serialize_entry("output", output)?;
        }
        map.end()
    }
}

/// The time with the offset of local time.
fn rfc3339(local: NaiveDateTime) -> String {
    with_offset(local).to_rfc3339()
}

/// The document as a line without its newline.
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
