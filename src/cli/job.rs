//! The command line: what may be said, what is wrong with it, and what it asks for.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser};

use crate::job::{Job, Operands, Refusal, Retries, Ssh, WordError};
use crate::log::record;
use crate::report::Report;

/// The log's usage lines, the same as the bash original's: somebody may be watching for them.
const USAGE: [&str; 3] = [
    "usage: remoteexe target script [parameters]",
    "e.g.) remoteexe host_sum_batch01 /path/to/starting_sh/sum.sh",
    "e.g.) remoteexe host_user_batch02 \"/path/to/starting_sh/user_log.sh action\"",
];

pub const DEFAULT_LOG_DIR: &str = "/tmp";

/// With the waits at their longest, more than an hour and a half of them.
const MOST_RETRIES: u32 = 100;

const LONGEST_RETRY_DELAY: Duration = Duration::from_hours(1);

const HELP: &str = "\
{about}

{usage-heading} {usage}

Arguments:
  <HOST>           Host name, address or alias of ssh_config
  <SCRIPT>         What to run there, also with parameters as one quoted word
  [PARAMETERS]...  More words for it; all that follows HOST goes there verbatim

{all-args}

Log:
  DIR/YYYYMMDD_remoteexe.log, each line as [YYYY-MM-DD HH:MM:SS][PID] TEXT

Examples:
  In a crontab (where \\% has to stand for %):
    */5 * * * * root remoteexe host_sum_batch01 /path/to/sum.sh
  By hand, with the output on the terminal too and the log in this directory:
    remoteexe -i ~/.ssh/batch -l batch --log-dir . host01 \"/path/to.sh action\"
  What ran, what failed and why (remoteexe --report --help says more):
    remoteexe --report

Exit status:
  the remote command's own; 255 ssh failed; 128+N ended by signal N;
  127 ssh not found; 126 ssh cannot be run; 10 usage error
";

/// Runs SCRIPT on HOST through ssh and logs its start, its output and its end
#[derive(Debug, Parser)]
#[command(
    name = "remoteexe",
    version,
    override_usage = "remoteexe [OPTIONS] <HOST> <SCRIPT> [PARAMETERS]...",
    help_template = HELP,
)]
struct Args {
    /// Private key; if none, as ssh's configuration says
    #[arg(short, long, value_name = "FILE", env = "REMOTEEXE_IDENTITY")]
    #[arg(help_heading = "Passed to ssh", hide_env_values = true)]
    identity: Vec<OsString>,

    /// User to log in as
    #[arg(short, long, value_name = "USER", env = "REMOTEEXE_LOGIN")]
    #[arg(
        help_heading = "Passed to ssh",
        hide_env_values = true,
        default_value = "root"
    )]
    login: OsString,

    /// KEYWORD=VALUE as in ssh's configuration; may be repeated
    #[arg(short, value_name = "OPTION", help_heading = "Passed to ssh")]
    option: Vec<OsString>,

    /// Configuration file in place of the user's and the system's
    #[arg(short = 'F', value_name = "FILE", help_heading = "Passed to ssh")]
    config: Option<OsString>,

    /// Port on HOST
    #[arg(short, value_name = "PORT", help_heading = "Passed to ssh")]
    port: Option<OsString>,

    /// How often to try again when the connection fails before SCRIPT can have been started
    #[arg(long, value_name = "N", env = "REMOTEEXE_RETRIES")]
    #[arg(help_heading = "Retries", hide_env_values = true, default_value = "0")]
    retries: OsString,

    /// Longest wait before the first of them, doubled for each further one, at most a minute
    #[arg(long, value_name = "SECONDS", env = "REMOTEEXE_RETRY_DELAY")]
    #[arg(help_heading = "Retries", hide_env_values = true, default_value = "1")]
    retry_delay: OsString,

    /// Directory of the log
    #[arg(long, value_name = "DIR", env = "REMOTEEXE_LOG_DIR")]
    #[arg(help_heading = "Logging", hide_env_values = true, default_value = DEFAULT_LOG_DIR)]
    log_dir: OsString,

    /// Show the output on standard output too: always, never, or auto, which does it on a terminal
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Logging"
    )]
    tee: OsString,

    // HOST, SCRIPT and PARAMETERS in one: of two arguments clap would still take a word between HOST
    // and SCRIPT for an option of ours.
    #[arg(trailing_var_arg = true, hide = true)]
    operands: Vec<OsString>,
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Request {
    /// Run a job.
    Run(Job),
    /// Print the help or the version.
    Show(clap::Error),
    /// Show what has been run.
    Report(Report),
    /// Nothing that can be run: log that, and print what is wrong.
    Refuse(Refusal, String),
    /// Nothing that can be reported: print what is wrong.
    Complain(String),
}

/// Reads the command line, the program's name first, and the environment variables that stand in
/// for options.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Request {
    let words: Vec<OsString> = words.into_iter().collect();
    // A command line of its own: an ordinary job does not pay for its options.
    if let [_, first, rest @ ..] = words.as_slice()
        && first == "--report"
    {
        return super::report::parse(rest);
    }
    let args = command()
        .try_get_matches_from(&words)
        .and_then(|matches| Args::from_arg_matches(&matches));
    match args {
        Ok(args) => args.job().map_or_else(
            |error| refuse(&args.operands, &args.log_dir, error),
            Request::Run,
        ),
        Err(error) if is_about_report(&error) => {
            let message = "--report has to be the first word";
            let error = command().error(ErrorKind::UnknownArgument, message);
            Request::Complain(printable(
                &complete(error, command(), UNKNOWN_TIP).to_string(),
            ))
        }
        Err(error) if error.use_stderr() => {
            refuse(words.get(1..).unwrap_or_default(), &log_dir(&words), error)
        }
        Err(help_or_version) => Request::Show(help_or_version),
    }
}

/// Makes the grammar of a command line. It is wanted again only where something is wrong: to make it takes
/// 41,000 of a start's 300,000 instructions.
pub type Grammar = fn() -> clap::Command;

fn is_about_report(error: &clap::Error) -> bool {
    let argument = error.get(ContextKind::InvalidArg);
    argument.is_some_and(|argument| argument.to_string() == "--report")
}

fn command() -> clap::Command {
    unset_empty(Args::command())
}

/// A variable that is set but empty counts as unset, so that a crontab can take one back.
pub fn unset_empty(command: clap::Command) -> clap::Command {
    command.mut_args(|arg| {
        let is_empty = |name| env::var_os(name).is_some_and(|value| value.is_empty());
        if arg.get_env().is_some_and(is_empty) {
            arg.env(None)
        } else {
            arg
        }
    })
}

impl Args {
    /// Checks the words, which clap only collects: so that a refused command line, too, is logged
    /// where and as it says.
    fn job(&self) -> Result<Job, clap::Error> {
        let operands = self.operands()?;
        Ok(Job {
            log_dir: path(command, "--log-dir <DIR>", &self.log_dir)?,
            tee: tee(&self.tee)?,
            retries: Retries {
                most: retries(&self.retries)?,
                delay: retry_delay(&self.retry_delay)?,
            },
            ssh: self.ssh(operands)?,
        })
    }

    fn operands(&self) -> Result<Operands, clap::Error> {
        let [host, script, parameters @ ..] = self.operands.as_slice() else {
            let message = "HOST and SCRIPT are required";
            return Err(command().error(ErrorKind::MissingRequiredArgument, message));
        };
        Ok(Operands {
            host: checked("<HOST>", host, HOST_REMEDY)?,
            script: checked("<SCRIPT>", script, SCRIPT_REMEDY)?,
            parameters: parameters.to_vec(),
        })
    }

    fn ssh(&self, operands: Operands) -> Result<Ssh, clap::Error> {
        let identities = self.identity.iter();
        let identities = identities.map(|word| path(command, "--identity <FILE>", word));
        let options = self.option.iter().map(|word| option(word));
        let config = self
            .config
            .as_ref()
            .map(|word| path(command, "-F <FILE>", word));
        let port = self.port.as_ref().map(|word| port(word));
        Ok(Ssh {
            config: config.transpose()?,
            identities: identities.collect::<Result<_, _>>()?,
            port: port.transpose()?,
            options: options.collect::<Result<_, _>>()?,
            login: checked("--login <USER>", &self.login, LOGIN_REMEDY)?,
            operands,
        })
    }
}

const HOST_REMEDY: &str =
    "give a host name, an address or an alias of ssh_config, and the user with --login";
const UNKNOWN_TIP: &str = "options of ssh are given as -o KEYWORD=VALUE, those of SCRIPT behind it";
const SCRIPT_REMEDY: &str =
    "options go before HOST; give a script by its path, if need be as ./SCRIPT";
const LOGIN_REMEDY: &str = "give a user name with --login or REMOTEEXE_LOGIN";

/// `word` as what `argument` stands for.
fn checked<T>(argument: &str, word: &OsStr, remedy: &str) -> Result<T, clap::Error>
where
    T: TryFrom<OsString, Error = WordError>,
{
    T::try_from(word.to_owned()).map_err(|error| invalid(argument, word, error, remedy))
}

pub fn path(command: Grammar, argument: &str, word: &OsStr) -> Result<PathBuf, clap::Error> {
    if word.is_empty() {
        let remedy = "give a path";
        return Err(wrong_value(
            command,
            argument,
            word,
            WordError::Empty,
            remedy,
        ));
    }
    Ok(PathBuf::from(word))
}

fn option(word: &OsStr) -> Result<OsString, clap::Error> {
    if word.is_empty() {
        let remedy = "give KEYWORD=VALUE, such as ConnectTimeout=10";
        return Err(invalid("-o <OPTION>", word, WordError::Empty, remedy));
    }
    Ok(word.to_owned())
}

fn port(word: &OsStr) -> Result<NonZeroU16, clap::Error> {
    word.to_str()
        .and_then(|word| word.parse().ok())
        .ok_or_else(|| {
            let remedy = "give a number from 1 to 65535";
            invalid("-p <PORT>", word, "it is not a port", remedy)
        })
}

fn retries(word: &OsStr) -> Result<u32, clap::Error> {
    let number = word.to_str().and_then(|word| word.parse().ok());
    number
        .filter(|number| *number <= MOST_RETRIES)
        .ok_or_else(|| {
            let remedy = format!("give a whole number from 0 to {MOST_RETRIES}");
            invalid("--retries <N>", word, "it is not such a number", &remedy)
        })
}

fn retry_delay(word: &OsStr) -> Result<Duration, clap::Error> {
    let seconds = word.to_str().and_then(|word| word.parse().ok());
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|delay| *delay <= LONGEST_RETRY_DELAY)
        .ok_or_else(|| {
            let longest = LONGEST_RETRY_DELAY.as_secs();
            let remedy = format!("give seconds from 0 to {longest}, such as 1 or 0.5");
            invalid(
                "--retry-delay <SECONDS>",
                word,
                "it is no such time",
                &remedy,
            )
        })
}

fn tee(word: &OsStr) -> Result<bool, clap::Error> {
    match word.as_encoded_bytes() {
        b"auto" => Ok(io::stdout().is_terminal()),
        b"always" => Ok(true),
        b"never" => Ok(false),
        _ => {
            let remedy = "give auto, always or never";
            Err(invalid("--tee <WHEN>", word, "it is not a choice", remedy))
        }
    }
}

fn invalid(argument: &str, word: &OsStr, fault: impl Display, remedy: &str) -> clap::Error {
    wrong_value(command, argument, word, fault, remedy)
}

pub fn wrong_value(
    command: Grammar,
    argument: &str,
    word: &OsStr,
    fault: impl Display,
    remedy: &str,
) -> clap::Error {
    let word = record::join([word]);
    let word = String::from_utf8_lossy(&word);
    let message = format!("invalid value '{word}' for {argument}: {fault}\n\n  tip: {remedy}");
    command().error(ErrorKind::ValueValidation, message)
}

/// The log directory of a command line that clap did not accept, as far as it can be made out.
fn log_dir(words: &[OsString]) -> OsString {
    let matches = command().ignore_errors(true).try_get_matches_from(words);
    matches
        .ok()
        .and_then(|matches| matches.try_get_one("log_dir").ok()?.cloned())
        .or_else(|| env::var_os("REMOTEEXE_LOG_DIR"))
        .unwrap_or_default()
}

fn refuse(operands: &[OsString], log_dir: &OsStr, error: clap::Error) -> Request {
    let mut explanation = Vec::new();
    let kind = error.kind();
    let text = complete(error, command(), UNKNOWN_TIP).to_string();
    // Under cron standard error is often lost, so the log has to say what is wrong; only where the
    // bash original would have refused as well is the log the same as its.
    if kind != ErrorKind::MissingRequiredArgument {
        let reason = text.split("\n\n").next().unwrap_or_default();
        explanation.push(record::join(reason.split_whitespace().map(OsStr::new)));
    }
    explanation.extend(USAGE.map(|line| line.as_bytes().to_vec()));
    let refusal = Refusal {
        operands: record::join(operands.iter().map(OsString::as_os_str)),
        explanation,
        log_dir: PathBuf::from(if log_dir.is_empty() {
            DEFAULT_LOG_DIR.as_ref()
        } else {
            log_dir
        }),
    };
    Request::Refuse(refusal, printable(&text))
}

/// Adds to clap's answer what it leaves out: the usage of every error, and a tip that helps here.
pub fn complete(
    mut error: clap::Error,
    mut command: clap::Command,
    tip: &'static str,
) -> clap::Error {
    if error.kind() == ErrorKind::UnknownArgument {
        // Clap's own is to put `--` before it, which would make a HOST or a FILE of it.
        let tip = ContextValue::StyledStrs(vec![tip.into()]);
        error.insert(ContextKind::Suggested, tip);
    }
    let usage = ContextValue::StyledStr(command.render_usage());
    error.insert(ContextKind::Usage, usage);
    error.with_cmd(&command)
}

/// `text` with its control characters but the newlines escaped: it quotes words that may hold
/// sequences which steer a terminal.
pub fn printable(text: &str) -> String {
    let lines = text
        .split('\n')
        .map(|line| record::join([OsStr::new(line)]));
    let lines: Vec<Vec<u8>> = lines.collect();
    String::from_utf8_lossy(&lines.join(&b'\n')).into_owned()
}
