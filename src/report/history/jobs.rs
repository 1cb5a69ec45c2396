//! The jobs and hosts of a history.

use std::rc::Rc;

/// The place of a job in the history.
pub type JobId = u32;

/// The place of a host in the history.
pub type HostId = u32;

/// A job: what one user runs on one host.
#[derive(Debug)]
pub struct KnownJob {
    /// Its operands: `HOST SCRIPT PARAMETERS`. If the parameters change from run to run, they are left out.
    pub name: Rc<[u8]>,
    /// Whose it is, by its place among the accounts.
    pub account_index: u32,
    /// Its host: the first operand.
    pub host: HostId,
    /// The parameters change from run to run.
    pub has_variants: bool,
}

impl KnownJob {
    /// What is run, without the host.
    pub fn script(&self) -> &[u8] {
        script(&self.name)
    }
}

/// A job's operands without the first.
pub fn script(name: &[u8]) -> &[u8] {
    let blank = name.iter().position(|&byte| byte == b' ');
    blank.map_or(&[], |blank| &name[blank + 1..])
}
