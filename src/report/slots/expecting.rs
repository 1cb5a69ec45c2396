//! The part of a report that the crontabs have: which are read, and where what was not started goes.

use std::rc::Rc;

use chrono::NaiveDateTime;

use super::check::{Judgement, Timeframe};
use super::{Expected, Planned};
use crate::report::diagnosis::Scope;
use crate::report::format::json;
use crate::report::format::text::Question;
use crate::report::format::text::crontab::Crontabs;
use crate::report::history::{JobId, Ledger};
use crate::report::logs::find::Logs;
use crate::report::logs::open;
use crate::report::logs::open::InputError;
use crate::report::logs::owner::{Account, Users};
use crate::report::output::Output;
use crate::report::query::basis::Basis;
use crate::report::query::filter::Filter;
use crate::report::query::{Form, Report, Source};
use crate::report::runs::reading::Reading;
use crate::report::{Findings, slots, warn};

impl Report {
    /// The crontabs, where the form has a place for what was not started.
    pub fn planned(&self, filter: &Filter, users: &Users) -> Option<Planned> {
        let has_place = match &self.form {
            Form::Text(shown) => shown.question != Question::Comparison,
            Form::Html | Form::Json | Form::Prometheus => true,
            Form::Tsv | Form::Run(_) | Form::RunJson(_) => false,
        };
        let source = self.crontabs.as_ref().filter(|_| has_place)?;
        let planned = Planned::read(source, users, |uid| filter.reads_user(uid, users));
        for left_out in planned
            .crontabs
            .left_out
            .iter()
            .filter(|_| planned.is_given)
        {
            warn(&left_out.to_string());
        }
        Some(planned)
    }

    /// Lets the usual log directory be empty if no job of the crontabs logs there, and others have logs.
    pub fn forget_usual_dir(&self, planned: Option<&Planned>, logs: &mut Logs) {
        if let (Some(planned), Source::LogDirs(dirs)) = (planned, &self.source)
            && dirs.len() > 1
        {
            let usual = &dirs[0].path;
            let mut entries = planned.plan.entries.iter();
            if !entries.any(|entry| entry.log_dir.as_ref() == Some(usual)) {
                logs.empty_dirs.retain(|(dir, _)| dir != usual);
            }
        }
    }

    /// Judges what is expected: puts what is missing into the ledger, and gives what is to be said besides.
    pub fn judge(
        &self,
        expected: &mut Expected,
        ledger: &mut Ledger,
        reading: &Reading,
        scope: &Scope,
        basis: &Basis,
        all: bool,
    ) -> Crontabs {
        let mut timeframe = timeframe(reading, scope, basis);
        if let Form::Text(shown) = &self.form
            && shown.question == Question::Changes
        {
            timeframe.told = Some(scope.since);
        }
        let judgement = judgement(expected, &timeframe, reading, basis);
        let places = ledger.places();
        let jobs = expected.jobs.iter().map(|job| {
            let place = places.get(&(job.scheduler, Rc::clone(&job.name))).copied();
            place.filter(|_| basis.filter.expects(job))
        });
        let jobs: Vec<Option<JobId>> = jobs.collect();
        let missing = judgement.missing.clone();
        ledger.missing = missing.renumbered(|number| jobs[number as usize]);
        let is_all = self.follows_crontabs
            || expected.planned.is_given
            || matches!(self.source, Source::Inputs(_));
        let schedules = if all || basis.filter.job.is_some() {
            expected.schedules(basis.zoned_now)
        } else {
            Vec::new()
        };
        let schedules = jobs.iter().zip(schedules);
        Crontabs {
            summary: slots::summary(
                expected,
                &judgement,
                &timeframe,
                basis.users,
                &|job| basis.filter.expects(job),
                &|name| basis.filter.names(name),
                is_all,
            ),
            schedules: schedules
                .filter_map(|(job, schedule)| Some(((*job)?, schedule)))
                .collect(),
        }
    }

    /// Writes a document for each run, and then one for each slot at which none was started.
    pub fn documents(
        &self,
        basis: &Basis,
        mut expected: Option<Expected>,
        out: &mut Output,
    ) -> Findings {
        let mut has_failures = false;
        let end_of_time = match self.source {
            Source::LogDirs(_) => basis.end_of_time(),
            Source::Inputs(_) => NaiveDateTime::MAX,
        };
        let reading = self.each_run(
            basis,
            None,
            |_| true,
            |run| {
                if let Some(expected) = &mut expected
                    && basis.filter.has_begun(&run)
                    && run.trace.start < end_of_time
                {
                    expected.add(&run);
                }
                if basis.filter.matches(&run) {
                    has_failures |= run.has_failed();
                    if basis.filter.shows(&run) {
                        out.write_line(&json::document(&run, basis.users));
                    }
                }
            },
        );
        if let Some(expected) = &mut expected {
            let scope = self.scope(reading.latest, basis);
            let timeframe = timeframe(&reading, &scope, basis);
            let missing = judgement(expected, &timeframe, &reading, basis).missing;
            for slot in missing.slots() {
                let job = &expected.jobs[slot.job as usize];
                if scope.includes(slot.at) && basis.filter.expects(job) {
                    has_failures = true;
                    out.write_line(&json::missed(slot, job, basis.users));
                }
            }
        }
        Findings {
            has_failures,
            reading,
        }
    }
}

/// The jobs of the crontabs that are asked for.
pub fn wanted_jobs(expected: Option<&Expected>, filter: &Filter) -> Vec<(Account, Rc<[u8]>)> {
    let jobs = expected.into_iter().flat_map(|expected| &expected.jobs);
    let jobs = jobs.filter(|job| filter.expects(job));
    jobs.map(|job| (job.account(), Rc::clone(&job.name)))
        .collect()
}

fn timeframe<'a>(reading: &'a Reading, scope: &Scope, basis: &'a Basis) -> Timeframe<'a> {
    Timeframe {
        since: scope.since,
        until: scope.now,
        told: None,
        reach: basis.reach,
        first_days: &basis.logs.first_days,
        coverage: &reading.coverage,
    }
}

/// Judges what is expected. Nothing is missing where not all logs could be read.
fn judgement(
    expected: &mut Expected,
    timeframe: &Timeframe,
    reading: &Reading,
    basis: &Basis,
) -> Judgement {
    let unread = reading.unread.iter().chain(&basis.logs.refused);
    // Where a stranger has the name of a log, the records are in another one, which is read.
    let unread = unread.filter(|(_, error)| !matches!(error, InputError::Stranger(_)));
    let is_read = !open::is_incomplete(unread);
    if is_read {
        expected.judge(timeframe)
    } else {
        Judgement::default()
    }
}
