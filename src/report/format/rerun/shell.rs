//! A line of a crontab as a command of a POSIX shell.

use std::collections::BTreeMap;

use crate::cron::{Crontabs, Daemon, LineCommand, LineRef, Trust};
use crate::{machine::Users, passwd};

pub struct Shell<'a> {
    users: &'a Users,
    crontabs: &'a Crontabs,
    passwd: Vec<u8>,
}

impl<'a> Shell<'a> {
    pub fn of(users: &'a Users, crontabs: &'a Crontabs) -> Self {
        Self { users, crontabs, passwd: passwd::read() }
    }

    /// The command that runs the line as cron does, or why there is none.
    pub fn command(&self, place: &LineRef) -> Result<String, String> {
        let Self { users, crontabs, passwd } = self;
        let (crontab, line) = crontabs.line(&place.file, place.line).ok_or("the line is gone")?;
        let daemon = crontabs.cron.rules;
        let command = LineCommand::of(line, daemon).map_err(|fault| format!("{}; {}", fault.problem, fault.remedy))?;
        let user = match (&crontab.owner, crontab.trust) {
            // cron runs all lines of such a crontab as its owner.
            (Some(owner), _) => Some(owner),
            (None, Trust::Full) => command.user.as_ref(),
            (None, _) => {
                let reason = "the crontab is another user's, and its lines can name any user";
                return Err(reason.to_owned());
            }
        };
        let user = user.cloned().unwrap_or_else(|| users.word(users.reader));
        let uid = users.uid(&user).ok_or_else(|| format!("this machine has no user {user}"))?;
        if users.reader != 0 && users.reader != uid {
            return Err(format!("only root can run a line of {user}"));
        }
        let entry = passwd::entries(passwd).find(|entry| entry.uid == uid);
        let home = entry.and_then(|entry| entry.home).and_then(|home| home.to_str());
        let home = home.ok_or_else(|| format!("/etc/passwd has no home of {user}"))?;
        let variables = environment(&command, &user, home, daemon);
        let runuser = (uid != users.reader).then(|| format!("runuser -u {} -- ", quoted(&user)));
        let text = shell_text(&command, &variables, &runuser.unwrap_or_default());
        // In a comment, only the first line would be commented out.
        if text.contains('\n') { Err("it has a newline".to_owned()) } else { Ok(text) }
    }
}

fn shell_text(command: &LineCommand, variables: &BTreeMap<String, String>, runuser: &str) -> String {
    let [home, shell] =
        ["HOME", "SHELL"].map(|name| variables.get(name).map_or_else(String::new, |value| quoted(value)));
    let pairs = variables.iter().map(|(name, value)| quoted(&format!("{name}={value}")));
    let pairs = pairs.collect::<Vec<_>>().join(" ");
    let run = format!("{runuser}env -i {pairs} {shell} -c {}", quoted(&command.command));
    let run = match &command.input {
        Some(input) => {
            let input = input.strip_suffix('\n').unwrap_or(input);
            let lines: Vec<String> = input.split('\n').map(quoted).collect();
            format!("printf '%s\\n' {} | {run}", lines.join(" "))
        }
        None => run + " </dev/null",
    };
    format!("(cd -- {home} || cd /; {run})")
}

/// The variables that cron gives to a command. The crontab may set all but the name of the user.
fn environment(command: &LineCommand, user: &str, home: &str, daemon: Daemon) -> BTreeMap<String, String> {
    let defaults = [("HOME", home), ("SHELL", "/bin/sh"), ("PATH", "/usr/bin:/bin")];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let mut all: BTreeMap<String, String> = defaults.map(owned).into();
    all.extend(command.variables.iter().cloned());
    all.extend(daemon.user_variables().iter().map(|name| owned((name, user))));
    all
}

/// Quotes `text` as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=@%+,".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
