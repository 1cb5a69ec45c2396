//! A chart of the last durations of a job that has become slow or hangs.

use maud::{Markup, html};

use super::limits::DURATIONS;
use crate::report::diagnosis::watch::samples::WatchedJob;
use crate::report::format::{Incident, IncidentKind, JobId, Oddity, Outcome, Report, duration};

const HEIGHT: u64 = 48;

/// The chart of an incident that is about a duration.
pub fn of_incident(report: &Report, incident: &Incident) -> Markup {
    let is_long = matches!(incident.kind, IncidentKind::Hung { .. } | IncidentKind::Slower { .. });
    let job = incident.jobs.first().filter(|_| is_long);
    html! { @if let Some(job) = job { (of_job(report, *job)) } }
}

/// Whether a finding is about a duration.
pub fn is_about(oddity: &Oddity) -> bool {
    let has_seconds = matches!(oddity, Oddity::NothingDone { seconds: Some(_), .. });
    has_seconds || matches!(oddity, Oddity::Creeping { .. } | Oddity::TooClose { .. })
}

/// Draws bars for the last good runs of a job and a run that goes on, and the range of the middle half of good runs.
pub fn of_job(report: &Report, job: JobId) -> Markup {
    let known = report.history.job(job);
    let runs = report.history.of_job(job).filter(|run| run.start < report.scope.now);
    // Older logs have more runs of a rare job.
    let watched = report.watch.samples.of(known.account, &known.name);
    let older = watched.into_iter().flat_map(WatchedJob::good).filter_map(|run| run.seconds);
    let (older, own): (Vec<u32>, Vec<u32>) =
        (older.collect(), runs.clone().filter_map(|run| run.good_seconds()).collect());
    let mut good = if older.len() > own.len() { older } else { own };
    let going = runs.filter(|run| run.outcome == Outcome::Running);
    let going = going.filter_map(|run| u32::try_from(run.age(report.scope.now).num_seconds()).ok());
    let seconds = good.iter().map(|seconds| (*seconds, false));
    let seconds: Vec<(u32, bool)> = seconds.chain(going.map(|seconds| (seconds, true))).collect();
    good.sort_unstable();
    let shown = &seconds[seconds.len().saturating_sub(DURATIONS)..];
    let (Some((first, _)), Some((last, _))) = (shown.first(), shown.last()) else { return html! {} };
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
            svg width="270" height=(HEIGHT) viewBox={ "0 0 " (DURATIONS) " " (HEIGHT) } preserveAspectRatio="none" role="img"
                aria-label={ "Durations of the last " (shown.len()) " runs: " (words) } {
                @if let Some([from, to]) = usual {
                    rect.usual width=(DURATIONS) y=(HEIGHT - height(to)) height=(height(to) - height(from) + 1) {}
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
