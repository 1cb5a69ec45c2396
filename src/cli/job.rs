//! The grammar of a job.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};
use std::{env, num::NonZeroU16, sync::LazyLock, time::Duration};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, CommandFactory, Parser};

use super::error::{UsageError, Valid};
use super::line::{CommandLine, Grammar, help};
use super::request::Request;
use super::value::{DEFAULT_LOG_DIR, path, unset_empty, when};
use crate::cron::{CallMeaning, JobCall};
use crate::escape;
use crate::job::{Host, Job, Login, Operands, Retries, Script, Ssh, UsageErrorRun, WordError};

/// With the default delay, the longest waits add up to more than three hours.
const MAX_RETRIES: u32 = 100;
/// A job of cron that waits longer is a mistake.
const LONGEST_TIME: Duration = Duration::from_secs(3600);
const UNKNOWN_TIP: &str = "options of ssh are given as -o KEYWORD=VALUE, those of SCRIPT after SCRIPT";
const HELP: &str = include_str!("help/job.txt");

/// Runs SCRIPT on HOST through ssh and logs its start, its output and its end
#[derive(Debug, Parser)]
#[command(
    name = "remoteexe",
    version,
    disable_help_flag = true,
    disable_version_flag = true,
    override_usage = "remoteexe [OPTIONS] <HOST> <SCRIPT> [PARAMETERS]..."
)]
struct JobArgs {
    /// Private key; by default ssh chooses; may be repeated
    #[arg(short, long, value_name = "FILE", env = "REMOTEEXE_IDENTITY", help_heading = "Passed to ssh")]
    identity: Vec<OsString>,

    /// User to log in as
    #[arg(short, long, value_name = "USER", env = "REMOTEEXE_LOGIN")]
    #[arg(help_heading = "Passed to ssh", default_value = "root")]
    login: OsString,

    /// KEYWORD=VALUE as in ssh's configuration; may be repeated
    #[arg(short, value_name = "OPTION", help_heading = "Passed to ssh")]
    option: Vec<OsString>,

    /// Configuration file instead of the user's and the system's
    #[arg(short = 'F', value_name = "FILE", help_heading = "Passed to ssh")]
    config: Option<OsString>,

    /// Port on HOST
    #[arg(short, value_name = "PORT", help_heading = "Passed to ssh", allow_negative_numbers = true)]
    port: Option<OsString>,

    /// How often to try again when the connection fails before SCRIPT can have started
    #[arg(long, value_name = "N", env = "REMOTEEXE_RETRIES", help_heading = "Retries", default_value = "0")]
    #[arg(allow_negative_numbers = true)]
    retries: OsString,

    /// Maximum wait before the first retry; later ones wait longer, up to two minutes
    #[arg(long, value_name = "SECONDS", env = "REMOTEEXE_RETRY_DELAY", help_heading = "Retries", default_value = "1")]
    #[arg(allow_negative_numbers = true)]
    retry_delay: OsString,

    /// Kill an ssh that has not requested SCRIPT in this time; by default no limit
    #[arg(long, value_name = "SECONDS", env = "REMOTEEXE_CONNECT_TIMEOUT", help_heading = "Time")]
    #[arg(allow_negative_numbers = true)]
    connect_timeout: Option<OsString>,

    /// Spread the jobs: each waits up to SECONDS before ssh, the same time in every run
    #[arg(long, value_name = "SECONDS", env = "REMOTEEXE_SPLAY", help_heading = "Time", allow_negative_numbers = true)]
    splay: Option<OsString>,

    /// Directory of the log
    #[arg(long, value_name = "DIR", env = "REMOTEEXE_LOG_DIR")]
    #[arg(help_heading = "Logging", default_value = DEFAULT_LOG_DIR)]
    log_dir: OsString,

    /// Show the output on standard output too: always, never, or auto (on a terminal only)
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Logging")]
    tee: OsString,

    /// Print this help; --help adds examples and the exit statuses
    #[arg(short, long)]
    help: bool,

    /// Print the version
    #[arg(short = 'V', long)]
    version: bool,

    // HOST, SCRIPT and PARAMETERS in one: otherwise clap would still look for our options between HOST and SCRIPT.
    #[arg(trailing_var_arg = true, hide = true)]
    operands: Vec<OsString>,
}

/// Parses a command line, with the program's name first.
pub fn parse(words: &[OsString]) -> Request {
    let line = match CommandLine::<JobArgs>::parse(command, words) {
        Ok(line) => line,
        Err(error) => return refuse(words, &error),
    };
    if line.args.operands.is_empty() && (line.args.help || line.args.version) {
        return Request::Show(line.information(words));
    }
    match line.job() {
        Ok(job) => Request::Run(job),
        Err(error) => {
            let reason = (!line.is_refused_by_bash(words)).then(|| error.record());
            usage_error(&line.args.operands, &line.args.log_dir, &error, reason)
        }
    }
}

fn command() -> clap::Command {
    unset_empty(JobArgs::command())
}

/// The grammar as the help shows it, with the first words of the other two. A job does not pay for these.
pub fn documented() -> clap::Command {
    let report = Arg::new("report").long("report").action(ArgAction::SetTrue);
    let report = report.help("As the first word: show what ran, what failed and why; see --report -h");
    let generate = Arg::new("generate").long("generate").value_name("WHAT");
    let generate = generate.help(
        "As the first word: print the manual (man), completions for a shell or DAGs for Airflow; \
         see --generate -h",
    );
    JobArgs::command().args([report, generate])
}

fn refuse(words: &[OsString], error: &clap::Error) -> Request {
    // Again with the words that begin other grammars: one may be misspelt, or not be the first.
    let error = match documented().try_get_matches_from(words) {
        Ok(matches) => {
            return Request::UsageError { message: misplaced(&matches).message(command()), run: None };
        }
        Err(other) if other.kind() == error.kind() => UsageError::from_clap(&other, UNKNOWN_TIP),
        Err(_) => UsageError::from_clap(error, UNKNOWN_TIP),
    };
    let operands = words.get(1..).unwrap_or_default();
    usage_error(operands, &log_dir(words), &error, Some(error.record()))
}

/// The first word of another grammar is not the first argument.
fn misplaced(matches: &ArgMatches) -> UsageError {
    let (option, rest) = if matches.get_flag("report") { ("--report", "its options") } else { ("--generate", "WHAT") };
    let tip = format!("write remoteexe {option}, and {rest} after it");
    UsageError::new(&format!("{option} has to be the first word"), &tip)
}

/// Parses the arguments of a call in a crontab, with the variables of the crontab. Our own environment does not count.
pub fn read_crontab(words: &[OsString], variables: &[(OsString, OsString)]) -> CallMeaning {
    if Grammar::of(words) != Grammar::Job {
        return CallMeaning::NoJob;
    }
    let refused = |operands: &[OsString], error: &UsageError| CallMeaning::Refused {
        job: escape::join(operands.iter().map(OsString::as_os_str)),
        reason: error.record(),
    };
    // An option in the line outweighs the variable.
    let grammar = || JobArgs::command().mut_args(|arg| arg.env(None)).args_override_self(true);
    let parse = |options: Vec<OsString>| {
        let all = [OsString::from("remoteexe")].into_iter().chain(options).chain(words.iter().cloned());
        CommandLine::<JobArgs>::parse(grammar, all)
    };
    let options = variables.iter().filter_map(|(name, value)| as_option(name, value));
    let line = match parse(options.collect()) {
        Ok(line) => line,
        Err(error) => return refused(words, &UsageError::from_clap(&error, UNKNOWN_TIP)),
    };
    if line.args.operands.is_empty() && (line.args.help || line.args.version) {
        return CallMeaning::NoJob;
    }
    match line.job() {
        Ok(job) => CallMeaning::Job(JobCall {
            name: job.ssh.operands.display(),
            splay: job.splay_wait(),
            log_dir: job.log_dir,
            identities: job.ssh.identities,
        }),
        Err(error) => {
            // The option would have taken a word of the line; the variable has not.
            let alone = parse(Vec::new()).ok().and_then(|line| line.job().err());
            refused(&line.args.operands, alone.as_ref().unwrap_or(&error))
        }
    }
}

/// The variables that stand for options, with the names of the options.
static VARIABLES: LazyLock<Vec<(OsString, String)>> = LazyLock::new(|| {
    let command = JobArgs::command();
    let arguments = command.get_arguments();
    arguments.filter_map(|arg| Some((arg.get_env()?.to_owned(), arg.get_long()?.to_owned()))).collect()
});

/// The option that a variable stands for, if there is one and the variable has a value.
fn as_option(name: &OsStr, value: &OsStr) -> Option<OsString> {
    let (_, long) = VARIABLES.iter().find(|(variable, _)| variable == name)?;
    let mut word = OsString::from(format!("--{long}="));
    word.push(value);
    (!value.is_empty()).then_some(word)
}

impl CommandLine<JobArgs> {
    fn information(&self, words: &[OsString]) -> String {
        let command = unset_empty(documented());
        if !self.args.help {
            return command.render_version();
        }
        help(command, HELP, words.iter().any(|word| word == "--help"))
    }

    fn job(&self) -> Valid<Job> {
        let args = &self.args;
        let operands = self.operands()?;
        Ok(Job {
            log_dir: self.value("log_dir", &args.log_dir, path)?,
            tee: self.value("tee", &args.tee, tee)?,
            retries: Retries {
                count: self.value("retries", &args.retries, retries)?,
                delay: self.value("retry_delay", &args.retry_delay, seconds)?,
            },
            connect_timeout: self.time("connect_timeout", args.connect_timeout.as_ref())?,
            splay: self.time("splay", args.splay.as_ref())?.unwrap_or_default(),
            ssh: self.ssh(operands)?,
        })
    }

    /// None if the time is 0 or not given.
    fn time(&self, id: &str, word: Option<&OsString>) -> Valid<Option<Duration>> {
        Ok(self.optional(id, word, seconds)?.filter(|time| !time.is_zero()))
    }

    fn operands(&self) -> Valid<Operands> {
        if self.args.help || self.args.version {
            return Err(self.job_after_help());
        }
        let [host, script, parameters @ ..] = self.args.operands.as_slice() else { return Err(self.missing_operand()) };
        let host_error = |error| host_error(&error).in_value("<HOST>", host);
        let script_error = |error| script_error(&error, host).in_value("<SCRIPT>", script);
        Ok(Operands {
            host: Host::new(host.clone()).map_err(host_error)?,
            script: Script::new(script.clone()).map_err(script_error)?,
            parameters: parameters.to_vec(),
        })
    }

    fn ssh(&self, operands: Operands) -> Valid<Ssh> {
        let args = &self.args;
        Ok(Ssh {
            config: self.optional("config", args.config.as_ref(), path)?,
            identities: self.all("identity", &args.identity, path)?,
            port: self.optional("port", args.port.as_ref(), port)?,
            options: self.all("option", &args.option, option)?,
            login: self.value("login", &args.login, login)?,
            operands,
        })
    }

    /// Whether the bash original, which split the command line at blanks, would have refused it too. Its log then gave
    /// no reason, and ours gives none either.
    fn is_refused_by_bash(&self, words: &[OsString]) -> bool {
        let words = words.iter().skip(1);
        let split = words.flat_map(|word| word.as_encoded_bytes().split(u8::is_ascii_whitespace));
        let is_short = split.filter(|word| !word.is_empty()).count() < 2;
        is_short && self.args.operands.len() < 2
    }

    fn job_after_help(&self) -> UsageError {
        let option = if self.args.help { "-h" } else { "-V" };
        let job = escape::join(self.args.operands.iter().map(OsString::as_os_str));
        let job = String::from_utf8_lossy(&job);
        UsageError::new(
            &format!("{option} runs nothing, but a job follows it: {job}"),
            format!("to run the job leave {option} out; options of SCRIPT go after SCRIPT"),
        )
    }

    fn missing_operand(&self) -> UsageError {
        let host = self.args.operands.first();
        let taken = self.last_option().map(|option| format!("{option}; HOST and SCRIPT go after it"));
        let Some(host) = host.filter(|host| !host.is_empty()) else {
            let tip = taken.unwrap_or("give a host and the script to run on it".to_owned());
            return UsageError::new("HOST and SCRIPT are missing", &tip);
        };
        let host = host.to_string_lossy();
        let reason = format!("SCRIPT is missing; HOST is '{host}'");
        if let Some(tip) = misspelt_option(&host) {
            return UsageError::new(&reason, &tip);
        }
        let tip = match taken {
            Some(taken) => taken,
            None if host.contains(char::is_whitespace) => {
                format!("give them as two words, without the quotes around both: remoteexe {host}")
            }
            None => format!("give the script to run on it: remoteexe {host} /path/to/script.sh"),
        };
        UsageError::new(&reason, &tip)
    }

    /// Names the option that took the word before the operands as its value.
    fn last_option(&self) -> Option<String> {
        let mut command = command();
        command.build();
        let values = command.get_arguments().filter_map(|arg| {
            let id = arg.get_id().as_str();
            let is_given = self.matches.value_source(id) == Some(ValueSource::CommandLine);
            let is_option = arg.get_action().takes_values() && !arg.is_positional();
            let index = self.matches.indices_of(id)?.next_back()?;
            (is_given && is_option).then_some((index, arg, id))
        });
        let (_, arg, id) = values.max_by_key(|(index, ..)| *index)?;
        let value = self.matches.get_raw(id)?.next_back()?.to_string_lossy();
        Some(format!("{arg} has taken '{value}'"))
    }
}

/// The tip for an option's name in the place of HOST.
fn misspelt_option(host: &str) -> Option<String> {
    let option = host.to_lowercase();
    ["report", "generate", "help", "version"]
        .contains(&option.as_str())
        .then(|| format!("did you mean 'remoteexe --{option}'?"))
}

fn host_error(error: &WordError) -> UsageError {
    let tip = match error {
        WordError::Port { host, port } => format!("give the port as an option: -p {port} {host}"),
        _ => "give a host name, an address or an alias of ssh_config, and the user with --login".to_owned(),
    };
    UsageError::new(error, tip)
}

fn script_error(error: &WordError, host: &OsStr) -> UsageError {
    let tip = misspelt_option(&host.to_string_lossy())
        .unwrap_or_else(|| "options go before HOST; give a script by its path, if need be as ./SCRIPT".to_owned());
    UsageError::new(error, tip)
}

fn login(word: &OsStr) -> Valid<Login> {
    let tip = "give a user name with --login or REMOTEEXE_LOGIN";
    Login::new(word.to_owned()).map_err(|error| UsageError::new(&error, tip))
}

fn option(word: &OsStr) -> Valid<OsString> {
    if word.is_empty() {
        let tip = "give KEYWORD=VALUE, such as ConnectTimeout=10";
        return Err(UsageError::new("it is empty", tip));
    }
    match harm_of(word) {
        Some(reason) => Err(UsageError::new(reason, "leave it out")),
        None => Ok(word.to_owned()),
    }
}

/// The reason why this option of ssh would make END untrue or change the job.
///
/// A keyword is in upper or lower case, and is followed by a blank or `=`. Keyword and value may be quoted
/// (`ssh_config(5)`). ssh also skips a `=` before the keyword.
fn harm_of(word: &OsStr) -> Option<&'static str> {
    let is_around = |c: char| c.is_whitespace() || "=\"".contains(c);
    let word = word.to_string_lossy().to_lowercase();
    let word = word.trim_start_matches(is_around);
    let (keyword, value) = word.split_at(word.find(is_around)?);
    let value = value.trim_matches(is_around);
    let (harmless, reason): (&[&str], _) = match keyword {
        "forkafterauthentication" => (&["no", "false"], "ssh would end before the job does"),
        "sessiontype" => (&["default"], "the script would not run"),
        "stdinnull" => (&["no", "false"], "the script would lose its standard input"),
        "requesttty" => (&["no", "false", "auto"], "a terminal would change input and output"),
        _ => return None,
    };
    (!harmless.contains(&value)).then_some(reason)
}

fn port(word: &OsStr) -> Valid<NonZeroU16> {
    let port = word.to_str().and_then(|word| word.parse().ok());
    port.ok_or_else(|| UsageError::expected("a port number from 1 to 65535"))
}

fn retries(word: &OsStr) -> Valid<u32> {
    let number = word.to_str().and_then(|word| word.parse().ok());
    number
        .filter(|number| *number <= MAX_RETRIES)
        .ok_or_else(|| UsageError::expected(format!("a whole number from 0 to {MAX_RETRIES}")))
}

fn seconds(word: &OsStr) -> Valid<Duration> {
    let seconds = word.to_str().and_then(|word| word.parse().ok());
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|time| *time <= LONGEST_TIME)
        .ok_or_else(|| {
            let longest = LONGEST_TIME.as_secs();
            UsageError::expected(format!("seconds from 0 to {longest}, such as 1 or 0.5"))
        })
}

fn tee(word: &OsStr) -> Valid<bool> {
    Ok(when(word)?.unwrap_or_else(|| io::stdout().is_terminal()))
}

/// The log directory of a command line that clap did not accept, if clap can still find it.
fn log_dir(words: &[OsString]) -> OsString {
    let matches = command().ignore_errors(true).try_get_matches_from(words);
    matches
        .ok()
        .and_then(|matches| matches.try_get_one("log_dir").ok()?.cloned())
        .or_else(|| env::var_os("REMOTEEXE_LOG_DIR"))
        .unwrap_or_default()
}

fn usage_error(operands: &[OsString], log_dir: &OsStr, error: &UsageError, reason: Option<String>) -> Request {
    let log_dir = if log_dir.is_empty() { OsStr::new(DEFAULT_LOG_DIR) } else { log_dir };
    Request::UsageError {
        message: error.message(command()),
        run: Some(UsageErrorRun {
            operands: escape::join(operands.iter().map(OsString::as_os_str)),
            reason,
            log_dir: log_dir.into(),
        }),
    }
}
