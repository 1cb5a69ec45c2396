//! Root and the ordinary user, as whom the tests run.

use std::ffi::OsStr;
use std::process::Command;

/// The user that `tests/setup.sh` makes.
pub const ORDINARY_USER: &str = "remoteexe-test";

/// Fails a test that only root can run.
pub fn needs_root() {
    assert!(rustix::process::geteuid().is_root(), "needs root; run: sudo tests/run.sh");
}

/// `program` as an ordinary user.
pub fn as_ordinary_user(program: impl AsRef<OsStr>) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args([format!("--reuid={ORDINARY_USER}"), format!("--regid={ORDINARY_USER}")])
        .arg("--clear-groups")
        .arg(program);
    command
}
