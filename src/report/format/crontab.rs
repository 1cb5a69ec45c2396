//! The forms that need the crontabs only: their faults, and the coming starts.

use chrono::{DateTime, Local};

use super::{lint, upcoming};
use crate::cron::{
    Author, CronJob, CronJobs, CrontabSelection, Crontabs, ParseCall, Trust, findings,
};
use crate::exit;
use crate::report::logs::owner::Users;
use crate::report::output::Output;
use crate::report::warn;

/// A request for one of these forms.
#[derive(Debug)]
pub struct CrontabReport {
    /// The crontabs to read.
    pub selection: CrontabSelection,
    /// Reads the calls of remoteexe in them.
    pub grammar: ParseCall,
    /// What to show.
    pub form: CrontabForm,
}

/// What to show.
#[derive(Debug)]
pub enum CrontabForm {
    /// What is wrong with the crontabs.
    Check,
    /// The coming starts of the jobs that meet all of these conditions.
    Next {
        /// It is on this host.
        host: Option<Vec<u8>>,
        /// Its operands contain this text.
        job: Option<Vec<u8>>,
    },
}

impl CrontabReport {
    /// Prints it on standard output, and errors on standard error.
    ///
    /// Returns the exit status: [`exit::SUCCESS`], [`exit::FOUND_FAILURES`] if a check found something, or
    /// [`exit::IO_ERROR`] if a crontab that was asked for could not be read or nothing could be written.
    pub fn run(&self, now: DateTime<Local>) -> u8 {
        let users = Users::read();
        let is_ours = |uid: u32| !users.is_stranger(uid);
        let trust = |author: &Author| match users.author(author) {
            Some(uid) if is_ours(uid) => Trust::Full,
            _ => Trust::Asked,
        };
        let crontabs = Crontabs::read(&self.selection, &trust);
        let plan = CronJobs::of(&crontabs, self.grammar);
        let (text, is_bad) = match &self.form {
            CrontabForm::Check => {
                let is_user = |name: &str| users.has_name(name);
                let findings = findings(&crontabs, self.grammar, &is_user, &|name| {
                    users.uid(name).is_some_and(is_ours)
                });
                (
                    lint::render(&findings, &plan, &crontabs),
                    !findings.is_empty(),
                )
            }
            CrontabForm::Next { host, job } => {
                let is_wanted = |entry: &&CronJob| {
                    let has_text =
                        |text: &Vec<u8>| memchr::memmem::find(&entry.job, text).is_some();
                    host.as_ref().is_none_or(|host| entry.host() == host)
                        && job.as_ref().is_none_or(has_text)
                };
                let entries = plan.entries.iter().filter(is_wanted).collect();
                (upcoming::render(entries, &plan, &crontabs, now), false)
            }
        };
        for left_out in &crontabs.left_out {
            warn(&left_out.to_string());
        }
        let mut out = Output::new(false, None);
        out.write(text.as_bytes());
        let written = out.finish();
        if let Err(error) = &written {
            warn(&format!("standard output: {error}"));
        }
        let is_incomplete =
            matches!(self.selection, CrontabSelection::Files(_)) && !crontabs.left_out.is_empty();
        match is_bad {
            _ if written.is_err() || is_incomplete => exit::IO_ERROR,
            true => exit::FOUND_FAILURES,
            false => exit::SUCCESS,
        }
    }
}
