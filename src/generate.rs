//! Texts for other programs: the manual and completions for shells, which are installed beside the binary, and crontabs
//! as DAGs for Airflow. The binary itself prints them, so they always match its version.

mod airflow;
mod completions;

pub use airflow::{DagFile, DagRequest};
pub use completions::Grammars;

/// In mdoc(7).
const MANUAL: &str = include_str!("generate/remoteexe.1");

pub type Document = fn(&Grammars) -> String;

pub const DOCUMENTS: [(&str, Document); 4] = [
    ("man", |_| MANUAL.replace("@VERSION@", env!("CARGO_PKG_VERSION"))),
    ("complete-bash", completions::bash),
    ("complete-zsh", completions::zsh),
    ("complete-fish", completions::fish),
];
