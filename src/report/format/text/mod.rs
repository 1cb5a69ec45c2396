//! The forms for a person: the screen of incidents, and the answers to an operator's questions.

pub mod changes;
pub mod comparison;
pub mod crontab;
pub mod facts;
pub mod first_screen;
pub mod healthy;
pub mod incidents;
pub mod job_history;
pub mod names;
pub mod page;
pub mod run_list;
pub mod running;

use super::words::Clock;
use crate::escape::printable;
use crate::report::diagnosis::Scope;
use crate::report::history::counts::Tally;
use crate::report::history::{JobId, Ledger};
use crate::report::logs::owner::{Account, Users};
use crate::report::output::style::Style;
use crontab::Crontabs;
use page::Page;

/// The most bytes of a job's or a host's name that are looked at. The page cuts it anyway.
const SHOWN_NAME: usize = 1024;

/// The lines that belong to no run, and the logs that were not read.
#[derive(Debug, Default)]
pub struct Remarks {
    /// Lines that are no records.
    pub unrecognized: u64,
    /// Records whose START is missing.
    pub unmatched: u64,
    /// The logs that were read, and those that were not, as lines of text.
    pub scope: Vec<String>,
}

/// What is shown.
#[derive(Debug)]
pub struct View<'a> {
    /// The runs.
    pub ledger: &'a Ledger,
    /// The time that it is about.
    pub scope: Scope,
    /// The counts of the period.
    pub tally: Tally,
    /// The names of users. A user is named who is neither root nor the reader.
    pub users: &'a Users,
    /// What else is to be said.
    pub remarks: Remarks,
    /// Healthy jobs and hosts are listed, and all that runs.
    pub all: bool,
    /// A text was given that the job's operands contain.
    pub is_job_asked: bool,
    /// Only what has failed is listed.
    pub failed_only: bool,
    /// What is known of the crontabs.
    pub crontabs: Crontabs,
}

/// A question that the form for a person answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// What is wrong?
    Wrong,
    /// What ran?
    Runs,
    /// What is different from the period before?
    Comparison,
    /// What began or ended in the period?
    Changes,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The text.
    pub text: String,
    /// Something is wrong.
    pub is_bad: bool,
}

impl View<'_> {
    /// The answer to a question.
    pub fn answer(&self, question: Question, style: Style) -> Answer {
        let mut page = Page::new(style);
        let is_bad = match question {
            Question::Wrong => first_screen::show(&mut page, self),
            Question::Runs => run_list::show(&mut page, self),
            Question::Comparison => comparison::show(&mut page, self),
            Question::Changes => changes::show(&mut page, self),
        };
        let text = page.into_text();
        Answer { text, is_bad }
    }

    /// The format of the local times.
    pub fn clock(&self) -> Clock {
        let last = self.tally.span.map_or(self.scope.now, |(_, last)| last);
        Clock::of(
            if self.scope.is_live {
                self.scope.now
            } else {
                last
            }
            .date(),
        )
    }

    /// The jobs that ran in the period.
    pub fn jobs(&self) -> impl Iterator<Item = JobId> + use<'_> {
        let has_run = |job: &JobId| {
            self.ledger
                .of_job(*job)
                .iter()
                .any(|run| self.scope.has(run))
        };
        self.ledger.job_ids().filter(has_run)
    }

    /// A job, its user if that is to be named, and whether its parameters change.
    pub fn job_name(&self, id: JobId) -> String {
        let job = self.ledger.job(id);
        let variants = if job.has_variants { " …" } else { "" };
        let name = match &*job.name {
            b"" => "(no operands)".to_owned(),
            name => shown_name(name),
        };
        name + variants + &self.of_account(self.ledger.account(id))
    }

    /// ` of USER on SCHEDULER`, where they are to be named.
    pub fn of_account(&self, account: Account) -> String {
        let user = match account.uid {
            Some(uid) if self.users.is_stranger(uid) => {
                let name = self.users.name(uid).map(|name| printable(name.as_bytes()));
                format!(" of {}", name.unwrap_or_else(|| format!("uid {uid}")))
            }
            _ => String::new(),
        };
        match account.scheduler.name() {
            Some(name) => format!("{user} on {}", printable(name.as_bytes())),
            None => user,
        }
    }
}

/// A name for the page, with an ellipsis where its end is left out.
pub fn shown_name(name: &[u8]) -> String {
    match name.split_at_checked(SHOWN_NAME) {
        Some((begin, end)) if !end.is_empty() => printable(begin) + "…",
        _ => printable(name),
    }
}
