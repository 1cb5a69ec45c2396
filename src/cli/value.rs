//! Validates the values of options.

use std::{env, ffi::OsStr, path::PathBuf};

use clap::Command;

use super::error::{UsageError, Valid};

pub const DEFAULT_LOG_DIR: &str = "/tmp";
pub const WHEN: [&str; 3] = ["auto", "always", "never"];

pub fn path(word: &OsStr) -> Valid<PathBuf> {
    if word.is_empty() {
        return Err(UsageError::new("it is empty", "give a path"));
    }
    Ok(PathBuf::from(word))
}

/// Whether to do something that may depend on the terminal. None for `auto`.
pub fn when(word: &OsStr) -> Valid<Option<bool>> {
    match word.as_encoded_bytes() {
        b"auto" => Ok(None),
        b"always" => Ok(Some(true)),
        b"never" => Ok(Some(false)),
        _ => Err(UsageError::expected("auto, always or never")),
    }
}

/// The directory to which jobs of this machine log.
pub fn local_log_dir() -> PathBuf {
    let variable = env::var_os("REMOTEEXE_LOG_DIR").filter(|value| !value.is_empty());
    variable.map_or_else(|| DEFAULT_LOG_DIR.into(), PathBuf::from)
}

/// Makes a variable that is set but empty count as unset, so that a crontab can undo an earlier setting.
pub fn unset_empty(command: Command) -> Command {
    command.mut_args(|arg| {
        let is_empty = |name| env::var_os(name).is_some_and(|value| value.is_empty());
        if arg.get_env().is_some_and(is_empty) { arg.env(None) } else { arg }
    })
}
