//! The forms that show runs one by one, as they are read.

use super::joblog;
use super::records::{Search, Wanted};
use crate::report::output::Output;
use crate::report::query::Report;
use crate::report::query::basis::Basis;
use crate::report::runs::run::Run;
use crate::report::{Findings, warn};

impl Report {
    /// Writes a line for each run, in the columns of GNU parallel's joblog.
    pub fn joblog(&self, basis: &Basis, out: &mut Output) -> Findings {
        out.write_line(joblog::TITLES);
        self.lines(basis, out, joblog::line)
    }

    /// Writes one line for each run. `line` is given the run and its number, the first being 1.
    fn lines(
        &self,
        basis: &Basis,
        out: &mut Output,
        line: impl Fn(u64, &Run) -> String,
    ) -> Findings {
        let mut has_failures = false;
        let mut number = 0;
        let matches = |run: &Run| basis.filter.matches(run);
        let reading = self.each_run(basis, None, matches, |run| {
            has_failures |= run.is_alarming();
            if basis.filter.shows(&run) {
                number += 1;
                out.write_line(&line(number, &run));
            }
        });
        Findings {
            has_failures,
            reading,
        }
    }

    /// Gives the wanted run to `show`, if it is there.
    pub fn one_run(&self, wanted: &Wanted, basis: &Basis, show: impl FnOnce(&Run)) -> Findings {
        let mut search = Search::new(wanted);
        let matches = |run: &Run| basis.filter.matches(run);
        let reading = self.each_run(basis, Some(wanted.pid), matches, |run| {
            if basis.filter.shows(&run) {
                search.add(run);
            }
        });
        if let Some(remark) = search.remark() {
            warn(&remark);
        }
        let run = search.found();
        if let Some(run) = run {
            show(run);
        }
        Findings {
            has_failures: run.is_none_or(Run::is_alarming),
            reading,
        }
    }
}
