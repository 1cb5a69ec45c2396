//! The forms of `--run`: all records of one run, or its JSON document.

use super::{Format, Needs, Report, ReportOutput, Run, json};
use crate::report::output::warn;
use crate::report::query::RunId;
use crate::{escape::printable, machine::Users};

/// Finds the last run that matches.
pub struct OneRun<'a> {
    id: RunId,
    /// The names of users, for a document.
    users: Option<&'a Users>,
    last: Option<Run>,
    count: u64,
}

impl<'a> OneRun<'a> {
    pub fn new(id: &RunId, users: Option<&'a Users>) -> Self {
        Self { id: id.clone(), users, last: None, count: 0 }
    }

    /// A message unless exactly one run matches.
    fn remark(&self) -> Option<String> {
        let pid = self.id.pid;
        let Some(run) = &self.last else {
            return Some(format!("no such run of process {pid} in these logs; add --since to read logs of other days"));
        };
        let start = run.trace.start;
        let (place, tip) = match run.trace.owner.scheduler.name() {
            Some(name) => (format!(" on {name}"), ", or only the --log-dir of its scheduler"),
            None => (String::new(), ""),
        };
        (self.count > 1).then(|| {
            format!(
                "process {pid} has {} such runs; this is the last one, started at {start}{place}; \
                 to see another one, give its start time: {pid}@TIME{tip}",
                self.count
            )
        })
    }
}

impl Format for OneRun<'_> {
    fn needs(&self) -> Needs {
        Needs {
            // A line of the job may accept its exit status.
            slots: true,
            records_of: Some(self.id.pid),
            warns_of_left_out: true,
            is_paged: true,
            ..Needs::default()
        }
    }

    fn run(&mut self, run: Run, _: &mut ReportOutput) {
        if !self.id.matches(run.trace.pid, run.trace.start) {
            return;
        }
        self.count += 1;
        if self.last.as_ref().is_none_or(|last| last.trace.start <= run.trace.start) {
            self.last = Some(run);
        }
    }

    fn finish(self: Box<Self>, _: &Report, out: &mut ReportOutput) -> bool {
        if let Some(remark) = self.remark() {
            warn(&remark);
        }
        let Some(run) = &self.last else { return true };
        let records = run.trace.records.as_ref();
        match (self.users, records) {
            (Some(users), _) => out.write_line(&json::document_with_output(run, users)),
            (None, Some(records)) => {
                if let Some(reason) = run.reason().filter(|_| run.has_failed()) {
                    out.write_remark(&head(run, reason));
                }
                out.write_records(&records.lines);
            }
            (None, None) => {}
        }
        run.is_alarming()
    }
}

/// The cause and the reason of a bad run, and a blank line.
fn head(run: &Run, reason: &[u8]) -> String {
    let status = run.end.status().map(|status| format!("exit {status}: ")).unwrap_or_default();
    let cause = printable(run.cause().as_bytes());
    // The reason of a usage error is part of these words.
    let is_said = run.is_usage_error();
    let reason = if is_said { String::new() } else { format!(": {}", printable(reason)) };
    format!("{status}{cause}{reason}\n")
}
