//! What cron hands over to start the job of a line.

use super::crontab::parse::{Contents, CronLine};
use super::crontab::percent::ShellText;
use super::daemon::Daemon;
use super::fault::Fault;

#[derive(Debug, Clone)]
pub struct LineCommand {
    /// None if the crontab has no such column.
    pub user: Option<String>,
    /// Those that earlier lines set.
    pub variables: Vec<(String, String)>,
    /// As the shell gets it.
    pub command: String,
    /// Standard input, if the line has one.
    pub input: Option<String>,
}

impl LineCommand {
    /// Fails if a column is missing, or a text is not UTF-8.
    pub fn of(line: &CronLine, contents: &Contents, daemon: Daemon) -> Result<Self, Fault> {
        let shell = ShellText::of(&line.command, daemon);
        if line.has_wrong_columns() {
            return match line.user {
                Some(_) => refused("no user before the command", "write the user, such as root"),
                None => refused("a user before the command", "take the user out"),
            };
        }
        if shell.text.trim_ascii().is_empty() {
            return refused("no command", "give a command after the time");
        }
        Ok(Self {
            user: line.user.as_deref().map(|user| text(user, "the user")).transpose()?,
            command: text(&shell.text, "the command")?,
            variables: variables(contents, line.number)?,
            input: shell.input.as_ref().map(|_| text(&shell.stdin(), "the input")).transpose()?,
        })
    }
}

/// The variables that the lines before `number` set, with their last values.
fn variables(contents: &Contents, number: usize) -> Result<Vec<(String, String)>, Fault> {
    let mut variables: Vec<(String, String)> = Vec::new();
    for (_, assignment) in contents.assignments.iter().take_while(|(at, _)| *at < number) {
        let name = text(&assignment.name, "the name of a variable above it")?;
        let value = text(&assignment.value, &format!("the value of {name}"))?;
        if name.is_empty() {
            return refused("a variable above it has no name", "give it one, or take it out");
        }
        match variables.iter_mut().find(|(other, _)| *other == name) {
            Some((_, old)) => *old = value,
            None => variables.push((name, value)),
        }
    }
    Ok(variables)
}

pub fn text(bytes: &[u8], what: &str) -> Result<String, Fault> {
    let text = str::from_utf8(bytes).map(str::to_owned);
    text.map_err(|_| {
        let remedy = "convert the crontab with iconv, or put the text into a script";
        Fault::new(format!("{what} is not UTF-8"), remedy)
    })
}

pub fn refused<T>(problem: &str, remedy: &str) -> Result<T, Fault> {
    Err(Fault::new(problem, remedy))
}
