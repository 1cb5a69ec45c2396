//! The cron daemons that remoteexe knows, and which of them a machine has.

use std::ffi::OsStr;
use std::path::Path;

/// A cron daemon. The two read crontabs and run lines in slightly different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Daemon {
    /// Debian's and Ubuntu's cron, from Vixie's.
    Debian,
    /// cronie: Red Hat, SUSE, Arch.
    Cronie,
}

impl Daemon {
    /// The daemon of the machine whose files are below `root`.
    pub fn of_machine(root: &Path) -> Self {
        let exists = |path: &str| root.join(path).exists();
        if !exists("var/spool/cron/crontabs")
            && !exists("usr/sbin/cron")
            && exists("usr/sbin/crond")
        {
            Self::Cronie
        } else {
            Self::Debian
        }
    }

    /// The directory of the users' crontabs, below the root.
    pub fn spool(self) -> &'static str {
        match self {
            Self::Debian => "var/spool/cron/crontabs",
            Self::Cronie => "var/spool/cron",
        }
    }

    /// Whether the daemon reads a system file of this name: `/etc/crontab`, or a name in `/etc/cron.d`.
    pub fn takes_name_of(self, path: &Path) -> bool {
        let name = path
            .file_name()
            .map_or(b"".as_slice(), OsStr::as_encoded_bytes);
        match self {
            Self::Debian => name
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte)),
            Self::Cronie => {
                let ends = [b"~".as_slice(), b".rpmsave", b".rpmorig", b".rpmnew"];
                !name.starts_with(b"#") && !ends.iter().any(|end| name.ends_with(end))
            }
        }
    }
}
