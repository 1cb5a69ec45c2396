//! Exit statuses with which a script does not report a failure.

use std::fmt::{self, Display, Formatter};

use super::{SSH_FAILED, SUCCESS};

/// Exit statuses that are not failures: scripts use them for "locked" or "nothing to do".
#[derive(Debug, Clone, Default)]
pub struct SuccessStatuses(Vec<u8>);

impl SuccessStatuses {
    /// Parses a list such as `1,75,99`, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let status = |word: &str| match word.trim().parse() {
            Err(_) | Ok(SUCCESS) => Err("expected exit statuses from 1 to 254 with commas between them"),
            Ok(SSH_FAILED) => Err("255 is also what ssh gives if the connection failed"),
            Ok(status) => Ok(status),
        };
        text.split(',').map(status).collect::<Result<_, _>>().map(Self)
    }

    /// Adds others.
    pub fn extend(&mut self, others: &Self) {
        self.0.extend(&others.0);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = u8> {
        self.0.iter().copied()
    }

    pub fn includes(&self, status: u8) -> bool {
        self.0.contains(&status)
    }
}

impl Display for SuccessStatuses {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let statuses: Vec<String> = self.0.iter().map(u8::to_string).collect();
        formatter.write_str(&statuses.join(","))
    }
}
