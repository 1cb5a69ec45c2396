//! The open runs of one process id, and which of them a record belongs to.
//!
//! A process id has several open runs if a run was lost and the id used again, or if containers share a log.

use super::trace::{Sequel, Trace};
use crate::log::record::{Kind, Notice};
use crate::report::logs::chunk::Records;

/// The most open runs of one process id. If there are more, the oldest is closed.
const MAX_OPEN: usize = 64;

/// Open runs, from the oldest to the newest.
#[derive(Debug, Default)]
pub struct ProcessRuns {
    pub open: Vec<Trace>,
}

impl ProcessRuns {
    /// Takes a START. Returns the oldest run if there are too many.
    pub fn start(&mut self, trace: Trace) -> Option<Trace> {
        for earlier in &mut self.open {
            earlier.is_overlapped |= earlier.job == trace.job;
            earlier.pid_reused.get_or_insert(trace.start);
        }
        self.open.push(trace);
        (self.open.len() > MAX_OPEN).then(|| {
            let mut oldest = self.open.remove(0);
            // Its END may still come.
            oldest.is_ambiguous = true;
            oldest
        })
    }

    /// Takes records of any kind but START. Requires an open run. Returns the run that an END closes, and its status.
    pub fn take(&mut self, kind: Kind, records: &Records) -> Option<(Trace, u8)> {
        let Some(place) = self.place(kind) else {
            self.open.last_mut().expect("there is an open run").take_output(records);
            return None;
        };
        let run = &mut self.open[place];
        match kind {
            Kind::End(status, _) => {
                run.note(records, false);
                return Some((self.open.remove(place), status));
            }
            Kind::Command(command) => run.take_command(command, records),
            Kind::Wait(_) => {
                run.note(records, false);
                // A splay comes before the command and does not count as duration.
                run.begun = None;
            }
            Kind::Retry(_) => {
                run.note(records, false);
                run.attempt.sequel = Some(Sequel::Retry);
            }
            Kind::Notice(notice @ Notice::Signalled(_), _) => {
                run.attempt.take_notice(notice);
                run.note(records, false);
            }
            Kind::Notice(notice, _) => {
                run.attempt.take_notice(notice);
                run.take_output(records);
            }
            _ => run.take_output(records),
        }
        None
    }

    /// The index of the last run that a record of this `kind` fits.
    ///
    /// If several fit, nothing shows whose record it is. If none fits, a script may have printed the record: earlier
    /// versions and the bash original wrote no marks.
    fn place(&mut self, kind: Kind) -> Option<usize> {
        let fits = |run: &Trace| run.fits(kind);
        let place = self.open.iter().rposition(fits);
        let count = self.open.iter().filter(|run| fits(run)).count();
        if count != 1 {
            self.open.iter_mut().filter(|run| count == 0 || fits(run)).for_each(|run| run.is_ambiguous = true);
        }
        place
    }

    /// Notes that the clock was set during the run that started last. Returns whether a run is open.
    pub fn note_clock_set(&mut self) -> bool {
        let run = self.open.last_mut();
        run.map(|run| run.is_clock_back = true).is_some()
    }

    /// Ends the log. Passes each run to `take`, and whether it is running: only the last with `is_running` is.
    pub fn finish(self, is_running: impl Fn(&Trace) -> bool, mut take: impl FnMut(Trace, bool)) {
        let running = self.open.iter().rposition(is_running);
        for (index, run) in self.open.into_iter().enumerate() {
            take(run, running == Some(index));
        }
    }
}
