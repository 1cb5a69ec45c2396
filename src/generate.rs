//! Texts for other programs: the manual and completions for shells, which are installed beside the binary, and the lines
//! of crontabs for Airflow.
//!
//! They are printed by the binary itself, so that they always belong to its version.

mod airflow;
mod bash;
mod fish;
mod options;
mod zsh;

use clap::Command;

use options::{CommandKind, options};

pub use airflow::{DagFile, DagRequest};

/// In the language mdoc(7).
const MANUAL: &str = include_str!("generate/remoteexe.1");

/// One of the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// The manual page.
    Manual,
    /// Completions for bash.
    Bash,
    /// Completions for zsh.
    Zsh,
    /// Completions for fish.
    Fish,
}

/// The grammars that completions follow.
#[derive(Debug)]
pub struct Grammars {
    /// Of a job.
    pub job: Command,
    /// Of `--report`.
    pub report: Command,
    /// Of `--generate airflow`.
    pub generate: Command,
    /// The words that are known for a value, by the name of the value.
    pub values: Vec<(&'static str, Vec<&'static str>)>,
}

impl Document {
    /// The names by which they are asked for.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("man", Self::Manual),
        ("complete-bash", Self::Bash),
        ("complete-zsh", Self::Zsh),
        ("complete-fish", Self::Fish),
    ];

    /// The one of this name.
    pub fn of(name: &str) -> Option<Self> {
        let names = Self::NAMES.into_iter();
        names.filter(|(known, _)| *known == name).map(|(_, document)| document).next()
    }

    /// The text, with a newline at its end.
    pub fn text(self, grammars: &Grammars) -> String {
        let options = || {
            let Grammars { job, report, generate, values } = grammars;
            let job = options(job, CommandKind::Job, values);
            let report = options(report, CommandKind::Report, values);
            [job, report, options(generate, CommandKind::Generate, values)].concat()
        };
        let mut words = grammars.values.iter();
        let what = words.find(|(name, _)| *name == "WHAT");
        let what = what.map_or(&[][..], |(_, words)| words);
        match self {
            Self::Manual => MANUAL.replace("@VERSION@", env!("CARGO_PKG_VERSION")),
            Self::Bash => bash::script(&options()),
            Self::Zsh => zsh::script(&options(), what),
            Self::Fish => fish::script(&options(), what),
        }
    }
}
