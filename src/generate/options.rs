//! What completions have to know about an option.

use clap::{Arg, ArgAction, Command};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandKind {
    Job,
    Report,
    Generate,
}

#[derive(Debug, Clone)]
pub struct Completed {
    pub line: CommandKind,
    /// The name with one hyphen, without the hyphen.
    pub short: Option<char>,
    /// The name with two hyphens, without the hyphens.
    pub long: Option<String>,
    pub help: String,
    /// The name and the kind of the value, if the option has one.
    pub value: Option<(String, Value)>,
    pub is_repeatable: bool,
    /// Begins another command line, and is an option only as the first word.
    pub is_first: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    File,
    Directory,
    /// Hosts of `ssh_config` and `known_hosts`.
    Host,
    User,
    Words(Vec<&'static str>),
    Unknown,
}

/// The options of `grammar`. `words` are the possible values, by the name of the value.
pub fn options(grammar: &Command, line: CommandKind, words: &[(&'static str, Vec<&'static str>)]) -> Vec<Completed> {
    let arguments = grammar.get_arguments().filter(|arg| !arg.is_positional());
    arguments
        .map(|arg| Completed {
            line,
            short: arg.get_short(),
            long: arg.get_long().map(str::to_owned),
            help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
            value: value(arg, words),
            is_repeatable: matches!(arg.get_action(), ArgAction::Append),
            is_first: matches!(arg.get_long(), Some("report" | "generate")),
        })
        .collect()
}

/// The kind of a value follows from its name.
fn value(arg: &Arg, words: &[(&'static str, Vec<&'static str>)]) -> Option<(String, Value)> {
    if !arg.get_action().takes_values() {
        return None;
    }
    let name = arg.get_value_names()?.first()?.to_string();
    let known = words.iter().find(|(known, _)| *known == name);
    let value = match (known, name.as_str()) {
        (Some((_, words)), _) => Value::Words(words.clone()),
        (None, "FILE") => Value::File,
        (None, "DIR") => Value::Directory,
        (None, "HOST") => Value::Host,
        (None, "USER") => Value::User,
        (None, _) => Value::Unknown,
    };
    Some((name, value))
}

impl Completed {
    /// With their hyphens.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let short = self.short.map(|name| format!("-{name}"));
        let long = self.long.as_ref().map(|name| format!("--{name}"));
        short.into_iter().chain(long)
    }
}
