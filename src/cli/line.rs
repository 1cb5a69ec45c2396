//! A command line: its grammar and the help for it, its words, and the origin of each value.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, FromArgMatches};

use super::{error::Valid, value::path};
use crate::cron::Columns;

/// The columns of a help text, readable on any terminal.
const WIDTH: usize = 80;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// Any other first argument.
    Job,
    Report,
    Generate,
}

impl Grammar {
    /// Chooses by the first of the arguments, which lack the program's name.
    pub fn of(arguments: &[OsString]) -> Self {
        match arguments.first().map(|first| first.as_encoded_bytes()) {
            Some(b"--report") => Self::Report,
            Some(b"--generate") => Self::Generate,
            Some(first) if first.starts_with(b"--generate=") => Self::Generate,
            _ => Self::Job,
        }
    }
}

/// A command line whose words clap has sorted. clap does not check the values, so a refused command line is also
/// logged, with its operands and in the directory that it names.
pub struct CommandLine<A> {
    pub args: A,
    pub matches: ArgMatches,
    grammar: fn() -> Command,
}

impl<A: FromArgMatches> CommandLine<A> {
    /// Sorts `words`, with the program's name first. Fails if an option is unknown, lacks its value, or asks for help.
    pub fn parse<W: AsRef<OsStr>>(
        grammar: fn() -> Command,
        words: impl IntoIterator<Item = W>,
    ) -> Result<Self, clap::Error> {
        let words = words.into_iter().map(|word| word.as_ref().to_owned());
        let matches = grammar().try_get_matches_from(words)?;
        Ok(Self { args: A::from_arg_matches(&matches)?, matches, grammar })
    }

    /// `word` as the value of the argument `id`. An error of `check` names the option or variable that it came from.
    pub fn value<T>(&self, id: &str, word: &OsStr, check: impl Fn(&OsStr) -> Valid<T>) -> Valid<T> {
        // The grammar is only built again after an error: that takes 41,000 of a start's 300,000 instructions.
        check(word).map_err(|error| error.in_value(&origin((self.grammar)(), &self.matches, id), word))
    }

    pub fn optional<T>(
        &self,
        id: &str,
        word: Option<&OsString>,
        check: impl Fn(&OsStr) -> Valid<T>,
    ) -> Valid<Option<T>> {
        word.map(|word| self.value(id, word, check)).transpose()
    }

    pub fn all<T>(&self, id: &str, words: &[OsString], check: impl Fn(&OsStr) -> Valid<T>) -> Valid<Vec<T>> {
        words.iter().map(|word| self.value(id, word, &check)).collect()
    }

    pub fn crontabs(&self, of_system: &[OsString], of_users: &[OsString]) -> Valid<Vec<(PathBuf, Columns)>> {
        let of_system = self.all("crontab", of_system, |word| Ok((path(word)?, Columns::System)))?;
        let of_users = self.all("user_crontab", of_users, |word| Ok((path(word)?, Columns::User)))?;
        Ok([of_system, of_users].concat())
    }
}

/// The option or the variable that gave the argument `id` its value, for a message.
fn origin(mut command: Command, matches: &ArgMatches, id: &str) -> String {
    // An argument can show itself only once the command is built.
    command.build();
    let arg = command.get_arguments().find(|arg| arg.get_id() == id);
    let arg = arg.expect("each id is that of a field of the grammar");
    match (matches.value_source(id), arg.get_env()) {
        (Some(ValueSource::EnvVariable), Some(variable)) => variable.to_string_lossy().into_owned(),
        // A positional argument shows itself as `[NAME]`.
        _ => arg.to_string(),
    }
}

/// The help of `grammar`, by a template. Only `--help` shows what is behind the mark.
pub fn help(grammar: Command, template: &str, is_long: bool) -> String {
    let (short, more) = template.split_once("@MORE@\n").unwrap_or((template, ""));
    let template = if is_long { [short, more].concat() } else { short.to_owned() };
    let mut command = grammar.mut_args(with_origin).max_term_width(WIDTH).help_template(template);
    command.render_help().to_string()
}

/// Puts the variable and the default on their own line, because clap would break them anywhere.
fn with_origin(arg: Arg) -> Arg {
    let (Some(help), true) = (arg.get_help(), arg.get_action().takes_values()) else { return arg };
    let variable = arg.get_env().map(|name| format!("[env: {}]", name.display()));
    let default = arg.get_default_values().first().map(|value| format!("[default: {}]", value.display()));
    let origin: Vec<_> = variable.into_iter().chain(default).collect();
    if origin.is_empty() {
        return arg;
    }
    let help = format!("{help}\n{}", origin.join(" "));
    arg.help(help).hide_env(true).hide_default_value(true)
}
