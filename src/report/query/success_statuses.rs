//! The exit statuses by which a script says something other than that it failed.

use std::fmt::{self, Display, Formatter};

use crate::exit;
use crate::log::record::number;

/// A text does not list exit statuses.
#[derive(Debug, thiserror::Error)]
pub enum InvalidStatuses {
    /// It is not a list of numbers that exit statuses can be.
    #[error("expected exit statuses from 1 to 254 with commas between them")]
    Form,
    /// 255 is in it.
    #[error("255 is also what ssh gives if the connection failed")]
    Ssh,
}

/// Exit statuses that are no failure: scripts say "locked" or "nothing to do" by them.
#[derive(Debug, Default)]
pub struct SuccessStatuses(Vec<u8>);

impl SuccessStatuses {
    /// Reads a list such as `1,75,99`.
    ///
    /// # Errors
    ///
    /// It is not such a list, or it has [`exit::SSH_FAILED`] in it.
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

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a script that ends with `status` has not failed by that.
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
