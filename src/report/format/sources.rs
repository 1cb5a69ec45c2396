//! The logs that were read and the filter, in words.

use super::{Report, count};
use crate::report::logs::open::Input;
use crate::report::query::filter::Filter;
use crate::report::query::{LogSource, Query};
use crate::{escape::printable, machine::Users};

/// The sources, and lines about logs and records that were left out.
pub fn lines(report: &Report) -> Vec<String> {
    let mut lines = vec![describe(report)];
    lines.extend(report.logs.left_out(&report.machine.users));
    lines.extend(report.read.early.clone());
    lines
}

/// The places that were read, the number of files unless implied, the period and the filter: `/tmp, 2 files, today`.
fn describe(report: &Report) -> String {
    let (query, files) = (report.query, report.read.merged.files);
    let mut parts = vec![places(&query.source)];
    let are_all_read = matches!(&query.source, LogSource::Inputs(inputs) if inputs.len() == files);
    if !are_all_read {
        parts.push(count(files as u64, "file"));
    }
    parts.extend(period(query));
    parts.extend(conditions(&query.filter, &report.machine.users));
    if !query.accepted.0.is_empty() {
        parts.push(format!("ok {}", query.accepted));
    }
    parts.join(", ")
}

fn places(source: &LogSource) -> String {
    let names: Vec<String> = match source {
        LogSource::Inputs(inputs) => inputs.iter().map(Input::name).collect(),
        LogSource::LogDirs(dirs) => dirs.iter().map(|dir| dir.path.display().to_string()).collect(),
    };
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [one, other] => format!("{one} and {other}"),
        [first, others @ ..] => format!("{first} and {} more", others.len()),
    }
}

fn period(query: &Query) -> Vec<String> {
    let period = &query.filter.period;
    let since = period.since.map(|since| format!("since {since}"));
    let until = period.until.map(|until| format!("until {until}"));
    let bounds: Vec<String> = since.into_iter().chain(until).collect();
    let is_today = bounds.is_empty() && matches!(query.source, LogSource::LogDirs(_));
    if is_today { vec!["today".to_owned()] } else { bounds }
}

fn conditions(filter: &Filter, users: &Users) -> Vec<String> {
    let named = |what, name: &Option<Vec<u8>>| {
        let name = name.as_ref()?;
        Some(format!("{what} {}", printable(name)))
    };
    let user = filter.user.map(|uid| format!("user {}", users.word(uid)));
    let failed = filter.failed.then(|| "only what failed or was lost".to_owned());
    [named("host", &filter.host), named("job", &filter.job), user, failed].into_iter().flatten().collect()
}
