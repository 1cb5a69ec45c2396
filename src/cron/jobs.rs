//! What the crontabs plan: the jobs in their lines, with the time at which each is due.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use super::calendar::dst::Stretch;
use super::calendar::slots::{self, Slot};
use super::calendar::zone::Zone;
use super::command::calls::{Call, Mention, Wait, mentions, mentions_name};
use super::crontab::files::{Crontab, Crontabs};
use super::crontab::parse::Line;
use super::crontab::percent::ShellText;
use super::crontab::variables::Variables;
use super::daemon::Daemon;
use super::timing::Timing;

/// What a call of remoteexe does, by the grammar of its command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It runs a job.
    Job {
        /// `HOST SCRIPT PARAMETERS`, as START has it.
        job: Vec<u8>,
        /// The directory of its log.
        log_dir: PathBuf,
        /// How long it waits between START and its ssh.
        splay: Duration,
    },
    /// It is a usage error. START has `job`.
    Refused {
        /// As START has it.
        job: Vec<u8>,
        /// The error, with the remedy.
        reason: String,
    },
    /// It shows a report or a help.
    NoJob,
}

/// Reads the arguments of remoteexe, with the variables that are set for it.
pub type Grammar = fn(&[OsString], &[(OsString, OsString)]) -> Reading;

/// A line of a crontab.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file.
    pub file: Rc<Path>,
    /// The line, from 1.
    pub line: usize,
}

/// A call of remoteexe that a line makes.
#[derive(Debug)]
pub struct Entry {
    /// Where it is.
    pub place: Place,
    /// The job, as START has it.
    pub job: Vec<u8>,
    /// The user who runs it, if the crontab tells.
    pub user: Option<String>,
    /// The directory of its log; none for a call that is refused.
    pub log_dir: Option<PathBuf>,
    /// How long the job waits between START and its ssh.
    pub splay: Duration,
    /// When its line is due.
    pub timing: Timing,
    /// The same in words.
    pub schedule: String,
    /// The time zone that cronie's `CRON_TZ` gives it.
    pub zone: Option<Zone>,
    /// The time from a slot to START, with all that cron itself may add.
    pub wait: Wait,
    /// `TZ` is set for it: the times in its log are not those of cron.
    pub has_own_zone: bool,
    /// A run may be left out without a fault, as behind `flock -n`.
    pub is_conditional: bool,
    /// The last change of the crontab, in seconds from 1970.
    pub changed: i64,
    /// cron ignores its file, because of the text, the mode or the owner. It was meant to run all the same.
    pub is_ignored: bool,
}

impl Entry {
    /// The job's first word.
    pub fn host(&self) -> &[u8] {
        self.job
            .split(|byte| *byte == b' ')
            .next()
            .unwrap_or_default()
    }

    /// Gives `take` each slot in the stretches of the machine's clock.
    pub fn each_slot(&self, stretches: &[Stretch], take: &mut impl FnMut(Slot)) {
        slots::each(&self.timing, self.zone.as_ref(), stretches, take);
    }
}

/// A line that mentions remoteexe in a way that cannot be known without running a shell.
#[derive(Debug)]
pub struct Unknown {
    /// Where it is.
    pub place: Place,
    /// Why.
    pub reason: String,
}

/// What the crontabs plan.
#[derive(Debug, Default)]
pub struct Plan {
    /// The calls of remoteexe, in the order of the files and lines. Those of a file that cron ignores by its
    /// name are not among them.
    pub entries: Vec<Entry>,
    /// The lines that are not known.
    pub unknown: Vec<Unknown>,
    /// The jobs on lines that a `#` has switched off, and on no other line.
    pub switched_off: Vec<SwitchedOff>,
}

/// A job on a line that is a comment: it would be called without the `#`.
#[derive(Debug)]
pub struct SwitchedOff {
    /// Where the line is.
    pub place: Place,
    /// The job, as START would have it.
    pub job: Vec<u8>,
}

/// A line that mentions remoteexe, with its calls.
#[derive(Debug)]
pub struct Mentioning<'a> {
    /// The line.
    pub line: &'a Line,
    /// Its command as the shell gets it.
    pub shell: ShellText,
    /// The mentions in it.
    pub mentions: Vec<Mention>,
}

/// The lines of a crontab that mention remoteexe.
pub fn mentioning(crontab: &Crontab, daemon: Daemon) -> Vec<Mentioning<'_>> {
    mentioning_in(&crontab.contents.lines, daemon)
}

fn mentioning_in(lines: &[Line], daemon: Daemon) -> Vec<Mentioning<'_>> {
    let lines = lines.iter().map(|line| {
        let shell = ShellText::of(&line.command, daemon);
        let mut mentions = mentions(&shell.text);
        if mentions.is_empty() && shell.input.as_deref().is_some_and(mentions_name) {
            let reason = "an unescaped % ends the command before remoteexe";
            mentions.push(Mention::Unknown(reason.to_owned()));
        }
        Mentioning {
            line,
            shell,
            mentions,
        }
    });
    lines.filter(|line| !line.mentions.is_empty()).collect()
}

/// What `call` does, with the variables of its line.
pub fn reading(call: &Call, line: &Line, grammar: Grammar) -> Reading {
    let text = |bytes: &[u8]| OsStr::from_bytes(bytes).to_owned();
    let mut variables: Vec<_> = line
        .variables
        .all()
        .map(|(name, value)| (OsString::from(name), text(value)))
        .collect();
    for (name, value) in &call.variables {
        variables.retain(|(other, _)| other.as_bytes() != name);
        variables.push((text(name), text(value)));
    }
    grammar(&call.words, &variables)
}

impl Plan {
    /// The plan of `crontabs`, read by the grammar of remoteexe's command line.
    pub fn of(crontabs: &Crontabs, grammar: Grammar) -> Self {
        let mut plan = Self::default();
        for crontab in &crontabs.read {
            if !crontab.is_left_aside {
                plan.add(crontab, crontabs.daemon, grammar);
                plan.add_switched_off(crontab, crontabs.daemon, grammar);
            }
        }
        let on_a_line: HashSet<&[u8]> = plan.entries.iter().map(|entry| &*entry.job).collect();
        plan.switched_off
            .retain(|off| !on_a_line.contains(off.job.as_slice()));
        plan
    }

    fn add_switched_off(&mut self, crontab: &Crontab, daemon: Daemon, grammar: Grammar) {
        let file: Rc<Path> = crontab.path.as_path().into();
        for Mentioning { line, mentions, .. } in
            mentioning_in(&crontab.contents.switched_off, daemon)
        {
            for mention in mentions {
                if let Mention::Call(call) = mention
                    && let Reading::Job { job, .. } = reading(&call, line, grammar)
                {
                    let place = Place {
                        file: Rc::clone(&file),
                        line: line.number,
                    };
                    self.switched_off.push(SwitchedOff { place, job });
                }
            }
        }
    }

    fn add(&mut self, crontab: &Crontab, daemon: Daemon, grammar: Grammar) {
        let file: Rc<Path> = crontab.path.as_path().into();
        for Mentioning { line, mentions, .. } in mentioning(crontab, daemon) {
            let place = Place {
                file: Rc::clone(&file),
                line: line.number,
            };
            let mut unknown = |place, reason: &str| {
                let reason = reason.to_owned();
                self.unknown.push(Unknown { place, reason });
            };
            let zone = match zone(&line.variables, daemon) {
                Ok(zone) => zone,
                Err(name) => {
                    unknown(
                        place,
                        &format!("CRON_TZ is '{name}', which is no time zone of this machine"),
                    );
                    continue;
                }
            };
            let Some(spread) = line.timing.spread else {
                unknown(place, "cron draws the day at random");
                continue;
            };
            for mention in mentions {
                let call = match mention {
                    Mention::Call(call) => call,
                    Mention::Unknown(reason) => {
                        unknown(place.clone(), &reason);
                        continue;
                    }
                };
                let (job, log_dir, splay) = match reading(&call, line, grammar) {
                    Reading::Job {
                        job,
                        log_dir,
                        splay,
                    } => (job, Some(log_dir), splay),
                    Reading::Refused { job, .. } => (job, None, Duration::ZERO),
                    Reading::NoJob => continue,
                };
                self.entries.push(Entry {
                    place: place.clone(),
                    job,
                    user: user(line, crontab),
                    log_dir,
                    splay,
                    timing: line.timing,
                    schedule: line.timing.words(&line.time_text),
                    zone: zone.clone(),
                    wait: call.wait.or_later(cron_delay(line, daemon, spread)),
                    has_own_zone: has_zone(&call, line),
                    is_conditional: call.is_conditional,
                    changed: crontab.changed,
                    is_ignored: crontab.rejection.is_some() || crontab.contents.is_ignored(),
                });
            }
        }
    }
}

/// Whether `TZ` is set for the call.
fn has_zone(call: &Call, line: &Line) -> bool {
    let own = call.variables.iter().rev().find(|(name, _)| name == b"TZ");
    let value = own.map(|(_, value)| value.as_slice());
    value
        .or_else(|| line.variables.get("TZ"))
        .is_some_and(|value| !value.is_empty())
}

/// The user of a line: that of its column, or the one whose crontab it is.
fn user(line: &Line, crontab: &Crontab) -> Option<String> {
    let of_line = line.user.as_deref().map(String::from_utf8_lossy);
    of_line
        .map(Cow::into_owned)
        .or_else(|| crontab.owner.clone())
}

/// The zone of `CRON_TZ`, or its value if there is no such zone. Debian's cron does not know that variable.
fn zone(variables: &Variables, daemon: Daemon) -> Result<Option<Zone>, String> {
    let name = variables.get("CRON_TZ").filter(|name| !name.is_empty());
    let Some(name) = name.filter(|_| daemon == Daemon::Cronie) else {
        return Ok(None);
    };
    let name = String::from_utf8_lossy(name);
    Zone::named(&name)
        .map(Some)
        .ok_or_else(|| name.into_owned())
}

/// How many seconds later than the time in the line cronie may start it, by numbers that it draws at random.
pub fn cron_delay(line: &Line, daemon: Daemon, spread: u16) -> u64 {
    const MOST: u64 = 24 * 60;
    let delay = line
        .variables
        .text("RANDOM_DELAY")
        .filter(|_| daemon == Daemon::Cronie);
    let delay = delay.and_then(|minutes| minutes.trim().parse::<u64>().ok());
    let delay = delay.filter(|minutes| *minutes <= MOST).unwrap_or(0);
    (delay + u64::from(spread)) * 60
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cron::crontab::parse::{Columns, Contents};

    fn read(words: &[OsString], variables: &[(OsString, OsString)]) -> Reading {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let job = words.join(&b' ');
        let log_dir = variables
            .iter()
            .find(|(name, _)| name == "REMOTEEXE_LOG_DIR");
        match words.len() {
            2 => Reading::Job {
                job,
                log_dir: log_dir.map_or("/tmp".into(), |(_, dir)| dir.into()),
                splay: Duration::ZERO,
            },
            _ => Reading::Refused {
                job,
                reason: "two words are needed".to_owned(),
            },
        }
    }

    /// The plan of a system's crontab.
    fn plan(daemon: Daemon, text: &str) -> Plan {
        let crontab = Crontab {
            path: "crontab".into(),
            columns: Columns::System,
            owner: None,
            changed: 7,
            rejection: None,
            is_left_aside: false,
            contents: Contents::parse(text.as_bytes(), Columns::System, daemon),
        };
        let crontabs = Crontabs {
            daemon,
            read: vec![crontab],
            left_out: Vec::new(),
        };
        Plan::of(&crontabs, read)
    }

    #[test]
    fn an_entry_has_the_variables_that_hold_for_its_line() {
        let text = "1 * * * * root remoteexe h a\n\
                    REMOTEEXE_LOG_DIR=/l\n\
                    2 * * * * root remoteexe h b\n\
                    3 * * * * root REMOTEEXE_LOG_DIR=/m remoteexe h c; remoteexe h\n";
        let plan = plan(Daemon::Debian, text);
        let entries = plan.entries.iter().map(|entry| {
            let log_dir = entry
                .log_dir
                .as_deref()
                .map(|dir| dir.display().to_string());
            let job = String::from_utf8_lossy(&entry.job).into_owned();
            (entry.place.line, job, log_dir.unwrap_or_default())
        });
        let expected = [
            (1, "h a", "/tmp"),
            (3, "h b", "/l"),
            (4, "h c", "/m"),
            (4, "h", ""),
        ];
        let expected = expected.map(|(line, job, dir)| (line, job.to_owned(), dir.to_owned()));
        assert_eq!(entries.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn cronie_draws_numbers_and_knows_zones() {
        let text = "0~9 * * * * root sleep 5; remoteexe h a\n\
                    RANDOM_DELAY=2\n\
                    0 1~3 * * * root remoteexe h b\n\
                    0 0 1~3 * * root remoteexe h c\n\
                    CRON_TZ=Asia/Tokyo\n\
                    0 0 * * * root remoteexe h d\n\
                    CRON_TZ=No/Where\n\
                    0 0 * * * root remoteexe h e\n";
        let plan = plan(Daemon::Cronie, text);
        let waits = plan
            .entries
            .iter()
            .map(|entry| (entry.wait.least, entry.wait.most));
        let expected = [
            (5, Some(5 + 9 * 60)),
            (0, Some((2 + 120) * 60)),
            (0, Some(120)),
        ];
        assert_eq!(waits.collect::<Vec<_>>(), expected);
        let has_zone = plan.entries.iter().map(|entry| entry.zone.is_some());
        assert_eq!(has_zone.collect::<Vec<_>>(), [false, false, true]);
        let unknown = plan
            .unknown
            .iter()
            .map(|unknown| (unknown.place.line, &*unknown.reason));
        assert_eq!(
            unknown.collect::<Vec<_>>(),
            [
                (4, "cron draws the day at random"),
                (
                    8,
                    "CRON_TZ is 'No/Where', which is no time zone of this machine"
                ),
            ]
        );
    }

    #[test]
    fn the_jobs_of_a_file_that_cron_ignores_are_planned_and_marked() {
        let text = "1 * * * * root remoteexe h a\n61 * * * * root remoteexe h b\n";
        for (daemon, is_ignored) in [(Daemon::Debian, true), (Daemon::Cronie, false)] {
            let plan = plan(daemon, text);
            let marks = plan.entries.iter().map(|entry| entry.is_ignored);
            assert_eq!(marks.collect::<Vec<_>>(), [is_ignored]);
        }
    }
}
