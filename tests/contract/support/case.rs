//! A case file: files, commands, and what they print. A log in a short notation at its beginning is the file `a.log`.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::clock::set_modified;
use super::mounts::OWN_MOUNTS;
use super::process::code;
use super::run_notation::records_of;
use super::scene::{FAKE, REMOTEEXE, Scene};

/// Functions for the commands.
const PRELUDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract/cases/prelude.sh");

/// 2026-01-01.
const LONG_AGO: Duration = Duration::from_secs(1_767_225_600);

/// The case with what its commands print now.
pub fn case_as_run(case: &str) -> String {
    let scene = Scene::new();
    let mut found = String::new();
    let lines: Vec<&str> = case.lines().collect();
    let mut rest = lines.as_slice();
    while let [line, after @ ..] = rest {
        rest = after;
        let is_log = !is_head(line) && !is_between(line) && !found.lines().any(is_head);
        if let Some(command) = command_of(line) {
            let more = take(&mut rest, |line| line.starts_with("> "));
            rest = &rest[printed(rest)..];
            let (status, result) = result(&scene, &format!("{command}\n{more}").replace("\n> ", "\n"));
            let status = if status == 0 { String::new() } else { status.to_string() };
            let _ = write!(found, "{status}$ {command}\n{more}{result}");
            continue;
        }
        let _ = writeln!(found, "{line}");
        if let Some(name) = line.strip_prefix("==> ").or(is_log.then_some("a.log")) {
            let content = take(&mut rest, |line| !is_head(line));
            found += &content;
            let first = if is_log { format!("{line}\n") } else { String::new() };
            write_file(&scene, name, &(first + &content));
        } else {
            assert!(is_between(line), "neither a file nor a command: {line}");
        }
    }
    found
}

/// Whether the line begins a file or a command.
fn is_head(line: &str) -> bool {
    line.starts_with("==> ") || command_of(line).is_some()
}

/// The command of a line with a prompt, which is the exit status and `$`. There is no 0.
fn command_of(line: &str) -> Option<&str> {
    line.trim_start_matches(|character: char| character.is_ascii_digit()).strip_prefix("$ ")
}

fn take(rest: &mut &[&str], is_part: impl Fn(&str) -> bool) -> String {
    let end = rest.iter().position(|line| !is_part(line)).unwrap_or(rest.len());
    let (taken, after) = rest.split_at(end);
    *rest = after;
    taken.iter().fold(String::new(), |text, line| text + line + "\n")
}

/// How many lines a command has printed when the case was written. `=` ends them. Without that line, blank lines and
/// comments before the next command or file are no part of them.
fn printed(lines: &[&str]) -> usize {
    let end = lines.iter().position(|line| is_head(line)).unwrap_or(lines.len());
    let mark = lines[..end].iter().position(|line| *line == "=");
    let last = mark.or_else(|| lines[..end].iter().rposition(|line| !is_between(line)));
    last.map_or(0, |last| last + 1)
}

/// Whether such a line may stand between two commands.
fn is_between(line: &str) -> bool {
    line.is_empty() || line.starts_with('#')
}

/// Writes a file of the case. Blank lines at its end only set it apart. Slots before the last change of a crontab are not
/// judged, so that is before all logs.
fn write_file(scene: &Scene, name: &str, content: &str) {
    let content = content.trim_end_matches('\n').to_owned() + "\n";
    let content = content.replace("$DIR", &dir(scene)).replace("$BIN", bin());
    let path = scene.path(name);
    fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    fs::write(&path, bytes_of(&records_of(&content))).expect("a file");
    if name.ends_with("crontab") {
        set_modified(&path, SystemTime::UNIX_EPOCH + LONG_AGO);
    }
}

/// The exit status of a command, and what it prints, on standard error with a mark.
fn result(scene: &Scene, command: &str) -> (i32, String) {
    let (command, fields) = command.trim_end().split_once(" | fields ").unwrap_or((command, ""));
    // A command that waits for what never comes fails alone, and does not hold up all tests. `--foreground` leaves a
    // terminal to the command.
    let mut bash = std::process::Command::new("timeout");
    bash.args(["--foreground", "600", "bash"]);
    scene.equip(&mut bash);
    bash.env("PATH", format!("{FAKE}:{}:/usr/bin:/bin", bin()));
    bash.env("TZ", "UTC").env("BIN", bin()).env("OWN_MOUNTS", OWN_MOUNTS).current_dir(scene.path(""));
    let output = bash.args(["-c", &format!("source {PRELUDE}\n{command}")]).output().expect("bash");
    let mut result = shown(scene, &output.stdout);
    if !fields.is_empty() {
        result = fields_of(&result, fields);
    }
    for line in shown(scene, &output.stderr).lines() {
        let _ = writeln!(result, "{}", format!("! {line}").trim_end());
    }
    if result.lines().last().is_some_and(is_between) {
        result += "=\n";
    }
    (code(&output), result)
}

/// These fields of the JSON documents, one a line.
fn fields_of(documents: &str, names: &str) -> String {
    let mut shown = String::new();
    for document in documents.lines() {
        let document: Value = serde_json::from_str(document).expect("JSON");
        let field = |name| document.get(name).map_or("none".to_owned(), Value::to_string);
        let fields: Vec<String> = names.split_whitespace().map(field).collect();
        let _ = writeln!(shown, "{}", fields.join(" "));
    }
    shown
}

/// Printed bytes as a case has them: control characters as their pictures, with those a line ends with in sight.
fn shown(scene: &Scene, bytes: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in bytes.utf8_chunks() {
        let text = chunk.valid().replace(&dir(scene), "$DIR").replace(bin(), "$BIN");
        for character in text.chars() {
            match character {
                '\n' | '\t' => shown.push(character),
                '\0'..'\x20' => shown.extend(char::from_u32(0x2400 + u32::from(character))),
                '\x7f'..'\u{a0}' => {
                    let _ = write!(shown, "<u{:02x}>", u32::from(character));
                }
                _ => shown.push(character),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(shown, "<{byte:02x}>");
        }
    }
    if !shown.is_empty() && !shown.ends_with('\n') {
        shown += "␄\n";
    }
    shown.replace(" \n", "␠\n")
}

/// The bytes of a file from their pictures; `<ff>` is a byte that is no character.
fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let text = text.replace("␄\n", "");
    let mut rest = text.as_str();
    while let Some(character) = rest.chars().next() {
        let byte = rest.get(1..3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let length = match (character, byte) {
            ('<', Some(byte @ 0x80..)) if rest[3..].starts_with('>') => {
                bytes.push(byte);
                4
            }
            ('\u{2400}'..='\u{2420}', _) => {
                bytes.extend(u8::try_from(u32::from(character) - 0x2400));
                character.len_utf8()
            }
            _ => {
                bytes.extend(character.to_string().bytes());
                character.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    bytes
}

fn dir(scene: &Scene) -> String {
    let dir = scene.path("").display().to_string();
    dir.trim_end_matches('/').to_owned()
}

fn bin() -> &'static str {
    Path::new(REMOTEEXE).parent().and_then(Path::to_str).expect("a directory")
}
