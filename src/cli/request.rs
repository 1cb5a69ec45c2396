use crate::generate::DagRequest;
use crate::job::{Job, UsageErrorRun};
use crate::report::query::Query;

/// The request of a command line.
pub enum Request {
    Run(Job),
    /// Show what has run, what the crontabs plan, or what is wrong with either.
    Report(Query),
    Dags(DagRequest),
    /// Print a text: the help, the version, the manual or completions.
    Show(String),
    /// A usage error: print `message` on standard error, and log `run`, if a job was meant.
    UsageError {
        message: String,
        run: Option<UsageErrorRun>,
    },
}
