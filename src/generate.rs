//! Texts for other programs: the manual and completions for shells, which are installed beside the binary, and crontabs
//! as DAGs for Airflow. The binary itself prints them, so they always match its version.

mod airflow;
mod completions;

use clap::Command;

pub use airflow::{DagFile, DagRequest};

/// In mdoc(7).
const MANUAL: &str = include_str!("generate/remoteexe.1");

#[derive(Debug)]
pub struct Grammars {
    /// By the name of the command line: `job`, `report` and `generate`.
    pub lines: [(&'static str, Command); 3],
    /// The possible words of values, by the name of the value.
    pub values: Vec<(&'static str, Vec<&'static str>)>,
}

impl Grammars {
    fn words(&self, value: &str) -> &[&'static str] {
        self.values.iter().find(|(name, _)| *name == value).map_or(&[], |(_, words)| words)
    }
}

/// A text, made from the grammars.
pub type Document = fn(&Grammars) -> String;

pub const DOCUMENTS: [(&str, Document); 4] = [
    ("man", |_| MANUAL.replace("@VERSION@", env!("CARGO_PKG_VERSION"))),
    ("complete-bash", completions::bash),
    ("complete-zsh", completions::zsh),
    ("complete-fish", completions::fish),
];
