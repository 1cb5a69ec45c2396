//! The text of a crontab: its lines, the variables set for each, and the lines that cron refuses.

use std::{mem, rc::Rc};

use super::mistakes;
use super::variables::{Assignment, Variables};
use crate::cron::command::calls::mentions_name;
use crate::cron::command::lexer::{base_name, is_in_name};
use crate::cron::daemon::{Daemon, MachineCron};
use crate::cron::fault::Fault;
use crate::cron::timing::{Timing, split_word};

/// The most lines that Debian's cron takes.
const MOST_LINES: usize = 10_000;
/// Debian's cron refuses a command of more bytes.
const LONGEST_DEBIAN_COMMAND: usize = 999;
/// cronie cuts off the bytes after these.
const LONGEST_CRONIE_COMMAND: usize = 131_071;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// A user's crontab: the command follows the time.
    User,
    /// A system crontab: a user name is between the time and the command.
    System,
}

pub struct CronLine {
    /// From 1.
    pub number: usize,
    pub timing: Timing,
    /// The time as written.
    pub time_text: String,
    /// None if the crontab has no such column.
    pub user: Option<Vec<u8>>,
    /// As written, with `%` and backslashes.
    pub command: Vec<u8>,
    /// The variables that earlier lines set.
    pub variables: Rc<Variables>,
}

impl CronLine {
    /// Whether the word `remoteexe` is in the line, even in the column of users.
    pub fn mentions_remoteexe(&self) -> bool {
        self.user.as_deref().is_some_and(mentions_name) || mentions_name(&self.command)
    }

    /// The time with single blanks between its fields.
    pub fn schedule(&self) -> String {
        self.time_text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether the line lacks the user column of its crontab, or has one too many. Only what is certain counts: no user
    /// is called `remoteexe` or has a `/` in the name, and no program is called `root`.
    pub fn has_wrong_columns(&self) -> bool {
        match &self.user {
            Some(user) => user.contains(&b'/') || base_name(user) == b"remoteexe",
            None => split_word(&self.command).0 == b"root",
        }
    }
}

#[derive(Default)]
pub struct Contents {
    /// The lines with a time and a command, even in a file that cron ignores.
    pub lines: Vec<CronLine>,
    /// Lines that mention remoteexe and are commented out with a `#`.
    pub commented_out: Vec<CronLine>,
    /// What cron refuses, and likely mistakes in variables.
    pub faults: Vec<Fault>,
    /// cron ignores the whole file because of a fault in it.
    pub is_ignored: bool,
    pub mentions_remoteexe: bool,
    /// The number of lines that mention remoteexe and are not read.
    pub not_looked_at: usize,
}

impl Contents {
    /// Only counts the lines that may run remoteexe.
    pub fn count(text: &[u8]) -> Self {
        let lines = text.split(|byte| *byte == b'\n');
        let is_comment = |line: &&[u8]| line.trim_ascii_start().starts_with(b"#");
        let not_looked_at = lines.filter(|line| mentions_name(line) && !is_comment(line)).count();
        Self { mentions_remoteexe: not_looked_at > 0, not_looked_at, ..Self::default() }
    }

    /// Reads the text of a crontab as `cron` does.
    pub fn parse(text: &[u8], columns: Columns, cron: &MachineCron) -> Self {
        let mut reader = CrontabParser {
            columns,
            daemon: cron.rules,
            takes_empty: cron.takes_empty_values,
            variables: Rc::default(),
            is_continued: false,
            contents: Self { mentions_remoteexe: mentions_name(text), ..Self::default() },
        };
        if let Some(line) = text.split(|byte| *byte == b'\n').position(|line| line.contains(&0)) {
            // cron ends a line or a value at a NUL, depending on the place.
            let other = ("a NUL byte: this is not a text", "write the crontab as plain text");
            let fault = mistakes::encoding(text).unwrap_or(Fault::new(other.0, other.1));
            // Every daemon ignores the file.
            reader.refuse_as(Daemon::Debian, fault.at(line + 1));
            let visible: Vec<u8> = text.iter().copied().filter(|byte| *byte != 0).collect();
            reader.contents.mentions_remoteexe = mentions_name(&visible);
            return reader.contents;
        }
        let mut lines = text.split(|byte| *byte == b'\n').zip(1..).peekable();
        while let Some((line, number)) = lines.next() {
            let is_unfinished = lines.peek().is_none();
            reader.take(line, number, is_unfinished);
            if number > MOST_LINES {
                reader.stop(number);
                break;
            }
        }
        reader.contents
    }
}

struct CrontabParser {
    columns: Columns,
    daemon: Daemon,
    takes_empty: bool,
    variables: Rc<Variables>,
    is_continued: bool,
    contents: Contents,
}

impl CrontabParser {
    fn take(&mut self, line: &[u8], number: usize, is_unfinished: bool) {
        let line = &line[line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()..];
        let is_continued = mem::replace(&mut self.is_continued, line.ends_with(b"\\"));
        if line.is_empty() {
            return;
        }
        if line.starts_with(b"#") {
            self.contents.commented_out.extend(self.commented_out(line, number));
            return;
        }
        if is_unfinished && self.daemon != Daemon::Busybox {
            let problem = "no newline at the end of the file";
            self.refuse(Fault::new(problem, "end the last line with a newline").at(number));
            if self.daemon == Daemon::Cronie {
                return;
            }
        }
        if let Some(assignment) = Assignment::parse(line, self.daemon, self.takes_empty) {
            self.assign(&assignment, number);
            return;
        }
        if self.daemon == Daemon::Busybox
            && let Some(Assignment { name, .. }) = Assignment::parse(line, Daemon::Cronie, true)
        {
            let name = String::from_utf8_lossy(&name);
            let problem = format!("busybox crond does not set {name}");
            let remedy = format!("write {name}=… before the command of each line");
            self.contents.faults.push(Fault::new(problem, remedy).at(number));
            return;
        }
        match self.line(line, number) {
            Ok(line) => self.contents.lines.push(line),
            Err(fault) => {
                let usual = mistakes::of_refused(line, is_continued);
                self.refuse(usual.unwrap_or(fault).at(number));
            }
        }
    }

    fn assign(&mut self, assignment: &Assignment, number: usize) {
        let Assignment { name, value, is_quoted } = assignment;
        let shown = String::from_utf8_lossy(name);
        let mut fault = |problem: String, remedy: &str| {
            self.contents.faults.push(Fault::new(problem, remedy).at(number));
        };
        let mut pairs = value.windows(2);
        if !is_quoted && pairs.any(|pair| pair[0].is_ascii_whitespace() && pair[1] == b'#') {
            fault(
                format!("the value of {shown} ends with a comment, which is part of it"),
                "move the comment to a line of its own",
            );
        }
        if name.starts_with(mistakes::BYTE_ORDER_MARK) {
            let problem = "the file begins with a byte order mark, which is part of the first variable's name";
            fault(problem.to_owned(), mistakes::WITHOUT_MARK);
        }
        let is_ours = name.starts_with(b"REMOTEEXE_");
        let has_words = is_ours || name == b"PATH";
        if let Some((problem, remedy)) = mistakes::lookalike(value).filter(|_| has_words) {
            fault(format!("{problem} in a variable"), remedy);
        }
        if is_ours && value.contains(&b'$') {
            fault(format!("cron does not replace the $ in {shown}"), "write the value in full");
        }
        let is_of_cronie = matches!(&**name, b"CRON_TZ" | b"RANDOM_DELAY");
        if is_of_cronie && self.daemon == Daemon::Debian {
            fault(
                format!("{shown} has no effect: only cronie knows it"),
                "give the time in the machine's zone, and delays with sleep",
            );
        }
        Rc::make_mut(&mut self.variables).set(name, value);
    }

    fn line(&self, line: &[u8], number: usize) -> Result<CronLine, Fault> {
        let line = match self.daemon {
            // The daemon then writes nothing to syslog.
            Daemon::Cronie => line.strip_prefix(b"-").unwrap_or(line),
            _ => line,
        };
        if is_bad_assignment(line) {
            return Err(Fault::new(
                "neither a variable nor a time",
                "write NAME=value, NAME=\"\" for nothing, and no comment after a quoted value",
            ));
        }
        let (timing, rest) = Timing::parse(line, self.daemon)?;
        let time_text = String::from_utf8_lossy(&line[..line.len() - rest.len()]);
        let (user, command) = match self.columns {
            Columns::User => (None, rest),
            Columns::System => {
                let (user, command) = split_word(rest);
                (Some(user.to_vec()), command)
            }
        };
        self.check_command(rest, command)?;
        let command = match self.daemon {
            // Mail only if the job fails.
            Daemon::Cronie => command.strip_prefix(b"-n ").unwrap_or(command),
            _ => command,
        };
        Ok(CronLine {
            number,
            timing,
            time_text: time_text.trim_end().to_owned(),
            user,
            command: command.to_vec(),
            variables: Rc::clone(&self.variables),
        })
    }

    /// The line without its `#`, if the comment mentions remoteexe.
    fn commented_out(&self, line: &[u8], number: usize) -> Option<CronLine> {
        let line = &line[line.iter().take_while(|byte| matches!(byte, b'#' | b' ' | b'\t')).count()..];
        mentions_name(line).then(|| self.line(line, number))?.ok()
    }

    fn check_command(&self, rest: &[u8], command: &[u8]) -> Result<(), Fault> {
        let has_sixth_star = rest.starts_with(b"*");
        if has_sixth_star && (self.daemon == Daemon::Cronie || self.columns == Columns::User) {
            let remedy = "give five time fields, and then the command";
            return Err(Fault::new("a sixth time field", remedy));
        }
        let (problem, remedy) = match self.columns {
            Columns::System => ("no user or no command", "give a user and a command after the time"),
            Columns::User => ("no command", "give a command after the time"),
        };
        // Debian's cron then runs an empty command.
        let may_be_empty = self.daemon == Daemon::Debian && self.columns == Columns::User;
        if command.is_empty() && !may_be_empty {
            return Err(Fault::new(problem, remedy));
        }
        let longest = match self.daemon {
            Daemon::Debian => LONGEST_DEBIAN_COMMAND,
            Daemon::Cronie => LONGEST_CRONIE_COMMAND,
            Daemon::Busybox => usize::MAX,
        };
        if command.len() >= longest {
            let length = command.len();
            let problem = format!("a command of {length} bytes; cron takes less than {longest}");
            return Err(Fault::new(problem, "put the command into a script"));
        }
        Ok(())
    }

    fn stop(&mut self, line: usize) {
        let problem = format!("more than {MOST_LINES} lines");
        let fault = |problem| Fault::new(problem, "use several files").at(line);
        match self.daemon {
            Daemon::Debian => self.refuse(fault(problem)),
            _ => self.contents.faults.push(fault(problem + "; the others are not looked at here")),
        }
    }

    fn refuse(&mut self, fault: Fault) {
        self.refuse_as(self.daemon, fault);
    }

    fn refuse_as(&mut self, daemon: Daemon, fault: Fault) {
        self.contents.is_ignored |= daemon == Daemon::Debian;
        let consequence = Some(daemon.consequence());
        self.contents.faults.push(Fault { consequence, ..fault });
    }
}

/// Whether a line that cron does not take for a variable was meant as one.
fn is_bad_assignment(line: &[u8]) -> bool {
    let end = line.iter().position(|byte| *byte == b'=').unwrap_or(0);
    let name = line[..end].trim_ascii_end();
    !name.is_empty() && !name[0].is_ascii_digit() && name.iter().copied().all(is_in_name)
}
