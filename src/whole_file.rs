//! Files that appear whole or not at all.

use std::{io::Write, path::Path};

/// Writes a file under another name in the same folder, then renames it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().permissions_like_create().tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

/// `tempfile` makes private files; a network should have the mode that any new file has.
trait LikeCreate {
    fn permissions_like_create(&mut self) -> &mut Self;
}

impl LikeCreate for tempfile::Builder<'_, '_> {
    #[cfg(unix)]
    fn permissions_like_create(&mut self) -> &mut Self {
        use std::os::unix::fs::PermissionsExt;
        self.permissions(std::fs::Permissions::from_mode(0o666)) // the umask still applies
    }

    #[cfg(not(unix))]
    fn permissions_like_create(&mut self) -> &mut Self {
        self
    }
}
