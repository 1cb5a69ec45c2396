//! Checks the needs of a run on this machine: a shell, remoteexe and ssh in PATH, a log directory, keys. Runs nothing.

use std::path::{Path, PathBuf};
use std::{ffi::OsStr, os::unix::ffi::OsStrExt, os::unix::fs::MetadataExt};

use super::access::{FileAccess, may};
use crate::cron::command::lexer::base_name;
use crate::cron::command::wrappers::Call;
use crate::cron::crontab::files::is_program;
use crate::cron::crontab::parse::CronLine;
use crate::cron::fault::Fault;
use crate::machine::LocalUser;

/// Directories where programs are if PATH lacks them.
const USUAL_DIRS: [&str; 6] = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"];

pub fn shell(line: &CronLine) -> Option<Fault> {
    let value = line.variables.get("SHELL")?;
    let path = Path::new(OsStr::from_bytes(value));
    let is_shell = is_program(path) && !matches!(base_name(value), b"false" | b"nologin" | b"true");
    (!is_shell).then(|| {
        let problem = format!("SHELL is {}, which runs no command", path.display());
        Fault::new(problem, "give a shell, such as /bin/sh")
    })
}

/// Checks that the shell finds the program.
pub fn program(call: &Call, line: &CronLine) -> Option<Fault> {
    let program = Path::new(OsStr::from_bytes(&call.program));
    if program.is_absolute() {
        let shown = program.display();
        let problem = format!("there is no program {shown}");
        return (!is_program(program)).then(|| Fault::new(problem, "link it to the installed remoteexe"));
    }
    // A relative path depends on the shell's directory.
    let is_name = !call.program.contains(&b'/');
    is_name.then(|| in_path(program, call, line, "")).flatten()
}

/// Checks that remoteexe finds ssh.
pub fn ssh(call: &Call, line: &CronLine) -> Option<Fault> {
    in_path(Path::new("ssh"), call, line, ", so each run ends with 127")
}

fn in_path(program: &Path, call: &Call, line: &CronLine, more: &str) -> Option<Fault> {
    let own = call.variables.iter().rev().find(|(name, _)| name == b"PATH");
    let path = match own {
        Some((_, path)) => path,
        None if call.has_clean_environment => return None,
        None => line.variables.path(),
    };
    let dirs = path.split(|byte| *byte == b':').map(OsStr::from_bytes);
    let mut dirs = dirs.filter(|dir| Path::new(dir).is_absolute());
    if dirs.any(|dir| is_program(&Path::new(dir).join(program))) {
        return None;
    }
    let name = program.display();
    let sign = path.iter().find(|byte| b"$~".contains(byte)).map(|byte| char::from(*byte));
    let problem = match sign {
        Some(sign) => format!("{name} is not in PATH, in which cron does not replace the {sign}{more}"),
        None => format!("{name} is not in PATH, {}{more}", String::from_utf8_lossy(path)),
    };
    let mut usual = USUAL_DIRS.iter();
    let usual = usual.find(|dir| is_program(&Path::new(dir).join(program)));
    let remedy = match (usual, sign) {
        (Some(dir), Some(_)) => format!("write all directories of PATH, also {dir}"),
        (Some(dir), None) => format!("add {dir}, where it is, to PATH at the head of the file"),
        (None, Some(_)) => "write all directories of PATH".to_owned(),
        (None, None) => "link it into one of these directories, or set PATH at the head of the file".to_owned(),
    };
    Some(Fault::new(problem, remedy))
}

/// Checks that a directory takes a log of this user.
pub fn log_dir(dir: &Path, user: Option<&LocalUser>) -> Option<Fault> {
    // A relative path is below the user's home.
    if !dir.is_absolute() {
        return None;
    }
    let shown = dir.display();
    let lost = "so the records go to standard error";
    match dir.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(Fault::new(
            format!("there is no log directory {shown}, {lost}"),
            format!("mkdir {shown}, or give a directory that exists"),
        )),
        Ok(data) if !data.is_dir() => {
            let problem = format!("the log directory {shown} is no directory, {lost}");
            Some(Fault::new(problem, "give a directory"))
        }
        _ if may(user?, FileAccess::Write, dir)? => None,
        _ => Some(Fault::new(
            format!("the user cannot write to the log directory {shown}, {lost}"),
            "give a directory of the user's own, or let the user write there",
        )),
    }
}

/// Checks that ssh would use a key.
pub fn identity(key: &Path, user: Option<&LocalUser>) -> Option<Fault> {
    // ssh expands other paths.
    if !key.is_absolute() || key.as_os_str().as_bytes().contains(&b'%') {
        return None;
    }
    let shown = key.display();
    let data = match key.metadata() {
        Ok(data) => data,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut public = key.as_os_str().to_owned();
            public.push(".pub");
            // An agent may have the key.
            return (!PathBuf::from(public).exists()).then(|| {
                let problem = format!("there is no key {shown}, so ssh tries other keys");
                Fault::new(problem, "give the file of a private key")
            });
        }
        Err(_) => return None,
    };
    let user = user?;
    let mode = data.mode() & 0o777;
    // ssh ignores the mode of another user's key.
    if data.uid() == user.uid && mode & 0o077 != 0 {
        let problem = format!("ssh does not use the key {shown}, because of its mode {mode:o}");
        return Some(Fault::new(problem, format!("chmod 600 {shown}")));
    }
    let may_read = may(user, FileAccess::Read, key)?;
    (!may_read).then(|| {
        let problem = format!("the user cannot read the key {shown}");
        Fault::new(problem, "give a key of the user's own")
    })
}
