//! Whether opening the database as this user could lock its owner out.
//!
//! A database in WAL mode needs two files beside it, `-wal` and `-shm`. Even a reader creates them where they are absent, and
//! they belong to whoever does: if that is another user than the application's, the application's next write fails with
//! "attempt to write a readonly database". (As root, SQLite gives the files to the database's owner.) So such a combination of
//! owners and modes is refused before SQLite touches anything. While the application has the database open, the files are there
//! and it may be read; since the application may close it at any moment, SQLite then reads by [`crate::vfs`], which makes none.
//! Where the owner may write files of ours, that makes them so that nobody ever sees them without their permissions.

use std::path::{Path, PathBuf};

/// Why the database isn't opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsafe {
    /// Our files would shut the owner out.
    #[error(
        "as user {us}, tierd would create {0}-wal and {0}-shm, which the database's owner (user {owner}) couldn't write: \
         the application would fail with \"attempt to write a readonly database\"; run tierd as user {owner}, or share the \
         database with a group that has write permission (chmod g+w, and g+ws on its folder)",
        path.display()
    )]
    LocksOutOwner {
        /// The database.
        path: PathBuf,
        /// Our user id.
        us: u32,
        /// The id of the user whose database it is.
        owner: u32,
    },
    /// The files are needed and can't be created.
    #[error(
        "{0} is in WAL mode, {0}-wal and {0}-shm are absent, and user {us} may not create them in its folder; \
         run tierd as user {owner}, or while the application has the database open",
        path.display()
    )]
    CantCreate {
        /// The database.
        path: PathBuf,
        /// Our user id.
        us: u32,
        /// The id of the user whose database it is.
        owner: u32,
    },
}

/// What `-wal` and `-shm` that we make mean to the owner of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SideFiles {
    /// They are the owner's own.
    Harmless,
    /// They are ours, and the owner may write them.
    Shared,
    /// The owner can't write them.
    LockOut,
}

/// Who we are, and who may do what with the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Situation {
    us: u32,
    owner: u32,
    /// Permission bits of the database, which new files get too.
    mode: u32,
    group: u32,
    /// The group that new files in the folder get.
    new_group: u32,
    folder_writable: bool,
    side_files: bool,
}

impl Situation {
    /// Looks at the files of a database in WAL mode. `None` where the system knows no such owners and modes.
    #[cfg(unix)]
    pub(crate) fn of(path: &Path) -> std::io::Result<Option<Self>> {
        use std::os::unix::fs::MetadataExt;
        // SQLite follows symbolic links, and puts its files beside what they lead to.
        let path = &std::fs::canonicalize(path)?;
        let file = std::fs::metadata(path)?;
        let folder = path.parent().unwrap_or(path);
        let folder_data = std::fs::metadata(folder)?;
        let set_group = folder_data.mode() & 0o2000 != 0;
        Ok(Some(Situation {
            us: system::geteuid(),
            owner: file.uid(),
            mode: file.mode() & 0o777,
            group: file.gid(),
            new_group: if set_group { folder_data.gid() } else { system::getegid() },
            folder_writable: system::is_writable(folder),
            side_files: ["-wal", "-shm"].iter().all(|suffix| side_file(path, suffix).exists()),
        }))
    }

    /// As above.
    #[cfg(not(unix))]
    pub(crate) fn of(_: &Path) -> std::io::Result<Option<Self>> {
        Ok(None)
    }

    /// Whether the database may be opened.
    pub(crate) fn judge(&self, path: &Path) -> Result<(), Unsafe> {
        let Situation { us, owner, .. } = *self;
        if us == 0 || us == owner || self.side_files {
            return Ok(());
        }
        let path = path.to_owned();
        if !self.folder_writable {
            return Err(Unsafe::CantCreate { path, us, owner });
        }
        if self.made() == SideFiles::LockOut { Err(Unsafe::LocksOutOwner { path, us, owner }) } else { Ok(()) }
    }

    /// What files that we make mean to the owner.
    pub(crate) fn made(&self) -> SideFiles {
        let shared = self.mode & 0o002 != 0 || (self.mode & 0o020 != 0 && self.new_group == self.group);
        match shared {
            _ if self.us == 0 || self.us == self.owner => SideFiles::Harmless,
            true => SideFiles::Shared,
            false => SideFiles::LockOut,
        }
    }
}

fn side_file(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// What the standard library doesn't tell.
#[cfg(unix)]
mod system {
    use std::{
        ffi::{CString, c_char, c_int},
        os::unix::ffi::OsStrExt,
        path::Path,
    };

    // From POSIX `unistd.h`; the standard library links the C library anyway.
    unsafe extern "C" {
        pub(super) safe fn geteuid() -> u32;
        pub(super) safe fn getegid() -> u32;
        fn access(path: *const c_char, mode: c_int) -> c_int;
    }

    const W_OK: c_int = 2;

    /// Whether this user may create files in the folder: groups, access lists and read-only mounts considered.
    pub(super) fn is_writable(folder: &Path) -> bool {
        let Ok(folder) = CString::new(folder.as_os_str().as_bytes()) else {
            return false;
        };
        // SAFETY: the path is a C string that lives through the call; `access` only reads it.
        unsafe { access(folder.as_ptr(), W_OK) == 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The application is user 100 with group 100; tierd is user 200.
    const APART: Situation = Situation {
        us: 200,
        owner: 100,
        mode: 0o644,
        group: 100,
        new_group: 200,
        folder_writable: true,
        side_files: false,
    };

    #[test]
    fn only_combinations_that_leave_the_owner_in_charge_pass() {
        let path = || PathBuf::from("shop.db");
        let locks_out = Err(Unsafe::LocksOutOwner { path: path(), us: 200, owner: 100 });
        let cant_create = Err(Unsafe::CantCreate { path: path(), us: 200, owner: 100 });
        for (what, situation, expected) in [
            ("another user in a shared folder", APART, locks_out.clone()),
            ("the owner", Situation { us: 100, ..APART }, Ok(())),
            ("root, for whom SQLite changes the owner", Situation { us: 0, ..APART }, Ok(())),
            ("the application has it open", Situation { side_files: true, ..APART }, Ok(())),
            ("a folder that isn't ours", Situation { folder_writable: false, ..APART }, cant_create),
            ("group-writable, but not our group", Situation { mode: 0o664, ..APART }, locks_out.clone()),
            ("group-writable and a set-group-id folder", Situation { mode: 0o664, new_group: 100, ..APART }, Ok(())),
            ("our group, but not group-writable", Situation { new_group: 100, ..APART }, locks_out),
            ("writable for everyone", Situation { mode: 0o666, ..APART }, Ok(())),
        ] {
            assert_eq!(situation.judge(Path::new("shop.db")), expected, "{what}");
        }
    }
}
