//! The lines of a crontab for another scheduler: all that cron gives to a job, and what no other scheduler can do.

use std::collections::HashSet;

use super::calendar::dst::clock_intervals;
use super::calendar::slots;
use super::calendar::zone::{Zone, name_of_machine};
use super::command::calls::{Mention, mentions};
use super::command::lexer::{Operator, Token, base_name, tokens};
use super::crontab::files::Crontab;
use super::crontab::parse::{Contents, CronLine, Fault};
use super::crontab::percent::ShellText;
use super::daemon::Daemon;
use super::jobs::{CallMeaning, ParseCall, meaning, random_delay};
use super::lint::Finding;
use super::timing::Timing;

/// A line with all that cron gives to its job.
#[derive(Debug, Clone)]
pub struct PortableLine {
    /// Its number in the file, from 1.
    pub number: usize,
    /// The line as it stands in the crontab, without the blanks around it.
    pub text: String,
    /// When it is due.
    pub timing: Timing,
    /// The name of the zone in which it is due.
    pub zone: String,
    /// The zone, if it is not the machine's.
    own_zone: Option<Zone>,
    /// The user of the line, if the crontab has that column.
    pub user: Option<String>,
    /// The variables that the lines above it set.
    pub variables: Vec<(String, String)>,
    /// What the shell runs.
    pub command: String,
    /// What the command reads, if the line has an input.
    pub input: Option<String>,
    /// The first job of remoteexe in it, `HOST SCRIPT PARAMETERS`.
    pub job: Option<String>,
    /// `flock -n` leaves the command out, with the status of a failure.
    pub fails_if_locked: bool,
    /// Its exit status is not that of its last call of remoteexe, which is in a pipe or in the background.
    pub hides_status: bool,
}

/// The lines of a crontab.
#[derive(Debug, Default)]
pub struct PortableLines {
    /// Those that another scheduler can run.
    pub lines: Vec<PortableLine>,
    /// The others, in the order of the file.
    pub refused: Vec<Finding>,
    /// What is strange, but runs as under cron.
    pub remarks: Vec<Finding>,
}

impl PortableLine {
    /// The minutes of UTC, from `from` up to `until`, in which cron starts the line.
    pub fn cron_minutes(&self, from: i64, until: i64) -> Vec<i64> {
        let mut minutes = Vec::new();
        let intervals = clock_intervals(&Zone::Machine, from, until);
        slots::each(&self.timing, self.own_zone.as_ref(), &intervals, &mut |slot| {
            minutes.push(slot.minute);
        });
        minutes
    }
}

/// The problem and the remedy of a line.
type Refusal = (String, &'static str);

impl PortableLines {
    /// The lines of `crontab`. Its cron is `daemon`.
    pub fn of(crontab: &Crontab, daemon: Daemon, parse: ParseCall) -> Self {
        let contents = &crontab.contents;
        let finding = |line, problem: String, remedy: &str| Finding {
            file: crontab.path.clone(),
            line,
            problem,
            remedy: remedy.to_owned(),
        };
        let of_fault = |fault: &Fault| finding(fault.line, fault.problem.clone(), &fault.remedy);
        let mut found =
            Self { refused: contents.refusals.iter().map(of_fault).collect(), ..Self::default() };
        let refused: HashSet<_> = contents.refusals.iter().map(|fault| fault.line).collect();
        let is_remark = |fault: &&Fault| !refused.contains(&fault.line);
        let remarks = contents.faults.iter().filter(is_remark);
        found.remarks = remarks.map(of_fault).collect();
        for line in &contents.lines {
            if refused.contains(&Some(line.number)) {
                continue;
            }
            match portable(line, contents, daemon, parse) {
                Ok(line) => found.lines.push(line),
                Err((problem, remedy)) => {
                    let finding = finding(Some(line.number), problem, remedy);
                    found.refused.push(finding);
                }
            }
        }
        found.refused.sort_by_key(|finding| finding.line);
        found
    }
}

fn portable(
    line: &CronLine,
    contents: &Contents,
    daemon: Daemon,
    parse: ParseCall,
) -> Result<PortableLine, Refusal> {
    check_time(line, daemon)?;
    let shell = ShellText::of(&line.command, daemon);
    if line.has_wrong_columns() {
        return match line.user {
            Some(_) => refused("no user before the command", "write the user, such as root"),
            None => refused("a user before the command", "take the user out"),
        };
    }
    let user = line.user.as_deref().map(|user| text(user, "the user"));
    let user = user.transpose()?;
    if shell.text.trim_ascii().is_empty() {
        return refused("no command", "give a command after the time");
    }
    let command = text(&shell.text, "the command")?;
    let own_zone = own_zone(line, daemon)?;
    let tokens = tokens(&shell.text, &line.variables).unwrap_or_default();
    let column = user.as_ref().map_or(String::new(), |user| format!(" {user}"));
    let raw = text(&line.command, "the command")?;
    Ok(PortableLine {
        number: line.number,
        text: format!("{}{column} {raw}", line.time_text),
        timing: line.timing,
        own_zone: own_zone.as_ref().and_then(|name| Zone::named(name)),
        zone: own_zone.map_or_else(machine_zone, Ok)?,
        user,
        variables: variables(contents, line.number)?,
        command,
        input: match &shell.input {
            Some(_) => Some(text(&shell.stdin(), "the input")?),
            None => None,
        },
        job: first_job(&shell.text, line, parse),
        fails_if_locked: fails_if_locked(&tokens),
        hides_status: hides_status(&tokens),
    })
}

/// Refuses a time that only cron has.
fn check_time(line: &CronLine, daemon: Daemon) -> Result<(), Refusal> {
    if line.timing.is_reboot {
        return refused(
            "@reboot: no other scheduler knows when this machine boots",
            "leave the line in a crontab that cron reads",
        );
    }
    if line.time_text.contains('~') {
        let problem = match daemon {
            Daemon::Cronie => "cron draws the time of ~ at random",
            Daemon::Debian => "cron takes what is before ~ for the whole",
        };
        return refused(problem, "give a number; --splay spreads the jobs");
    }
    if random_delay(line, daemon) > 0 {
        return refused(
            "RANDOM_DELAY: cron draws the delay at random",
            "set RANDOM_DELAY=0 above the line; --splay spreads the jobs",
        );
    }
    if line.timing.is_never_due() {
        return refused(
            "no time ever matches",
            "give a range its smaller number first, and a day that exists",
        );
    }
    Ok(())
}

/// The name of the zone of cronie's `CRON_TZ`.
fn own_zone(line: &CronLine, daemon: Daemon) -> Result<Option<String>, Refusal> {
    let own = line.variables.get("CRON_TZ");
    let Some(name) = own.filter(|name| daemon == Daemon::Cronie && !name.is_empty()) else {
        return Ok(None);
    };
    let name = String::from_utf8_lossy(name);
    match Zone::named(&name) {
        Some(_) => Ok(Some(name.into_owned())),
        None => Err((
            format!("CRON_TZ is '{name}', which is no time zone of this machine"),
            "give a name of /usr/share/zoneinfo, such as Europe/Berlin",
        )),
    }
}

fn machine_zone() -> Result<String, Refusal> {
    name_of_machine().ok_or_else(|| {
        let problem = "the time zone of this machine has no name in /usr/share/zoneinfo";
        let remedy = "put TZ=ZONE before remoteexe, such as TZ=Europe/Berlin";
        (problem.to_owned(), remedy)
    })
}

/// The variables that the lines before line `number` set, each with its last value.
fn variables(contents: &Contents, number: usize) -> Result<Vec<(String, String)>, Refusal> {
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

fn text(bytes: &[u8], what: &str) -> Result<String, Refusal> {
    let text = str::from_utf8(bytes).map(str::to_owned);
    text.map_err(|_| {
        let problem = format!("{what} is not UTF-8");
        (problem, "convert the crontab with iconv, or put the text into a script")
    })
}

fn first_job(command: &[u8], line: &CronLine, parse: ParseCall) -> Option<String> {
    let mentions = mentions(command, &line.variables);
    mentions.iter().find_map(|mention| match mention {
        Mention::Call(call) => match meaning(call, line, parse) {
            CallMeaning::Job(job) => Some(String::from_utf8_lossy(&job.name).into_owned()),
            CallMeaning::Refused { .. } | CallMeaning::NoJob => None,
        },
        Mention::Unknown(_) => None,
    })
}

/// Whether a `flock` that does not wait has no status of its own for a lock that is taken.
fn fails_if_locked(tokens: &[Token]) -> bool {
    let words = tokens.iter().filter_map(|token| match token {
        Token::Word(word) => str::from_utf8(&word.text).ok(),
        Token::Operator(_) => None,
    });
    let mut options = words.skip_while(|word| base_name(word.as_bytes()) != b"flock");
    options.next();
    let is_option = |word: &&str| word.starts_with('-') || word.parse::<f64>().is_ok();
    let options: Vec<&str> = options.take_while(is_option).collect();
    let has = |short: char, long: &str| {
        options.iter().any(|word| match word.strip_prefix("--") {
            Some(word) => word.starts_with(long),
            None => word.starts_with('-') && word.contains(short),
        })
    };
    let does_not_wait = has('n', "n") || has('w', "wait") || has('w', "timeout");
    does_not_wait && !has('E', "conflict-exit-code")
}

/// Whether the last command that mentions remoteexe is in a pipe before another one, or in the background.
fn hides_status(tokens: &[Token]) -> bool {
    let is_call =
        |token: &Token| matches!(token, Token::Word(word) if base_name(&word.text) == b"remoteexe");
    let Some(last) = tokens.iter().rposition(is_call) else {
        return false;
    };
    let mut after = tokens[last..].iter();
    let operator = after.find_map(|token| match token {
        Token::Operator(operator) => Some(*operator),
        Token::Word(_) => None,
    });
    matches!(operator, Some(Operator::Pipe | Operator::Background))
}

fn refused<T>(problem: &str, remedy: &'static str) -> Result<T, Refusal> {
    Err((problem.to_owned(), remedy))
}
