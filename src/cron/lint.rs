//! The faults in crontab lines that run remoteexe, for `--check`.

pub mod access;
mod needs;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use chrono::NaiveDate;

use super::command::calls::{Call, Mention, mentions, mentions_name};
use super::command::lexer::{Token, base_name, tokens};
use super::command::wait::Wait;
use super::crontab::files::{Crontab, Crontabs, Trust};
use super::crontab::mistakes::lookalike;
use super::crontab::parse::{Columns, CronLine, Fault};
use super::crontab::percent::ShellText;
use super::crontab::variables::Variables;
use super::daemon::{Daemon, MachineCron};
use super::jobs::{CallMeaning, JobCall, Mentioning, ParseCall, meaning, mentioning, user};
use super::timing::{HalfReadField, Timing, split_word};
use crate::escape::shortened;
use access::{FindUser, UserLookup};
use needs::Problem;

/// The most faults reported for one crontab. A hostile crontab may have thousands.
const MOST_FAULTS: usize = 100;

/// In bytes. A line of a crontab may have any length.
const LONGEST: usize = 1_000;

/// The most pairs of lines of one job that are compared for each crontab. A hostile crontab may have 10,000 such lines,
/// and must not delay another user's report.
const MOST_PAIRS: usize = 100_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub file: PathBuf,
    /// From 1. None for the file as a whole.
    pub line: Option<usize>,
    pub problem: String,
    pub remedy: String,
}

type TwinKey = (Option<String>, Vec<u8>);

/// When and where a job is called. Cron has no seconds: a job that runs twice a minute is on two lines, one with a
/// wait.
struct Twin {
    timing: Timing,
    wait: Wait,
    file: PathBuf,
    line: usize,
}

/// The faults that concern remoteexe, sorted by file and line. `is_ours` says whether a user is root or the reader:
/// only their paths are followed.
pub fn findings(
    crontabs: &Crontabs,
    parse: ParseCall,
    find_user: FindUser,
    is_ours: &dyn Fn(&str) -> bool,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut jobs: HashMap<TwinKey, Vec<Twin>> = HashMap::new();
    for crontab in &crontabs.read {
        let mut linter = Linter {
            daemon: crontabs.cron.rules,
            cron: &crontabs.cron,
            crontab,
            parse,
            find_user,
            is_ours,
            jobs: &mut jobs,
            reported: HashSet::new(),
            pairs_left: MOST_PAIRS,
            faults: Vec::new(),
        };
        linter.run();
        let mut faults = linter.faults;
        faults.sort_by_key(|fault| fault.line);
        let more = faults.len().saturating_sub(MOST_FAULTS);
        faults.truncate(MOST_FAULTS);
        if more > 0 {
            let problem = format!("{more} more problems");
            faults.push(Fault::new(None, &problem, "mend the first ones and check again"));
        }
        findings.extend(faults.into_iter().map(|fault| Finding {
            file: crontab.path.clone(),
            line: fault.line,
            problem: shortened(fault.problem.as_bytes(), LONGEST),
            remedy: shortened(fault.remedy.as_bytes(), LONGEST),
        }));
    }
    findings
}

struct Linter<'a> {
    daemon: Daemon,
    cron: &'a MachineCron,
    crontab: &'a Crontab,
    parse: ParseCall,
    find_user: FindUser<'a>,
    is_ours: &'a dyn Fn(&str) -> bool,
    /// The lines of each job, in all files so far.
    jobs: &'a mut HashMap<TwinKey, Vec<Twin>>,
    /// Problems of more than one line.
    reported: HashSet<String>,
    pairs_left: usize,
    faults: Vec<Fault>,
}

impl Linter<'_> {
    fn run(&mut self) {
        let crontab = self.crontab;
        let lines = mentioning(crontab, self.daemon);
        let mut misplaced = Vec::new();
        for line in &crontab.contents.lines {
            misplaced.extend(self.user_column(line));
        }
        let is_ignored = crontab.contents.is_ignored();
        // The crontab of somebody else, without remoteexe.
        if lines.is_empty()
            && misplaced.is_empty()
            && !(is_ignored && crontab.contents.mentions_remoteexe)
        {
            return;
        }
        self.faults.extend(crontab.rejection.clone());
        self.faults.extend(crontab.contents.faults.iter().cloned());
        self.faults.extend(misplaced);
        self.owner();
        for line in &lines {
            self.line(line);
        }
    }

    /// Checks that the user of a spool file exists.
    fn owner(&mut self) {
        if let Some(owner) = &self.crontab.owner
            && (self.find_user)(owner) == UserLookup::Missing
        {
            let problem =
                format!("there is no user {owner} in /etc/passwd; cron ignores this whole file");
            self.add(None, &problem, "name the file after the user whose jobs it has");
        }
    }

    /// A user name too many, too few, or unknown.
    fn user_column(&self, line: &CronLine) -> Option<Fault> {
        let calls_remoteexe = |text: &[u8]| base_name(split_word(text).0) == b"remoteexe";
        let number = Some(line.number);
        match self.crontab.columns {
            Columns::User => {
                let (first, rest) = split_word(&line.command);
                let first = str::from_utf8(first).ok()?;
                (matches!((self.find_user)(first), UserLookup::Known(_)) && calls_remoteexe(rest))
                    .then(|| {
                        let problem = format!(
                            "a user's crontab has no user column, so the command is {first}"
                        );
                        Fault::new(number, &problem, &self.without_user(first))
                    })
            }
            Columns::System => {
                let user = line.user.as_deref().unwrap_or_default();
                let name = String::from_utf8_lossy(user);
                if calls_remoteexe(user) {
                    let problem = format!("no user before the command; {}", self.consequence());
                    let remedy = "write the user, such as root, before remoteexe";
                    return Some(Fault::new(number, &problem, remedy));
                }
                let is_unknown = (self.find_user)(&name) == UserLookup::Missing
                    && !mentions(&line.command, &line.variables).is_empty();
                is_unknown.then(|| {
                    let problem =
                        format!("there is no user {name} in /etc/passwd; {}", self.consequence());
                    Fault::new(number, &problem, "give a user of this machine, such as root")
                })
            }
        }
    }

    /// The remedy for a user column. A file that was named may not belong to one user.
    fn without_user(&self, user: &str) -> String {
        if self.crontab.is_installed {
            format!("take out {user}")
        } else {
            let path = self.crontab.path.display();
            format!("take out {user}, or use --crontab {path} if all lines have a user")
        }
    }

    /// What happens to a line with wrong columns.
    fn consequence(&self) -> &'static str {
        match self.daemon {
            Daemon::Debian => "cron ignores this whole file",
            Daemon::Cronie => "cron ignores this line",
        }
    }

    fn line(&mut self, found: &Mentioning) {
        let Mentioning { line, shell, mentions } = found;
        let number = Some(line.number);
        if line.timing.is_never_due() {
            self.add(
                number,
                "no time ever matches",
                "give a range its smaller number first, and a day that exists",
            );
        }
        for field in HalfReadField::all(line.time_text.as_bytes(), self.daemon) {
            self.add(number, &field.problem(), field.remedy());
        }
        if line.command.ends_with(b"\r") {
            self.add(
                number,
                "the line ends as on Windows, with a carriage return",
                "convert the file with dos2unix",
            );
        }
        if line.command.ends_with(b"\\") {
            self.add(
                number,
                "cron joins no lines: the \\ at the end continues nothing",
                "write the command in one line, or put it into a script",
            );
        }
        if let Some((problem, remedy)) = unquoted_lookalike(&shell.text) {
            self.add(number, &format!("{problem}, which the shell takes for a letter"), remedy);
        }
        if let Some((problem, remedy)) = misplaced_percent(shell) {
            self.add(number, &problem, remedy);
        }
        for mention in mentions {
            match mention {
                Mention::Call(call) => self.call(call, line),
                // For a % the fault above is the reason.
                Mention::Unknown(reason)
                    if reason.starts_with("there is no closing") && shell.input.is_none() =>
                {
                    self.add(number, reason, "close the quote");
                }
                Mention::Unknown(_) => {}
            }
        }
    }

    fn call(&mut self, call: &Call, line: &CronLine) {
        let number = Some(line.number);
        let mut of_crontab = line.variables.all();
        if !self.cron.sets_variables
            && let Some((name, _)) = of_crontab.find(|(name, _)| name.starts_with("REMOTEEXE_"))
        {
            let problem = format!("{} does not set {name}", self.cron.name);
            let remedy = format!("write it before the command of each line: {name}=… remoteexe …");
            self.add_new(line, vec![(problem, remedy)]);
        }
        let user = user(line, self.crontab);
        // Another user's paths may lead to a filesystem that does not answer.
        let may_search =
            self.crontab.trust == Trust::Full && user.as_deref().is_none_or(self.is_ours);
        if may_search {
            self.needs(call, line);
        }
        let job = match meaning(call, line, self.parse) {
            CallMeaning::Job(job) => {
                if self.crontab.trust == Trust::Full {
                    self.needs_of_job(&job, call, line);
                }
                job.name
            }
            CallMeaning::Refused { reason, .. } => {
                let (problem, remedy) = reason
                    .split_once("; tip: ")
                    .unwrap_or((&reason, "correct it; remoteexe --help says more"));
                return self.add(number, &format!("remoteexe refuses it: {problem}"), remedy);
            }
            CallMeaning::NoJob => return,
        };
        // Two conditions may exclude each other. A file with an ignored name is often a copy of another one.
        if call.is_conditional || self.crontab.has_ignored_name {
            return;
        }
        let others = self.jobs.entry((user, job)).or_default();
        let Some(pairs_left) = self.pairs_left.checked_sub(others.len()) else {
            return;
        };
        self.pairs_left = pairs_left;
        let twin = others
            .iter()
            .find(|it| it.wait == call.wait && are_due_together(&it.timing, &line.timing));
        let problem = twin.map(|twin| {
            format!("the same job at the same time as in {}:{}", twin.file.display(), twin.line)
        });
        others.push(Twin {
            timing: line.timing,
            wait: call.wait,
            file: self.crontab.path.clone(),
            line: line.number,
        });
        if let Some(problem) = problem {
            self.add(number, &problem, "take out one of them");
        }
    }

    /// Checks that the machine has what a run of the call needs. Reports each problem once for a crontab.
    fn needs(&mut self, call: &Call, line: &CronLine) {
        let found = [needs::shell(line), needs::program(call, line), needs::ssh(call, line)];
        self.add_new(line, found.into_iter().flatten().collect());
    }

    fn needs_of_job(&mut self, job: &JobCall, call: &Call, line: &CronLine) {
        let name = line.user.as_deref().map(String::from_utf8_lossy);
        let name = name.as_deref().or(self.crontab.owner.as_deref());
        let user = match name.filter(|_| !call.is_other_user).map(self.find_user) {
            Some(UserLookup::Known(user)) => Some(user),
            _ => None,
        };
        let log_dir = needs::log_dir(&job.log_dir, user.as_ref());
        let keys = job.identities.iter();
        let keys = keys.filter_map(|key| needs::identity(key, user.as_ref()));
        self.add_new(line, log_dir.into_iter().chain(keys).collect());
    }

    fn add_new(&mut self, line: &CronLine, problems: Vec<Problem>) {
        for (problem, remedy) in problems {
            if self.reported.insert(problem.clone()) {
                self.add(Some(line.number), &problem, &remedy);
            }
        }
    }

    fn add(&mut self, line: Option<usize>, problem: &str, remedy: &str) {
        self.faults.push(Fault::new(line, problem, remedy));
    }
}

/// A lookalike outside quotes: the shell takes it for a letter.
fn unquoted_lookalike(text: &[u8]) -> Option<(String, &'static str)> {
    lookalike(text)?;
    let words = tokens(text, &Variables::default()).ok()?;
    words.iter().find_map(|token| match token {
        Token::Word(word) if !word.is_quoted => lookalike(&word.text),
        _ => None,
    })
}

/// The problem and the remedy of a command that cron cuts off at a `%` that looks like a mistake. Standard input is
/// meant if a blank and the call of remoteexe are before the `%`, and no quote or bracket is open.
fn misplaced_percent(shell: &ShellText) -> Option<(String, &'static str)> {
    const SHOWN: usize = 20;
    shell.input.as_ref()?;
    let text = &shell.text;
    let has_call = mentions_name(text);
    let is_closed = tokens(text, &Variables::default()).is_ok();
    let is_in_word = text.last().is_some_and(|last| !last.is_ascii_whitespace());
    if has_call && is_closed && !is_in_word {
        return None;
    }
    let problem = format!(
        "cron ends the command at the % after '{}'; the rest is its standard input",
        String::from_utf8_lossy(last_words(text, SHOWN))
    );
    let remedy = if has_call && is_closed {
        r"write \%, or a blank before the % if standard input is meant"
    } else {
        r"write \%"
    };
    Some((problem, remedy))
}

/// The last words of `text` with at most `most` bytes together. A longer word is cut.
fn last_words(text: &[u8], most: usize) -> &[u8] {
    let (before, end) = text.split_at(text.len().saturating_sub(most));
    let is_cut = before.last().is_some_and(|last| !last.is_ascii_whitespace());
    let next = end.iter().position(u8::is_ascii_whitespace);
    let next = next.filter(|_| is_cut).unwrap_or(0);
    end[next..].trim_ascii()
}

/// Whether two lines are due in one minute of some day.
fn are_due_together(one: &Timing, other: &Timing) -> bool {
    let first = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default();
    let mut year = first.iter_days().take(366);
    one.minutes & other.minutes != 0
        && one.hours & other.hours != 0
        && year.any(|date| one.is_due_on(date) && other.is_due_on(date))
}
