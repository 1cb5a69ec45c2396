use crate::generate::DagRequest;
use crate::job::{Job, UsageErrorRun};
use crate::report::query::Query;

/// What a command line asks for.
pub enum Request {
    Run(Job),
    /// Show what has run, what the crontabs plan, or what is wrong with either.
    Report(Query),
    Dags(DagRequest),
    /// Print a text: the help, the version, the manual or completions.
    Show(String),
    /// A usage error: print `message`, and log `run`.
    UsageError {
        /// For standard error.
        message: String,
        /// None if no job was meant.
        run: Option<UsageErrorRun>,
    },
}
