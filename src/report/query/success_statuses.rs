//! Exit statuses with which a script does not report a failure.

use std::fmt::{self, Display, Formatter};

use crate::decimal::number;
use crate::exit;

#[derive(Debug, thiserror::Error)]
pub enum InvalidStatuses {
    /// Not a list of exit statuses.
    #[error("expected exit statuses from 1 to 254 with commas between them")]
    Form,
    #[error("255 is also what ssh gives if the connection failed")]
    Ssh,
}

/// Exit statuses that are not failures: scripts use them for "locked" or "nothing to do".
#[derive(Debug, Default)]
pub struct SuccessStatuses(Vec<u8>);

impl SuccessStatuses {
    /// Parses a list such as `1,75,99`. It must not contain [`exit::SSH_FAILED`].
    pub fn parse(text: &str) -> Result<Self, InvalidStatuses> {
        let status = |word: &str| match number(word.trim().as_bytes()) {
            None | Some(exit::SUCCESS) => Err(InvalidStatuses::Form),
            Some(exit::SSH_FAILED) => Err(InvalidStatuses::Ssh),
            Some(status) => Ok(status),
        };
        text.split(',').map(status).collect::<Result<_, _>>().map(Self)
    }

    /// Adds others.
    pub fn extend(&mut self, others: Option<Self>) {
        self.0.extend(others.into_iter().flat_map(|others| others.0));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
