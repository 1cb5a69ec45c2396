//! Exit statuses with which a script does not report a failure.

use std::fmt::{self, Display, Formatter};

use super::{SSH_FAILED, SUCCESS};

/// Exit statuses that are not failures: scripts use them for "locked" or "nothing to do".
#[derive(Debug, Clone, Default)]
pub struct SuccessStatuses(pub Vec<u8>);

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
}

impl Display for SuccessStatuses {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let statuses: Vec<String> = self.0.iter().map(u8::to_string).collect();
        formatter.write_str(&statuses.join(","))
    }
}
