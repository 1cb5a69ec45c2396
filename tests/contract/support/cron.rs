//! A real cron daemon that sees one crontab only.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::clock::FAKETIME;
use super::mounts::own_mounts;
use super::scene::Scene;

/// cron with the file `crontab` of the scene as the only crontab, after the shell commands `mounts`. Its clock is as
/// the variable `FAKETIME` says; a job does not inherit this.
pub fn cron(scene: &Scene, mounts: &str) -> Command {
    let path = |name: &str| scene.path(name).display().to_string();
    // cron does not read one that others may write.
    fs::set_permissions(path("crontab"), fs::Permissions::from_mode(0o644)).unwrap();
    // cron reads the crontabs of the whole system and takes a lock in /run. In a mount namespace it sees this
    // crontab only.
    for dir in ["none", "run"] {
        fs::create_dir_all(scene.path(dir)).unwrap();
    }
    own_mounts(&format!(
        "mount --bind {crontab} /etc/crontab
         mount --bind {none} /etc/cron.d
         mount --bind {none} /var/spool/cron/crontabs
         mount --bind {run} /run
         {mounts}
         LD_PRELOAD='{FAKETIME}' exec /usr/sbin/cron -f",
        crontab = path("crontab"),
        none = path("none"),
        run = path("run"),
    ))
}
