//! A command line of either grammar: its words, and the origin of each value.

use std::ffi::OsStr;

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, FromArgMatches};

use super::error::UsageError;
use super::value::InvalidValue;

/// A command line whose words clap has sorted. clap does not check the values, so a refused command line is also
/// logged, with its operands and in the directory that it names.
pub struct CommandLine<A> {
    pub args: A,
    pub matches: ArgMatches,
    grammar: fn() -> Command,
}

impl<A: FromArgMatches> CommandLine<A> {
    /// Sorts `words`, with the program's name first. Fails if an option is unknown or lacks its value, or if clap
    /// itself prints the help.
    pub fn parse<W: AsRef<OsStr>>(
        grammar: fn() -> Command,
        words: impl IntoIterator<Item = W>,
    ) -> Result<Self, clap::Error> {
        let words = words.into_iter().map(|word| word.as_ref().to_owned());
        let matches = grammar().try_get_matches_from(words)?;
        Ok(Self { args: A::from_arg_matches(&matches)?, matches, grammar })
    }

    /// `word` as the value of the argument `id`. If `check` refuses it, the error names the option, or the variable
    /// that `word` came from.
    pub fn value<T>(
        &self,
        id: &str,
        word: &OsStr,
        check: impl Fn(&OsStr) -> Result<T, InvalidValue>,
    ) -> Result<T, UsageError> {
        check(word).map_err(|error| {
            // The grammar is only built again after an error: that takes 41,000 of a start's 300,000 instructions.
            let origin = origin((self.grammar)(), &self.matches, id);
            UsageError::invalid_value(&origin, word, error)
        })
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
