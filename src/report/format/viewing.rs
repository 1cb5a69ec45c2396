//! The forms in which a person sees what is wrong: all runs of the period, and of the time before, are brought together
//! first.

use std::rc::Rc;

use super::html;
use super::text::crontab::Crontabs;
use super::text::{Answer, Question, Remarks, View};
use crate::report::Findings;
use crate::report::history::builder::Collector;
use crate::report::history::counts::Tally;
use crate::report::output::Output;
use crate::report::output::style::Style;
use crate::report::query::basis::Basis;
use crate::report::query::{Report, Shown, scope};
use crate::report::runs::run::Run;
use crate::report::slots::Expected;
use crate::report::slots::expecting::wanted_jobs;

impl Report {
    /// Answers a question.
    pub fn text(
        &self,
        shown: Shown,
        basis: &Basis,
        expected: Option<Expected>,
        out: &mut Output,
    ) -> Findings {
        // A list of runs has their ends. What is wrong at the end of a period does not depend on what came later.
        let until = basis.filter.period.until;
        let collector = Collector::new(until.filter(|_| shown.question != Question::Runs));
        self.viewed(collector, shown.all, basis, expected, out, |view| {
            view.answer(shown.question, Style::of_stdout(self.color))
        })
    }

    /// Writes the page.
    pub fn html(&self, basis: &Basis, expected: Option<Expected>, out: &mut Output) -> Findings {
        let collector = Collector::new(basis.filter.period.until).with_tails();
        self.viewed(collector, false, basis, expected, out, html::page)
    }

    /// Fills the ledger with all runs of the period and before and with what is missing, and writes what `show` makes
    /// of it.
    fn viewed(
        &self,
        mut collector: Collector,
        all: bool,
        basis: &Basis,
        mut expected: Option<Expected>,
        out: &mut Output,
        show: impl FnOnce(&View) -> Answer,
    ) -> Findings {
        let wanted = wanted_jobs(expected.as_ref(), &basis.filter);
        collector.keep_apart(wanted.iter().map(|(_, name)| Rc::clone(name)));
        let mut expect = |run: &Run| {
            if let Some(expected) = &mut expected {
                expected.add(run);
            }
        };
        let reading = self.each_run(
            basis,
            None,
            |_| true,
            |run| {
                if basis.filter.has_begun(&run) {
                    expect(&run);
                }
                if basis.filter.is_known(&run) {
                    collector.add(&run);
                }
            },
        );
        let scope = self.scope(collector.latest().max(reading.latest), basis);
        for (account, name) in &wanted {
            collector.expect(*account, name);
        }
        let mut ledger = collector.finish();
        let mut files = reading.files;
        if self.form.has_incidents() {
            files += self.look_back(&mut ledger, &scope, basis);
        }
        let mut crontabs = Crontabs::default();
        if let Some(expected) = &mut expected {
            crontabs = self.judge(expected, &mut ledger, &reading, &scope, basis, all);
        }
        let mut said = vec![scope::describe(self, files, basis.users)];
        said.extend(basis.logs.left_out(basis.users));
        said.extend(reading.early.clone());
        let view = View {
            ledger: &ledger,
            scope,
            tally: Tally::of(&ledger, &scope),
            users: basis.users,
            remarks: Remarks {
                unrecognized: reading.unrecognized,
                unmatched: reading.unmatched,
                scope: said,
            },
            all,
            is_job_asked: basis.filter.job.is_some(),
            failed_only: basis.filter.failed,
            crontabs,
        };
        let answer = show(&view);
        out.write(answer.text.as_bytes());
        Findings {
            has_failures: answer.is_bad,
            reading,
        }
    }
}
