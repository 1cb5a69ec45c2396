//! A command line of either grammar: its words, and where each value came from.

use std::ffi::OsStr;

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, FromArgMatches};

use super::error::UsageError;
use super::value::InvalidValue;

/// A command line whose words clap has sorted. clap does not check their values, so that a refused command
/// line is logged too, with its operands and in the directory that it names.
pub struct CommandLine<A> {
    /// The words by their arguments.
    pub args: A,
    /// Where they came from.
    pub matches: ArgMatches,
    /// Makes the grammar.
    grammar: fn() -> Command,
}

impl<A: FromArgMatches> CommandLine<A> {
    /// Sorts `words`, the program's name first, by `grammar`.
    ///
    /// # Errors
    ///
    /// An option is not known or has no value, or clap itself prints the help.
    pub fn parse<W: AsRef<OsStr>>(
        grammar: fn() -> Command,
        words: impl IntoIterator<Item = W>,
    ) -> Result<Self, clap::Error> {
        let words = words.into_iter().map(|word| word.as_ref().to_owned());
        let matches = grammar().try_get_matches_from(words)?;
        Ok(Self { args: A::from_arg_matches(&matches)?, matches, grammar })
    }

    /// `word` as the value of the argument `id`.
    ///
    /// # Errors
    ///
    /// `check` refuses it. The error names the option, or the variable that it came from.
    pub fn value<T>(
        &self,
        id: &str,
        word: &OsStr,
        check: impl Fn(&OsStr) -> Result<T, InvalidValue>,
    ) -> Result<T, UsageError> {
        check(word).map_err(|error| {
            // The grammar is built again only after an error: that takes 41,000 of a start's 300,000
            // instructions.
            let origin = origin((self.grammar)(), &self.matches, id);
            UsageError::invalid_value(&origin, word, error)
        })
    }
}

/// Where the value of the argument `id` came from, for a message: the option, or the variable.
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
