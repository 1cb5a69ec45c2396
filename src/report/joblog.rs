//! Runs for other programs, in the columns of GNU parallel's joblog.

use super::run::Run;
use super::time::with_offset;
use crate::escape::printable;
use crate::exit::signal_number;

/// The first line of [`joblog`].
pub const JOBLOG_TITLES: &str =
    "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand";

/// `run`, the one with number `number`, as a line of a joblog without its newline.
///
/// What is not known is -1.
pub fn joblog(number: u64, run: &Run) -> String {
    let exit_status = run.end.status();
    let signal = exit_status.and_then(signal_number).unwrap_or(0);
    format!(
        "{number}\t{}\t{}.000\t{}\t0\t{}\t{}\t{}\t{}",
        printable(run.host()),
        with_offset(run.trace.start).timestamp(),
        run.seconds()
            .map_or_else(|| "-1".to_owned(), |seconds| format!("{seconds}.000")),
        run.trace.bytes,
        exit_status.map_or_else(|| "-1".to_owned(), |code| code.to_string()),
        signal,
        printable(&run.trace.job),
    )
}
