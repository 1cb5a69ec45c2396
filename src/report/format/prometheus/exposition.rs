//! The text exposition format of Prometheus, version 0.0.4.

use std::fmt::{Display, Write};

use super::labels::Labels;

#[derive(Default)]
pub struct Exposition(pub String);

impl Exposition {
    /// Begins the samples of a metric. The name of a counter ends with `_total`.
    pub fn metric<'a>(&'a mut self, name: &'a str, help: &str) -> MetricSamples<'a> {
        let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
        _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        MetricSamples { text: &mut self.0, name }
    }
}

/// The samples of a metric. Each set of labels may occur once.
pub struct MetricSamples<'a> {
    text: &'a mut String,
    name: &'a str,
}

impl MetricSamples<'_> {
    pub fn add(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.text.push_str(self.name);
        for (index, (label, value)) in labels.iter().enumerate() {
            self.text.push(if index == 0 { '{' } else { ',' });
            _ = write!(self.text, "{label}=\"{}\"", escape(value));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        _ = writeln!(self.text, "{end} {value}");
    }

    /// Adds a sample with these labels, and more before them.
    pub fn add_labelled(&mut self, more: &[(&str, &str)], labels: &Labels, value: impl Display) {
        self.add(&[more, &labels.pairs()].concat(), value);
    }
}

/// The value of a label, for double quotes.
fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
