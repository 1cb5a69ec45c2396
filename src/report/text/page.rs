//! The layout of a text: lines, headings and tables in the width of the terminal.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::report::style::{Style, Tone};

/// A text that is written from top to bottom.
#[derive(Debug)]
pub struct Page {
    style: Style,
    text: String,
}

impl Page {
    /// An empty page with these looks.
    pub fn new(style: Style) -> Self {
        Self {
            style,
            text: String::new(),
        }
    }

    /// The whole text.
    pub fn into_text(self) -> String {
        self.text
    }

    /// Writes a line as it is.
    pub fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Writes the title of the page.
    pub fn title(&mut self, text: &str) {
        self.line(&self.style.paint(Tone::Heading, text));
    }

    /// Writes the heading of a section.
    pub fn heading(&mut self, text: &str) {
        self.text.push('\n');
        self.title(text);
    }

    /// Writes a text of any length, on several lines if it is too long for one.
    pub fn paragraph(&mut self, text: &str) {
        let mut table = self.table(&[], &[]);
        table.add_row([text]);
        for column in table.column_iter_mut() {
            column.set_padding((0, 0));
        }
        self.add(&table);
    }

    /// A count with its name. It stands out if it is not 0.
    pub fn bad_count(&self, name: &str, count: u64) -> String {
        let text = format!("{name} {count}");
        if count > 0 {
            self.style.paint(Tone::Bad, &text)
        } else {
            text
        }
    }

    /// A table with these titles. The columns with these indexes are of numbers, aligned to the right.
    pub fn table(&self, titles: &[&str], numbers: &[usize]) -> Table {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(self.style.width);
        if !titles.is_empty() {
            table.set_header(titles);
        }
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if numbers.contains(&index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }

    /// Whether `table` fits the page without a cell on several lines.
    pub fn has_room_for(&self, table: &mut Table) -> bool {
        table.set_content_arrangement(ContentArrangement::Disabled);
        // All lines are as wide as the titles, which are ASCII.
        let width = table.lines().next().map_or(0, |titles| titles.len());
        table.set_content_arrangement(ContentArrangement::Dynamic);
        width <= usize::from(self.style.width)
    }

    /// Writes a table.
    pub fn add(&mut self, table: &Table) {
        for line in table.lines() {
            self.line(line.trim_end());
        }
    }

    /// Writes a table whose rows have a name each, on a line of its own above the row.
    pub fn add_with_names(&mut self, names: &[String], mut table: Table) {
        // A row stays on one line even if the terminal is too narrow for it.
        table.set_content_arrangement(ContentArrangement::Disabled);
        let mut rows = table.lines();
        self.line(rows.next().unwrap_or_default().trim_end());
        for (name, row) in names.iter().zip(rows) {
            self.paragraph(name);
            self.line(row.trim_end());
        }
    }
}
