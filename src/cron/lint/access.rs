//! The access of a user to a file, by the modes of the file and of the directories above it.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use rustix::fs::getxattr;

use crate::machine::LocalUser;

/// The access control list of a file, which may allow what the mode does not.
const ACL: &str = "system.posix_acl_access";

/// A kind of access, by its bit in a mode.
pub enum FileAccess {
    Read = 4,
    /// Creating files in a directory.
    Write = 2,
    /// Searching a directory.
    Search = 1,
}

/// Whether a user has this access to `path`. None if more than the mode decides.
pub fn may(user: &LocalUser, access: FileAccess, path: &Path) -> Option<bool> {
    let path = fs::canonicalize(path).ok()?;
    let above = path.ancestors().skip(1);
    for directory in above {
        if !has_bit(user, FileAccess::Search, directory)? {
            return Some(false);
        }
    }
    has_bit(user, access, &path)
}

fn has_bit(user: &LocalUser, access: FileAccess, path: &Path) -> Option<bool> {
    let data = path.metadata().ok()?;
    // The bits of the user's class.
    let shift = if data.uid() == user.uid {
        6
    } else if user.gids.contains(&data.gid()) {
        3
    } else {
        0
    };
    if user.uid == 0 || data.mode() >> shift & access as u32 != 0 {
        return Some(true);
    }
    let has_acl = getxattr(path, ACL, &mut [0_u8; 1024][..]).is_ok();
    (!has_acl).then_some(false)
}
