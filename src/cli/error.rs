//! Usage errors: each names the input, the reason and the remedy.

use std::ffi::OsStr;
use std::fmt::{Display, Write};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::escape::printable;

pub struct UsageError {
    reason: String,
    tip: Option<String>,
}

/// A value of the command line that was checked.
pub type Valid<T> = Result<T, UsageError>;

impl UsageError {
    /// Both texts may quote words of the command line.
    pub fn new(reason: &(impl ToString + ?Sized), tip: impl Into<String>) -> Self {
        Self { reason: printable(reason.to_string().as_bytes()), tip: Some(printable(tip.into().as_bytes())) }
    }

    /// What was expected implies the remedy.
    pub fn expected(what: impl Display) -> Self {
        Self { reason: format!("expected {what}"), tip: None }
    }

    /// The error of a value as that of the command line. The value `word` came from `origin`.
    pub fn in_value(self, origin: &str, word: &OsStr) -> Self {
        let word = printable(word.as_encoded_bytes());
        let mut tips = Vec::from_iter(self.tip);
        let is_variable = !origin.contains(['-', '<']);
        if is_variable && word.contains('#') {
            tips.push("in a crontab everything after = is the value, even a comment".to_owned());
        }
        Self {
            reason: format!("invalid value '{word}' for {origin}: {}", self.reason),
            tip: (!tips.is_empty()).then(|| tips.join("; ")),
        }
    }

    /// An error of clap. `unknown` is the tip for an unknown argument.
    pub fn from_clap(error: &clap::Error, unknown: &str) -> Self {
        let text = error.to_string();
        let reason = text.split("\n\n").next().unwrap_or_default();
        let reason = reason.strip_prefix("error: ").unwrap_or(reason);
        let words: Vec<&str> = reason.lines().map(str::trim).collect();
        Self::new(&words.join(" "), tip(error, unknown))
    }

    /// The error on one line, for a record.
    pub fn record(&self) -> String {
        match &self.tip {
            Some(tip) => format!("{}; tip: {tip}", self.reason),
            None => self.reason.clone(),
        }
    }

    /// The text for standard error, with the usage of `command`.
    pub fn message(&self, mut command: clap::Command) -> String {
        let mut text = format!("error: {}\n\n", self.reason);
        if let Some(tip) = &self.tip {
            let _ = write!(text, "  tip: {tip}\n\n");
        }
        let usage = command.render_usage();
        let _ = write!(text, "{usage}\n\nFor more information, try '--help'.\n");
        text
    }
}

fn tip(error: &clap::Error, unknown: &str) -> String {
    match (error.kind(), error.get(ContextKind::SuggestedArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(similar))) => {
            format!("a similar argument exists: '{similar}'")
        }
        (ErrorKind::UnknownArgument, _) => unknown.to_owned(),
        (ErrorKind::ArgumentConflict, _) => "give one of them, once".to_owned(),
        (ErrorKind::TooManyValues, _) => "give it without a value".to_owned(),
        _ => "give the value after the option".to_owned(),
    }
}
