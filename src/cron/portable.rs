//! The lines of a crontab for another scheduler: all that cron gives to a job, and what no other scheduler can do.

use std::{collections::HashSet, path::PathBuf};

use super::calendar::dst::clock_intervals;
use super::calendar::slots;
use super::calendar::zone::{Zone, name_of_machine};
use super::command::calls::{Mention, mentions};
use super::command::lexer::{Operator, Token, base_name, tokens};
use super::command::lock::{LOCKED, Lock};
use super::command::walk::ENDS;
use super::crontab::files::Crontab;
use super::crontab::parse::CronLine;
use super::crontab::percent::ShellText;
use super::daemon::Daemon;
use super::fault::{Fault, Finding};
use super::jobs::{CallMeaning, ParseCall, accepted, meaning, own_zone, random_delay};
use super::line_command::{LineCommand, refused, text};
use super::lint::NEVER_DUE;
use super::timing::{Timing, half_read_fields};
use crate::exit::SuccessStatuses;

/// A line with all that cron gives to its job.
pub struct PortableLine {
    /// From 1.
    pub number: usize,
    /// As in the crontab, without the blanks around it.
    pub text: String,
    pub timing: Timing,
    pub zone: String,
    /// None if it is the machine's.
    own_zone: Option<Zone>,
    pub run: LineCommand,
    /// The first job in it, `HOST SCRIPT PARAMETERS`.
    pub job: Option<String>,
    /// The exit statuses that are no failure, by `REMOTEEXE_OK`: those of the last call, whose status the line has.
    pub accepted: SuccessStatuses,
    /// `flock -n` skips the command with the status of a failure.
    pub fails_if_locked: bool,
    /// The exit status is not that of the last call of remoteexe, which is in a pipe or in the background.
    pub hides_status: bool,
}

pub struct PortableLines {
    pub path: PathBuf,
    /// The last change, in seconds from 1970, if known.
    pub changed: Option<i64>,
    pub is_installed: bool,
    /// Lines that another scheduler can run.
    pub lines: Vec<PortableLine>,
    /// Other lines, in the order of the file.
    pub refused: Vec<Finding>,
    /// Strange things that are the same as under cron.
    pub remarks: Vec<Finding>,
}

impl PortableLine {
    pub fn cron_minutes(&self, from: i64, until: i64) -> Vec<i64> {
        let mut minutes = Vec::new();
        let intervals = clock_intervals(&Zone::Machine, from, until);
        slots::each(&self.timing, self.own_zone.as_ref(), &intervals, &mut |slot| {
            minutes.push(slot.minute);
        });
        minutes
    }
}

impl PortableLines {
    pub fn of(crontab: &Crontab, daemon: Daemon, parse: ParseCall) -> Self {
        let contents = &crontab.contents;
        let mut lines = Vec::new();
        let faults = contents.faults.iter().cloned();
        let (mut refused, mut remarks): (Vec<Fault>, Vec<Fault>) =
            faults.partition(|fault| fault.consequence.is_some());
        let numbers: HashSet<_> = refused.iter().map(|fault| fault.line).collect();
        remarks.retain(|fault| !numbers.contains(&fault.line));
        for line in &contents.lines {
            if numbers.contains(&Some(line.number)) {
                continue;
            }
            match portable(line, daemon, parse) {
                Ok(carried) => {
                    let faults = half_read_fields(line.time_text.as_bytes(), daemon);
                    remarks.extend(faults.into_iter().map(|fault| fault.at(line.number)));
                    lines.push(carried);
                }
                Err(fault) => refused.push(fault.at(line.number)),
            }
        }
        let sorted = |mut faults: Vec<Fault>| -> Vec<Finding> {
            faults.sort_by_key(|fault| fault.line);
            faults.into_iter().map(|fault| fault.in_file(&crontab.path)).collect()
        };
        Self {
            path: crontab.path.clone(),
            changed: crontab.changed,
            is_installed: crontab.is_installed,
            lines,
            refused: sorted(refused),
            remarks: sorted(remarks),
        }
    }
}

fn portable(line: &CronLine, daemon: Daemon, parse: ParseCall) -> Result<PortableLine, Fault> {
    check_time(line, daemon)?;
    let shell = ShellText::of(&line.command, daemon);
    let run = LineCommand::of(line, daemon)?;
    let own_zone = own_zone(line, daemon)
        .map_err(|problem| Fault::new(problem, "give a name of /usr/share/zoneinfo, such as Europe/Berlin"))?;
    let (zone, own_zone) = own_zone.unzip();
    let tokens = tokens(&shell.text, &line.variables).unwrap_or_default();
    let mentions = mentions(&shell.text, &line.variables);
    let column = run.user.as_ref().map_or(String::new(), |user| format!(" {user}"));
    let last = mentions.last().and_then(|last| last.as_ref().ok());
    let raw = text(&line.command, "the command")?;
    Ok(PortableLine {
        number: line.number,
        text: format!("{}{column} {raw}", line.time_text),
        timing: line.timing,
        own_zone,
        zone: zone.map_or_else(machine_zone, Ok)?,
        run,
        job: first_job(&mentions, line, parse),
        accepted: last.map(|call| accepted(call, line)).unwrap_or_default(),
        fails_if_locked: fails_if_locked(&tokens),
        hides_status: hides_status(&tokens),
    })
}

/// Refuses a time that only cron has.
fn check_time(line: &CronLine, daemon: Daemon) -> Result<(), Fault> {
    if line.timing.is_reboot {
        return refused(
            "@reboot: no other scheduler knows when this machine boots",
            "leave the line in a crontab that cron reads",
        );
    }
    if line.time_text.contains('~') {
        let problem = match daemon {
            Daemon::Cronie => "cron draws the time of ~ at random",
            _ => "cron takes what is before ~ for the whole",
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
        return refused(NEVER_DUE.0, NEVER_DUE.1);
    }
    Ok(())
}

fn machine_zone() -> Result<String, Fault> {
    name_of_machine().ok_or_else(|| {
        let problem = "the time zone of this machine has no name in /usr/share/zoneinfo";
        Fault::new(problem, "put TZ=ZONE before remoteexe, such as TZ=Europe/Berlin")
    })
}

fn first_job(mentions: &[Mention], line: &CronLine, parse: ParseCall) -> Option<String> {
    mentions.iter().flatten().find_map(|call| match meaning(call, line, parse) {
        CallMeaning::Job(job) => Some(String::from_utf8_lossy(&job.name).into_owned()),
        _ => None,
    })
}

/// Whether a `flock` that does not wait has no status of its own for a taken lock.
fn fails_if_locked(tokens: &[Token]) -> bool {
    let words = tokens.iter().filter_map(|token| match token {
        Token::Word(word) => Some(&*word.text),
        Token::Operator(_) => None,
    });
    let lock = Lock::of(words.skip_while(|word| base_name(word) != b"flock").skip(1));
    (lock.does_not_wait || lock.has_limit) && lock.status == Some(LOCKED)
}

/// Whether the last call of remoteexe, or a group that ends with it, is in the background, or in a pipe before another.
fn hides_status(tokens: &[Token]) -> bool {
    let is_call = |token: &Token| matches!(token, Token::Word(word) if base_name(&word.text) == b"remoteexe");
    let Some(last) = tokens.iter().rposition(is_call) else { return false };
    let ends_group = |next: Option<&Token>| match next {
        Some(Token::Word(word)) => word.is_reserved(&ENDS),
        Some(Token::Operator(operator)) => *operator == Operator::Close,
        None => false,
    };
    let mut after = (last..tokens.len()).filter_map(|index| match tokens[index] {
        Token::Operator(Operator::Close) | Token::Word(_) => None,
        Token::Operator(Operator::Sequence) if ends_group(tokens.get(index + 1)) => None,
        Token::Operator(operator) => Some(operator),
    });
    matches!(after.next(), Some(Operator::Pipe | Operator::Background))
}
