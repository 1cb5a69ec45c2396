//! The faults in crontab lines that run remoteexe, for `--check`.

mod access;
mod needs;

use std::collections::{HashMap, HashSet};
use std::{path::Path, rc::Rc};

use chrono::NaiveDate;

use super::command::calls::{mentions, mentions_name};
use super::command::lexer::{Token, base_name, tokens};
use super::crontab::files::{Crontab, Crontabs, Trust};
use super::crontab::mistakes::{ONE_LINE, lookalike};
use super::crontab::parse::{Columns, CronLine};
use super::daemon::{MachineCron, SYSTEMD_CRON};
use super::fault::{Fault, Finding};
use super::jobs::{CallMeaning, CronJob, CronJobs, JobCall, LineRef, Mentioning, ParseCall, meaning, mentioning, user};
use super::timing::{Timing, half_read_fields, split_word};
use super::{command::wrappers::Call, crontab::percent::ShellText, crontab::variables::Variables};
use crate::escape::shortened;
use crate::machine::{UserLookup, Users};

/// The most faults reported for one crontab. A hostile crontab may have thousands.
const MOST_FAULTS: usize = 100;
/// The most bytes of a problem or a remedy, which may quote a line of any length.
const LONGEST: usize = 1_000;
/// The fault of a time such as `50-10 * * * *`.
pub const NEVER_DUE: (&str, &str) =
    ("no time ever matches", "give a range its smaller number first, and a day that exists");

/// The most pairs of lines of one job that are compared for each crontab. A hostile crontab may have 10,000 such lines,
/// and must not delay another user's report.
const MOST_PAIRS: usize = 100_000;

/// The faults that concern remoteexe, sorted by file and line.
pub fn findings(crontabs: &Crontabs, jobs: &CronJobs, parse: ParseCall, users: &Users) -> Vec<Finding> {
    let mut findings = Vec::new();
    let twins = twins(&jobs.entries);
    for crontab in &crontabs.read {
        let mut linter =
            Linter { cron: &crontabs.cron, crontab, parse, users, reported: HashSet::new(), faults: Vec::new() };
        linter.run();
        let mut faults = linter.faults;
        let of_file = twins.iter().filter(|(file, _)| **file == crontab.path);
        faults.extend(of_file.map(|(_, fault)| fault.clone()));
        faults.sort_by_key(|fault| fault.line);
        let more = faults.len().saturating_sub(MOST_FAULTS);
        faults.truncate(MOST_FAULTS);
        if more > 0 {
            let problem = format!("{more} more problems");
            faults.push(Fault::new(problem, "mend the first ones and check again"));
        }
        findings.extend(faults.into_iter().map(|fault| {
            let consequence = fault.consequence.map(|it| format!("; {it}")).unwrap_or_default();
            let texts = [fault.problem + &consequence, fault.remedy];
            let [problem, remedy] = texts.map(|text| shortened(text.as_bytes(), LONGEST));
            Fault { problem, remedy, ..fault }.in_file(&crontab.path)
        }));
    }
    findings
}

struct Linter<'a> {
    cron: &'a MachineCron,
    crontab: &'a Crontab,
    parse: ParseCall,
    users: &'a Users,
    /// Problems of more than one line.
    reported: HashSet<String>,
    faults: Vec<Fault>,
}

impl Linter<'_> {
    fn run(&mut self) {
        let crontab = self.crontab;
        let lines = mentioning(crontab, self.cron.rules);
        let mut misplaced = Vec::new();
        for line in &crontab.contents.lines {
            misplaced.extend(self.user_column(line));
        }
        // The crontab of somebody else, without remoteexe.
        if lines.is_empty()
            && misplaced.is_empty()
            && !(crontab.contents.is_ignored && crontab.contents.mentions_remoteexe)
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
        let owner = self.crontab.owner.as_ref();
        if let Some(owner) = owner.filter(|owner| self.users.find(owner) == UserLookup::Missing) {
            let problem = format!("there is no user {owner} in /etc/passwd; cron ignores this whole file");
            self.faults.push(Fault::new(problem, "name the file after the user whose jobs it has"));
        }
    }

    /// A user name too many, too few, or unknown.
    fn user_column(&self, line: &CronLine) -> Option<Fault> {
        let calls_remoteexe = |text: &[u8]| base_name(split_word(text).0) == b"remoteexe";
        let consequence = self.cron.rules.consequence();
        let fault = match self.crontab.columns {
            Columns::User => {
                let (first, rest) = split_word(&line.command);
                let first = str::from_utf8(first).ok()?;
                let is_user = matches!(self.users.find(first), UserLookup::Known(_));
                let problem = format!("a user's crontab has no user column, so the command is {first}");
                (is_user && calls_remoteexe(rest)).then(|| Fault::new(problem, self.without_user(first)))
            }
            Columns::System => {
                let user = line.user.as_deref().unwrap_or_default();
                let name = String::from_utf8_lossy(user);
                let is_unknown = || {
                    self.users.find(&name) == UserLookup::Missing
                        && !mentions(&line.command, &line.variables).is_empty()
                };
                if calls_remoteexe(user) {
                    let problem = format!("no user before the command; {consequence}");
                    let remedy = "write the user, such as root, before remoteexe";
                    Some(Fault::new(problem, remedy))
                } else if is_unknown() {
                    let problem = format!("there is no user {name} in /etc/passwd; {consequence}");
                    Some(Fault::new(problem, "give a user of this machine, such as root"))
                } else {
                    None
                }
            }
        };
        fault.map(|fault| fault.at(line.number))
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

    fn line(&mut self, found: &Mentioning) {
        let Mentioning { line, shell, mentions } = found;
        let mut add = |problem: String, remedy: &str| {
            self.faults.push(Fault::new(problem, remedy).at(line.number));
        };
        if line.timing.is_never_due() {
            let (problem, remedy) = NEVER_DUE;
            add(problem.to_owned(), remedy);
        }
        for field in half_read_fields(line.time_text.as_bytes(), self.cron.rules) {
            add(field.problem, &field.remedy);
        }
        if self.cron.name == SYSTEMD_CRON {
            systemd_cron(line, shell).for_each(|problem| add(problem, "test it, or use numbers"));
        }
        if line.command.ends_with(b"\r") {
            let problem = "the line ends as on Windows, with a carriage return";
            add(problem.to_owned(), "convert the file with dos2unix");
        }
        if line.command.ends_with(b"\\") {
            let problem = "cron joins no lines: the \\ at the end continues nothing";
            add(problem.to_owned(), ONE_LINE);
        }
        if let Some((problem, remedy)) = unquoted_lookalike(&shell.text) {
            add(format!("{problem}, which the shell takes for a letter"), remedy);
        }
        if let Some((problem, remedy)) = misplaced_percent(shell) {
            add(problem, remedy);
        }
        for mention in mentions {
            match mention {
                Ok(call) => self.call(call, line),
                // For a % the fault above is the reason.
                Err(reason) if reason.starts_with("there is no closing") && shell.input.is_none() => {
                    self.faults.push(Fault::new(reason, "close the quote").at(line.number));
                }
                Err(_) => {}
            }
        }
    }

    fn call(&mut self, call: &Call, line: &CronLine) {
        let user = user(line, self.crontab);
        let is_trusted = self.crontab.trust == Trust::Full;
        let is_ours = |name: &String| self.users.uid(name).is_some_and(|uid| !self.users.is_other_user(uid));
        // Another user's paths may lead to a filesystem that does not answer.
        if is_trusted && user.as_ref().is_none_or(is_ours) {
            let found = [needs::shell(line), needs::program(call, line), needs::ssh(call, line)];
            self.add_new(line, found.into_iter().flatten());
        }
        let job = match meaning(call, line, self.parse) {
            CallMeaning::Job(job) => job,
            CallMeaning::Refused { reason, .. } => {
                let (problem, remedy) =
                    reason.split_once("; tip: ").unwrap_or((&reason, "correct it; remoteexe --help says more"));
                let fault = Fault::new(format!("remoteexe refuses it: {problem}"), remedy);
                return self.faults.push(fault.at(line.number));
            }
            CallMeaning::NoJob => return,
        };
        if is_trusted {
            self.needs_of_job(&job, call, line);
        }
    }

    fn needs_of_job(&mut self, job: &JobCall, call: &Call, line: &CronLine) {
        let name = line.user.as_deref().map(String::from_utf8_lossy);
        let name = name.as_deref().or(self.crontab.owner.as_deref());
        let user = match name.filter(|_| !call.is_other_user).map(|name| self.users.find(name)) {
            Some(UserLookup::Known(user)) => Some(user),
            _ => None,
        };
        let log_dir = needs::log_dir(&job.log_dir, user.as_ref());
        let keys = job.identities.iter().filter_map(|key| needs::identity(key, user.as_ref()));
        self.add_new(line, log_dir.into_iter().chain(keys));
    }

    /// Adds faults of what a run needs, each once for a crontab.
    fn add_new(&mut self, line: &CronLine, faults: impl IntoIterator<Item = Fault>) {
        let new = faults.into_iter().filter(|fault| self.reported.insert(fault.problem.clone()));
        self.faults.extend(new.map(|fault| fault.at(line.number)));
    }
}

/// The texts that some versions of systemd-cron read in another way than cron.
fn systemd_cron(line: &CronLine, shell: &ShellText) -> impl Iterator<Item = String> {
    let fields: Vec<&str> = line.time_text.split_whitespace().collect();
    let field = |number: usize| fields.get(number).copied().unwrap_or("*");
    let has_letter = |text: &str| text.contains(|it: char| it.is_ascii_alphabetic());
    let problems = [
        (has_letter(field(3)), "may make no timer for the name of a month"),
        (field(4).eq_ignore_ascii_case("sun"), "may take sun for every day"),
        (field(2) != "*" && field(4) != "*", "needs the day of month and the weekday"),
        (line.time_text.contains("/0"), "may hang because of a step of 0"),
        (shell.input.is_some(), "may drop the input behind the %"),
    ];
    problems.into_iter().filter(|(is_so, _)| *is_so).map(|(_, problem)| format!("{SYSTEMD_CRON} {problem}"))
}

/// Lines that start a job at the same time as an earlier line, with their files.
fn twins(jobs: &[Rc<CronJob>]) -> Vec<(&Path, Fault)> {
    let mut earlier: HashMap<(&Option<String>, &[u8]), Vec<&CronJob>> = HashMap::new();
    let mut twins = Vec::new();
    for of_file in jobs.chunk_by(|one, other| one.place.file == other.place.file) {
        let mut pairs_left = MOST_PAIRS;
        // Two conditions may exclude each other. A call that is refused runs nothing.
        for job in of_file.iter().filter(|job| !job.is_conditional && job.log_dir.is_some()) {
            let others = earlier.entry((&job.user, &job.job)).or_default();
            let Some(left) = pairs_left.checked_sub(others.len()) else { break };
            pairs_left = left;
            // Cron has no seconds: a job that runs twice a minute is on two lines, one with a wait.
            let is_twin = |it: &&&CronJob| it.wait == job.wait && are_due_together(&it.timing, &job.timing);
            if let Some(CronJob { place: LineRef { file, line }, .. }) = others.iter().find(is_twin) {
                let problem = format!("the same job at the same time as in {}:{line}", file.display());
                let fault = Fault::new(problem, "take out one of them").at(job.place.line);
                twins.push((&*job.place.file, fault));
            }
            others.push(job);
        }
    }
    twins
}

/// A lookalike outside quotes: the shell takes it for a letter.
fn unquoted_lookalike(text: &[u8]) -> Option<(String, &'static str)> {
    lookalike(text)?;
    tokens(text, &Variables::default()).ok()?.iter().find_map(|token| match token {
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
    let next = end.iter().position(u8::is_ascii_whitespace).filter(|_| is_cut).unwrap_or(0);
    end[next..].trim_ascii()
}

/// Whether two lines are due in one minute of some day.
fn are_due_together(one: &Timing, other: &Timing) -> bool {
    let mut year = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default().iter_days().take(366);
    one.minutes & other.minutes != 0
        && one.hours & other.hours != 0
        && year.any(|date| one.is_due_on(date) && other.is_due_on(date))
}
