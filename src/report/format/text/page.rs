//! Lays out a text: lines, headings and tables in the width of the terminal.

use std::{iter, mem};

use unicode_width::UnicodeWidthStr;

use super::names::{self, fits, prefix, suffix};
use crate::report::format::{Count, Severity, grouped};
use crate::report::output::style::Style;

/// The column of the text beside a label.
pub const INDENT: usize = 13;
const GAP: usize = GAP_TEXT.len();
const GAP_TEXT: &str = "  ";

pub struct Page {
    pub style: Style,
    pub text: String,
}

impl Page {
    pub fn new(style: Style) -> Self {
        Self { style, text: String::new() }
    }

    pub fn width(&self) -> usize {
        self.style.width.into()
    }

    /// Writes a line unchanged.
    pub fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    pub fn title(&mut self, text: &str) {
        self.line(&self.style.paint(Severity::Heading, text));
    }

    pub fn heading(&mut self, text: &str) {
        self.text.push('\n');
        self.title(text);
    }

    /// Writes a text of any length, on several lines if necessary.
    pub fn paragraph(&mut self, text: &str) {
        self.labelled("", 0, text);
    }

    /// Writes a label and beside it, from the column `indent` on, a text of any length.
    pub fn labelled(&mut self, label: &str, indent: usize, text: &str) {
        let lines = wrapped(text, self.width().saturating_sub(indent));
        self.lines_beside(padded(label, indent), indent, lines);
    }

    /// Writes a state and a time in columns of these widths, and beside them the lines.
    pub fn row(&mut self, state: (Severity, &str), time: &str, widths: [usize; 2], lines: Vec<String>) {
        let ((severity, word), [word_width, time_width]) = (state, widths);
        let blanks = " ".repeat(word_width.saturating_sub(word.len()));
        let before = self.style.paint(severity, word) + &blanks + &padded(time, time_width);
        self.lines_beside(before, word_width + time_width, lines);
    }

    /// Writes the first line behind `before`, and the others below it, from the column `indent` on.
    fn lines_beside(&mut self, mut before: String, indent: usize, lines: Vec<String>) {
        for line in lines {
            self.line(&(before + &line));
            before = " ".repeat(indent);
        }
    }

    /// A count with its name, in colour if it should be 0 and is not.
    pub fn count(&self, count: &Count) -> String {
        let text = format!("{} {}", count.name, count.number);
        if count.is_bad { self.style.paint(Severity::Bad, &text) } else { text }
    }

    /// Writes how many rows are not shown.
    pub fn more(&mut self, hidden: usize) {
        if hidden > 0 {
            self.line(&format!("and {} more (--all lists them)", grouped(hidden as u64)));
        }
    }

    /// Writes a table whose last column is the name of a job or a host, shortened if necessary. Columns in `optional`
    /// are dropped, one by one, if the names need the room. Columns in `numbers` are aligned to the right.
    pub fn table(&mut self, optional: &[usize], titles: &[&str], numbers: &[usize], mut rows: Vec<Vec<String>>) {
        let names = rows.iter().filter_map(|row| row.last());
        let least = names.map(|name| names::least_columns(name)).max().unwrap_or_default();
        let mut kept: Vec<usize> = (0..titles.len()).collect();
        for column in optional {
            let widths = widths(titles, rows.iter());
            let before = kept[..kept.len() - 1].iter().map(|it| widths[*it] + GAP);
            if before.sum::<usize>() + least <= self.width() {
                break;
            }
            kept.retain(|it| it != column);
        }
        let titles: Vec<&str> = kept.iter().map(|it| titles[*it]).collect();
        let numbers: Vec<usize> = (0..kept.len()).filter(|place| numbers.contains(&kept[*place])).collect();
        for row in &mut rows {
            *row = kept.iter().map(|it| mem::take(&mut row[*it])).collect();
        }
        let cut = |text: &str, columns: usize| vec![names::job(text, columns)];
        self.table_of(cut, &titles, &numbers, rows.into_iter());
    }

    /// Writes a table. `fit` breaks the text of the last column into lines. Memory does not grow with the rows.
    pub fn table_of(
        &mut self,
        fit: impl Fn(&str, usize) -> Vec<String>,
        titles: &[&str],
        numbers: &[usize],
        rows: impl Iterator<Item = Vec<String>> + Clone,
    ) {
        let name = titles.len() - 1;
        let widths = widths(titles, rows.clone());
        let before: usize = widths[..name].iter().map(|width| width + GAP).sum();
        let room = self.width().saturating_sub(before).max(widths[name]);
        let titles = titles.iter().map(|title| (*title).to_owned()).collect();
        for mut row in iter::once(titles).chain(rows) {
            let texts = fit(&row[name], room);
            row.truncate(name);
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let blanks = " ".repeat(width - cell.width());
                let is_number = numbers.contains(&column);
                let (left, right) = if is_number { (&*blanks, "") } else { ("", &*blanks) };
                line += &[left, cell, right, GAP_TEXT].concat();
            }
            self.lines_beside(line, before, texts);
        }
    }
}

fn padded(text: &str, columns: usize) -> String {
    text.to_owned() + &" ".repeat(columns.saturating_sub(text.width()))
}

/// The widths of the columns. The last column has the width of its title.
fn widths<R: AsRef<[String]>>(titles: &[&str], rows: impl Iterator<Item = R>) -> Vec<usize> {
    let name = titles.len() - 1;
    let mut widths: Vec<usize> = titles.iter().map(|title| title.width()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(&row.as_ref()[..name]) {
            *width = (*width).max(cell.width());
        }
    }
    widths
}

const MAX_LINES: usize = 4;

/// Breaks `text` into lines. Drops the middle of a very long text, because its end may be the most informative.
pub fn wrapped_whole(text: &str, columns: usize) -> Vec<String> {
    let most = columns.max(1) * MAX_LINES;
    if fits(text, most) {
        let lines = wrapped(text, columns);
        if lines.len() <= MAX_LINES {
            return lines;
        }
    }
    let half = (most - columns / 2) / 2;
    wrapped(&[prefix(text, half), "…", suffix(text, half)].concat(), columns)
}

/// Breaks `text` into lines of at most this many columns, at blanks if there are any.
pub fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0);
    for word in text.split(' ') {
        let mut rest = word;
        if used > 0 && used + 1 + rest.width() > columns {
            lines.push(mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        while rest.width() > columns {
            let first = rest.chars().next().map_or(0, char::len_utf8);
            let part = &rest[..prefix(rest, columns).len().max(first)];
            line.push_str(part);
            lines.push(mem::take(&mut line));
            rest = &rest[part.len()..];
        }
        line.push_str(rest);
        used += rest.width();
    }
    lines.push(line);
    lines
}
