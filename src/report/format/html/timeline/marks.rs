//! The marks of a job's runs: decides which runs have their own, and which share one.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;

use super::scale::{Scale, UNITS};
use crate::report::format::html::run_state::RunState;
use crate::report::history::{RunFlag as Fact, RunSummary};
use crate::report::runs::outcome::Outcome;

/// With more good runs, a row shows their density: the marks would touch.
const MAX_TICKS: usize = 500;

/// In units. Closer marks of bad runs of one state become one.
const GAP: i64 = 8;

const CELL: i64 = 10;

const CELLS: usize = 144;

/// The number of heights of a strip's cells.
pub const LEVELS: usize = 4;

/// In units.
const MIN_TICK: i64 = 2;

/// A part of a row, from one unit to another.
pub type Span = (i64, i64);

#[derive(Debug, Default)]
pub struct Marks<'a> {
    /// Good runs without links.
    pub ticks: Vec<Span>,
    /// Where the density of good runs has a level, the lowest first.
    pub strip: [Vec<Span>; LEVELS],
    /// Where two runs of the job went on at once.
    pub overlaps: Vec<Span>,
    /// Runs of another state without links.
    pub thinned: BTreeMap<RunState, Vec<Span>>,
    pub linked: Vec<Mark<'a>>,
}

/// A run or a missed slot, or several of the same state that are close together.
#[derive(Debug, Clone, Copy)]
pub struct Mark<'a> {
    pub state: RunState,
    /// The local time of the first START.
    pub from: NaiveDateTime,
    /// The local time of the end of the only run, or of the last START.
    pub to: NaiveDateTime,
    /// The local time of the last START or slot.
    pub start: NaiveDateTime,
    pub count: u64,
    /// The last run, with its number in the history. None for a missed slot.
    pub last: Option<(usize, &'a RunSummary)>,
}

impl<'a> Marks<'a> {
    /// The marks of these runs of a job, each with its number in the history. Bad runs of one state that are close
    /// together share a mark. Good runs have links if `links_good`. `missed` are slots without a START.
    pub fn of(
        runs: &[(usize, &'a RunSummary)],
        missed: &[NaiveDateTime],
        scale: &Scale,
        now: NaiveDateTime,
        links_good: bool,
    ) -> Self {
        let mut marks = Self { overlaps: overlaps(runs, scale, now), ..Self::default() };
        let mut good = Vec::new();
        let mut open: [Option<Mark>; RunState::ALL.len()] = [None; RunState::ALL.len()];
        for (place, run) in runs {
            let state = RunState::of(run);
            if state == RunState::Good && !links_good {
                good.push(*run);
                continue;
            }
            let open = &mut open[state as usize];
            marks.linked.extend(join(open, mark(*place, run, now), scale));
        }
        for at in missed {
            let open = &mut open[RunState::NotStarted as usize];
            marks.linked.extend(join(open, not_started(*at), scale));
        }
        marks.linked.extend(open.into_iter().flatten());
        if good.len() > MAX_TICKS {
            marks.strip = strip(&good, scale);
        } else {
            marks.ticks = ticks(&good, scale);
        }
        marks
    }

    /// The number of links, except those of good runs.
    pub fn bad(&self) -> usize {
        let bad = self.linked.iter().filter(|mark| mark.state != RunState::Good);
        bad.count()
    }

    /// Keeps the newest of those links, at most `most`.
    pub fn thin(&mut self, most: usize, scale: &Scale) {
        self.linked.sort_by_key(|mark| mark.from);
        let mut more = self.bad().saturating_sub(most);
        self.linked.retain(|mark| {
            let is_kept = more == 0 || mark.state == RunState::Good;
            if !is_kept {
                more -= 1;
                let spans = self.thinned.entry(mark.state).or_default();
                let from = scale.unit(mark.from);
                push(spans, from, scale.unit(mark.start).max(from + MIN_TICK));
            }
            is_kept
        });
    }
}

fn mark(place: usize, run: &RunSummary, now: NaiveDateTime) -> Mark<'_> {
    let to = match run.outcome {
        Outcome::Running => now,
        // Nobody knows how long the run went on.
        Outcome::Lost => run.start,
        Outcome::Good | Outcome::Skipped(_) | Outcome::Failed(..) => run.until,
    };
    Mark {
        state: RunState::of(run),
        from: run.start,
        to,
        start: run.start,
        count: 1,
        last: Some((place, run)),
    }
}

fn not_started<'a>(at: NaiveDateTime) -> Mark<'a> {
    Mark { state: RunState::NotStarted, from: at, to: at, start: at, count: 1, last: None }
}

/// Joins a mark with the one before, if close. Otherwise replaces the one before, and returns it.
fn join<'a>(before: &mut Option<Mark<'a>>, mark: Mark<'a>, scale: &Scale) -> Option<Mark<'a>> {
    let is_near = |before: &&mut Mark| scale.unit(mark.start) - scale.unit(before.start) < GAP;
    let near = before.as_mut().filter(is_near);
    if let Some(before) = near.filter(|_| mark.state != RunState::Good) {
        (before.to, before.start) = (mark.start, mark.start);
        before.count += 1;
        before.last = mark.last;
        return None;
    }
    before.replace(mark)
}

/// From the START of a run to the end of the one before.
fn overlaps(runs: &[(usize, &RunSummary)], scale: &Scale, now: NaiveDateTime) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for pair in runs.windows(2) {
        let [(_, run), (_, next)] = pair else {
            continue;
        };
        if !run.is(Fact::Overlapped) {
            continue;
        }
        let end = match run.outcome {
            Outcome::Running => now,
            _ => run.until,
        };
        let from = scale.unit(next.start);
        push(&mut spans, from, scale.unit(end).max(from + MIN_TICK));
    }
    spans
}

fn ticks(good: &[&RunSummary], scale: &Scale) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for run in good {
        let from = scale.unit(run.start);
        let to = scale.unit(run.until).max(from + MIN_TICK);
        // Spans in one unit become one. Others stay separate as long as there is room between them.
        if spans.last().is_none_or(|(last, _)| *last < from) {
            spans.push((from, to));
        }
    }
    spans
}

fn strip(good: &[&RunSummary], scale: &Scale) -> [Vec<Span>; LEVELS] {
    let mut cells = [0_usize; CELLS];
    for run in good {
        let cell = scale.unit(run.start).min(UNITS - 1) / CELL;
        cells[usize::try_from(cell).unwrap_or_default()] += 1;
    }
    let most = cells.iter().max().copied().unwrap_or_default().max(1);
    let mut strip: [Vec<Span>; LEVELS] = Default::default();
    for (number, count) in (0..).zip(cells) {
        let from = number * CELL;
        let level = (count * LEVELS).div_ceil(most);
        if let Some(level) = level.checked_sub(1) {
            push(&mut strip[level], from, from + CELL);
        }
    }
    strip
}

/// Adds a span, or extends the last one if they touch.
fn push(spans: &mut Vec<Span>, from: i64, to: i64) {
    match spans.last_mut() {
        Some((_, end)) if *end >= from => *end = to.max(*end),
        _ => spans.push((from, to)),
    }
}
