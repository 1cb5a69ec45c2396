//! The command line of `--generate`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use clap::{CommandFactory, Parser};

use super::error::{UsageError, Valid};
use super::job::{self, read_crontab};
use super::{line::CommandLine, report, request::Request, value::WHEN};
use crate::generate::{DOCUMENTS, DagRequest, Document, Grammars};

/// Asks for a file of DAGs, which depends on crontabs and not only on this version.
const AIRFLOW: &str = "airflow";
const HELP: &str = include_str!("help/generate.txt");

/// Prints the manual, completions for a shell, or DAGs for Airflow
#[derive(Debug, Parser)]
#[command(
    name = "remoteexe --generate",
    override_usage = "remoteexe --generate <WHAT> [OPTIONS]",
    help_template = HELP,
    disable_version_flag = true,
)]
struct GenerateArgs {
    #[arg(hide = true)]
    what: Option<OsString>,

    /// airflow: a crontab whose lines have a user
    #[arg(long, value_name = "FILE")]
    crontab: Vec<OsString>,

    /// airflow: a crontab whose lines have no user
    #[arg(long, value_name = "FILE")]
    user_crontab: Vec<OsString>,
}

/// Parses the arguments, the first of which is `--generate` or `--generate=WHAT`.
pub fn parse(arguments: &[OsString]) -> Request {
    let name = OsString::from("remoteexe --generate");
    let (option, rest) = arguments.split_first().unzip();
    let attached = option.and_then(|option| {
        let option = option.as_bytes().strip_prefix(b"--generate=")?;
        Some(OsStr::from_bytes(option).to_owned())
    });
    let rest = rest.unwrap_or_default().iter().cloned();
    let words = [name].into_iter().chain(attached).chain(rest);
    let line = match CommandLine::<GenerateArgs>::parse(GenerateArgs::command, words) {
        Ok(line) => line,
        Err(error) if error.use_stderr() => {
            return usage_error(&UsageError::from_clap(&error, "give one word, and options of airflow only"));
        }
        Err(help) => return Request::Show(help.to_string()),
    };
    line.request().unwrap_or_else(|error| usage_error(&error))
}

impl CommandLine<GenerateArgs> {
    fn request(&self) -> Valid<Request> {
        let crontabs = self.crontabs(&self.args.crontab, &self.args.user_crontab)?;
        if self.args.what.as_deref() == Some(OsStr::new(AIRFLOW)) {
            if crontabs.is_empty() {
                let tip = "give the crontab whose lines Airflow is to run, with --crontab FILE";
                return Err(UsageError::new("the crontab is missing", tip));
            }
            return Ok(Request::Dags(DagRequest { crontabs, parse: read_crontab }));
        }
        let document = document(self.args.what.as_deref())?;
        if !crontabs.is_empty() {
            let reason = "--crontab and --user-crontab are for airflow only";
            return Err(UsageError::new(reason, "take them out"));
        }
        Ok(Request::Show(document(&grammars())))
    }
}

fn names() -> Vec<&'static str> {
    DOCUMENTS.iter().map(|(name, _)| *name).chain([AIRFLOW]).collect()
}

fn document(word: Option<&OsStr>) -> Valid<Document> {
    let expected = "man, complete-bash, complete-zsh, complete-fish or airflow";
    let Some(word) = word else {
        let tip = format!("give {expected}");
        return Err(UsageError::new("WHAT is missing", &tip));
    };
    let text = word.to_string_lossy();
    let find = |name: &str| DOCUMENTS.iter().find(|(known, _)| *known == name);
    find(&text).map(|(_, document)| *document).ok_or_else(|| {
        let longer = format!("complete-{}", text.to_lowercase());
        let tip = if find(&longer).is_some() { format!("write {longer}") } else { format!("give {expected}") };
        UsageError::new("there is no such text", tip).in_value("--generate <WHAT>", word)
    })
}

fn grammars() -> Grammars {
    Grammars {
        lines: [("job", job::documented()), ("report", report::documented()), ("generate", GenerateArgs::command())],
        values: vec![("WHEN", WHEN.to_vec()), ("TIME", vec!["today", "yesterday", "now"]), ("WHAT", names())],
    }
}

fn usage_error(error: &UsageError) -> Request {
    Request::UsageError { message: error.message(GenerateArgs::command()), run: None }
}
