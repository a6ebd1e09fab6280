//! Files that appear whole or not at all: written aside, then renamed.

use std::{io::Write, path::Path};

use crate::Error;

pub fn write(path: &Path, bytes: &[u8], action: &'static str) -> Result<(), Error> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = || -> std::io::Result<()> {
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666)); // the umask still applies
        }
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?; // or a loss of power may leave the new name to an empty file
        file.persist(path)?;
        Ok(())
    };
    written().map_err(|source| Error::Io { path: path.into(), action, source })
}
