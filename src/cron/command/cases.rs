//! The commands in a file of `tests/data/shell`, each with what is expected.

use crate::cron::crontab::variables::Variables;

pub fn variables(values: &[(&str, &str)]) -> Variables {
    let mut variables = Variables::default();
    for (name, value) in values {
        variables.set(name.as_bytes(), value.as_bytes());
    }
    variables
}

pub fn cases(file: &str) -> Vec<(&str, &str)> {
    let mut expected = "";
    let mut cases = Vec::new();
    for line in file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('=') {
            Some(text) => expected = text.trim_start(),
            None => cases.push((line, expected)),
        }
    }
    cases
}
