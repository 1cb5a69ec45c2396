//! A job in front of a real ssh, and what it leaves in one line: for tables.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::log::{REQUESTED, mask_waits};
use super::scene::Scene;

/// A line that looks like ssh's message of a failed connection, for scripts to print.
pub const LOOK_ALIKE: &str = "Connection closed by 127.0.0.1 port 1";

/// Runs the job `h SCRIPT` by `command`, which has all other words. The script first leaves a line in `runs`, and its
/// standard input is the line `typed`. `$LOG` in the script stands for the log.
///
/// Gives the texts between START and END, the exit status, and how often the script ran, such as
/// `call | out | retry,1/3,255,wait S s | call | requested | 255, ran 1`.
pub fn job(scene: &Scene, command: &mut Command, script: &str) -> String {
    // The script may run as another user.
    fs::set_permissions(scene.path(""), Permissions::from_mode(0o777)).unwrap();
    let script = script.replace("$LOG", &scene.path("log/*").display().to_string());
    let script = format!("echo run >>{}; {script}", scene.path("runs").display());
    fs::write(scene.path("input"), "typed\n").unwrap();
    command.args(["h", &script]).stdin(File::open(scene.path("input")).unwrap());
    let run = scene.run(command);
    assert_eq!(run.stderr, "");
    // Before 9.5, ssh says of a dropped connection in one line more that it is closed.
    let closed = "kex_exchange_identification: Connection closed by remote host\r\n";
    let log = mask_waits(&run.records).replace(closed, "").replace(REQUESTED, "requested\n");
    let texts = log.strip_prefix(&format!("START,-,h {script}\n"));
    let texts = texts.and_then(|texts| texts.strip_suffix(&format!("END,{},h {script}\n", run.code)));
    let texts = texts.unwrap_or_else(|| panic!("{log}")).lines();
    let brief = texts.map(|text| if text.starts_with("command,ssh ") { "call" } else { text });
    let runs = fs::read_to_string(scene.path("runs")).unwrap_or_default();
    format!("{} | {}, ran {}", brief.collect::<Vec<_>>().join(" | "), run.code, runs.lines().count())
}

/// Expects this text, in which `…` stands for any other without a retry.
pub fn assert_fits(found: &str, expected: &str, what: &str) {
    let mut parts = expected.split('…');
    let mut rest = found.strip_prefix(parts.next().unwrap_or_default());
    let mut parts = parts.peekable();
    while let (Some(part), Some(after)) = (parts.next(), rest) {
        let at = if parts.peek().is_some() { after.find(part) } else { after.rfind(part) };
        rest = at.map(|at| &after[at + part.len()..]);
    }
    let retries = |text: &str| text.matches("retry,").count();
    assert!(rest == Some("") && retries(found) == retries(expected), "{what}\nexpected {expected}\nfound    {found}");
}
