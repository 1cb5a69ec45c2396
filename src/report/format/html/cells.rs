//! A row of cells: for each column of the grid, the worst state of the runs in its time.

use std::{collections::BTreeMap, fmt::Write};

use chrono::NaiveDateTime;
use maud::{Markup, html};

use super::{grid::Grid, state::RunState};
use crate::report::format::{Outcome, Report, grouped, way};
use crate::report::history::History;

/// The number of heights of good cells, by the number of runs.
const LEVELS: u32 = 4;

#[derive(Debug, Default, Clone, Copy)]
struct Cell {
    counts: [u32; RunState::ALL.len()],
    /// The last bad run, by its number in the history.
    last_bad: Option<usize>,
    outcome: Option<Outcome>,
    /// A run that started in this or an earlier column still goes on at the end of the period.
    is_covered: bool,
}

impl Cell {
    fn runs(&self) -> u32 {
        self.counts.iter().sum()
    }

    fn worst(&self) -> Option<RunState> {
        let states = RunState::ALL.iter().zip(self.counts).rev();
        let worst = states.filter(|(_, count)| *count > 0).map(|(state, _)| *state);
        worst.chain(self.is_covered.then_some(RunState::Running)).next()
    }

    fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.is_covered |= other.is_covered;
        if other.last_bad.is_some() {
            (self.last_bad, self.outcome) = (other.last_bad, other.outcome);
        }
    }

    fn is_bad(&self) -> bool {
        self.worst() > Some(RunState::Running)
    }

    /// What a reader sees of the cell: the worst state, the outcome, and whether all runs have that state.
    fn look(&self) -> (Option<RunState>, Option<Outcome>, bool) {
        let worst = self.worst();
        (worst, self.outcome, worst.is_some_and(|it| self.counts[it as usize] == self.runs()))
    }
}

/// The cells of a job or a host.
pub struct Cells(Vec<Cell>);

/// How bad cells are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Each with its title and its link.
    Each,
    /// Equal neighbours as one cell.
    Joined,
    /// Without titles and links.
    Plain,
}

/// Equal cells that are neighbours.
struct CellGroup {
    column: usize,
    columns: usize,
    all: Cell,
}

impl Cells {
    /// `runs` are numbers in the history, by START. `missed` are times of slots without a START.
    pub fn of(grid: &Grid, history: &History, runs: &[usize], missed: &[NaiveDateTime]) -> Self {
        let mut cells = vec![Cell::default(); grid.columns];
        for place in runs {
            let run = history.run(*place);
            let state = RunState::of(&run);
            let first = grid.column(run.start);
            let cell = &mut cells[first];
            cell.counts[state as usize] += 1;
            if run.outcome.is_bad() {
                (cell.last_bad, cell.outcome) = (Some(*place), Some(run.outcome));
            }
            if state == RunState::Running {
                cells[first..].iter_mut().for_each(|cell| cell.is_covered = true);
            }
        }
        for slot in missed {
            cells[grid.column(*slot)].counts[RunState::NotStarted as usize] += 1;
        }
        Self(cells)
    }

    pub fn join(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(cell, other)| cell.add(other));
    }

    pub fn count(&self, state: RunState) -> u64 {
        self.0.iter().map(|cell| u64::from(cell.counts[state as usize])).sum()
    }

    pub fn runs(&self) -> u64 {
        let all = self.0.iter().map(|cell| u64::from(cell.runs())).sum::<u64>();
        all - self.count(RunState::NotStarted)
    }

    /// The number of runs that failed or were lost, and of slots without a START.
    pub fn bad(&self) -> u64 {
        let bad = RunState::ALL.into_iter().filter(|state| *state > RunState::Running);
        bad.map(|state| self.count(state)).sum()
    }

    /// The last bad run of each cell, the newest first.
    pub fn last_bad(&self) -> impl Iterator<Item = usize> {
        self.0.iter().rev().filter_map(|cell| cell.last_bad)
    }

    /// The numbers of runs and slots by state, for a screen reader.
    pub fn in_words(&self) -> String {
        let states = RunState::ALL.iter().map(|state| (self.count(*state), state.name()));
        let words = states.filter(|(number, _)| *number > 0);
        words.map(|(number, name)| format!("{} {name}", grouped(number))).collect::<Vec<_>>().join(", ")
    }

    /// The number of cells with something bad.
    pub fn marks(&self) -> usize {
        self.0.iter().filter(|cell| cell.is_bad()).count()
    }

    /// The most detail with at most `cells` bad cells, or else with at most `groups` groups of them.
    pub fn detail(&self, cells: usize, groups: usize) -> Detail {
        if self.marks() <= cells {
            return Detail::Each;
        }
        let bad = self.groups(true).iter().filter(|group| group.all.is_bad()).count();
        if bad <= groups { Detail::Joined } else { Detail::Plain }
    }

    fn groups(&self, joins: bool) -> Vec<CellGroup> {
        let mut groups: Vec<CellGroup> = Vec::new();
        for (column, cell) in self.0.iter().enumerate() {
            match groups.last_mut() {
                Some(group) if joins && cell.is_bad() && cell.look() == group.all.look() => {
                    group.all.add(cell);
                    group.columns += 1;
                }
                _ => groups.push(CellGroup { column, columns: 1, all: *cell }),
            }
        }
        groups
    }

    /// Draws the cells. A bad cell links to the `href` of its last bad run, or of None if it has only missed slots.
    pub fn draw(
        &self,
        report: &Report,
        grid: &Grid,
        detail: Detail,
        href: impl Fn(Option<usize>) -> Option<String>,
    ) -> Markup {
        let most = self.0.iter().map(Cell::runs).max().unwrap_or_default().max(1);
        let mut paths: BTreeMap<String, Path> = BTreeMap::new();
        let mut bad = Vec::new();
        for group in self.groups(detail == Detail::Joined) {
            match group.all.worst() {
                None => {}
                Some(RunState::Good) => {
                    let level = (group.all.runs() * LEVELS).div_ceil(most);
                    paths.entry(format!("g g{level}")).or_default().add(group.column, 1, 18 - level);
                }
                Some(state) => {
                    let path = paths.entry(state.letter().to_owned()).or_default();
                    state.heights().iter().for_each(|height| path.add(group.column, group.columns, *height));
                    if state > RunState::Running && detail != Detail::Plain {
                        bad.push((state, group));
                    }
                }
            }
        }
        html! {
            svg.t viewBox={ "0 0 " (grid.columns) " 18" } preserveAspectRatio="none" role="group" aria-label=(self.in_words()) {
                @for (class, path) in &paths { path class=(class) d=(path.text) {} }
                @for (state, group) in &bad {
                    @let path = html! { path.box d={ "M" (group.column) " 0h" (group.columns) "v18h-" (group.columns) "z" } {
                        title { (title(report, grid, *state, group)) }
                    } };
                    @match href(group.all.last_bad) {
                        Some(href) => a href=(href) tabindex="-1" { (path) },
                        None => (path),
                    }
                }
            }
        }
    }
}

/// The path of the cells of one class. Neighbours of one height are one line.
#[derive(Debug, Default)]
struct Path {
    text: String,
    /// The column after the last line, and the height of that line.
    end: (usize, u32),
}

impl Path {
    fn add(&mut self, column: usize, columns: usize, height: u32) {
        _ = if self.end == (column, height) {
            write!(self.text, "h{columns}")
        } else {
            write!(self.text, "M{column} {height}h{columns}")
        };
        self.end = (column + columns, height);
    }
}

/// `14:10–14:20: 2 of 2 failed, exit 2`.
fn title(report: &Report, grid: &Grid, worst: RunState, group: &CellGroup) -> String {
    let (from, to) = (grid.time(group.column), grid.time(group.column + group.columns));
    let span = if grid.step < 60 {
        format!("{}–{}", report.clock().second(from), to.format("%H:%M:%S"))
    } else {
        report.clock().span(from, to)
    };
    let all = grouped(group.all.runs().into());
    let states = RunState::ALL.into_iter().rev().filter(|state| *state > RunState::Running);
    let states = states.map(|state| (state, u64::from(group.all.counts[state as usize])));
    let words = states.filter(|(_, count)| *count > 0).map(|(state, count)| {
        let of = if state == worst { format!(" of {all}") } else { String::new() };
        format!("{}{of} {}", grouped(count), state.name())
    });
    let words = words.collect::<Vec<_>>().join(", ");
    let way = match group.all.outcome {
        Some(outcome @ Outcome::Failed(..)) => format!(", {}", way(outcome)),
        _ => String::new(),
    };
    format!("{span}: {words}{way}")
}

/// The last runs and slots as cells, the newest on the right.
pub fn bar(cells: &[(RunState, String)]) -> Markup {
    let bad = cells.iter().filter(|(state, _)| *state > RunState::Running).count();
    let label = format!("The last {} runs, {bad} bad", cells.len());
    html! {
        svg.bar viewBox={ "0 0 " (cells.len()) " 18" } width=(cells.len() * 9) height="18" preserveAspectRatio="none"
            role="img" aria-label=(label) {
            @for (column, (state, title)) in cells.iter().enumerate() {
                path class=(state.letter()) d=(state.cell(column)) { title { (title) } }
            }
        }
    }
}
