//! Several processes may work on one study in one folder: each takes the pieces that no other one is on. A claim is a set of
//! locked files under `locks/`; the system frees them when the process ends, however it ends. The files themselves stay.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::Error;

/// Held while a piece is worked on.
pub struct Claim(#[expect(dead_code, reason = "files that keep their locks while they are open")] Vec<File>);

impl Claim {
    /// All of the names, or none where another process holds one of them.
    pub fn take<'a>(folder: &Path, names: impl IntoIterator<Item = &'a str>) -> Result<Option<Self>, Error> {
        let mut files = Vec::new();
        for name in names {
            let (path, file) = open(folder, name)?;
            match file.try_lock() {
                Ok(()) => files.push(file),
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(source)) => return Err(Error::Io { path, action: "lock", source }),
            }
        }
        Ok(Some(Self(files)))
    }

    /// Waits until no other process holds the name.
    pub fn wait(folder: &Path, name: &str) -> Result<Self, Error> {
        let (path, file) = open(folder, name)?;
        file.lock().map_err(|source| Error::Io { path, action: "lock", source })?;
        Ok(Self(vec![file]))
    }
}

fn open(folder: &Path, name: &str) -> Result<(std::path::PathBuf, File), Error> {
    let path = folder.join("locks").join(name);
    let opened = std::fs::create_dir_all(folder.join("locks")).and_then(|()| File::create(&path));
    match opened {
        Ok(file) => Ok((path, file)),
        Err(source) => Err(Error::Io { path, action: "make the lock file", source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_whole_and_ends_with_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let take = |names: &[&str]| Claim::take(folder.path(), names.iter().copied()).unwrap();
        let first = take(&["whole", "split"]).unwrap();
        assert!(take(&["other", "split"]).is_none());
        // What could not be had whole holds nothing back.
        assert!(take(&["other"]).is_some());
        drop(first);
        assert!(take(&["other", "split"]).is_some());
    }
}
