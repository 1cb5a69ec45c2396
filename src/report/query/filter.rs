//! Which runs a report shows.

use chrono::NaiveDateTime;

use crate::machine::Users;
use crate::report::runs::run::{Run, first_word};

/// Conditions that a run must all meet.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The run overlaps this period.
    pub period: Period,
    pub host: Option<Vec<u8>>,
    /// The operands contain this text.
    pub job: Option<Vec<u8>>,
    /// The owner of the records. If None, logs of others than root and the reader are read only if given as a FILE.
    pub user: Option<u32>,
    /// Shows only failed and lost runs. Text and HTML still count the others.
    pub failed: bool,
}

impl Filter {
    /// Whether `run` meets all conditions but `failed`.
    pub fn matches(&self, run: &Run) -> bool {
        self.period.overlaps(run.trace.start, run.until()) && self.has_job(run)
    }

    /// Whether `run` is of a wanted job and started before the end of the period.
    pub fn is_known(&self, run: &Run) -> bool {
        self.has_begun(run) && self.has_job(run)
    }

    pub fn has_begun(&self, run: &Run) -> bool {
        let until = self.period.until;
        until.is_none_or(|until| run.trace.start < until)
    }

    fn has_job(&self, run: &Run) -> bool {
        self.names(&run.trace.job) && self.has_user(run)
    }

    pub fn has_user(&self, run: &Run) -> bool {
        self.user.is_none_or(|uid| run.trace.owner.uid == Some(uid))
    }

    /// Whether a job of a crontab passes. `uid` is None if the crontab does not name the user.
    pub fn expects(&self, uid: Option<u32>, job: &[u8]) -> bool {
        self.names(job) && self.user.is_none_or(|wanted| uid.is_none_or(|uid| uid == wanted))
    }

    /// Whether a job with these operands passes.
    pub fn names(&self, job: &[u8]) -> bool {
        let is_host = |host: &Vec<u8>| host == first_word(job);
        let has_text = |text: &Vec<u8>| memchr::memmem::find(job, text).is_some();
        self.host.as_ref().is_none_or(is_host) && self.job.as_ref().is_none_or(has_text)
    }

    pub fn reads_user(&self, uid: u32, users: &Users) -> bool {
        match self.user {
            Some(user) => user == uid,
            None => !users.is_other_user(uid),
        }
    }

    pub fn shows(&self, run: &Run) -> bool {
        run.has_failed() || !self.failed
    }
}

/// A half-open period of local time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Period {
    /// The first second: `--since`.
    pub since: Option<NaiveDateTime>,
    /// The first second after the period: `--until`.
    pub until: Option<NaiveDateTime>,
}

impl Period {
    /// Whether a run from `start` to `end` overlaps the period. The end is None while the run is going on.
    pub fn overlaps(&self, start: NaiveDateTime, end: Option<NaiveDateTime>) -> bool {
        let begins_before = |until| start < until;
        let ends_after = |since| end.is_none_or(|end| end >= since);
        self.until.is_none_or(begins_before) && self.since.is_none_or(ends_after)
    }
}
