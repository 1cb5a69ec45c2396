//! Prometheus's text exposition format, version 0.0.4, as far as gauges with whole numbers need it.

use std::fmt::Write;

/// The text of metrics.
#[derive(Debug, Default)]
pub struct Exposition(String);

impl Exposition {
    /// Begins the samples of a gauge. All of them have to follow at once.
    pub fn gauge(&mut self, name: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge\n");
    }

    /// Adds a sample. A set of labels may occur once.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: i64) {
        self.0.push_str(name);
        for (index, (label, value)) in labels.iter().enumerate() {
            self.0.push(if index == 0 { '{' } else { ',' });
            let _ = write!(self.0, "{label}=\"{}\"", escape(value));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{end} {value}");
    }

    /// The whole text.
    pub fn finish(self) -> String {
        self.0
    }
}

/// A value of a label between double quotes.
fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
