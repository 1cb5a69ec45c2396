//! remoteexe runs a script on a host through ssh, from cron, and leaves an exact log of it.
//!
//! # The parts
//!
//! | part | its question |
//! | --- | --- |
//! | [`cli`] | What does the command line ask for? |
//! | [`job`] | How does one run go, from START to END? |
//! | [`report`] | What happened, and what is wrong? |
//! | [`cron`] | When does cron start what? |
//! | [`generate`] | Which texts do other programs get: the manual, completions for shells, DAGs for Airflow? |
//! | [`log`] | What is a record, and how does a record get into the file? |
//!
//! `main` calls `cli`, which turns words into a `job::Job` or a `report::query::Query`. `job` and `report` both know
//! `log`; neither knows the other. `report` also knows `cron`, which knows nothing of logs: `cli` passes in the parser
//! for calls of remoteexe. `generate` gets the grammars from `cli`, and uses `cron` for Airflow. Below them are leaves
//! with one subject each: [`clock`] (local time), [`machine`] (this machine's users and processes), [`exit`] (exit
//! statuses), [`escape`] (text that is safe to show), [`passwd`] (`/etc/passwd`), [`ssh_error`] (the meaning of ssh's
//! messages), [`poll`] (waiting for descriptors), [`writer`] (writing to a descriptor that may block), [`decimal`]
//! (parsing digits), [`random`], [`stable_hash`], and [`splay`] (how long a job waits before it starts).
//!
//! `report` has eight rooms. Data flows through them: `query` (what is asked) -> `logs` (files to lines) -> `runs`
//! (lines to runs) -> `history` (what each job did) and `slots` (what the crontabs planned) -> `diagnosis` (incidents,
//! and unusual good runs) -> `format` (a report to bytes) -> `output` (where the bytes go). A file uses only files
//! below it; `.ci/circles` checks that no files use each other in a circle.
//!
//! # Three walks
//!
//! **HOST, from the command line to END.** `cli::parse` chooses the grammar. `cli::job` parses the words with clap, and
//! turns HOST into a `job::Host`, in which a shell or ssh can misread nothing. The `Job` goes to `Job::run`, which
//! writes HOST into START, passes `root@HOST` to ssh in `job::ssh`, and writes HOST into END.
//!
//! **A byte, from ssh's pipe to the file.** `job::relay` polls the pipe and the signals. It reads all that the pipe
//! holds, and `job::monitor` takes the marker out. `job::lines` cuts the bytes into lines. `Log::push` puts a time and
//! a process id before each line, and `Log::flush` hands all of them to `log::file::append`: one write(2). If that file
//! cannot be written, `log` uses a per-user file, and then standard error. The same bytes go to `job::tee`.
//!
//! **A line, from a log to an incident.** `Query::run` in `report` is the whole walk. `report::logs` finds the files
//! and merges their lines by time; `log::record` parses each line. `report::runs` joins the records of one process id
//! into a run. The format takes each run that matches, and `report::history` keeps all runs in a few bytes each.
//! `report::slots` finds the planned starts that are in no log. Each rule of `report::diagnosis` finds incidents, and
//! related incidents are merged. At the end the format writes the `Report`. Some formats, such as `json`, write each
//! run at once and keep none.

mod cli;
mod clock;
mod cron;
mod decimal;
mod escape;
mod exit;
mod generate;
mod job;
mod log;
mod machine;
mod passwd;
mod poll;
mod random;
mod report;
mod splay;
mod ssh_error;
mod stable_hash;
mod writer;

use std::io::{self, ErrorKind, Write};
use std::time::{Duration, Instant};
use std::{env, process::ExitCode};

use chrono::{Local, Utc};

use cli::Request;
use generate::DagFile;
use writer::Writer;

/// How long to wait until a usage error is written, if nobody reads standard error.
const STDERR_GRACE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let status = match cli::parse(env::args_os()) {
        Request::Run(job) => job.run().exit_status(),
        Request::Report(query) => query.run(Local::now()),
        Request::Dags(dags) => show_dags(&dags.file(Utc::now())),
        Request::Show(text) => show(&text),
        Request::UsageError { message, run } => {
            // The log comes first: a run from cron leaves nothing else.
            let outcome = run.map(|run| run.record());
            write_to_stderr(message);
            outcome.map_or(exit::USAGE_ERROR, |outcome| outcome.exit_status())
        }
    };
    ExitCode::from(status)
}

fn show_dags(file: &DagFile) -> u8 {
    let status = show(&file.text);
    write_to_stderr(file.messages.clone());
    if status == exit::SUCCESS { file.status } else { status }
}

fn show(text: &str) -> u8 {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // A reader that closed the pipe early has seen enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            write_to_stderr(format!("remoteexe: standard output: {error}\n"));
            exit::IO_ERROR
        }
        _ => exit::SUCCESS,
    }
}

fn write_to_stderr(message: String) {
    let deadline = Instant::now() + STDERR_GRACE;
    let mut stderr = Writer::new(rustix::stdio::stderr());
    let _ = stderr.write_by(deadline, &mut message.into_bytes());
    stderr.finish_by(deadline);
}
