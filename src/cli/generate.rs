//! The command line of `--generate`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use clap::{CommandFactory, Parser};

use super::error::UsageError;
use super::line::CommandLine;
use super::request::Request;
use super::value::{InvalidValue, WHEN};
use super::{job, report};
use crate::generate::{Document, Grammars};

const HELP: &str = "\
{about}

{usage-heading} {usage}

Arguments:
  <WHAT>  man            the manual page, remoteexe(1)
          complete-bash  completions for bash
          complete-zsh   completions for zsh
          complete-fish  completions for fish

{all-args}

Examples:
  remoteexe --generate man | man -l -
  remoteexe --generate complete-bash >/etc/bash_completion.d/remoteexe
";

/// Prints the manual, or completions for a shell
#[derive(Debug, Parser)]
#[command(
    name = "remoteexe --generate",
    override_usage = "remoteexe --generate <WHAT>",
    help_template = HELP,
    disable_version_flag = true,
)]
struct Args {
    #[arg(hide = true)]
    what: Option<OsString>,
}

/// Reads the arguments, of which the first is `--generate` or `--generate=WHAT`.
pub fn parse(arguments: &[OsString]) -> Request {
    let name = OsString::from("remoteexe --generate");
    let (option, rest) = arguments.split_first().unzip();
    let attached = option.and_then(|option| {
        let option = option.as_bytes().strip_prefix(b"--generate=")?;
        Some(OsStr::from_bytes(option).to_owned())
    });
    let rest = rest.unwrap_or_default().iter().cloned();
    let words = [name].into_iter().chain(attached).chain(rest);
    let line = match CommandLine::<Args>::parse(Args::command, words) {
        Ok(line) => line,
        Err(error) if error.use_stderr() => {
            return usage_error(&UsageError::from_clap(&error, "give one word only"));
        }
        Err(help) => return Request::Show(help.to_string()),
    };
    match document(line.args.what.as_deref()) {
        Ok(document) => Request::Show(document.text(&grammars())),
        Err(error) => usage_error(&error),
    }
}

fn document(word: Option<&OsStr>) -> Result<Document, UsageError> {
    let expected = "man, complete-bash, complete-zsh or complete-fish";
    let Some(word) = word else {
        let tip = format!("give {expected}");
        return Err(UsageError::new("WHAT is missing", &tip));
    };
    let text = word.to_string_lossy();
    Document::of(&text).ok_or_else(|| {
        let longer = format!("complete-{}", text.to_lowercase());
        let error = match Document::of(&longer) {
            Some(_) => InvalidValue::because("there is no such text", format!("write {longer}")),
            None => InvalidValue::because("there is no such text", format!("give {expected}")),
        };
        UsageError::invalid_value("--generate <WHAT>", word, error)
    })
}

/// The grammars that completions follow.
fn grammars() -> Grammars {
    Grammars {
        job: job::documented(),
        report: report::documented(),
        values: vec![
            ("WHEN", WHEN.to_vec()),
            ("WHAT", Document::NAMES.map(|(name, _)| name).to_vec()),
        ],
    }
}

fn usage_error(error: &UsageError) -> Request {
    Request::UsageError {
        message: error.message(Args::command()),
        run: None,
    }
}
