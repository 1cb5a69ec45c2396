//! The faults in a crontab that an operator should correct.

use std::path::{Path, PathBuf};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// From 1. None for the file as a whole.
    pub line: Option<usize>,
    pub problem: String,
    /// The part of the crontab that cron ignores because of the fault, if any.
    pub consequence: Option<&'static str>,
    pub remedy: String,
}

pub struct Finding {
    pub file: PathBuf,
    pub fault: Fault,
}

impl Fault {
    /// A fault of the file as a whole.
    pub fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { line: None, problem: problem.into(), consequence: None, remedy: remedy.into() }
    }

    pub fn at(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }

    pub fn in_file(self, file: &Path) -> Finding {
        Finding { file: file.to_owned(), fault: self }
    }
}

impl Finding {
    /// The finding as a compiler shows it, with its kind before the problem.
    pub fn shown(&self, kind: &str) -> String {
        let Fault { line, problem, remedy, .. } = &self.fault;
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        format!("{}{line}: {kind}{problem}; tip: {remedy}", self.file.display())
    }
}
