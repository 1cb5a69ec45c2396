//! The form of `--json`: a document on a line for each run.

use std::{fmt::Write, os::unix::ffi::OsStrExt};

use chrono::NaiveDateTime;
use memchr::memchr;
use serde::Serialize;

use super::{Account, Expected, Format, Needs, Report, ReportOutput, Run, Slot, WatchFinding, watch::facts};
use crate::report::runs::kept::KeptRecords;
use crate::report::runs::run::{End, first_word};
use crate::report::slots::ExpectedJob;
use crate::{clock::with_offset, escape::is_safe, exit::signal, machine::Users};

pub struct Json<'a> {
    pub users: &'a Users,
    /// Whether a run or a slot that was written is bad.
    pub is_bad: bool,
}

impl Format for Json<'_> {
    fn needs(&self) -> Needs {
        Needs { slots: true, watch: true, warns_of_left_out: true, is_paged: true, ..Needs::default() }
    }

    fn run(&mut self, run: Run, out: &mut ReportOutput) {
        self.is_bad |= run.is_alarming();
        out.write_line(&of_run(&run, self.users).finish());
    }

    fn finish(mut self: Box<Self>, report: &Report, out: &mut ReportOutput) -> bool {
        let jobs = report.crontabs.as_ref().map(Expected::wanted).unwrap_or_default();
        for slot in report.missed_slots() {
            self.is_bad = true;
            out.write_line(&of_slot(slot, &jobs[slot.job as usize], self.users).finish());
        }
        for finding in report.watched().filter(|_| !report.filter.failed) {
            out.write_line(&of_finding(finding, report).finish());
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

/// A JSON document on one line. The manual defines its fields, and other programs rely on them.
#[derive(Default)]
struct JsonDocument(Vec<u8>);

impl JsonDocument {
    fn with(mut self, name: &str, value: impl Serialize) -> Self {
        let before = if self.0.is_empty() { "{\"" } else { ",\"" };
        for part in [before, name, "\":"] {
            self.0.extend_from_slice(part.as_bytes());
        }
        serde_json::to_writer(&mut self.0, &value).expect("strings, numbers and lists become JSON");
        self
    }

    fn with_job(self, account: Account, users: &Users, job: &[u8]) -> Self {
        self.with("uid", account.uid)
            .with("user", account.uid.and_then(|uid| users.name(uid)))
            .with("scheduler", account.scheduler.name())
            .with("host", JsonText::from(first_word(job)))
            .with("job", JsonText::from(job))
    }

    /// The document without a newline.
    fn finish(self) -> String {
        let text = String::from_utf8(self.0).expect("JSON is UTF-8") + "}";
        // Checking each character would take as long as all the rest. DEL is the only ASCII control that JSON leaves.
        if text.is_ascii() && memchr(b'\x7f', text.as_bytes()).is_none() { text } else { escape(&text) }
    }
}

fn of_slot(slot: &Slot, job: &ExpectedJob, users: &Users) -> JsonDocument {
    JsonDocument::default()
        .with_job(job.account(), users, &job.name)
        .with("status", "missed")
        .with("expected", rfc3339(slot.at))
        .with("crontab", JsonText::from(slot.place.file.as_os_str().as_bytes()))
        .with("line", slot.place.line)
}

fn of_finding(finding: &WatchFinding, report: &Report) -> JsonDocument {
    JsonDocument::default()
        .with_job(finding.account, &report.machine.users, &finding.job)
        .with("status", "watch")
        .with("state", finding.oddity.word().to_lowercase())
        .with("since", rfc3339(finding.since))
        .with("detected", rfc3339(finding.detected_at))
        .with("evidence", facts(finding, report))
        .with("pid", finding.last.0)
        .with("start", rfc3339(finding.last.1))
}

/// The document of `run` with all lines of output. Needs its records.
pub fn document_with_output(run: &Run, users: &Users) -> String {
    let output = run.trace.records.as_ref().map(KeptRecords::output).unwrap_or_default();
    let output: Vec<JsonText> = output.into_iter().map(JsonText::from).collect();
    of_run(run, users).with("output", output).finish()
}

fn of_run(run: &Run, users: &Users) -> JsonDocument {
    let (trace, exit_status) = (&run.trace, run.end.status());
    let status = match run.end {
        End::Exit(_) if run.is_good() => "ok",
        End::Exit(_) if run.is_skipped() => "skipped",
        End::Exit(_) => "failed",
        End::Running => "running",
        End::Lost => "lost",
    };
    let tail: Vec<JsonText> = trace.kept.tail().map(JsonText::from).collect();
    let reason = run.reason().filter(|_| run.has_failed()).map(JsonText::from);
    JsonDocument::default()
        .with("pid", trace.pid)
        .with_job(trace.owner.account(), users, &trace.job)
        .with("start", rfc3339(trace.start))
        .with("end", run.ended().map(rfc3339))
        .with("last", rfc3339(trace.last))
        .with("dead_by", trace.dead_by.map(rfc3339))
        .with("duration", run.seconds())
        .with("status", status)
        .with("exit_status", exit_status)
        .with("accepted", run.is_accepted)
        .with("signal", exit_status.and_then(signal))
        .with("cause", run.cause())
        .with("connection_failure", run.connection_failure().is_some())
        .with("usage_error", run.is_usage_error())
        .with("reason", reason)
        .with("retries", trace.retries)
        .with("command", trace.command.as_deref().map(JsonText::from))
        .with("lines", trace.lines)
        .with("bytes", trace.bytes)
        .with("tail", tail)
        .with("overlapped", run.is_overlapped())
        .with("ambiguous", trace.is_ambiguous)
}

fn rfc3339(local: NaiveDateTime) -> String {
    with_offset(local).to_rfc3339()
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
