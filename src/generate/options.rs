//! What completions have to know of an option.

use clap::{Arg, ArgAction, Command};

/// The command line that an option belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandKind {
    /// Of a job.
    Job,
    /// Of `--report`.
    Report,
    /// Of `--generate airflow`.
    Generate,
}

/// An option.
#[derive(Debug, Clone)]
pub struct Completed {
    /// Where it is an option.
    pub line: CommandKind,
    /// The name with one hyphen, without it.
    pub short: Option<char>,
    /// The name with two hyphens, without them.
    pub long: Option<String>,
    /// What it does.
    pub help: String,
    /// What follows it, if anything does, and the name of that.
    pub value: Option<(String, Value)>,
    /// It may be given again.
    pub is_repeatable: bool,
    /// It begins another command line, and is an option as the first word only.
    pub is_first: bool,
}

/// What a shell can offer for a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The names of files.
    File,
    /// The names of directories.
    Directory,
    /// Hosts of `ssh_config` and `known_hosts`.
    Host,
    /// Users of this machine.
    User,
    /// These words.
    Words(Vec<&'static str>),
    /// Nothing.
    Unknown,
}

/// The options of `grammar`. `words` are known for the values of these names.
pub fn options(
    grammar: &Command,
    line: CommandKind,
    words: &[(&'static str, Vec<&'static str>)],
) -> Vec<Completed> {
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

/// The name of a value tells what it is.
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
    /// The names with their hyphens.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let short = self.short.map(|name| format!("-{name}"));
        let long = self.long.as_ref().map(|name| format!("--{name}"));
        short.into_iter().chain(long)
    }
}
