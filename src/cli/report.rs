//! The command line of `--report`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Local, NaiveDateTime, TimeDelta};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, CommandFactory, Parser};

use super::error::{UsageError, Valid};
use super::line::{CommandLine, help};
use super::time::{is_clock_alone, is_day_alone, parse as parse_time, start_time};
use super::value::{DEFAULT_LOG_DIR, local_log_dir, path, unset_empty, when};
use super::{job::read_crontab, request::Request};
use crate::exit::SuccessStatuses;
use crate::report::logs::name::is_like_log;
use crate::report::logs::open::Input;
use crate::report::logs::scheduler::log_dirs;
use crate::report::query::filter::{Filter, Period};
use crate::report::query::{CrontabSource, Form, LogSource, Query, Question, RunId, TextQuery};
use crate::{clock::last_multiple, cron::CrontabSelection, machine::Users};

const HELP: &str = include_str!("help/report.txt");
/// Options that have no meaning if only crontabs are read.
const OF_LOGS: [&str; 12] =
    ["since", "until", "user", "failed", "html", "run", "json", "tsv", "prometheus", "rerun", "watch", "files"];

/// Shows from the logs what is wrong, since when and why, and what ran
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[command(
    name = "remoteexe --report",
    override_usage = "remoteexe --report [OPTIONS] [FILE]...",
    disable_help_flag = true,
    disable_version_flag = true
)]
struct ReportArgs {
    /// Runs that were going on at TIME or later
    #[arg(long, value_name = "TIME", help_heading = "Which runs")]
    since: Option<OsString>,

    /// Runs that started before TIME; a date alone includes that day
    #[arg(long, value_name = "TIME", help_heading = "Which runs")]
    until: Option<OsString>,

    /// Runs on HOST
    #[arg(long, value_name = "HOST", help_heading = "Which runs")]
    host: Option<OsString>,

    /// Runs whose HOST SCRIPT PARAMETERS contain TEXT
    #[arg(long, value_name = "TEXT", help_heading = "Which runs")]
    job: Option<OsString>,

    /// Runs of USER, a name or a number; by default those of root and your own
    #[arg(long, value_name = "USER", help_heading = "Which runs")]
    user: Option<OsString>,

    /// Only what failed or was lost
    #[arg(long, help_heading = "What of them")]
    failed: bool,

    /// Exit statuses of scripts that are no failure: 1,75,99
    #[arg(long, value_name = "STATUSES", env = "REMOTEEXE_OK", allow_hyphen_values = true)]
    #[arg(help_heading = "What of them")]
    ok: Option<OsString>,

    /// What began or ended in the period; prints nothing if nothing did
    #[arg(long, help_heading = "What of them", conflicts_with_all = ["html", "run", "json", "tsv"])]
    changed: bool,

    /// The period against the one before: jobs that are newly bad, recovered, slower or silent
    #[arg(long, help_heading = "What of them", conflicts_with_all = ["changed", "html", "run", "json", "tsv"])]
    compare: bool,

    /// The runs, a line each
    #[arg(long, help_heading = "What of them")]
    #[arg(conflicts_with_all = ["changed", "compare", "html", "run", "json", "tsv"])]
    runs: bool,

    /// Also list the healthy jobs and hosts; with --compare all jobs
    #[arg(long, help_heading = "What of them", conflicts_with_all = ["changed", "runs", "html", "run", "json", "tsv"])]
    all: bool,

    /// A page for a browser, with a timeline of all runs: replaces FILE; - is standard output
    #[arg(long, value_name = "FILE", help_heading = "In which form", conflicts_with_all = ["run", "json", "tsv"])]
    html: Option<OsString>,

    /// All records of one run: the last one of process PID, or the one that started at TIME
    #[arg(long, value_name = "PID[@TIME]", help_heading = "What of them", conflicts_with = "tsv")]
    run: Option<OsString>,

    /// A JSON document per run, one on each line; with --run a single one, with all its output
    #[arg(long, help_heading = "In which form", conflicts_with = "tsv")]
    json: bool,

    /// A line per run, in the columns of GNU parallel's joblog
    #[arg(long, help_heading = "In which form")]
    tsv: bool,

    /// Shell lines that make up for missing runs; runs nothing
    #[arg(long, help_heading = "In which form")]
    #[arg(conflicts_with_all = ["failed", "changed", "compare", "runs", "all", "html", "run", "json", "tsv"])]
    rerun: bool,

    /// The last success of each job, and what is wrong now, as gauges for Prometheus; --since says how far
    /// back to look, by default 35 days
    #[arg(long, help_heading = "In which form")]
    #[arg(conflicts_with_all = ["until", "failed", "changed", "compare", "runs", "all", "html", "run", "json", "tsv", "rerun"])]
    prometheus: bool,

    /// With --prometheus: replace FILE, at once and as a whole
    #[arg(short, long, value_name = "FILE", help_heading = "In which form")]
    output: Option<OsString>,

    /// When the form for a person has colours: auto (on a terminal), always or never
    #[arg(long, value_name = "WHEN", help_heading = "In which form", default_value = "auto")]
    color: OsString,

    /// On a terminal, do not show the report through $PAGER or less
    #[arg(long, help_heading = "In which form")]
    no_pager: bool,

    /// error: what is under Watch makes the exit status 1 too
    #[arg(long, value_name = "HOW", help_heading = "What of them")]
    #[arg(conflicts_with_all = ["compare", "runs", "run", "tsv", "rerun"])]
    watch: Option<OsString>,

    /// What is wrong with the crontabs: one problem on each line, with its remedy
    #[arg(long, help_heading = "Crontabs", conflicts_with = "next", conflicts_with_all = OF_LOGS)]
    #[arg(conflicts_with_all = ["host", "job"])]
    check: bool,

    /// The coming starts, and the seconds in which many jobs connect together
    #[arg(long, help_heading = "Crontabs", conflicts_with_all = OF_LOGS)]
    next: bool,

    /// A crontab with a column of users, such as /etc/crontab, to read instead of this machine's
    #[arg(long, value_name = "FILE", help_heading = "Crontabs")]
    crontab: Vec<OsString>,

    /// A user's crontab, without that column, to read instead of this machine's
    #[arg(long, value_name = "FILE", help_heading = "Crontabs")]
    user_crontab: Vec<OsString>,

    /// Read no crontab, and so report no missing starts
    #[arg(long, help_heading = "Crontabs")]
    #[arg(conflicts_with_all = ["check", "next", "crontab", "user_crontab"])]
    no_crontab: bool,

    /// Directory of the logs; may be repeated, once for each scheduler
    #[arg(long, value_name = "DIR", env = "REMOTEEXE_LOG_DIR")]
    #[arg(help_heading = "Which logs", default_value = DEFAULT_LOG_DIR)]
    log_dir: Vec<OsString>,

    #[arg(hide = true)]
    files: Vec<OsString>,
}

pub fn parse(words: &[OsString]) -> Request {
    let name = OsString::from("remoteexe --report");
    let mut words = [&name].into_iter().chain(words);
    let line = match CommandLine::<ReportArgs>::parse(command, words.clone()) {
        Ok(line) => line,
        Err(error) if error.use_stderr() => {
            let tip = "a FILE that begins with '-' is given as ./FILE";
            return usage_error(&UsageError::from_clap(&error, tip));
        }
        Err(_) => {
            let is_long = words.any(|word| word == "--help");
            return Request::Show(help(command(), HELP, is_long));
        }
    };
    match line.query(Local::now()) {
        Ok(query) => Request::Report(query),
        Err(error) => usage_error(&error),
    }
}

/// The grammar, whatever the environment.
pub fn documented() -> clap::Command {
    let help = Arg::new("help").short('h').long("help").action(ArgAction::HelpShort);
    ReportArgs::command().arg(help.help("Print this help; --help adds examples and the exit statuses"))
}

fn command() -> clap::Command {
    unset_empty(documented())
}

fn usage_error(error: &UsageError) -> Request {
    Request::UsageError { message: error.message(command()), run: None }
}

impl CommandLine<ReportArgs> {
    fn query(self, now: DateTime<Local>) -> Valid<Query> {
        let args = &self.args;
        let dirs = self.all("log_dir", &args.log_dir, path)?;
        self.check_files()?;
        let is_of_crontabs = args.check || args.next;
        let source = if is_of_crontabs { LogSource::Inputs(Vec::new()) } else { self.source(&dirs)? };
        let form = self.form(now)?;
        let is_default = self.matches.value_source("log_dir") == Some(ValueSource::DefaultValue);
        let crontabs = self.crontab_source()?;
        if args.rerun && crontabs.is_none() {
            let problem = "--rerun needs the crontab of these logs";
            return Err(UsageError::new(problem, "name it with --crontab FILE"));
        }
        Ok(Query {
            filter: Filter {
                period: self.period(&form, now)?,
                host: args.host.clone().map(OsString::into_vec),
                job: args.job.clone().map(OsString::into_vec),
                user: self.optional("user", args.user.as_ref(), user)?,
                failed: args.failed,
            },
            accepted: self.optional("ok", args.ok.as_ref(), accepted)?.unwrap_or_default(),
            source,
            crontabs,
            follows_crontabs: is_default && args.files.is_empty(),
            form,
            watch_counts: self.optional("watch", args.watch.as_ref(), watch)?.is_some(),
            color: self.value("color", &args.color, when)?,
            is_paged: !args.no_pager,
            file: self.output()?,
        })
    }

    /// The file to replace. `-` is standard output, as without the option.
    fn output(&self) -> Valid<Option<PathBuf>> {
        let word = self.args.output.as_ref();
        if word.is_some() && !self.args.prometheus {
            let tip = "for another form redirect standard output";
            return Err(UsageError::new("-o is for --prometheus only", tip));
        }
        let words = [("output", word), ("html", self.args.html.as_ref())];
        let mut files = words.into_iter().filter_map(|(id, word)| Some((id, word?)));
        files.find(|(_, word)| *word != "-").map(|(id, word)| self.value(id, word, path)).transpose()
    }

    fn form(&self, now: DateTime<Local>) -> Valid<Form> {
        let args = &self.args;
        let wanted = |word| self.value("run", word, |word| wanted(word, now));
        Ok(match &args.run {
            _ if args.check => Form::Check,
            _ if args.next => Form::Next,
            _ if args.html.is_some() => Form::Html,
            Some(word) => Form::Run(wanted(word)?, args.json),
            None if args.json => Form::Json,
            None if args.tsv => Form::Tsv,
            None if args.prometheus => Form::Prometheus,
            None if args.rerun => Form::Rerun,
            None => Form::Text(TextQuery { question: self.question(), all: args.all }),
        })
    }

    /// The crontabs to compare the logs with. Logs that were named may come from any machine, so only crontabs that
    /// were named too belong to them.
    fn crontab_source(&self) -> Valid<Option<CrontabSource>> {
        let args = &self.args;
        let files = self.crontabs(&args.crontab, &args.user_crontab)?;
        let has_meaning = !args.no_crontab && (args.files.is_empty() || !files.is_empty());
        let selection = if files.is_empty() { CrontabSelection::Machine } else { CrontabSelection::Files(files) };
        Ok(has_meaning.then_some(CrontabSource { selection, grammar: read_crontab }))
    }

    fn question(&self) -> Question {
        match &self.args {
            ReportArgs { changed: true, .. } => Question::Changes,
            ReportArgs { compare: true, .. } => Question::Comparison,
            ReportArgs { runs: true, .. } => Question::Runs,
            _ => Question::Wrong,
        }
    }

    fn period(&self, form: &Form, now: DateTime<Local>) -> Valid<Period> {
        // A run with its day in the name is in the logs from that day on.
        let day = match form {
            Form::Run(wanted, _) => wanted.day,
            _ => None,
        };
        let day = day.map(NaiveDateTime::from);
        let since = |word: &OsStr| time(word, now, false);
        let until = |word: &OsStr| time(word, now, true);
        let mut period = Period {
            since: self.optional("since", self.args.since.as_ref(), since)?.or(day),
            until: self.optional("until", self.args.until.as_ref(), until)?,
        };
        if self.args.until.as_ref().and_then(|word| word.to_str()).is_some_and(is_clock_alone)
            && let (Some(since), Some(until)) = (period.since, &mut period.until)
            && *until < since
            && since < *until + TimeDelta::days(1)
        {
            // At 14:06, `--since 14:00 --until 14:10` does not mean yesterday's 14:10.
            *until += TimeDelta::days(1);
        }
        if self.args.changed {
            // cron starts a command some seconds late, sometimes more and sometimes less. In whole minutes, two periods
            // neither overlap nor leave anything out.
            let whole_minute = |time| last_multiple(TimeDelta::minutes(1), time);
            let today = self.args.files.is_empty().then(|| now.date_naive().into());
            period.since = period.since.or(today).map(whole_minute);
            let until = period.until.unwrap_or(now.naive_local());
            period.until = Some(whole_minute(until));
        }
        if let (Some(since), Some(until)) = (period.since, period.until)
            && since >= until
        {
            return Err(UsageError::new(
                &format!("--until {until} is not later than --since {since}"),
                "give --since the earlier time",
            ));
        }
        Ok(period)
    }

    fn source(&self, dirs: &[PathBuf]) -> Valid<LogSource> {
        let files = &self.args.files;
        if files.is_empty() {
            return Ok(LogSource::LogDirs(log_dirs(dirs, &local_log_dir())));
        }
        if files.iter().filter(|file| *file == "-").count() > 1 {
            let reason = "standard input, -, can be read only once";
            return Err(UsageError::new(reason, "give - once"));
        }
        let input = |file: &OsString| match file.as_bytes() {
            b"-" => Ok(Input::Stdin),
            _ => self.value("files", file, path).map(Input::File),
        };
        let inputs: Result<_, _> = files.iter().map(input).collect();
        Ok(LogSource::Inputs(inputs?))
    }

    /// Refuses words that were meant as something other than a FILE.
    fn check_files(&self) -> Valid<()> {
        let is_missing = |file: &&OsString| !file.is_empty() && *file != "-" && !Path::new(file).exists();
        for file in self.args.files.iter().filter(is_missing) {
            let name = file.to_string_lossy();
            if let Some(option) = self.date_before(&name) {
                return Err(UsageError::new(
                    &format!("'{name}' is not a FILE but a time"),
                    format!("quote the date and the time together: {option} {name}\""),
                ));
            }
            if !name.contains('/') && !is_like_log(&name) {
                let tip = if is_day_alone(&name) || is_clock_alone(&name) {
                    format!("for the runs since then write --since {name}")
                } else {
                    format!("for the runs on a host write --host {name}, for those of a job --job TEXT")
                };
                return Err(UsageError::new(&format!("there is no FILE '{name}'"), &tip));
            }
        }
        Ok(())
    }

    /// If `word` is a time, the option whose date it belongs to, as in `--since "2026-11-24`.
    fn date_before(&self, word: &str) -> Option<String> {
        let options = [("--since", &self.args.since), ("--until", &self.args.until)];
        let mut dates = options.into_iter().filter_map(|(option, value)| {
            let date = value.as_ref()?.to_str()?;
            is_day_alone(date).then(|| format!("{option} \"{date}"))
        });
        dates.next_back().filter(|_| is_clock_alone(word))
    }
}

fn time(word: &OsStr, now: DateTime<Local>, is_end: bool) -> Valid<NaiveDateTime> {
    parse_time(&word.to_string_lossy(), now, is_end).ok_or_else(|| {
        let tip = "give a day (2026-11-24, yesterday), a time (14:00), both in quotes, or how long ago (30m, 1d12h)";
        UsageError::new("not a valid time", tip)
    })
}

fn accepted(word: &OsStr) -> Valid<SuccessStatuses> {
    SuccessStatuses::parse(&word.to_string_lossy())
        .map_err(|error| UsageError::new(&error, "give the statuses with commas, such as 1,75,99"))
}

fn watch(word: &OsStr) -> Valid<()> {
    let error = || UsageError::new("expected the word error", "write --watch=error");
    (word == "error").then_some(()).ok_or_else(error)
}

fn user(word: &OsStr) -> Valid<u32> {
    word.to_str().and_then(|word| Users::read().uid(word)).ok_or_else(|| {
        let tip = "give a name in /etc/passwd, or the number that `id -u NAME` prints";
        UsageError::new("no such user", tip)
    })
}

fn wanted(word: &OsStr, now: DateTime<Local>) -> Valid<RunId> {
    let text = word.to_string_lossy();
    let (pid, time) = match text.split_once('@') {
        Some((pid, time)) => (pid, Some(time)),
        None => (&*text, None),
    };
    let start = time.map_or_else(|| Some((None, String::new())), |time| start_time(time, now));
    match (pid.parse(), start) {
        (Ok(pid), Some((day, clock))) => Ok(RunId { pid, day, clock }),
        _ => Err(UsageError::new(
            "expected PID or PID@TIME",
            "give the number in the second brackets of a record, and if need be the time in the first, such as 913@15:09",
        )),
    }
}
