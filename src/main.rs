//! remoteexe runs a script on a host through ssh, from cron, and leaves an exact log of it.

mod cli;
mod escape;
mod exit;
mod job;
mod log;
mod poll;
mod random;
mod report;
mod ssh_error;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use chrono::Local;

use cli::Request;

fn main() -> ExitCode {
    let status = match cli::parse(env::args_os()) {
        Request::Run(job) => job.run().exit_status(),
        Request::Report(report) => report.run(Local::now()),
        Request::Show(text) => {
            // A reader that closed the pipe early has seen enough.
            let _ = io::stdout().write_all(text.as_bytes());
            exit::SUCCESS
        }
        Request::UsageError { message, refusal } => {
            // First of all the log: nothing else is left of a run from cron.
            let outcome = refusal.map(|refusal| refusal.record());
            let _ = io::stderr().write_all(message.as_bytes());
            outcome.map_or(exit::USAGE_ERROR, |outcome| outcome.exit_status())
        }
    };
    ExitCode::from(status)
}
