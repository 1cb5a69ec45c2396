//! Runs for other programs, a JSON document a line.

use std::fmt::Write;

use serde::Serialize;

use super::run::{End, Run};
use super::time::with_offset;
use crate::escape::is_safe;
use crate::exit::signal;

/// Bytes of a log: a string, or where that would lose something the numbers of all bytes.
#[derive(Serialize)]
#[serde(untagged)]
enum Text<'a> {
    Utf8(&'a str),
    Bytes { bytes: &'a [u8] },
}

impl<'a> From<&'a [u8]> for Text<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        str::from_utf8(bytes).map_or(Self::Bytes { bytes }, Self::Utf8)
    }
}

/// The JSON document of a run. README explains each field: they are a promise.
#[derive(Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "JSON has no better answer to yes or no"
)]
struct Document<'a> {
    pid: u32,
    host: Text<'a>,
    job: Text<'a>,
    start: String,
    end: Option<String>,
    duration: Option<u64>,
    status: &'static str,
    exit_status: Option<u8>,
    signal: Option<&'static str>,
    cause: &'a str,
    connection_failure: bool,
    usage_error: bool,
    retries: u32,
    command: Option<Text<'a>>,
    lines: u64,
    bytes: u64,
    tail: Vec<Text<'a>>,
    overlapped: bool,
    ambiguous: bool,
}

/// `run` as a JSON document without a newline in it.
///
/// # Errors
///
/// None that is known: serde's signature has one.
pub fn json(run: &Run) -> serde_json::Result<String> {
    let trace = &run.trace;
    let exit_status = run.end.status();
    let document = serde_json::to_string(&Document {
        pid: trace.pid,
        host: run.host().into(),
        job: (&*trace.job).into(),
        start: with_offset(trace.start).to_rfc3339(),
        end: run.ended().map(|end| with_offset(end).to_rfc3339()),
        duration: run.seconds(),
        status: match run.end {
            End::Exit(0) => "ok",
            End::Exit(_) => "failed",
            End::Running => "running",
            End::Lost => "lost",
        },
        exit_status,
        signal: exit_status.and_then(signal),
        cause: &run.cause(),
        connection_failure: run.connection_failure().is_some(),
        usage_error: run.is_usage_error(),
        retries: trace.retries,
        command: trace.command.as_deref().map(Text::from),
        lines: trace.lines,
        bytes: trace.bytes,
        tail: trace.tail.lines().map(Text::from).collect(),
        overlapped: trace.is_overlapped,
        ambiguous: trace.is_ambiguous,
    })?;
    // Looking at every character would take as long as all the rest.
    if document.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        Ok(document)
    } else {
        Ok(escaped(&document))
    }
}

/// `document` without what steers a terminal: such characters are in its strings only, where JSON has an
/// escape for them.
fn escaped(document: &str) -> String {
    let mut text = String::with_capacity(document.len());
    for character in document.chars() {
        if is_safe(character) {
            text.push(character);
        } else {
            // JSON's escapes are those of UTF-16 (RFC 8259, section 7).
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}
