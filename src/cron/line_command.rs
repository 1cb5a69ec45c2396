//! The data with which cron starts the job of a line.

use super::{crontab::parse::CronLine, crontab::percent::ShellText, daemon::Daemon, fault::Fault};

pub struct LineCommand {
    /// None if the crontab has no such column.
    pub user: Option<String>,
    pub variables: Vec<(String, String)>,
    /// As the shell gets it.
    pub command: String,
    /// Standard input, if the line has one.
    pub input: Option<String>,
}

impl LineCommand {
    /// Fails if a column is missing, or a text is not UTF-8.
    pub fn of(line: &CronLine, daemon: Daemon) -> Result<Self, Fault> {
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
            variables: variables(line)?,
            input: shell.input.as_ref().map(|_| text(&shell.stdin(), "the input")).transpose()?,
        })
    }
}

fn variables(line: &CronLine) -> Result<Vec<(String, String)>, Fault> {
    if line.variables.are_many() {
        return refused("too many variables above it", "take out those that the job does not need");
    }
    let variables =
        line.variables.all().map(|(name, value)| Ok((name.to_owned(), text(value, &format!("the value of {name}"))?)));
    variables.collect()
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
