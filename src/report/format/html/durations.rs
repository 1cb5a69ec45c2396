//! A chart of the last durations of a job that has become slow or hangs.

use maud::{Markup, html};

use crate::report::diagnosis::incident::{Incident, IncidentKind};
use crate::report::format::report::Report;
use crate::report::format::words::duration;
use crate::report::history::{JobId, RunSummary};
use crate::report::runs::outcome::Outcome;

/// The last runs that are shown.
const RUNS: usize = 60;

const HEIGHT: u64 = 48;

/// The chart of an incident that is about a duration.
pub fn of_incident(report: &Report, incident: &Incident) -> Markup {
    let is_long = matches!(incident.kind, IncidentKind::Hung(_) | IncidentKind::Slower { .. });
    let job = incident.jobs.first().filter(|_| is_long);
    html! { @if let Some(job) = job { (of_job(report, *job)) } }
}

/// The last good runs of a job, and the one that goes on: bars, with the range in which the middle half of good runs
/// are.
pub fn of_job(report: &Report, job: JobId) -> Markup {
    let runs = report.history.of_job(job).iter().filter(|run| run.start < report.scope.now);
    let seconds: Vec<(u32, bool)> = runs.filter_map(|run| seconds(report, run)).collect();
    let mut good: Vec<u32> =
        seconds.iter().filter(|(_, goes_on)| !goes_on).map(|(it, _)| *it).collect();
    good.sort_unstable();
    let shown = &seconds[seconds.len().saturating_sub(RUNS)..];
    let (Some((first, _)), Some((last, _))) = (shown.first(), shown.last()) else {
        return html! {};
    };
    let most = u64::from(shown.iter().map(|(it, _)| *it).max().unwrap_or_default().max(1));
    let height = |seconds: u32| (u64::from(seconds) * HEIGHT).div_ceil(most).max(1);
    let usual = (!good.is_empty()).then(|| [good.len() / 4, good.len() * 3 / 4].map(|at| good[at]));
    let range = usual.map(|[from, to]| match (duration(Some(from)), duration(Some(to))) {
        (from, to) if from == to => from,
        (from, to) => format!("{from} to {to}"),
    });
    let words = format!(
        "first {}, usual {}, last {}",
        duration(Some(*first)),
        range.as_deref().unwrap_or("unknown"),
        duration(Some(*last))
    );
    html! {
        figure.durations {
            svg width="270" height=(HEIGHT) viewBox={ "0 0 " (RUNS) " " (HEIGHT) } preserveAspectRatio="none" role="img"
                aria-label={ "Durations of the last " (shown.len()) " runs: " (words) } {
                @if let Some([from, to]) = usual {
                    rect.usual width=(RUNS) y=(HEIGHT - height(to)) height=(height(to) - height(from) + 1) {}
                }
                @for (column, (seconds, goes_on)) in shown.iter().enumerate() {
                    rect class=(if *goes_on { "r" } else { "g" }) x=(column) width=".8" y=(HEIGHT - height(*seconds)) height=(height(*seconds)) {
                        title { (duration(Some(*seconds))) @if *goes_on { " so far" } }
                    }
                }
            }
            figcaption { (words) }
        }
    }
}

/// The duration of a good run, or how long one goes on.
fn seconds(report: &Report, run: &RunSummary) -> Option<(u32, bool)> {
    if run.outcome == Outcome::Running {
        return Some((u32::try_from(run.age(report.scope.now).num_seconds()).ok()?, true));
    }
    Some((run.good_seconds()?, false))
}
