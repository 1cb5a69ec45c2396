//! The text exposition format, version 0.0.4.

use std::fmt::{Display, Write};

use super::labels::Labels;

#[derive(Debug, Default)]
pub struct Exposition(String);

impl Exposition {
    /// Begins the samples of a metric, which must follow at once. The name of a counter ends with `_total`.
    pub fn metric(&mut self, name: &str, help: &str) {
        let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
        _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// Adds a sample. Each set of labels may occur once.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (index, (label, value)) in labels.iter().enumerate() {
            self.0.push(if index == 0 { '{' } else { ',' });
            _ = write!(self.0, "{label}=\"{}\"", escape(value));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        _ = writeln!(self.0, "{end} {value}");
    }

    /// Adds a sample with these labels, and more before them.
    pub fn labelled(&mut self, name: &str, more: &[(&str, &str)], labels: &Labels, value: impl Display) {
        let own = [("host", &*labels.host), ("script", &*labels.script)];
        let scheduler = labels.scheduler.as_deref().map(|scheduler| ("scheduler", scheduler));
        let all: Vec<_> = more.iter().copied().chain(own).chain(scheduler).collect();
        self.sample(name, &all, value);
    }

    pub fn finish(self) -> String {
        self.0
    }
}

/// The value of a label, for double quotes.
fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
