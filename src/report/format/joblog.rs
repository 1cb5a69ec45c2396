//! The form of `--tsv`: one line for each run, in the columns of GNU parallel's joblog.

use crate::clock::with_offset;
use crate::escape::printable;
use crate::exit::signal_number;
use crate::report::runs::run::Run;

/// The first line.
pub const TITLES: &str =
    "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand";

/// The value of a column that is not known.
const UNKNOWN: &str = "-1";

/// The host of a run that has none. GNU parallel refuses a joblog with an empty one.
const NO_HOST: &str = "-";

/// The line of `run`, without a newline. Its number is the first column.
///
/// Times are in seconds, `Starttime` since 1970 in UTC.
pub fn line(number: u64, run: &Run) -> String {
    let status = run.end.status();
    let runtime = run.seconds().map(|seconds| format!("{seconds}.000"));
    let exitval = status.map(|status| status.to_string());
    let or_unknown = |value: Option<String>| value.unwrap_or_else(|| UNKNOWN.to_owned());
    let host = match run.host() {
        b"" => NO_HOST.to_owned(),
        host => printable(host),
    };
    format!(
        "{number}\t{host}\t{}.000\t{}\t0\t{}\t{}\t{}\t{}",
        with_offset(run.trace.start).timestamp(),
        or_unknown(runtime),
        run.trace.bytes,
        or_unknown(exitval),
        status.and_then(signal_number).unwrap_or(0),
        printable(&run.trace.job),
    )
}
