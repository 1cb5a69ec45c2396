//! A mount namespace of its own for a program.

use std::process::Command;

/// Runs a command in a mount namespace of its own, also where `/` is no mount point.
pub const OWN_MOUNTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/try/own_mounts.sh");

/// A shell that runs `script` where nobody else sees its mounts. Further arguments are the script's `$@`.
pub fn own_mounts(script: &str) -> Command {
    let mut unshare = Command::new(OWN_MOUNTS);
    unshare.args(["sh", "-euc", script, "sh"]);
    unshare
}
