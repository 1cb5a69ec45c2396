//! The jobs and hosts of a history.

use std::rc::Rc;

use crate::report::logs::owner::Account;

/// An index into the jobs of a history.
pub type JobId = u32;

/// An index into the hosts of a history.
pub type HostId = u32;

/// A job: what one user runs on one host.
pub struct KnownJob {
    /// `HOST SCRIPT PARAMETERS`, without the parameters if they change from run to run.
    pub name: Rc<[u8]>,
    pub account: Account,
    pub host: HostId,
    /// The number of its script among the scripts with parameters.
    pub script_number: Option<u32>,
    /// Whether the parameters change from run to run.
    pub has_variants: bool,
}

impl KnownJob {
    pub fn script(&self) -> &[u8] {
        script(&self.name)
    }
}

/// A job's operands without the host.
pub fn script(name: &[u8]) -> &[u8] {
    let blank = name.iter().position(|&byte| byte == b' ');
    blank.map_or(&[], |blank| &name[blank + 1..])
}

/// The first two operands: `HOST SCRIPT`.
pub fn without_parameters(name: &[u8]) -> &[u8] {
    let script = script(name);
    let parameters = script.iter().position(|&byte| byte == b' ');
    &name[..name.len() - parameters.map_or(0, |blank| script.len() - blank)]
}
