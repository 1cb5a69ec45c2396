//! remoteexe runs a script on a host through ssh, from cron, and leaves an exact log of it.

mod cli;
mod job;
mod log;
mod poll;
mod random;
mod report;
mod ssh_error;

use std::io::{self, Write};
use std::process::ExitCode;

use chrono::Local;

use cli::Request;
use job::Outcome;

fn main() -> ExitCode {
    let outcome = match cli::parse(std::env::args_os()) {
        Request::Show(text) => {
            // A reader that closed the pipe early has seen what it wanted.
            let _ = text.print();
            return ExitCode::SUCCESS;
        }
        Request::Run(job) => job.run(),
        Request::Report(report) => return ExitCode::from(report.run(Local::now())),
        Request::Complain(reason) => {
            let _ = io::stderr().write_all(reason.as_bytes());
            return ExitCode::from(Outcome::Refused.code());
        }
        Request::Refuse(refusal, reason) => {
            let outcome = refusal.record();
            let _ = io::stderr().write_all(reason.as_bytes());
            outcome
        }
    };
    ExitCode::from(outcome.code())
}
