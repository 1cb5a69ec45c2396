//! The form of `--tsv`: a line for each run, in the columns of GNU parallel's joblog.

use super::{Expected, Format, Needs, Report, ReportOutput, Run};
use crate::report::runs::run::first_word;
use crate::{clock::with_offset, escape::printable, exit::signal_number};

const TITLES: &str = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand";

#[derive(Default)]
pub struct Joblog {
    runs: u64,
    has_failures: bool,
}

impl Format for Joblog {
    fn needs(&self) -> Needs {
        // A line of a job may accept its exit status.
        Needs { slots: true, warns_of_left_out: true, is_paged: true, ..Needs::default() }
    }

    fn begin(&mut self, _: Option<&Expected>, out: &mut ReportOutput) {
        out.write_line(TITLES);
    }

    fn run(&mut self, run: Run, out: &mut ReportOutput) {
        self.runs += 1;
        self.has_failures |= run.is_alarming();
        out.write_line(&line(self.runs, &run));
    }

    fn finish(self: Box<Self>, _: &Report, _: &mut ReportOutput) -> bool {
        self.has_failures
    }
}

/// Times are in seconds, `Starttime` since 1970 in UTC.
fn line(number: u64, run: &Run) -> String {
    let status = run.end.status();
    let unknown = || "-1".to_owned();
    let runtime = run.seconds().map_or_else(unknown, |seconds| format!("{seconds}.000"));
    let exitval = status.map_or_else(unknown, |status| status.to_string());
    let host = match first_word(&run.trace.job) {
        // GNU parallel refuses an empty host.
        b"" => "-".to_owned(),
        host => printable(host),
    };
    let start = with_offset(run.trace.start).timestamp();
    let (bytes, job) = (run.trace.bytes, printable(&run.trace.job));
    let signal = status.and_then(signal_number).unwrap_or(0);
    format!("{number}\t{host}\t{start}.000\t{runtime}\t0\t{bytes}\t{exitval}\t{signal}\t{job}")
}
