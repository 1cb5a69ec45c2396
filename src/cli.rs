//! The command line: what may be said, what is wrong with it, and what it asks for.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum, value_parser};

use crate::job::{Job, Refusal};
use crate::record;
use crate::ssh::{Host, Login, Operands, Script, Ssh, WordError};

/// The log's usage lines, the same as the bash original's: somebody may be watching for them.
const USAGE: [&str; 3] = [
    "usage: remoteexe target script [parameters]",
    "e.g.) remoteexe host_sum_batch01 /path/to/starting_sh/sum.sh",
    "e.g.) remoteexe host_user_batch02 \"/path/to/starting_sh/user_log.sh action\"",
];

const DEFAULT_LOG_DIR: &str = "/tmp";

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
    identity: Option<PathBuf>,

    /// User to log in as
    #[arg(short, long, value_name = "USER", env = "REMOTEEXE_LOGIN")]
    #[arg(
        help_heading = "Passed to ssh",
        hide_env_values = true,
        default_value = "root"
    )]
    #[arg(value_parser = OsStringValueParser::new().try_map(login))]
    login: Login,

    /// KEYWORD=VALUE as in ssh's configuration; may be repeated
    #[arg(short, value_name = "OPTION", help_heading = "Passed to ssh")]
    #[arg(value_parser = OsStringValueParser::new().try_map(not_empty))]
    option: Vec<OsString>,

    /// Configuration file in place of ~/.ssh/config
    #[arg(short = 'F', value_name = "FILE", help_heading = "Passed to ssh")]
    config: Option<PathBuf>,

    /// Port on HOST
    #[arg(short, value_name = "PORT", help_heading = "Passed to ssh")]
    #[arg(value_parser = value_parser!(u16).range(1..))]
    port: Option<u16>,

    /// Directory of the log
    #[arg(long, value_name = "DIR", env = "REMOTEEXE_LOG_DIR")]
    #[arg(help_heading = "Logging", hide_env_values = true, default_value = DEFAULT_LOG_DIR)]
    log_dir: PathBuf,

    /// Show the output on standard output too; auto: if it is a terminal
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Logging"
    )]
    tee: Tee,

    // HOST, SCRIPT and PARAMETERS in one: of two arguments clap would still take a word between HOST
    // and SCRIPT for an option of ours.
    #[arg(trailing_var_arg = true, hide = true)]
    operands: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Tee {
    Auto,
    Always,
    Never,
}

fn login(word: OsString) -> Result<Login, String> {
    Login::try_from(word)
        .map_err(|error| format!("{error}; give a user name with --login or REMOTEEXE_LOGIN"))
}

fn not_empty(word: OsString) -> Result<OsString, WordError> {
    if word.is_empty() {
        Err(WordError::Empty)
    } else {
        Ok(word)
    }
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Request {
    /// Run a job.
    Run(Job),
    /// Print the help or the version.
    Show(clap::Error),
    /// Nothing that can be run: print what is wrong with it, and log it.
    Refuse(Refusal, clap::Error),
}

/// Reads the command line, the program's name first, and the environment variables that stand in
/// for options.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Request {
    let words: Vec<OsString> = words.into_iter().collect();
    let args = match command()
        .try_get_matches_from(&words)
        .and_then(|matches| Args::from_arg_matches(&matches))
    {
        Ok(args) => args,
        Err(error) if error.use_stderr() => {
            let operands = words.iter().skip(1);
            return refuse(operands, log_dir(&words), complete(error));
        }
        Err(help_or_version) => return Request::Show(help_or_version),
    };
    match operands(&args.operands) {
        Ok(operands) => Request::Run(args.job(operands)),
        Err(error) => refuse(&args.operands, args.log_dir, error),
    }
}

impl Args {
    fn job(self, operands: Operands) -> Job {
        Job {
            ssh: Ssh {
                config: self.config,
                identity: self.identity,
                port: self.port,
                options: self.option,
                login: self.login,
                operands,
            },
            log_dir: self.log_dir,
            tee: match self.tee {
                Tee::Auto => io::stdout().is_terminal(),
                Tee::Always => true,
                Tee::Never => false,
            },
        }
    }
}

/// The command line's grammar. A variable that is set but empty counts as unset, so that a crontab
/// can take one back.
fn command() -> clap::Command {
    Args::command().mut_args(|arg| {
        let is_empty = |name| env::var_os(name).is_some_and(|value| value.is_empty());
        if arg.get_env().is_some_and(is_empty) {
            arg.env(None)
        } else {
            arg
        }
    })
}

/// Checks the operands, which clap only collects.
fn operands(words: &[OsString]) -> Result<Operands, clap::Error> {
    let [host, script, parameters @ ..] = words else {
        let message = "HOST and SCRIPT are required";
        return Err(command().error(ErrorKind::MissingRequiredArgument, message));
    };
    Ok(Operands {
        host: Host::try_from(host.clone()).map_err(|error| {
            let remedy =
                "give a host name, an address or an alias of ssh_config, and the user with --login";
            invalid("HOST", host, &error, remedy)
        })?,
        script: Script::try_from(script.clone()).map_err(|error| {
            let remedy =
                "options go before HOST; give a script by its path, if need be as ./SCRIPT";
            invalid("SCRIPT", script, &error, remedy)
        })?,
        parameters: parameters.to_vec(),
    })
}

fn invalid(operand: &str, word: &OsStr, error: &WordError, remedy: &str) -> clap::Error {
    let word = record::join([word]);
    let word = String::from_utf8_lossy(&word);
    let message = format!("invalid value '{word}' for <{operand}>: {error}\n\n  tip: {remedy}");
    command().error(ErrorKind::ValueValidation, message)
}

/// Adds to clap's answer what it leaves out: the usage of every error, and a tip that helps here.
fn complete(mut error: clap::Error) -> clap::Error {
    let mut command = command();
    if error.kind() == ErrorKind::UnknownArgument {
        // Clap's own is to put `--` before it, which would make a HOST of it.
        let tip = "options of ssh are given as -o KEYWORD=VALUE, those of SCRIPT behind it";
        let tip = ContextValue::StyledStrs(vec![tip.into()]);
        error.insert(ContextKind::Suggested, tip);
    }
    let usage = ContextValue::StyledStr(command.render_usage());
    error.insert(ContextKind::Usage, usage);
    error.with_cmd(&command)
}

/// The log directory of a command line that clap did not accept, as far as it can be made out.
fn log_dir(words: &[OsString]) -> PathBuf {
    let lenient = |command: clap::Command| {
        let matches = command
            .ignore_errors(true)
            .try_get_matches_from(words)
            .ok()?;
        matches.try_get_one::<PathBuf>("log_dir").ok()?.cloned()
    };
    lenient(command()).unwrap_or_else(|| PathBuf::from(DEFAULT_LOG_DIR))
}

fn refuse<'a>(
    operands: impl IntoIterator<Item = &'a OsString>,
    log_dir: PathBuf,
    error: clap::Error,
) -> Request {
    let mut explanation = Vec::new();
    // Under cron standard error is often lost, so the log has to say what is wrong; only where the
    // bash original would have refused as well is the log the same as its.
    if error.kind() != ErrorKind::MissingRequiredArgument {
        let text = error.to_string();
        let reason = text.split("\n\n").next().unwrap_or_default();
        explanation.push(record::join(reason.split_whitespace().map(OsStr::new)));
    }
    explanation.extend(USAGE.map(|line| line.as_bytes().to_vec()));
    let refusal = Refusal {
        operands: record::join(operands.into_iter().map(OsString::as_os_str)),
        explanation,
        log_dir,
    };
    Request::Refuse(refusal, error)
}
