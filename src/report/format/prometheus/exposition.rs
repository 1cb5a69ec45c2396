//! Prometheus's text exposition format, version 0.0.4, for gauges with whole numbers.

use std::fmt::Write;

#[derive(Debug, Default)]
pub struct Exposition(String);

impl Exposition {
    /// Begins the samples of a gauge, which must follow at once.
    pub fn gauge(&mut self, name: &str, help: &str) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge\n");
    }

    /// Adds a sample. Each set of labels may occur once.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: i64) {
        self.0.push_str(name);
        for (index, (label, value)) in labels.iter().enumerate() {
            self.0.push(if index == 0 { '{' } else { ',' });
            let _ = write!(self.0, "{label}=\"{}\"", escape(value));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{end} {value}");
    }

    pub fn finish(self) -> String {
        self.0
    }
}

/// The value of a label, for double quotes.
fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
