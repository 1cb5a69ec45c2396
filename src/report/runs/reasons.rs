//! Finds the reasons of bad runs by comparison with the usual output of the job's good runs.

use std::rc::Rc;

use foldhash::HashMap;

use super::reason::{PlainScores, UsualLines};
use super::{run::End, trace::Trace};
use crate::exit;
use crate::report::logs::owner::Account;

/// The most jobs whose usual lines are kept.
const MAX_JOBS: usize = 4096;
/// The longest name, in bytes, of a job whose usual lines are kept. A name may have a megabyte.
const LONGEST_JOB: usize = 16 << 10;

#[derive(Debug, Default)]
pub struct Reasons {
    usual: HashMap<(Account, Rc<[u8]>), UsualLines>,
    plain: PlainScores,
    /// Whether lines of good runs report a failure, by hash.
    errors: HashMap<u32, bool>,
}

impl Reasons {
    /// Finds the reason of a run that ended badly, or learns from a good run.
    pub fn conclude(&mut self, trace: &mut Trace, end: End) {
        let job = (trace.owner.account(), Rc::clone(&trace.job));
        match end {
            End::Running => {}
            End::Exit(exit::SUCCESS) if !trace.is_refused_login() => {
                trace.errors = trace.kept.errors(&mut self.errors);
                let has_room = self.usual.len() < MAX_JOBS && job.1.len() < LONGEST_JOB;
                if has_room || self.usual.contains_key(&job) {
                    let usual = self.usual.entry(job).or_default();
                    if usual.wants_more() {
                        trace.kept.teach(usual);
                    }
                    usual.note_run();
                }
            }
            End::Exit(_) | End::Lost => {
                let unknown = UsualLines::default();
                let usual = self.usual.get(&job).unwrap_or(&unknown);
                trace.reason = trace.kept.reason(usual, &mut self.plain);
            }
        }
        trace.kept.shorten();
    }
}
