//! A mount namespace of its own for a program.

use std::fs;
use std::process::Command;

use super::scene::{REMOTEEXE, Scene};
use super::user::needs_root;

/// A shell that runs `script` where its mounts are seen by nobody else. Further arguments are the script's `$@`. Needs
/// root, and in a container `CAP_SYS_ADMIN`.
///
/// `unshare --mount` alone fails in a root directory of chroot(1), which is no mount point: it cannot make that one
/// private. So this makes all mounts of the namespace private, from the namespace's own root directory.
pub fn own_mounts(script: &str) -> Command {
    let private = "nsenter --mount=/proc/self/ns/mnt mount --make-rprivate /; exec \"$@\"";
    let mut unshare = Command::new("unshare");
    unshare
        .args(["--mount", "--propagation", "unchanged"])
        .args(["sh", "-euc", private, "sh"])
        .args(["sh", "-euc", script, "sh"]);
    unshare
}

/// remoteexe on a machine that was booted at this second since 1970.
pub fn remoteexe_booted_at(scene: &Scene, second: i64) -> Command {
    needs_root();
    let stat = format!("cpu  1 0 1 1\nbtime {second}\nprocesses 1\n");
    fs::write(scene.path("stat"), stat).expect("a file");
    let mut command =
        own_mounts(&format!("mount --bind $DIR/stat /proc/stat; exec {REMOTEEXE} \"$@\""));
    scene.equip(&mut command);
    command
}
