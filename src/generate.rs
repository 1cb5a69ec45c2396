//! Texts for other programs: the manual and completions for shells, which are installed beside the binary, and crontabs
//! as DAGs for Airflow. The binary itself prints them, so they always match its version.

mod airflow;
mod bash;
mod fish;
mod options;
mod zsh;

use clap::Command;

use options::{CommandKind, options};

pub use airflow::{DagFile, DagRequest};

/// In mdoc(7).
const MANUAL: &str = include_str!("generate/remoteexe.1");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    Manual,
    Bash,
    Zsh,
    Fish,
}

#[derive(Debug)]
pub struct Grammars {
    pub job: Command,
    pub report: Command,
    pub generate: Command,
    /// The possible words of values, by the name of the value.
    pub values: Vec<(&'static str, Vec<&'static str>)>,
}

impl Document {
    pub const NAMES: [(&'static str, Self); 4] = [
        ("man", Self::Manual),
        ("complete-bash", Self::Bash),
        ("complete-zsh", Self::Zsh),
        ("complete-fish", Self::Fish),
    ];

    pub fn of(name: &str) -> Option<Self> {
        let names = Self::NAMES.into_iter();
        names.filter(|(known, _)| *known == name).map(|(_, document)| document).next()
    }

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
