//! Reads logs: their names, their records and the texts of these.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The files in `dir` in the order of their names.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// [`records`] of the log at `path`.
pub fn texts_in(path: &Path) -> String {
    records(&fs::read_to_string(path).expect("a log in UTF-8"))
}

/// The records of the job `h s` that printed `output` and ended with `status`.
pub fn log_of_h_s(output: &str, status: i32) -> String {
    format!("START,-,h s\ncommand,ssh root@h s\n{output}END,{status},h s\n")
}

/// The record of a run with retries whose ssh returned 255 although it had requested the script.
pub const REQUESTED: &str = "remoteexe: ssh returned 255 after it had requested the script\n";

/// The record before a line of output that looks like a record.
pub const MARK: &str = "remoteexe: the next line is output\n";

/// The texts of the records in `log`, each with its newline.
///
/// Checks on the way that every line has a prefix `[YYYY-MM-DD HH:MM:SS][PID] ` and that all have the
/// same PID.
pub fn texts(log: &[u8]) -> Vec<u8> {
    let mut pid = None;
    let mut texts = Vec::new();
    for line in log.split_inclusive(|&byte| byte == b'\n') {
        let (prefix, text) = split_record(line).unwrap_or_else(|| panic!("no whole record: {}", line.escape_ascii()));
        assert_eq!(*pid.get_or_insert(prefix), prefix, "PIDs of one run");
        texts.extend_from_slice(text);
    }
    texts
}

/// [`texts`] of a log in UTF-8.
pub fn records(log: &str) -> String {
    String::from_utf8(texts(log.as_bytes())).expect("cut between characters")
}

/// The PID and the text of a record.
pub fn split_record(line: &[u8]) -> Option<(u32, &[u8])> {
    let time = line.get(..21)?;
    let shape = b"[dddd-dd-dd dd:dd:dd]";
    let fits = time.iter().zip(shape).all(|(byte, shape)| match shape {
        b'd' => byte.is_ascii_digit(),
        other => byte == other,
    });
    let rest = line[21..].strip_prefix(b"[")?;
    let end = rest.iter().position(|&byte| byte == b']')?;
    let pid = str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
    let text = rest[end + 1..].strip_prefix(b" ")?;
    (fits && text.ends_with(b"\n")).then_some((pid, text))
}

/// `log` with `wait S s` for the wait in each `retry,` record. That wait must be a time.
pub fn mask_waits(log: &str) -> String {
    let lines = log.split_inclusive('\n').map(|line| match split_wait(line) {
        Some((head, _)) => format!("{head}wait S s\n"),
        None => line.to_owned(),
    });
    lines.collect()
}

/// The waits in the `retry,` records of `log`, in their order.
pub fn waits(log: &str) -> Vec<Duration> {
    let lines = log.split_inclusive('\n');
    lines.filter_map(|line| Some(split_wait(line)?.1)).collect()
}

/// Splits a `retry,` record before its wait.
fn split_wait(line: &str) -> Option<(&str, Duration)> {
    let wait = line.strip_prefix("retry,")?.find("wait ")? + "retry,".len();
    let seconds = line[wait..].strip_prefix("wait ")?.strip_suffix(" s\n")?;
    let (whole, thousandths) = seconds.split_once('.').expect("a point");
    assert_eq!(thousandths.len(), 3, "{line}");
    let milliseconds = format!("{whole}{thousandths}").parse().expect("digits");
    Some((&line[..wait], Duration::from_millis(milliseconds)))
}
