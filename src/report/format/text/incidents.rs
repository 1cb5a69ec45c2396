//! Incidents as rows: the state, the time and the facts.

use std::{cmp::Reverse, collections::BTreeMap};

use unicode_width::UnicodeWidthStr;

use super::incident_words::IncidentWords;
use super::page::{Page, wrapped, wrapped_whole};
use crate::report::format::{Incident, IncidentKind, Outcome, Reason, Report, Severity, grouped};

const GAP: usize = 2;
/// The most kinds of hidden incidents that are named.
const MAX_NAMED: usize = 12;

/// Shows a title, and a row for each incident. If all rows would take more than `most` lines, the last rows have no
/// facts. Beyond three times as many lines, only pressing incidents have a row, and the others are counted by kind.
pub fn show<'a>(
    page: &mut Page,
    report: &Report,
    title: &str,
    incidents: impl IntoIterator<Item = &'a Incident>,
    most: usize,
) {
    let incidents: Vec<&Incident> = incidents.into_iter().collect();
    if incidents.is_empty() {
        return;
    }
    page.heading(title);
    let states = incidents.iter().map(|incident| incident.state().word().len());
    let state_width = states.chain(["UNREACHABLE".len()]).max().unwrap_or_default() + GAP;
    let words: Vec<IncidentWords> = incidents.iter().map(|incident| IncidentWords::of(incident, report)).collect();
    let time_width = words.iter().map(|words| words.time.width()).max().unwrap_or_default() + GAP;
    let room = page.width().saturating_sub(state_width + time_width);
    let brief = incidents.iter().zip(&words).map(|(incident, words)| brief_lines(incident, words, room));
    let brief: Vec<Vec<String>> = brief.collect();
    let mut left = most.checked_sub(brief.iter().map(Vec::len).sum());
    let (mut used, mut hidden) = (0_usize, BTreeMap::new());
    for ((incident, words), brief) in incidents.iter().zip(&words).zip(brief) {
        let full = lines(words, room);
        left = left.and_then(|left| (left + brief.len()).checked_sub(full.len()));
        let lines = if left.is_some() { full } else { brief };
        used += lines.len();
        if used / 3 > most && !incident.is_pressing {
            *hidden.entry(likeness(incident)).or_default() += 1;
            continue;
        }
        let state = incident.state();
        page.row((Severity::of(state), state.word()), &words.time, [state_width, time_width], lines);
    }
    if !hidden.is_empty() {
        for line in wrapped(&more(hidden), page.width()) {
            page.line(&line);
        }
    }
}

/// What an incident has in common with others: the state, and how most runs failed.
fn likeness(incident: &Incident) -> String {
    let state = incident.state().word();
    match incident.main_way() {
        Some(Outcome::Failed(status, Reason::Script)) => format!("{state} (exit {status})"),
        Some(way) => format!("{state} ({way})"),
        None => state.to_owned(),
    }
}

/// `and 12 more: 9 FAILING (exit 1), 3 SLOWER`.
fn more(hidden: BTreeMap<String, u64>) -> String {
    let all: u64 = hidden.values().sum();
    let mut kinds: Vec<_> = hidden.into_iter().collect();
    kinds.sort_by_key(|(_, number)| Reverse(*number));
    let names = kinds.iter().take(MAX_NAMED).map(|(kind, of)| format!("{} {kind}", grouped(*of)));
    let names: Vec<String> = names.collect();
    let others = if kinds.len() > MAX_NAMED { ", …" } else { "" };
    format!("and {} more: {}{others} (--all lists them)", grouped(all), names.join(", "))
}

/// The subject and the facts, in one line if there is room, and then the reason.
fn lines(words: &IncidentWords, room: usize) -> Vec<String> {
    let mut lines = words.subject(room);
    for text in [&words.facts, &words.why].into_iter().filter(|text| !text.is_empty()) {
        let width = lines[0].width() + GAP + text.width();
        if lines.len() == 1 && width <= room {
            lines[0] = format!("{}  {text}", lines[0]);
        } else {
            lines.extend(wrapped_whole(text, room));
        }
    }
    lines
}

/// The subject and the reason, or else the facts. Both share a line if that takes fewer lines.
fn brief_lines(incident: &Incident, words: &IncidentWords, room: usize) -> Vec<String> {
    let mut lines = words.subject(room);
    let has_reason = !words.why.is_empty() && !matches!(incident.kind, IncidentKind::Unreachable { .. });
    let why = if has_reason { &words.why } else { &words.facts };
    let together = wrapped_whole(&format!("{}  {why}", lines.join("  ")), room);
    lines.extend(wrapped_whole(why, room));
    if together.len() < lines.len() { together } else { lines }
}
