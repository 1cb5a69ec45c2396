//! The command line of `--report`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use chrono::{DateTime, Local, NaiveDateTime};
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser};

use super::job::{DEFAULT_LOG_DIR, Request, complete, path, printable, unset_empty, wrong_value};
use crate::report::{Filter, Form, Input, Period, Report, Source, Wanted, parse_time};

const HELP: &str = "\
{about}

{usage-heading} {usage}

Arguments:
  [FILE]...  Logs to read, also compressed by gzip; - is standard input. Without one
             those in the log directory: today's, or with --since or --until
             those that can have records of that time

{all-args}

TIME is YYYY-MM-DD, \"YYYY-MM-DD HH:MM\", with :SS if need be, or how long ago:
90s, 30m, 2h, 3d, 1w. A run belongs to a period if it was going on in it.

Examples:
  remoteexe --report
  remoteexe --report --since 3d --host host_sum_batch01 --failed
  remoteexe --report --run 913@15:09
  In a crontab, after every hour in which something has failed:
    0 * * * * root remoteexe --report --since 61m >/dev/null || alert

Exit status:
  0 nothing failed; 1 something failed or was lost; 10 usage error;
  74 something could not be read
";

/// Shows what ran, what failed and why, and what never ended, as the logs tell it
#[derive(Debug, Parser)]
#[command(
    name = "remoteexe --report",
    override_usage = "remoteexe --report [OPTIONS] [FILE]...",
    help_template = HELP,
    disable_version_flag = true,
)]
struct Args {
    /// Runs that were going on at TIME or later
    #[arg(long, value_name = "TIME", help_heading = "Which runs")]
    since: Option<OsString>,

    /// Runs that started before TIME; a date alone is included
    #[arg(long, value_name = "TIME", help_heading = "Which runs")]
    until: Option<OsString>,

    /// Runs on HOST
    #[arg(long, value_name = "HOST", help_heading = "Which runs")]
    host: Option<OsString>,

    /// Runs whose HOST SCRIPT PARAMETERS contain TEXT
    #[arg(long, value_name = "TEXT", help_heading = "Which runs")]
    job: Option<OsString>,

    /// Only what failed or was lost
    #[arg(long, help_heading = "Which runs")]
    failed: bool,

    /// All records of one run: of process PID, the last one or that which started at TIME
    #[arg(long, value_name = "PID[@TIME]", help_heading = "In which form")]
    #[arg(conflicts_with_all = ["json", "tsv"])]
    run: Option<OsString>,

    /// A JSON document a run, one on each line
    #[arg(long, help_heading = "In which form", conflicts_with = "tsv")]
    json: bool,

    /// A line a run, in the columns of GNU parallel's joblog
    #[arg(long, help_heading = "In which form")]
    tsv: bool,

    /// Directory of the logs
    #[arg(long, value_name = "DIR", env = "REMOTEEXE_LOG_DIR")]
    #[arg(help_heading = "Logging", hide_env_values = true, default_value = DEFAULT_LOG_DIR)]
    log_dir: OsString,

    #[arg(hide = true)]
    files: Vec<OsString>,
}

/// Reads the words of a command line that follow `--report`.
pub fn parse(words: &[OsString]) -> Request {
    let name = OsString::from("remoteexe --report");
    let words = [&name].into_iter().chain(words);
    let report = command()
        .try_get_matches_from(words)
        .and_then(|matches| Args::from_arg_matches(&matches))
        .and_then(|args| args.report(Local::now()));
    match report {
        Ok(report) => Request::Report(report),
        Err(error) if error.use_stderr() => {
            let tip = "a FILE that begins with '-' is given as ./FILE";
            Request::Complain(printable(&complete(error, command(), tip).to_string()))
        }
        Err(help) => Request::Show(help),
    }
}

fn command() -> clap::Command {
    unset_empty(Args::command())
}

impl Args {
    fn report(self, now: DateTime<Local>) -> Result<Report, clap::Error> {
        let log_dir = path(command, "--log-dir <DIR>", &self.log_dir)?;
        let time = |argument, word: &Option<OsString>, is_end| {
            let word = word.as_deref();
            word.map(|word| time(argument, word, now, is_end))
                .transpose()
        };
        let form = self.form()?;
        // A run that is named with its day is in the logs from that day on.
        let day = match &form {
            Form::Run(wanted) => wanted.day().map(NaiveDateTime::from),
            Form::View | Form::Json | Form::Tsv => None,
        };
        let period = Period {
            since: time("--since <TIME>", &self.since, false)?.or(day),
            until: time("--until <TIME>", &self.until, true)?,
        };
        if let (Some(since), Some(until)) = (period.since, period.until)
            && since >= until
        {
            let message = format!("--until {until} is not after --since {since}");
            return Err(command().error(ErrorKind::ValueValidation, message));
        }
        Ok(Report {
            form,
            filter: Filter {
                period,
                host: self.host.map(OsString::into_vec),
                job: self.job.map(OsString::into_vec),
                failed: self.failed,
            },
            source: source(self.files, log_dir)?,
        })
    }

    fn form(&self) -> Result<Form, clap::Error> {
        Ok(match &self.run {
            Some(word) => Form::Run(wanted(word)?),
            None if self.json => Form::Json,
            None if self.tsv => Form::Tsv,
            None => Form::View,
        })
    }
}

fn source(files: Vec<OsString>, log_dir: PathBuf) -> Result<Source, clap::Error> {
    if files.is_empty() {
        return Ok(Source::LogDir(log_dir));
    }
    if files.iter().filter(|file| *file == "-").count() > 1 {
        let message = "standard input, -, can be read once only";
        return Err(command().error(ErrorKind::ValueValidation, message));
    }
    let input = |file: OsString| match file.as_bytes() {
        b"-" => Ok(Input::Stdin),
        _ => path(command, "[FILE]...", &file).map(Input::File),
    };
    let inputs = files.into_iter().map(input);
    Ok(Source::Inputs(inputs.collect::<Result<_, _>>()?))
}

fn time(
    argument: &str,
    word: &OsStr,
    now: DateTime<Local>,
    is_end: bool,
) -> Result<NaiveDateTime, clap::Error> {
    parse_time(&word.to_string_lossy(), now, is_end).map_err(|error| {
        let remedy = "give YYYY-MM-DD, \"YYYY-MM-DD HH:MM\" or how long ago, such as 30m, 2h, 3d";
        wrong_value(command, argument, word, error, remedy)
    })
}

fn wanted(word: &OsStr) -> Result<Wanted, clap::Error> {
    let text = word.to_string_lossy();
    let (pid, time) = match text.split_once('@') {
        Some((pid, time)) => (pid, Some(time)),
        None => (&*text, None),
    };
    let is_time = |time: &str| {
        let mut characters = time.chars();
        characters
            .next()
            .is_some_and(|first| first.is_ascii_digit())
            && characters.all(|character| character.is_ascii_digit() || " -:".contains(character))
    };
    match pid.parse() {
        Ok(pid) if time.is_none_or(is_time) => Ok(Wanted {
            pid,
            time: time.map(str::to_owned),
        }),
        _ => {
            let remedy = "give the number in the second brackets of a record, and if need be the time in the first, such as 913@15:09";
            let fault = "it names no run";
            Err(wrong_value(
                command,
                "--run <PID[@TIME]>",
                word,
                fault,
                remedy,
            ))
        }
    }
}
