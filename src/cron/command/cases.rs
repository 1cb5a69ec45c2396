//! The commands in a file of `tests/data/shell`, each with what is expected.

use crate::cron::crontab::variables::Variables;

pub fn variables(values: &[(&str, &str)]) -> Variables {
    let mut variables = Variables::default();
    for (name, value) in values {
        variables.set(name.as_bytes(), value.as_bytes());
    }
    variables
}

/// Checks that `shown` returns the expected text for each command in `file`.
pub fn check(file: &str, shown: impl Fn(&str) -> String) {
    let mut expected = "";
    for line in file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix('=') {
            Some(text) => expected = text.trim_start(),
            None => assert_eq!(shown(line), expected, "{line}"),
        }
    }
}
