//! The file that a database is in, where it is in one: whether it is still the file that was opened. Who replaces or
//! deletes it under a running app leaves the app with a file that nobody will ever read again.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::failure::unavailable;
use crate::error::Error;

/// A file and its write-ahead log.
pub(crate) struct DataFile {
    path: PathBuf,
    wal: PathBuf,
    file: Identity,
    /// The log's, as soon as it was seen.
    seen: Mutex<Option<Identity>>,
    /// Whether it was another one when it was looked at last.
    is_lost: AtomicBool,
}

/// What makes a file the same one: its device and inode.
type Identity = (u64, u64);

impl DataFile {
    /// The file at this path as it is now; `None` where files can't be told apart, or there is none.
    pub(super) fn at(path: PathBuf) -> Option<Self> {
        let file = identity(&path)?;
        let wal = PathBuf::from(format!("{}-wal", path.display()));
        Some(Self { path, wal, file, seen: Mutex::default(), is_lost: AtomicBool::new(false) })
    }

    /// Looks after a commit, before anything is acknowledged: at that moment both files are there.
    ///
    /// # Errors
    /// `Unavailable` when one of them is gone, or another one.
    pub(super) fn check(&self) -> Result<(), Error> {
        let checked = self.check_file().and_then(|()| self.check_wal());
        self.is_lost.store(checked.is_err(), Ordering::Relaxed);
        checked
    }

    /// Looks only if it was lost when it was looked at last.
    pub(super) fn check_if_lost(&self) -> Result<(), Error> {
        if self.is_lost.load(Ordering::Relaxed) { self.check() } else { Ok(()) }
    }

    /// Looks at the file itself, before it is opened once more.
    pub(super) fn check_file(&self) -> Result<(), Error> {
        match identity(&self.path) {
            Some(now) if now == self.file => Ok(()),
            Some(_) => Err(self.lost("another file is in its place")),
            None => Err(self.lost("it is gone")),
        }
    }

    fn check_wal(&self) -> Result<(), Error> {
        let now = identity(&self.wal);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = match (*seen, now) {
            (None, _) => true,
            (Some(seen), Some(now)) if seen == now => true,
            // When nobody has the database open any more, SQLite removes the log, and makes another one later.
            (Some(_), Some(_)) => !is_open_though_deleted(&self.wal),
            (Some(_), None) => false,
        };
        if !is_known {
            return Err(self.lost("its -wal was deleted, which holds what was written last"));
        }
        *seen = now;
        Ok(())
    }

    fn lost(&self, how: &str) -> Error {
        let message = format!(
            "the database's file {} was changed from outside while the app runs: {how}. Nothing is acknowledged until \
             the file that was there is back in its place, or the app is started again",
            self.path.display()
        );
        unavailable(&message, "expected the file that was opened")
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;

    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// An open file can't be replaced there.
#[cfg(not(unix))]
fn identity(_: &Path) -> Option<Identity> {
    None
}

/// Whether this process holds a file open that was at this path and was deleted; only Linux says so.
fn is_open_though_deleted(path: &Path) -> bool {
    let Ok(path) = std::path::absolute(path) else { return false };
    let path = path.canonicalize().unwrap_or(path);
    let deleted = format!("{} (deleted)", path.display());
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else { return false };
    open.flatten().any(|fd| std::fs::read_link(fd.path()).is_ok_and(|target| target.as_os_str() == deleted.as_str()))
}
