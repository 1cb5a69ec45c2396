//! The marks of a job's runs: which of them are drawn each, and which together.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;

use super::scale::{Scale, UNITS};
use crate::report::format::html::run_state::RunState;
use crate::report::history::{RunFlag as Fact, RunSummary};
use crate::report::runs::outcome::Outcome;

/// With more good runs than these, a row is a strip of their density: the marks would touch.
const MAX_TICKS: usize = 500;

/// Marks of bad runs of one state are so many units apart at least, or they are one.
const GAP: i64 = 8;

/// The units of a cell of a strip.
const CELL: i64 = 10;

/// The number of cells of a strip.
const CELLS: usize = 144;

/// The heights of a strip's cells.
pub const LEVELS: usize = 4;

/// The least units of a tick.
const MIN_TICK: i64 = 2;

/// A part of a row, from one unit to another.
pub type Span = (i64, i64);

/// The marks of a row.
#[derive(Debug, Default)]
pub struct Marks<'a> {
    /// Good runs without a link of their own: where they are.
    pub ticks: Vec<Span>,
    /// Where the density of good runs has a level, the lowest first.
    pub strip: [Vec<Span>; LEVELS],
    /// Where two runs of the job went on.
    pub overlaps: Vec<Span>,
    /// Where runs were of another state, and have no link of their own.
    pub thinned: BTreeMap<RunState, Vec<Span>>,
    /// Runs with a link of their own.
    pub linked: Vec<Mark<'a>>,
}

/// A run or a slot without one, or several of the same state that are close together.
#[derive(Debug, Clone, Copy)]
pub struct Mark<'a> {
    /// Their state.
    pub look: RunState,
    /// The local time of the first START.
    pub from: NaiveDateTime,
    /// The local time of the end of the only run, or of the last START.
    pub to: NaiveDateTime,
    /// The local time of the last START, or of the last slot at which nothing was started.
    pub start: NaiveDateTime,
    /// How many they are.
    pub count: u64,
    /// The last run with its place in the history. There is none where nothing was started.
    pub last: Option<(usize, &'a RunSummary)>,
}

impl<'a> Marks<'a> {
    /// The marks of these runs of a job, each with its place in the history. Runs of one state that are close together
    /// have one mark, unless they are good. Good runs have links if `links_good`. At the times `missed` nothing was started.
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
            let look = RunState::of(run);
            if look == RunState::Good && !links_good {
                good.push(*run);
                continue;
            }
            let open = &mut open[look as usize];
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

    /// The number of links that are not of good runs.
    pub fn bad(&self) -> usize {
        let bad = self.linked.iter().filter(|mark| mark.look != RunState::Good);
        bad.count()
    }

    /// Leaves the newest of those links, and so many of them only.
    pub fn thin(&mut self, most: usize, scale: &Scale) {
        self.linked.sort_by_key(|mark| mark.from);
        let mut more = self.bad().saturating_sub(most);
        self.linked.retain(|mark| {
            let is_kept = more == 0 || mark.look == RunState::Good;
            if !is_kept {
                more -= 1;
                let spans = self.thinned.entry(mark.look).or_default();
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
        // Nobody knows how long it went on.
        Outcome::Lost => run.start,
        Outcome::Good | Outcome::Skipped(_) | Outcome::Failed(..) => run.until,
    };
    Mark {
        look: RunState::of(run),
        from: run.start,
        to,
        start: run.start,
        count: 1,
        last: Some((place, run)),
    }
}

fn not_started<'a>(at: NaiveDateTime) -> Mark<'a> {
    Mark { look: RunState::NotStarted, from: at, to: at, start: at, count: 1, last: None }
}

/// Adds a mark to the one before it, if that is near. Else it takes its place, and the one before is returned.
fn join<'a>(before: &mut Option<Mark<'a>>, mark: Mark<'a>, scale: &Scale) -> Option<Mark<'a>> {
    let is_near = |before: &&mut Mark| scale.unit(mark.start) - scale.unit(before.start) < GAP;
    let near = before.as_mut().filter(is_near);
    if let Some(before) = near.filter(|_| mark.look != RunState::Good) {
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
        // Two of one unit are one. The others stay apart as long as there is room between them.
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

/// Adds a span in its order, to the last one if they touch.
fn push(spans: &mut Vec<Span>, from: i64, to: i64) {
    match spans.last_mut() {
        Some((_, end)) if *end >= from => *end = to.max(*end),
        _ => spans.push((from, to)),
    }
}
